package edl

import (
	"strconv"
	"strings"
)

// condition evaluates the expression of #if or #elif.
func (pp *preprocessor) condition(name token, toks []token) bool {
	toks, ok := pp.resolveDefined(toks)
	if !ok {
		return false
	}
	toks = pp.expand(toks)
	if len(toks) == 0 {
		pp.fail(RulePreprocessor, name.span, "write an integer expression", "#%s needs a condition", name.text)
		return false
	}
	e := &evaluator{pp: pp, toks: toks}
	v := e.ternary(true)
	if e.failed {
		return false
	}
	if e.i < len(e.toks) {
		e.fail(e.toks[e.i], "`%s` is not expected here", clip(e.toks[e.i].text))
		return false
	}
	return v.n != 0
}

// resolveDefined replaces defined(NAME) and defined NAME by 1 or 0.
func (pp *preprocessor) resolveDefined(toks []token) ([]token, bool) {
	var out []token
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		if !t.is("defined") {
			out = append(out, t)
			continue
		}
		rest := toks[i+1:]
		n := 1
		if len(rest) >= 3 && rest[0].is("(") && rest[2].is(")") {
			rest, n = rest[1:], 3
		}
		if len(rest) == 0 || rest[0].kind != tIdent {
			pp.fail(RulePreprocessor, t.span, "write defined(NAME)", "`defined` needs a name")
			return nil, false
		}
		t.kind, t.text = tNumber, "0"
		if pp.macros[rest[0].text] != nil {
			t.text = "1"
		}
		out = append(out, t)
		i += n
	}
	return out, true
}

// integer is a value of the preprocessor: 64 bits, with or without a sign.
type integer struct {
	n        int64
	unsigned bool
}

func truth(b bool) integer {
	if b {
		return integer{n: 1}
	}
	return integer{}
}

// evaluator computes an expression. live is false in operands whose value does
// not matter, in which a division by zero is no error.
type evaluator struct {
	pp     *preprocessor
	toks   []token
	i      int
	depth  int
	failed bool
}

const maxExpressionDepth = 100

func (e *evaluator) fail(t token, format string, args ...any) integer {
	if !e.failed {
		e.pp.fail(RulePreprocessor, t.span, "", format, args...)
	}
	e.failed = true
	e.i = len(e.toks)
	return integer{}
}

func (e *evaluator) accept(op string) bool {
	if e.i < len(e.toks) && e.toks[e.i].is(op) {
		e.i++
		return true
	}
	return false
}

func (e *evaluator) last() token { return e.toks[min(e.i, len(e.toks)-1)] }

func (e *evaluator) ternary(live bool) integer {
	if e.depth++; e.depth > maxExpressionDepth {
		return e.fail(e.last(), "the expression is nested too deeply")
	}
	defer func() { e.depth-- }()
	c := e.binary(0, live)
	if !e.accept("?") {
		return c
	}
	a := e.ternary(live && c.n != 0)
	if !e.accept(":") {
		return e.fail(e.last(), "`?` without `:`")
	}
	b := e.ternary(live && c.n == 0)
	v := b
	if c.n != 0 {
		v = a
	}
	v.unsigned = a.unsigned || b.unsigned
	return v
}

