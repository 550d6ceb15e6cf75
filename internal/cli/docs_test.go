package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocs runs the commands of the console blocks in guides, and compares what
// they print.
func TestDocs(t *testing.T) {
	if len(engines()) == 0 {
		t.Skip("no engine on this platform")
	}
	for _, d := range []struct {
		file  string
		first string // is run before
		least int    // commands
	}{
		{"calls.md", "demo enclave --save .", 5},
		{"world.md", "version", 10},
		{"pccs.md", "version", 10},
	} {
		t.Run(d.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "..", "docs", d.file))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			t.Setenv("XDG_STATE_HOME", dir)
			t.Chdir(dir)
			if code, out := printed(d.first); code != exitOK {
				t.Fatalf("%s: exit code %d: %s", d.first, code, out)
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
					if code, out := printed(args); code != exitOK || !like(want).MatchString(out) {
						t.Errorf("%s: exit code %d\n%s\nwant\n%s", line, code, out, want)
					}
					ran++
				}
			}
			if ran < d.least {
				t.Errorf("only %d commands", ran)
			}
		})
	}
}

// printed runs a command and returns what it prints; if it fails also the error.
func printed(command string) (code int, text string) {
	var out, errs bytes.Buffer
	code = Main(words(command), strings.NewReader(""), &out, &errs)
	if code != exitOK {
		out.Write(errs.Bytes())
	}
	return code, out.String()
}

// like matches what a guide shows. There, … is anything within a line, and as a
// line of its own any number of lines.
func like(want string) *regexp.Regexp {
	want = regexp.QuoteMeta(strings.TrimSuffix(want, "\n"))
	want = regexp.MustCompile(`(?m)^…$`).ReplaceAllString(want, `(?s:.*)`)
	return regexp.MustCompile("^" + strings.ReplaceAll(want, "…", ".*") + "\n*$")
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		want, out string
		ok        bool
	}{
		{"a\nb\n", "a\nb\n", true},
		{"a\nb\n", "a\nb", true},
		{"a\n", "a\nb\n", false},
		{"a.c", "abc", false},
		{"made …: yes", "made today: yes", true},
		{"made …: yes", "made today\n: yes", false},
		{"a\n…\nd", "a\nb\nc\nd\n", true},
		{"a\n…\n", "a\nb\nc\n", true},
		{"…", "", true},
		{"a\n…\nd", "a\nb\nc\n", false},
	} {
		if ok := like(c.want).MatchString(c.out); ok != c.ok {
			t.Errorf("%q is like %q: %v, want %v", c.out, c.want, ok, c.ok)
		}
	}
}
