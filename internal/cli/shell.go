package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/invoke"
	"github.com/feidi-dev/feidi/internal/prompt"
)

const shellHelp = `  f(1, "text")           call a function
  functions              list the functions
  describe NAME          show a function, struct, union or enum
  ocall NAME=VALUE       answer an OCALL from now on; several: one line each in a file
  ocalls FILE            read answers from a file
  ocall                  list the answers
  enclave                show where the enclave is, and what it is
  reload                 load the enclave anew
  help                   this list, and how arguments are written
  exit                   leave, as does Ctrl-D; Ctrl-C drops a line or stops a call`

func (a *app) shell() *cobra.Command {
	var l loading
	var t typing
	cmd := &cobra.Command{
		Use:   "shell FILE --edl EDL",
		Short: "Load an enclave and call it as often as you like",
		Long: `Shell loads an Intel SDK enclave and calls its functions by name as they are
typed in. The enclave keeps its state from one call to the next.

` + shellHelp + `

On a terminal, Tab completes names, and the arrow keys bring back earlier lines,
which are kept in $XDG_STATE_HOME/feidi/shell_history. Otherwise the shell reads
one line after the other, and its exit code is 1 if any of them failed.

` + expressionHelp + `

` + answersHelp + `

` + typesHelp + `

` + loadingHelp,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  echo 'add(40, 2)' | feidi shell /tmp/feidi-demo/alice.signed.so --edl /tmp/feidi-demo/toy.edl`,
		Args: operands("the enclave's file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if t.edl == "" {
				return usage("the shell needs the enclave's EDL: --edl FILE")
			}
			s, err := a.newSession(args[0], &l, &t)
			if err != nil {
				return err
			}
			return a.runShell(s)
		},
	}
	l.flags(cmd)
	t.flags(a, cmd)
	cmd.ValidArgsFunction = nil // one file
	return cmd
}

func (a *app) runShell(s *session) (err error) {
	if err := s.reload(); err != nil {
		return err
	}
	defer func() {
		if cerr := s.close(); err == nil {
			err = cerr
		}
	}()
	h := &history{path: historyPath()}
	lines, interactive := prompt.New(a.in, prompt.Options{Prompt: "feidi> ", History: &h.History, Complete: s.complete})
	if interactive {
		h.read()
		defer func() {
			if err := h.write(); err != nil {
				fmt.Fprintf(a.err, "feidi: the lines of this shell are not kept: %s\n", printable(err.Error()))
			}
		}()
		fmt.Fprintf(a.out, "%s, %s. Type help for help.\n", count(len(s.plan.ECalls), "function"), count(len(s.plan.OCalls), "OCALL"))
	}
	failed := 0
	for {
		line, err := lines.ReadLine()
		if err == io.EOF {
			break
		}
		if err != nil {
			return cannot(fmt.Errorf("reading a line: %w", err))
		}
		leave, err := s.line(line)
		if err != nil {
			failed++
			a.report(err)
		}
		if leave {
			break
		}
	}
	if failed > 0 && !interactive {
		return no(fmt.Errorf("%s failed", count(failed, "line")))
	}
	return nil
}

var errNotLoaded = no(errors.New("no enclave is loaded: reload"))

// reload loads the enclave anew.
func (s *session) reload() error {
	ctx, stop := interruptible()
	defer stop()
	return s.load(ctx)
}

// line does what one line says.
func (s *session) line(line string) (leave bool, err error) {
	line = strings.TrimSpace(line)
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "", "#":
	case "exit", "quit":
		return true, nil
	case "help":
		s.a.printf("%s\n\n%s\n", shellHelp, expressionHelp)
	case "functions":
		s.functions()
	case "describe":
		return false, s.describe(rest)
	case "enclave":
		return false, s.where()
	case "reload":
		return false, s.reload()
	case "ocalls":
		return false, s.script(rest)
	case "ocall":
		if rest == "" {
			s.listAnswers()
			return false, nil
		}
		return false, answerError("ocall", s.answers.Add(rest))
	default:
		if strings.HasPrefix(line, "#") {
			return false, nil
		}
		return false, s.callLine(line)
	}
	return false, nil
}

// callLine makes a call, which an interrupt stops.
func (s *session) callLine(line string) error {
	if s.loaded == nil {
		return errNotLoaded
	}
	if _, err := invoke.Find(s.plan, line); err != nil && !strings.ContainsAny(line, "( \t") {
		return usage("%v, and no such command: see help", err)
	}
	c, err := s.parse(line)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	_, err = s.call(ctx, line, c)
	if errors.Is(err, enclave.ErrEnclaveCrashed) {
		err = fmt.Errorf("%w (reload loads it anew)", err)
	}
	return err
}

// where shows the enclave's addresses, which an argument may name.
func (s *session) where() error {
	if s.loaded == nil {
		return errNotLoaded
	}
	e := s.loaded.enclave
	c := e.SECS()
	s.a.printf("%#x to %#x, MRENCLAVE %x\n", e.Base(), e.Base()+s.image.Size-1, c.MREnclave)
	return nil
}

func (s *session) functions() {
	for _, f := range s.plan.ECalls {
		private := ""
		if !f.Public {
			private = " (private)"
		}
		s.a.printf("%3d  %s%s\n", f.Index, invoke.Signature(f), private)
	}
	for _, f := range s.plan.OCalls {
		s.a.printf("%3d  OCALL %s\n", f.Index, invoke.Signature(f))
	}
}

func (s *session) listAnswers() {
	for _, f := range s.plan.OCalls {
		for _, x := range s.answers.Of(f.Name) {
			s.a.printf("%s = %s\n", f.Name, clip(x.Text))
		}
	}
}

// describe shows what has that name.
func (s *session) describe(name string) error {
	if name == "" {
		return usage("describe what? A function or a type")
	}
	found := false
	for _, list := range [][]*plan.Call{s.plan.ECalls, s.plan.OCalls} {
		for _, f := range list {
			if f.Name == name {
				s.a.printf("%s\n", invoke.Signature(f))
				found = true
			}
		}
	}
	for _, t := range s.plan.Types {
		if t.Name == name && t.Name != "" {
			s.a.printf("%s\n", invoke.Definition(t))
			found = true
		}
	}
	if !found {
		return usage("%.60q is no function and no type of the EDL", name)
	}
	return nil
}
