package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/invoke"
	"github.com/feidi-dev/feidi/image"
)

const expressionHelp = `An expression names a function and its arguments:

  1, -0x2a, 1.5, 'c', true    numbers, checked against the type
  "text", L"wide"             texts, with the escapes of C
  hex:00ff  base64:AP8=       bytes; also @FILE, and zero:64 for zeros
  [1, 2, 3]  {x: 1, y: 2}     arrays, structs
  null, &0x1000               no address, an address as it is
  RED, _                      an element of an enum, nothing given
  f(n: 3, s: "x")             arguments by name

A parameter that is the size or count of a buffer may be left out or be _: it
follows from the buffer. Buffers that only come back may be, too. A user_check
pointer is null, an address, or content that is placed outside the enclave.`

// typing are the flags of the verbs that call by name.
type typing struct {
	describing
	ocall  []string
	ocalls string
	quiet  bool
}

func (t *typing) flags(a *app, cmd *cobra.Command) {
	t.describing.flags(cmd)
	set := cmd.Flags()
	set.StringArrayVar(&t.ocall, "ocall", nil, "answer an OCALL, `NAME=VALUE`")
	set.StringVar(&t.ocalls, "ocalls", "", "answer OCALLs as this `file` says")
	set.BoolVarP(&t.quiet, "quiet", "q", false, "do not show OCALLs on standard error")
	cmd.ValidArgsFunction = t.names(a, cmd)
}

// session is an enclave that is called by name.
type session struct {
	*described
	a       *app
	file    string
	image   *image.Image
	typing  *typing
	loading *loading
	answers *invoke.Answers
	loaded  *loaded
	client  *invoke.Client
	ocalls  []ocalled // of the call under way, for JSON
	kept    int       // bytes of memory that they take
	leftOut int       // that are too many for it
}

// files reads what @name names.
func files(name string, max int) ([]byte, error) { return readFile(name, int64(max), nil) }

// newSession reads everything that a session needs, and loads nothing yet.
func (a *app) newSession(file string, l *loading, t *typing) (*session, error) {
	d, err := t.describing.load(a)
	if err != nil {
		return nil, err
	}
	s := &session{described: d, a: a, file: file, typing: t, loading: l}
	if err := s.readAnswers(); err != nil {
		return nil, err
	}
	if s.image, err = readImage(file, l.sigstruct); err != nil {
		return nil, err
	}
	if s.image.Format != image.FormatIntel {
		return nil, cannot(fmt.Errorf("%s: an SGX stream follows no ECALL contract that is known here", file))
	}
	return s, nil
}

func (s *session) readAnswers() error {
	s.answers = invoke.NewAnswers(s.plan, files)
	if s.typing.ocalls != "" {
		if err := s.script(s.typing.ocalls); err != nil {
			return err
		}
	}
	return answerError("--ocall", s.answers.Add(s.typing.ocall...))
}

// script reads a file of answers.
func (s *session) script(file string) error {
	text, err := readFile(file, invoke.MaxScript, nil)
	if err != nil {
		return cannot(err)
	}
	err = s.answers.Script(string(text))
	var e *invoke.LineError
	if errors.As(err, &e) {
		file = fmt.Sprintf("%s: line %d", file, e.Line)
	}
	return answerError(file, err)
}

// answerError is the error of an answer to an OCALL. where says what it is from.
func answerError(where string, err error) error {
	var e *invoke.LineError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return pointed(fmt.Errorf("%s: %w", where, e.Err), e.Text, e.Pos, e.End)
	}
	return usage("%s: %v", where, err)
}

// expressionError is the error of an expression, with its place.
func expressionError(expression string, err error) error {
	var syntax *value.SyntaxError
	var argument *invoke.ArgumentError
	switch {
	case errors.As(err, &syntax):
		return pointed(syntax.Err, expression, syntax.Pos, syntax.End)
	case errors.As(err, &argument):
		return pointed(err, expression, argument.Pos, argument.End)
	}
	return usage("%w", err)
}

