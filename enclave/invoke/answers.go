package invoke

import (
	"errors"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/status"
)

// Limits of answers that are written down.
const (
	MaxScript       = 8 << 20  // bytes of a script
	maxAnswers      = 1 << 16  // of all OCALLs
	maxAnswerMemory = 64 << 20 // bytes that they take
)

// Answers are answers to OCALLs that are written down, a line each:
//
//	ocall_time = 1700000000                       # the result
//	ocall_read = {ret: 3, buf: "abc"}             # and buffers
//	ocall_open = {ret: -1, errno: 2}
//	ocall_x = {status: SGX_ERROR_UNEXPECTED}      # the call itself fails
//
// If an OCALL has several, these are the answers to its first call, to its
// second and so on, and the last one stays. They are not for concurrent use.
type Answers struct {
	plan  *plan.Plan
	files value.Files
	of    map[string][]*Written
}

// Written is an answer, with the text and the value that it was read from.
type Written struct {
	Text   string
	Value  value.Value
	Answer Answer

	memory int
}

// LineError says what is wrong with a line of answers. Pos and End are the
// place in Text, in bytes; both are zero if it is no place in particular.
type LineError struct {
	Line     int // from 1
	Text     string
	Pos, End int
	Err      error
}

// Error describes the error in one line.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// NewAnswers returns no answers to the OCALLs of a plan. files reads what
// @name stands for, as in value.Parse.
func NewAnswers(p *plan.Plan, files value.Files) *Answers {
	return &Answers{plan: p, files: files, of: map[string][]*Written{}}
}

// Of returns the answers to an OCALL that are left, the next one first.
func (s *Answers) Of(name string) []*Written { return s.of[name] }

// Next returns the answer to the next call of an OCALL, nil if there is none.
func (s *Answers) Next(name string) *Written {
	list := s.of[name]
	if len(list) == 0 {
		return nil
	}
	if len(list) > 1 {
		s.of[name] = list[1:]
	}
	return list[0]
}

// Script adds the answers of a text with comments after #, as Add does.
func (s *Answers) Script(text string) error {
	if len(text) > MaxScript {
		return fmt.Errorf("%w: more than %d bytes of answers", ErrLength, MaxScript)
	}
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, withoutComment(strings.TrimRight(line, "\r\n")))
	}
	return s.Add(lines...)
}

// Add adds answers. They replace those that their OCALLs had. If one is wrong,
// nothing changes, and the error is a *LineError. Empty lines mean nothing.
func (s *Answers) Add(lines ...string) error {
	number, memory := 0, 0
	for _, list := range s.of {
		for _, a := range list {
			number, memory = number+1, memory+a.memory
		}
	}
	added := map[string][]*Written{}
	for i, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, a, err := s.parse(line)
		if err == nil {
			number, memory = number+1, memory+a.memory
			if number > maxAnswers || memory > maxAnswerMemory {
				err = fmt.Errorf("%w: more than %d answers, or %d bytes of them", ErrLength, maxAnswers, maxAnswerMemory)
			}
		}
		if err != nil {
			return lineError(i+1, line, err)
		}
		added[name] = append(added[name], a)
	}
	for name, list := range added {
		s.of[name] = list
	}
	return nil
}

// lineError finds the place in the line that an error is about.
func lineError(number int, line string, err error) error {
	e := &LineError{Line: number, Text: line, Err: err}
	shift := strings.IndexByte(line, '=') + 1 // what was parsed begins there
	var syntax *value.SyntaxError
	var argument *ArgumentError
	switch {
	case errors.As(err, &syntax):
		e.Pos, e.End, e.Err = syntax.Pos+shift, syntax.End+shift, syntax.Err
	case errors.As(err, &argument) && errors.Is(err, ErrFunction):
		e.Pos, e.End = argument.Pos, argument.End
	case errors.As(err, &argument) && argument.End > 0:
		e.Pos, e.End = argument.Pos+shift, argument.End+shift
	}
	return e
}

// parse reads NAME=VALUE.
func (s *Answers) parse(line string) (string, *Written, error) {
	name, rest, ok := strings.Cut(line, "=")
	name = strings.TrimSpace(name)
	if !ok || !value.IsName(name) {
		return "", nil, fmt.Errorf("%.60q is not NAME=VALUE", line)
	}
	f := findOCall(s.plan, name)
	if f == nil {
		at := strings.Index(line, name)
		return "", nil, &ArgumentError{at, at + len(name), fmt.Errorf("%w: the enclave has no OCALL %s", ErrFunction, name)}
	}
	v, err := value.ParseValue(rest, s.files)
	if err != nil {
		return "", nil, err
	}
	a, err := answerOf(f, v)
	if err != nil {
		return "", nil, err
	}
	rest = strings.TrimSpace(rest)
	return name, &Written{rest, v, a, len(rest) + v.Memory()}, nil
}

// findOCall returns the OCALL of that name, or nil.
func findOCall(p *plan.Plan, name string) *plan.Call {
	for _, f := range p.OCalls {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// answerOf reads {ret: 1, errno: 2, status: 3, p: 4}, or just the result.
func answerOf(f *plan.Call, v value.Value) (Answer, error) {
	a := Answer{Return: v}
	if isAnswer(f, &v) {
		a = Answer{}
		for _, m := range v.Fields {
			switch m.Name {
			case "ret":
				a.Return = m.Value
			case "errno":
				a.Errno = m.Value
			case "status":
				var ok bool
				if a.Status, ok = statusOf(&m.Value); !ok {
					return a, wrong(&m.Value, ErrAnswer, "%s is no status", m.Value)
				}
			default:
				a.Out = append(a.Out, m)
			}
		}
	}
	return a, CheckAnswer(f, &a)
}

// isAnswer reports whether a struct has the parts of an answer, and is not the
// result itself.
func isAnswer(f *plan.Call, v *value.Value) bool {
	if v.Kind != value.Struct {
		return false
	}
	whole := f.Result != nil && f.Result.Type.Pointers == 0 && f.Result.Type.Composite != nil
	for _, m := range v.Fields {
		switch m.Name {
		case "ret", "errno", "status":
			return true
		}
		for _, p := range f.Params {
			if p.Name == m.Name && p.Pass != plan.Value {
				return true
			}
		}
	}
	return !whole
}

func statusOf(v *value.Value) (status.Code, bool) {
	switch {
	case v.Kind == value.Name:
		return status.Lookup(v.Name)
	case v.Kind == value.Int && !v.Negative && v.Int <= 0xFFFFFFFF:
		return status.Code(v.Int), true
	}
	return 0, false
}

// withoutComment cuts off what follows a # that is not in quotes.
func withoutComment(line string) string {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quote != 0:
			i++
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && c == '#':
			return line[:i]
		}
	}
	return line
}
