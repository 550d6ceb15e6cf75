package prompt

import "strings"

// common is the longest text that all of list begin with.
func common(list []string) string {
	if len(list) == 0 {
		return ""
	}
	c := list[0]
	for _, s := range list[1:] {
		for !strings.HasPrefix(s, c) {
			c = c[:len(c)-1]
		}
	}
	return c
}

// columns writes list as a table of lines of up to width columns.
func columns(list []string, width int) string {
	wide := 0
	for _, s := range list {
		wide = max(wide, len(s)+2)
	}
	perLine := max(1, width/max(1, wide))
	var b strings.Builder
	for i, s := range list {
		b.WriteString(s)
		switch {
		case (i+1)%perLine == 0 || i == len(list)-1:
			b.WriteByte('\n')
		default:
			b.WriteString(strings.Repeat(" ", wide-len(s)))
		}
	}
	return b.String()
}
