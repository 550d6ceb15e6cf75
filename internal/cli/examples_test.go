package cli

import (
	"bytes"
	"os/exec"
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
	e := &examples{demo: filepath.ToSlash(t.TempDir()) + "/feidi-demo"}
	for name, value := range goEnv(t) {
		t.Setenv(name, value)
	}
	t.Chdir(filepath.Join("..", ".."))
	e.below(t, (&app{}).root())
}

// examples share a folder, into which the demo is saved once. Everything else
// in /tmp is for each of them alone.
type examples struct {
	demo  string
	saved bool
}

func (e *examples) below(t *testing.T, cmd *cobra.Command) {
	if cmd.IsAdditionalHelpTopicCommand() || cmd.Name() == "help" || cmd.Name() == "completion" {
		return
	}
	t.Run(cmd.Name(), func(t *testing.T) { e.run(t, cmd) })
	for _, sub := range cmd.Commands() {
		e.below(t, sub)
	}
}

func (e *examples) run(t *testing.T, cmd *cobra.Command) {
	switch cmd.Name() {
	case "build", "run", "test":
		if _, err := exec.LookPath("go"); err != nil {
			t.Skip(err)
		}
	}
	tmp := filepath.ToSlash(t.TempDir())
	ran := 0
	for line := range strings.Lines(cmd.Example) {
		line = strings.NewReplacer("/tmp/feidi-demo", e.demo, "/tmp", tmp).Replace(line)
		line, stdin := piped(strings.TrimSpace(line))
		args, ok := strings.CutPrefix(line, "feidi ")
		if rest, isOpenSSL := strings.CutPrefix(line, "openssl "); isOpenSSL {
			openssl, err := exec.LookPath("openssl")
			if err != nil {
				t.Skip("no openssl")
			}
			if out, err := exec.Command(openssl, words(rest)...).CombinedOutput(); err != nil {
				t.Errorf("openssl %s: %v\n%s", rest, err, out)
			}
			continue
		}
		if !ok {
			continue // another program's
		}
		ran++
		if strings.HasPrefix(args, "demo --save") {
			if e.saved {
				continue
			}
			e.saved = true
		}
		if cmd.Name() == "test" { // runs itself
			if out, err := exec.Command("feidi", words(args)...).CombinedOutput(); err != nil {
				t.Errorf("feidi %s: %v\n%s", args, err, out)
			}
			continue
		}
		var out, errs bytes.Buffer
		if code := Main(words(args), strings.NewReader(stdin), &out, &errs); code != exitOK {
			t.Errorf("feidi %s: exit code %d\n%s", args, code, &errs)
		}
		if out.Len() == 0 {
			t.Errorf("feidi %s: says nothing", args)
		}
	}
	if ran == 0 {
		t.Error("no example")
	}
}

// piped splits "echo 'X' | command" into the command and X.
func piped(line string) (command, stdin string) {
	rest, ok := strings.CutPrefix(line, "echo '")
	stdin, command, ok2 := strings.Cut(rest, "' | ")
	if !ok || !ok2 {
		return line, ""
	}
	return command, stdin + "\n"
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
