// Package diff compares texts by their lines.
package diff

import (
	"fmt"
	"strings"
)

// maxDiff is the most lines of either text that are compared one by one.
const maxDiff = 4000

// Lines shows how the lines of a text change: those that stay with a space
// before them, those that go with a minus, and those that come with a plus.
// Of what stays, only the lines beside a change are shown. The texts are named
// in the first lines.
func Lines(beforeName, before, afterName, after string) string {
	a, b := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	const context = 3
	var out strings.Builder
	line := func(mark byte, s string) {
		out.WriteByte(mark)
		out.WriteString(strings.TrimSuffix(s, "\n") + "\n")
	}
	fmt.Fprintf(&out, "--- %s\n+++ %s\n@@ line %d @@\n", beforeName, afterName, head+1)
	for _, s := range a[max(0, head-context):head] {
		line(' ', s)
	}
	for _, e := range edits(a[head:len(a)-tail], b[head:len(b)-tail]) {
		line(e.mark, e.line)
	}
	for _, s := range a[len(a)-tail : min(len(a), len(a)-tail+context)] {
		if s != "" {
			line(' ', s)
		}
	}
	return out.String()
}

type edit struct {
	mark byte
	line string
}

// edits is a shortest way from a to b, by their longest common subsequence.
func edits(a, b []string) []edit {
	var out []edit
	if len(a) > maxDiff || len(b) > maxDiff {
		for _, s := range a {
			out = append(out, edit{'-', s})
		}
		for _, s := range b {
			out = append(out, edit{'+', s})
		}
		return out
	}
	common := make([][]uint16, len(a)+1) // of a[i:] and b[j:]
	for i := range common {
		common[i] = make([]uint16, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, edit{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, edit{'-', a[i]})
			i++
		default:
			out = append(out, edit{'+', b[j]})
			j++
		}
	}
	return out
}
