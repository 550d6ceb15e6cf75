package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocs runs the commands of the console blocks in the guide to calls, and
// compares what they print.
func TestDocs(t *testing.T) {
	if len(engines()) == 0 {
		t.Skip("no engine on this platform")
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "calls.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	var out, errs bytes.Buffer
	if code := Main([]string{"demo", "--save", "."}, strings.NewReader(""), &out, &errs); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	ran := 0
	for i, block := range strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "```") {
		body, ok := strings.CutPrefix(block, "console\n")
		if !ok || i%2 == 0 {
			continue
		}
		for command := range strings.SplitSeq(strings.TrimPrefix(body, "$ "), "\n$ ") {
			line, want, _ := strings.Cut(command, "\n")
			args, ok := strings.CutPrefix(line, "feidi ")
			if !ok {
				t.Errorf("%q is no command of feidi", line)
				continue
			}
			out.Reset()
			errs.Reset()
			code := Main(words(args), strings.NewReader(""), &out, &errs)
			if code != exitOK || strings.TrimSuffix(out.String(), "\n") != strings.TrimSuffix(want, "\n") {
				t.Errorf("%s: exit code %d\n%s%s\nwant\n%s", line, code, &out, &errs, want)
			}
			ran++
		}
	}
	if ran < 5 {
		t.Errorf("only %d commands", ran)
	}
}
