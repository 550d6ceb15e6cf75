package value

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Files returns the content of a file that an argument names, at most max
// bytes of it: more is an error.
type Files func(name string, max int) ([]byte, error)

// Parse reads a call, f(1, "text"). files reads what @name stands for; without
// it there are no files. Errors are of type *SyntaxError.
func Parse(src string, files Files) (*Call, error) {
	p, err := newParser(src, files)
	if err != nil {
		return nil, err
	}
	c, err := p.call()
	if err != nil {
		return nil, err
	}
	return c, p.finish()
}

// ParseValue reads a single value.
func ParseValue(src string, files Files) (Value, error) {
	p, err := newParser(src, files)
	if err != nil {
		return Value{}, err
	}
	v, err := p.value(0)
	if err != nil {
		return Value{}, err
	}
	return v, p.finish()
}

// IsName reports whether s is a C identifier.
func IsName(s string) bool {
	for i := range len(s) {
		if !letter(s[i]) && (i == 0 || !digit(s[i])) {
			return false
		}
	}
	return s != ""
}

// LastName returns the letters, digits and underscores that s ends in.
func LastName(s string) string {
	start := len(s)
	for start > 0 && (letter(s[start-1]) || digit(s[start-1])) {
		start--
	}
	return s[start:]
}

type parser struct {
	src    string
	at     int
	files  Files
	values int
	bytes  int
}

func newParser(src string, files Files) (*parser, error) {
	p := &parser{src: src, files: files}
	if len(src) > MaxSource {
		return nil, p.limit(0, "%d bytes of text, more than %d", len(src), MaxSource)
	}
	return p, nil
}

func (p *parser) fail(pos int, format string, args ...any) error {
	return p.wrap(pos, p.at, ErrSyntax, format, args...)
}

func (p *parser) limit(pos int, format string, args ...any) error {
	return p.wrap(pos, p.at, ErrLimit, format, args...)
}

func (p *parser) wrap(pos, end int, sentinel error, format string, args ...any) error {
	return &SyntaxError{pos, max(pos, end), fmt.Errorf("%w: %s", sentinel, fmt.Sprintf(format, args...))}
}

// skip passes white space and returns the byte after it, 0 at the end.
func (p *parser) skip() byte {
	for p.at < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.at]) >= 0 {
		p.at++
	}
	return p.peek(0)
}

// peek returns the byte n places on, 0 beyond the end.
func (p *parser) peek(n int) byte {
	if p.at+n < len(p.src) {
		return p.src[p.at+n]
	}
	return 0
}

// here describes what comes next, for errors.
func (p *parser) here() string {
	if p.at == len(p.src) {
		return "the end"
	}
	r, _ := utf8.DecodeRuneInString(p.src[p.at:])
	return fmt.Sprintf("%q", r)
}

func (p *parser) finish() error {
	if p.skip(); p.at < len(p.src) {
		return p.fail(p.at, "%s after the end", p.here())
	}
	return nil
}

func (p *parser) call() (*Call, error) {
	p.skip()
	c := &Call{Pos: p.at}
	if c.Name = p.name(); c.Name == "" {
		return nil, p.fail(p.at, "%s where the name of a function should be, as in f(1)", p.here())
	}
	if p.skip() != '(' {
		return nil, p.fail(p.at, "%s where the arguments should begin, as in %s(1)", p.here(), c.Name)
	}
	p.at++
	var err error
	c.Args, err = p.fields(')', 0)
	c.End = p.at
	return c, err
}

// fields reads values with or without names up to the closing byte.
func (p *parser) fields(closing byte, depth int) ([]Field, error) {
	var fields []Field
	for p.skip() != closing {
		f, err := p.field(depth)
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
		switch p.skip() {
		case closing:
		case ',':
			p.at++
		default:
			return nil, p.fail(p.at, `%s where "," or %q should be`, p.here(), closing)
		}
	}
	p.at++
	return fields, nil
}