// pointed is a usage error that shows the place in a line that it is about, if
// there is one.
func pointed(err error, line string, pos, end int) error {
	e := &exitError{code: exitUsage, err: err}
	if end > 0 {
		e.detail = "  " + strings.ReplaceAll(value.Underline(line, pos, end), "\n", "\n  ")
	}
	return e
}

// load loads the enclave, in place of the one that was loaded before.
func (s *session) load(ctx context.Context) error {
	if err := s.close(); err != nil {
		return err
	}
	unknown := func(_ context.Context, c *enclave.Call) enclave.Status {
		fmt.Fprintf(s.a.err, "feidi: OCALL %d, which the EDL does not have, answered with %v\n", c.Index, enclave.ErrInvalidFunction)
		return enclave.ErrInvalidFunction
	}
	e, err := s.a.load(ctx, s.file, s.image, s.loading, enclave.WithOtherOCalls(unknown))
	if err != nil {
		if e != nil {
			_ = e.close() // the first error is the one that matters
		}
		return err
	}
	s.loaded = e
	s.client = invoke.New(e.enclave, s.plan, invoke.Options{Types: s.types, Handler: s.serve})
	return nil
}

func (s *session) close() error {
	if s.loaded == nil {
		return nil
	}
	err := s.loaded.close()
	s.loaded = nil
	if err != nil {
		return cannot(err)
	}
	return nil
}

// parse reads an expression whose function the enclave has.
func (s *session) parse(expression string) (*value.Call, error) {
	c, err := value.Parse(expression, files)
	if err != nil {
		return nil, expressionError(expression, err)
	}
	if _, err := invoke.Find(s.plan, c.Name); err != nil {
		return nil, pointed(err, expression, c.Pos, c.Pos+len(c.Name))
	}
	return c, nil
}

// call makes one call and shows what came of it.
func (s *session) call(ctx context.Context, expression string, c *value.Call) (*typedCall, error) {
	f, err := invoke.Find(s.plan, c.Name)
	if err != nil {
		return nil, usage("%v", err)
	}
	s.ocalls, s.kept, s.leftOut = []ocalled{}, 0, 0
	start := time.Now()
	r, err := s.client.Call(ctx, c)
	took := time.Since(start)
	var argument *invoke.ArgumentError
	if errors.As(err, &argument) && !errors.Is(err, invoke.ErrAnswer) {
		return nil, expressionError(expression, err)
	}
	done := &typedCall{
		Call: expression, Function: f.Name, Index: f.Index, Status: statusName(err), OCalls: s.ocalls, LeftOut: s.leftOut,
		CallMS: float64(took.Microseconds()) / 1000, Result: value.Value{Kind: value.Null}, Out: value.Value{Kind: value.Struct},
	}
	if r != nil {
		if f.Result != nil {
			done.Result = r.Return
		}
		done.Out.Fields = r.Out
		if !s.a.json {
			s.show(expression, r)
		}
	}
	if err != nil {
		done.Error = err.Error()
		return done, s.failed(f, err)
	}
	return done, nil
}

// failed is the error of a call that reached the enclave.
func (s *session) failed(f *plan.Call, err error) error {
	switch {
	case errors.Is(err, invoke.ErrAnswer) || errors.Is(err, invoke.ErrType):
		return usage("%s: %s: %v", s.file, f.Name, err)
	case errors.Is(err, enclave.ErrECallNotAllowed) && !f.Public:
		err = fmt.Errorf("%w: it is private, for OCALLs that allow it", err)
	case errors.Is(err, enclave.ErrInvalidFunction):
		err = fmt.Errorf("%w: as if it had no ECALL %d: is the EDL that of this enclave?", err, f.Index)
	}
	return enclaveError(s.file+": "+f.Name, err)
}
