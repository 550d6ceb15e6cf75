package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestExamples runs what the help of each verb shows.
func TestExamples(t *testing.T) {
	if len(engines()) == 0 {
		t.Skip("no engine on this platform")
	}
	root := (&app{}).root()
	for _, cmd := range append(root.Commands(), root) {
		if cmd.IsAdditionalHelpTopicCommand() || cmd.Name() == "help" || cmd.Name() == "completion" {
			continue
		}
		t.Run(cmd.Name(), func(t *testing.T) { runExamples(t, cmd) })
	}
}

func runExamples(t *testing.T, cmd *cobra.Command) {
	tmp := filepath.ToSlash(t.TempDir())
	ran := 0
	for line := range strings.Lines(cmd.Example) {
		line = strings.ReplaceAll(line, "/tmp", tmp)
		args, ok := strings.CutPrefix(strings.TrimSpace(line), "feidi ")
		if !ok {
			continue // another program's
		}
		var out, errs bytes.Buffer
		if code := Main(words(args), strings.NewReader(""), &out, &errs); code != exitOK {
			t.Errorf("feidi %s: exit code %d\n%s", args, code, &errs)
		}
		if out.Len() == 0 {
			t.Errorf("feidi %s: says nothing", args)
		}
		ran++
	}
	if ran == 0 {
		t.Error("no example")
	}
}

// words splits a command line at spaces, except between single quotes.
func words(line string) []string {
	var w []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			w = append(w, part)
		} else {
			w = append(w, strings.Fields(part)...)
		}
	}
	return w
}
