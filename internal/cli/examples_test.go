package cli

import (
	"bytes"
	"io"
	"os"
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
	switch cmd.CommandPath() {
	case "feidi build", "feidi run", "feidi test", "feidi demo", "feidi aesmd", "feidi machine identify":
		if _, err := exec.LookPath("go"); err != nil {
			t.Skip(err)
		}
	}
	tmp := filepath.ToSlash(t.TempDir())
	e.state(t, cmd)
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
		if strings.HasPrefix(args, "demo enclave --save") {
			if e.saved {
				continue
			}
			e.saved = true
		}
		if isDaemon(args) {
			e.daemon(t, args)
			continue
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

// state gives a verb that changes a world one of its own: with the machines laptop and
// server, or what it takes for the example to make them.
func (e *examples) state(t *testing.T, cmd *cobra.Command) {
	path := strings.TrimPrefix(cmd.CommandPath(), "feidi ")
	verb, _, _ := strings.Cut(path, " ")
	switch verb {
	case "world", "machine", "pcs", "pccs", "aesmd":
		t.Setenv("XDG_STATE_HOME", t.TempDir())
	default:
		return
	}
	steps := []string{"world init", "machine new laptop", "machine new server --packages 2"}
	switch path {
	case "world", "world init":
		steps = nil
	case "machine", "machine new":
		steps = steps[:1]
	}
	for _, args := range steps {
		if code := Main(words(args), nil, io.Discard, t.Output()); code != exitOK {
			t.Fatalf("feidi %s: exit code %d", args, code)
		}
	}
}

// isDaemon reports whether a command runs until it is interrupted.
func isDaemon(args string) bool {
	return (strings.HasPrefix(args, "aesmd") || listens(args)) && !strings.Contains(args, "--check")
}

// listens reports whether a command is a daemon with a port of its own.
func listens(args string) bool {
	return strings.HasPrefix(args, "pcs serve") || strings.HasPrefix(args, "pccs serve")
}

// daemon runs a command until it says where it listens, and interrupts it.
func (e *examples) daemon(t *testing.T, args string) {
	if listens(args) {
		args += " --listen 127.0.0.1:0" // the port may be in use
	}
	cmd := exec.Command("feidi", words(args)...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Errorf("feidi %s: says nothing", args)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("feidi %s: %v", args, err)
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