// field reads a value that may have a name: "x: 1", "x = 1" or ".x = 1".
func (p *parser) field(depth int) (Field, error) {
	start := p.at
	dot := p.peek(0) == '.' && letter(p.peek(1))
	if dot {
		p.at++
	}
	f := Field{Pos: p.at}
	f.Name = p.name()
	after := p.at
	if named := f.Name != "" && (p.skip() == '=' || p.peek(0) == ':' && !(after == p.at && isPrefix(f.Name))); named {
		p.at++
		p.skip()
	} else {
		if dot {
			return f, p.fail(p.at, "%s where = and a value should be", p.here())
		}
		f.Name, p.at = "", start
	}
	var err error
	f.Value, err = p.value(depth)
	return f, err
}

// isPrefix reports whether a name, directly before a colon, begins bytes.
func isPrefix(name string) bool { return slices.Contains([]string{"hex", "base64", "zero"}, name) }

func (p *parser) value(depth int) (Value, error) {
	c := p.skip()
	start := p.at
	if p.values++; p.values > MaxValues {
		return Value{}, p.limit(start, "more than %d values", MaxValues)
	}
	if depth > MaxDepth {
		return Value{}, p.limit(start, "more than %d levels", MaxDepth)
	}
	var v Value
	var err error
	switch {
	case c == '"':
		v, err = p.text()
	case c == 'L' && p.peek(1) == '"':
		v, err = p.wide()
	case c == '\'':
		v, err = p.char(1)
	case c == 'L' && p.peek(1) == '\'':
		v, err = p.char(2)
	case c == '@':
		v, err = p.file()
	case c == '&':
		v, err = p.address()
	case c == '[' || c == '{':
		v, err = p.group(depth)
	case c == '+' || c == '-' || digit(c) || c == '.' && digit(p.peek(1)):
		v, err = p.number()
	case letter(c):
		v, err = p.word()
	default:
		err = p.fail(p.at, "%s where a value should be", p.here())
	}
	v.Pos, v.End = start, p.at
	return v, err
}

// group reads [1, 2], {1, 2} or {a: 1}.
func (p *parser) group(depth int) (Value, error) {
	start, closing := p.at, byte(']')
	if p.peek(0) == '{' {
		closing = '}'
	}
	p.at++
	fields, err := p.fields(closing, depth+1)
	if err != nil {
		return Value{}, err
	}
	named := map[string]bool{}
	for _, f := range fields {
		if f.Name == "" {
			continue
		}
		if named[f.Name] {
			return Value{}, p.wrap(f.Pos, f.Pos+len(f.Name), ErrSyntax, "%s is given twice", f.Name)
		}
		named[f.Name] = true
	}
	switch {
	case len(named) > 0 && closing == ']':
		return Value{}, p.fail(start, "a list has no names: a struct is written {a: 1}")
	case len(named) > 0 && len(named) < len(fields):
		return Value{}, p.fail(start, "either all members have a name, or none")
	case closing == '}' && len(named) == len(fields):
		return Value{Kind: Struct, Fields: fields}, nil
	}
	v := Value{Kind: List, List: make([]Value, len(fields))}
	for i, f := range fields {
		v.List[i] = f.Value
	}
	return v, nil
}

// word reads what begins with a letter.
func (p *parser) word() (Value, error) {
	start := p.at
	name := p.name()
	if p.peek(0) == ':' && isPrefix(name) {
		p.at++
		return p.prefixed(start, name)
	}
	switch name {
	case "_":
		return Value{}, nil
	case "null", "NULL":
		return Value{Kind: Null}, nil
	case "true", "false":
		return OfBool(name == "true"), nil
	case "inf", "nan":
		return infOrNaN(name, false), nil
	}
	return OfName(name), nil
}

// name reads an identifier, "" if there is none.
func (p *parser) name() string {
	start := p.at
	for letter(p.peek(0)) || p.at > start && digit(p.peek(0)) {
		p.at++
	}
	return p.src[start:p.at]
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
