package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/invoke"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/cpuid"
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

// calling by name.
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
	answers answers
	loaded  *loaded
	client  *invoke.Client
	ocalls  []ocalled // of the call under way, for JSON
	kept    int       // bytes of them
}

// ocalled is an OCALL in the JSON object of call.
type ocalled struct {
	Name     string       `json:"name"`
	Args     value.Value  `json:"args"`
	Answered bool         `json:"answered"`
	Answer   *value.Value `json:"answer,omitempty"`
}

// maxOCalled is how many OCALLs of a call the JSON object lists, and
// maxOCalledBytes how many bytes their arguments have.
const (
	maxOCalled      = 10000
	maxOCalledBytes = 32 << 20
)

// typedCall is one call in the JSON object of call.
type typedCall struct {
	Call     string      `json:"call"`
	Function string      `json:"function"`
	Index    int         `json:"index"`
	Status   string      `json:"status"`
	Error    string      `json:"error,omitempty"`
	Result   value.Value `json:"result"`
	Out      value.Value `json:"out"`
	OCalls   []ocalled   `json:"ocalls"`
	CallMS   float64     `json:"call_ms"`
}

// typedCalls is the JSON object of call with --edl.
type typedCalls struct {
	File   string            `json:"file"`
	EDL    string            `json:"edl"`
	Calls  []*typedCall      `json:"calls"`
	Leaves map[string]uint64 `json:"leaves"` // of all calls
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
	if s.typing.ocalls != "" {
		text, err := readFile(s.typing.ocalls, maxAnswerFile, nil)
		if err != nil {
			return cannot(err)
		}
		if err := s.answers.script(string(text), s.described.ocall, files); err != nil {
			return pointed(fmt.Errorf("%s: %w", s.typing.ocalls, err))
		}
	}
	wheres := make([]string, len(s.typing.ocall))
	for i := range wheres {
		wheres[i] = "--ocall"
	}
	return pointed(s.answers.add(s.typing.ocall, wheres, s.described.ocall, files))
}

