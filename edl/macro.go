package edl

import (
	"slices"
	"strconv"
	"strings"
)

// macro is a #define.
type macro struct {
	name     string
	function bool
	params   []string
	variadic bool // the last of params takes all that is left
	body     []token
	builtin  bool
	disabled bool // while it is being replaced
}

// defineMacro carries out #define.
func (pp *preprocessor) defineMacro(name token, rest []token) {
	t, ok := pp.macroName(name, rest)
	if !ok {
		return
	}
	if t.text == "defined" || t.text == "__VA_ARGS__" {
		pp.fail(RulePreprocessor, t.span, "choose another name", "`%s` cannot be a macro", t.text)
		return
	}
	m := &macro{name: t.text}
	body := rest[1:]
	if len(body) > 0 && body[0].is("(") && !body[0].space {
		m.function = true
		if body, ok = pp.macroParams(m, body); !ok {
			return
		}
	}
	m.body = slices.Clone(body)
	if len(m.body) > 0 && (m.body[0].is("##") || m.body[len(m.body)-1].is("##")) {
		pp.fail(RulePreprocessor, m.body[0].to(m.body[len(m.body)-1].span), "write a token on both sides", "`##` stands at an end of the macro")
		return
	}
	if m.function {
		for i, t := range m.body {
			if t.is("#") && (i+1 == len(m.body) || !slices.Contains(m.params, m.body[i+1].text)) {
				pp.fail(RulePreprocessor, t.span, "write the name of a parameter behind it", "`#` without a parameter")
				return
			}
		}
	}
	old := pp.macros[m.name]
	if old != nil && !old.same(m) {
		pp.warn(RulePreprocessor, t.span, "#undef it first", "the macro %s is defined already", clip(m.name))
	}
	if old == nil && len(pp.macros) >= maxMacros {
		pp.stop(t.span, "define fewer", "there are more than %d macros", maxMacros)
		return
	}
	pp.macros[m.name] = m
}

// same reports whether two macros are defined in the same way.
func (m *macro) same(n *macro) bool {
	return m.function == n.function && m.variadic == n.variadic && slices.Equal(m.params, n.params) &&
		slices.EqualFunc(m.body, n.body, func(a, b token) bool { return a.text == b.text })
}

// macroParams parses the parameters of a macro and returns its body.
func (pp *preprocessor) macroParams(m *macro, toks []token) ([]token, bool) {
	open := toks[0]
	toks = toks[1:]
	if len(toks) > 0 && toks[0].is(")") {
		return toks[1:], true
	}
	for len(toks) >= 2 {
		t, after := toks[0], toks[1]
		switch {
		case t.is("..."):
			m.variadic = true
			m.params = append(m.params, "__VA_ARGS__")
		case t.kind == tIdent && !slices.Contains(m.params, t.text):
			m.params = append(m.params, t.text)
		default:
			pp.fail(RulePreprocessor, t.span, "write a name that is not there yet, or `...` at the end", "`%s` cannot be a parameter of a macro", clip(t.text))
			return nil, false
		}
		switch {
		case after.is(")"):
			return toks[2:], true
		case !after.is(",") || m.variadic || len(m.params) > 255:
			pp.fail(RulePreprocessor, after.span, "write `,` or `)`", "`%s` is not expected here", clip(after.text))
			return nil, false
		}
		toks = toks[2:]
	}
	pp.fail(RulePreprocessor, open.span, "close it with `)` on the same line", "the parameters of %s have no end", clip(m.name))
	return nil, false
}

// next returns the next token with macros replaced.
func (pp *preprocessor) next() token {
	for {
		t := pp.raw()
		if t.kind == tEOF || !pp.charge(1, t.span) {
			if t.kind != tEOF {
				t = token{kind: tEOF, span: t.span}
			}
			return t
		}
		if t.kind != tIdent || t.painted {
			return t
		}
		m := pp.macros[t.text]
		switch {
		case m == nil:
			return t
		case m.disabled:
			t.painted = true
			return t
		case m.builtin:
			return pp.builtin(t)
		}
		var args [][]token
		if m.function {
			paren := pp.raw()
			if !paren.is("(") {
				if paren.kind != tEOF {
					pp.unread(paren)
				}
				return t
			}
			var ok bool
			if args, ok = pp.arguments(m, t); !ok {
				continue
			}
		}
		toks, ok := pp.substitute(m, t, args)
		if !ok || !pp.charge(len(toks), t.span) {
			continue
		}
		if len(toks) > 0 {
			toks[0].bol, toks[0].space = t.bol, t.space
		}
		m.disabled = true
		pp.contexts = append(pp.contexts, context{toks, m})
	}
}

// builtin replaces a macro that depends on where it is used.
func (pp *preprocessor) builtin(t token) token {
	switch t.text {
	case "__LINE__":
		t.kind, t.text = tNumber, strconv.Itoa(t.pos().Line)
	case "__FILE__":
		t.kind, t.text = tString, `"`+strings.ReplaceAll(t.src.name, `"`, "")+`"`
	default:
		pp.fail(RulePreprocessor, t.span, "write it as text", "%s is not supported: an interface does not depend on when it is read", t.text)
	}
	return t
}

// arguments reads the arguments of a macro up to the closing parenthesis.
func (pp *preprocessor) arguments(m *macro, name token) ([][]token, bool) {
	var args [][]token
	var arg []token
	for depth := 0; ; {
		t := pp.raw()
		if t.kind == tEOF {
			pp.fail(RulePreprocessor, name.span, "close it with `)`", "the arguments of the macro %s have no end", clip(m.name))
			return nil, false
		}
		if !pp.charge(1, name.span) {
			return nil, false
		}
		switch {
		case t.is("("):
			depth++
		case t.is(")") && depth > 0:
			depth--
		case t.is(")"):
			args = append(args, arg)
			if len(m.params) == 0 && len(args) == 1 && len(arg) == 0 {
				args = nil
			}
			if m.variadic && len(args) == len(m.params)-1 {
				args = append(args, nil)
			}
			if len(args) != len(m.params) {
				pp.fail(RulePreprocessor, name.span, "", "the macro %s takes %d arguments, not %d", clip(m.name), len(m.params), len(args))
				return nil, false
			}
			return args, true
		case t.is(",") && depth == 0 && !(m.variadic && len(args) == len(m.params)-1):
			args = append(args, arg)
			arg = nil
			continue
		}
		arg = append(arg, t)
	}
}

// expand replaces the macros in a list of tokens.
func (pp *preprocessor) expand(toks []token) []token {
	if pp.depth++; pp.depth > maxArgDepth {
		if len(toks) > 0 {
			pp.stop(toks[0].span, "flatten the calls", "calls of macros are nested deeper than %d", maxArgDepth)
		}
		pp.depth--
		return nil
	}
	was := pp.isolated
	pp.contexts = append(pp.contexts, context{toks: toks})
	pp.isolated = len(pp.contexts)
	var out []token
	for {
		t := pp.next()
		if t.kind == tEOF {
			break
		}
		out = append(out, t)
	}
	for _, c := range pp.contexts[pp.isolated-1:] {
		if c.macro != nil {
			c.macro.disabled = false
		}
	}
	pp.contexts = pp.contexts[:pp.isolated-1]
	pp.isolated = was
	pp.depth--
	return out
}
