package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/enclave/invoke"
	"github.com/feidi-dev/feidi/status"
)

const answersHelp = `OCALLs are shown on standard error (--quiet: not). One that passes a string, and
that nobody answers, prints it on standard output, as an application would.
--ocall, once or more often, says what an OCALL returns:

  --ocall ocall_time=1700000000                      its result
  --ocall 'ocall_read={ret: 3, buf: "abc"}'          and buffers that come back
  --ocall 'ocall_open={ret: -1, errno: 2}'           with propagate_errno
  --ocall 'ocall_x={status: SGX_ERROR_UNEXPECTED}'   the call itself fails

or --ocalls, a file with one NAME = VALUE a line, and comments after #. If a
name is there several times, these are the answers to the first call, the
second and so on; the last one stays. OCALLs without an answer return zeros.`

// Limits of a file of answers.
const (
	maxAnswerFile = 8 << 20
	maxAnswers    = 1 << 16
)

// answers are what OCALLs are answered with, by name.
type answers struct {
	of map[string][]*answer
}

// answer is one of them.
type answer struct {
	text  string      // as it was written
	given value.Value // as it was read
	size  int         // of given as text
	value invoke.Answer
}

// next returns the answer to the next OCALL of that name, nil if there is none.
func (s *answers) next(name string) *answer {
	list := s.of[name]
	if len(list) == 0 {
		return nil
	}
	if len(list) > 1 {
		s.of[name] = list[1:]
	}
	return list[0]
}

// set replaces the answers of a name.
func (s *answers) set(name string, list ...*answer) {
	if s.of == nil {
		s.of = map[string][]*answer{}
	}
	s.of[name] = list
}

// placed is an error with the line and the place in it that it is about.
type placed struct {
	err      error
	line     string
	pos, end int
}

func (p *placed) Error() string { return p.err.Error() }
func (p *placed) Unwrap() error { return p.err }

// detail is the line with the place underlined, indented.
func (p *placed) detail() string {
	return "  " + strings.ReplaceAll(value.Underline(p.line, p.pos, p.end), "\n", "\n  ")
}

// place finds the place in line that an error is about. shift is where what
// was parsed begins.
func place(err error, line string, shift int) error {
	var syntax *value.SyntaxError
	var argument *invoke.ArgumentError
	switch {
	case errors.As(err, &syntax):
		return &placed{syntax.Err, line, syntax.Pos + shift, syntax.End + shift}
	case errors.As(err, &argument) && argument.End > 0:
		return &placed{err, line, argument.Pos + shift, argument.End + shift}
	}
	return err
}

// parseAnswer reads NAME=VALUE. find knows the OCALLs.
func parseAnswer(line string, find func(string) *plan.Call, files value.Files) (string, *answer, error) {
	name, rest, ok := strings.Cut(line, "=")
	name = strings.TrimSpace(name)
	if !ok || !value.IsName(name) {
		return "", nil, fmt.Errorf("%.60q is not NAME=VALUE", line)
	}
	f := find(name)
	if f == nil {
		return "", nil, &placed{fmt.Errorf("the enclave has no OCALL %s", name), line, strings.Index(line, name), strings.Index(line, name) + len(name)}
	}
	shift := len(line) - len(rest)
	v, err := value.ParseValue(rest, files)
	if err == nil {
		var a invoke.Answer
		if a, err = makeAnswer(f, v); err == nil {
			return name, &answer{strings.TrimSpace(rest), v, len(v.String()), a}, nil
		}
	}
	return "", nil, place(err, line, shift)
}

// makeAnswer reads {ret: 1, errno: 2, status: 3, p: 4}, or just the result.
func makeAnswer(f *plan.Call, v value.Value) (invoke.Answer, error) {
	a := invoke.Answer{Return: v}
	if isAnswer(f, &v) {
		a = invoke.Answer{}
		for _, m := range v.Fields {
			switch m.Name {
			case "ret":
				a.Return = m.Value
			case "errno":
				a.Errno = m.Value
			case "status":
				var ok bool
				if a.Status, ok = statusOf(&m.Value); !ok {
					return a, &invoke.ArgumentError{Pos: m.Value.Pos, End: m.Value.End, Err: fmt.Errorf("%s is no status", m.Value)}
				}
			default:
				a.Out = append(a.Out, m)
			}
		}
	}
	return a, invoke.CheckAnswer(f, &a)
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

// script reads a file of answers.
func (s *answers) script(text string, find func(string) *plan.Call, files value.Files) error {
	number := 0
	var lines, wheres []string
	for line := range strings.Lines(text) {
		number++
		line = withoutComment(strings.TrimRight(line, "\r\n"))
		if strings.TrimSpace(line) != "" {
			lines, wheres = append(lines, line), append(wheres, fmt.Sprintf("line %d", number))
		}
	}
	return s.add(lines, wheres, find, files)
}

// add reads answers, all those of a name being one after the other. wheres say
// where each line is from.
func (s *answers) add(lines, wheres []string, find func(string) *plan.Call, files value.Files) error {
	if len(lines) > maxAnswers {
		return fmt.Errorf("more than %d answers", maxAnswers)
	}
	lists := map[string][]*answer{}
	for i, line := range lines {
		name, a, err := parseAnswer(line, find, files)
		if err != nil {
			return fmt.Errorf("%s: %w", wheres[i], err)
		}
		lists[name] = append(lists[name], a)
	}
	for name, list := range lists {
		s.set(name, list...)
	}
	return nil
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