// pointed is a usage error that shows the place it is about.
func pointed(err error) error {
	if err == nil {
		return nil
	}
	e := &exitError{code: exitUsage, err: err}
	var p *placed
	if errors.As(err, &p) {
		e.detail = p.detail()
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

// typedCall makes the calls of the verb call with --edl.
func (a *app) typedCall(file string, expressions []string, l *loading, t *typing) (err error) {
	s, err := a.newSession(file, l, t)
	if err != nil {
		return err
	}
	calls := make([]*value.Call, len(expressions))
	for i, x := range expressions {
		if calls[i], err = s.parse(x); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := s.load(ctx); err != nil {
		return err
	}
	before := s.loaded.leaves.counts()
	r := &typedCalls{File: file, EDL: t.edl, Calls: []*typedCall{}}
	for i, c := range calls {
		var done *typedCall
		done, err = s.call(ctx, expressions[i], c)
		if done != nil {
			r.Calls = append(r.Calls, done)
		}
		if err != nil {
			break
		}
	}
	r.Leaves = since(s.loaded.leaves.counts(), before)
	if cerr := s.close(); err == nil {
		err = cerr
	}
	if a.json && len(r.Calls) > 0 {
		if jerr := a.writeJSON(r); jerr != nil {
			return jerr
		}
	}
	return err
}

// since subtracts the counts of before.
func since(counts, before map[string]uint64) map[string]uint64 {
	for k, v := range before {
		if counts[k] -= v; counts[k] == 0 {
			delete(counts, k)
		}
	}
	return counts
}

// parse reads an expression whose function the enclave has.
func (s *session) parse(expression string) (*value.Call, error) {
	c, err := value.Parse(expression, files)
	if err != nil {
		return nil, pointed(place(err, expression, 0))
	}
	for _, f := range s.plan.ECalls {
		if f.Name == c.Name {
			return c, nil
		}
	}
	_, err = invoke.New(nil, s.plan, invoke.Options{}).Find(c.Name)
	return nil, pointed(&placed{err, expression, c.Pos, c.Pos + len(c.Name)})
}

// call makes one call and shows what came of it.
func (s *session) call(ctx context.Context, expression string, c *value.Call) (*typedCall, error) {
	f, err := s.client.Find(c.Name)
	if err != nil {
		return nil, usage("%v", err)
	}
	s.ocalls, s.kept = []ocalled{}, 0
	start := time.Now()
	r, err := s.client.Call(ctx, c)
	took := time.Since(start)
	var argument *invoke.ArgumentError
	if errors.As(err, &argument) && !errors.Is(err, invoke.ErrAnswer) {
		return nil, pointed(place(err, expression, 0))
	}
	done := &typedCall{
		Call: expression, Function: f.Name, Index: f.Index, Status: statusName(err), OCalls: s.ocalls,
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

// serve answers an OCALL, shows it, and prints its strings if nobody answers.
func (s *session) serve(_ context.Context, o *invoke.OCall) invoke.Answer {
	a := s.answers.next(o.Func.Name)
	note := ""
	var r invoke.Answer
	switch {
	case a != nil:
		r, note = a.value, "answered with "+clean(clip(a.text))
	case o.Func.Name == "sgx_oc_cpuidex":
		if r = askCPUID(o); len(r.Out) > 0 {
			note = "answered by this processor"
		}
	default:
		note = s.print(o)
	}
	if s.a.json {
		s.record(o, a, note != "")
	}
	if !s.typing.quiet {
		if note == "" {
			note = "not answered: zeros"
		}
		call := value.Call{Name: o.Func.Name, Args: brief(o.Args)}
		fmt.Fprintf(s.a.err, "feidi: OCALL %s: %s\n", clip(call.String()), note)
	}
	return r
}

// record keeps an OCALL for JSON.
func (s *session) record(o *invoke.OCall, a *answer, answered bool) {
	record := ocalled{Name: o.Func.Name, Args: value.Value{Kind: value.Struct, Fields: o.Args}, Answered: answered}
	if a != nil {
		record.Answer = &a.given
		s.kept += a.size
	}
	for _, f := range o.Args {
		s.kept += len(f.Value.String())
	}
	if len(s.ocalls) < maxOCalled && s.kept <= maxOCalledBytes {
		s.ocalls = append(s.ocalls, record)
	}
}

// brief cuts arguments to what clip leaves of them, before they are written.
func brief(args []value.Field) []value.Field {
	const most = 400
	args = slices.Clone(args)
	for i := range args {
		v := &args[i].Value
		if len(bytes.TrimLeft(v.Bytes, "\x00")) > 0 { // zeros are short
			v.Bytes = v.Bytes[:min(len(v.Bytes), most)]
		}
		v.Wide = v.Wide[:min(len(v.Wide), most)]
		v.List = v.List[:min(len(v.List), most)]
	}
	return args
}

// print prints the strings that the enclave passes.
func (s *session) print(o *invoke.OCall) (note string) {
	for i, p := range o.Func.Params {
		v := &o.Args[i].Value
		switch {
		case p.Pass == plan.String && v.Kind == value.Text && !s.a.json:
			s.a.printf("%s", clean(string(v.Bytes)))
		case p.Pass == plan.WString && v.Kind == value.Wide && !s.a.json:
			s.a.printf("%s", clean(string(v.Wide)))
		case p.Pass != plan.String && p.Pass != plan.WString:
			continue
		}
		note = "printed"
	}
	return note
}

// askCPUID answers the OCALL by which the SDK's runtime asks for CPUID.
func askCPUID(o *invoke.OCall) invoke.Answer {
	v := value.Value{Kind: value.Struct, Fields: o.Args}
	leaf, ok := v.Field("leaf")
	subleaf, ok2 := v.Field("subleaf")
	if _, ok3 := v.Field("cpuinfo"); !ok || !ok2 || !ok3 {
		return invoke.Answer{}
	}
	word := func(v value.Value) uint32 {
		if v.Negative {
			return -uint32(v.Int)
		}
		return uint32(v.Int)
	}
	r := cpuid.Leaf(word(leaf), word(subleaf))
	list := value.OfList()
	for _, x := range []uint32{r.EAX, r.EBX, r.ECX, r.EDX} {
		list.List = append(list.List, value.OfInt(int64(int32(x))))
	}
	return invoke.Answer{Out: []value.Field{{Name: "cpuinfo", Value: list}}}
}

// clean replaces what could confuse a terminal: an enclave is not trusted.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7F || r >= 0x80 && r < 0xA0 {
			return '?'
		}
		return r
	}, s)
}

// clip shortens a long line.
func clip(s string) string {
	const most = 400
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