// levels are the binary operators, the weakest first.
var levels = [][]string{
	{"||"}, {"&&"}, {"|"}, {"^"}, {"&"}, {"==", "!="},
	{"<=", ">=", "<", ">"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"},
}

func (e *evaluator) binary(level int, live bool) integer {
	if level == len(levels) {
		return e.unary(live)
	}
	a := e.binary(level+1, live)
next:
	for {
		for _, op := range levels[level] {
			if !e.accept(op) {
				continue
			}
			at := e.toks[e.i-1]
			switch op {
			case "||":
				b := e.binary(level+1, live && a.n == 0)
				a = truth(a.n != 0 || b.n != 0)
			case "&&":
				b := e.binary(level+1, live && a.n != 0)
				a = truth(a.n != 0 && b.n != 0)
			default:
				a = e.apply(at, op, a, e.binary(level+1, live), live)
			}
			continue next
		}
		return a
	}
}

// apply computes a op b.
func (e *evaluator) apply(at token, op string, a, b integer, live bool) integer {
	unsigned := a.unsigned || b.unsigned
	ua, ub := uint64(a.n), uint64(b.n)
	less := a.n < b.n
	if unsigned {
		less = ua < ub
	}
	switch op {
	case "==":
		return truth(a.n == b.n)
	case "!=":
		return truth(a.n != b.n)
	case "<":
		return truth(less)
	case ">":
		return truth(!less && a.n != b.n)
	case "<=":
		return truth(less || a.n == b.n)
	case ">=":
		return truth(!less)
	case "<<", ">>":
		return shift(a, b, op == "<<")
	}
	v := integer{unsigned: unsigned}
	switch op {
	case "|":
		v.n = a.n | b.n
	case "^":
		v.n = a.n ^ b.n
	case "&":
		v.n = a.n & b.n
	case "+":
		v.n = a.n + b.n
	case "-":
		v.n = a.n - b.n
	case "*":
		v.n = a.n * b.n
	default:
		if b.n == 0 {
			if live {
				return e.fail(at, "division by zero")
			}
			return v
		}
		switch {
		case op == "/" && unsigned:
			v.n = int64(ua / ub)
		case op == "/":
			v.n = a.n / b.n
		case unsigned:
			v.n = int64(ua % ub)
		default:
			v.n = a.n % b.n
		}
	}
	return v
}

// shift moves a by b bits; a negative b moves the other way.
func shift(a, b integer, left bool) integer {
	n := b.n
	if n < 0 && !b.unsigned {
		left = !left
		n = -n
	}
	if uint64(n) > 64 {
		n = 64
	}
	switch {
	case left:
		a.n <<= uint(n)
	case a.unsigned:
		a.n = int64(uint64(a.n) >> uint(n))
	default:
		a.n >>= uint(n)
	}
	return a
}

func (e *evaluator) unary(live bool) integer {
	if e.depth++; e.depth > maxExpressionDepth {
		return e.fail(e.last(), "the expression is nested too deeply")
	}
	defer func() { e.depth-- }()
	if e.i >= len(e.toks) {
		return e.fail(e.last(), "the expression ends too early")
	}
	t := e.toks[e.i]
	e.i++
	switch {
	case t.is("("):
		v := e.ternary(live)
		if !e.accept(")") {
			return e.fail(t, "`(` without `)`")
		}
		return v
	case t.is("!"):
		return truth(e.unary(live).n == 0)
	case t.is("-"):
		v := e.unary(live)
		v.n = -v.n
		return v
	case t.is("~"):
		v := e.unary(live)
		v.n = ^v.n
		return v
	case t.is("+"):
		return e.unary(live)
	case t.kind == tNumber:
		return e.number(t)
	case t.kind == tChar && len(t.text) == 3:
		return integer{n: int64(t.text[1])}
	case t.is("defined"):
		return e.fail(t, "a macro cannot make `defined`")
	case t.kind == tIdent:
		return integer{}
	}
	return e.fail(t, "`%s` is no integer", clip(t.text))
}

// number is the value of an integer constant of C.
func (e *evaluator) number(t token) integer {
	digits := strings.ToLower(t.text)
	body := strings.TrimRight(digits, "ul")
	switch suffix := digits[len(body):]; suffix {
	case "", "u", "l", "ul", "lu", "ll", "ull", "llu":
	default:
		return e.fail(t, "`%s` is no integer", clip(t.text))
	}
	if strings.Contains(body, "_") || strings.HasPrefix(body, "0o") {
		return e.fail(t, "`%s` is no integer", clip(t.text))
	}
	n, err := strconv.ParseUint(body, 0, 64)
	if err != nil {
		return e.fail(t, "`%s` is no integer, or too large", clip(t.text))
	}
	return integer{int64(n), n > 1<<63-1 || strings.Contains(digits[len(body):], "u")}
}
