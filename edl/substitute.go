package edl

import (
	"slices"
	"strings"
)

// substitute returns the body of a macro with its arguments in it. name is
// where the macro is used.
func (pp *preprocessor) substitute(m *macro, name token, args [][]token) ([]token, bool) {
	from := name.from
	if from == nil {
		from = m
	}
	param := func(t token) int {
		if t.kind != tIdent {
			return -1
		}
		return slices.Index(m.params, t.text)
	}
	expanded := make([][]token, len(args))
	done := make([]bool, len(args))
	var out []token
	for i := 0; i < len(m.body); i++ {
		t := m.body[i]
		pasted := i+1 < len(m.body) && m.body[i+1].is("##")
		n := param(t)
		switch {
		case t.is("##") && i+1 < len(m.body):
			i++
			right := []token{pp.placed(m.body[i], name, from)}
			n = param(m.body[i])
			if n >= 0 {
				right = args[n]
			}
			ok := true
			if n >= 0 && m.variadic && n == len(m.params)-1 && len(out) > 0 && out[len(out)-1].is(",") {
				// The comma before an empty rest of arguments goes too.
				if len(right) == 0 {
					out = out[:len(out)-1]
				}
				out = append(out, right...)
			} else if out, ok = pp.paste(out, right, m, name); !ok {
				return nil, false
			}
		case t.is("#") && m.function && i+1 < len(m.body):
			i++
			out = append(out, pp.placed(stringify(args[param(m.body[i])]), name, from))
		case n >= 0 && pasted:
			if len(args[n]) == 0 {
				// Nothing is pasted to what follows.
				i++
				if i+1 < len(m.body) {
					i++
					if k := param(m.body[i]); k >= 0 {
						out = append(out, args[k]...)
					} else {
						out = append(out, pp.placed(m.body[i], name, from))
					}
				}
				continue
			}
			out = append(out, args[n]...)
		case n >= 0:
			if !done[n] {
				expanded[n], done[n] = pp.expand(args[n]), true
			}
			out = append(out, expanded[n]...)
		default:
			out = append(out, pp.placed(t, name, from))
		}
		if len(out) > maxTokens {
			pp.stop(name.span, "look for a macro that grows", "the macro %s makes too many tokens", clip(m.name))
			return nil, false
		}
	}
	for i := range out {
		out[i].bol = false
	}
	return out, true
}

// placed gives a token of a macro's body the place where the macro is used.
func (pp *preprocessor) placed(t, name token, from *macro) token {
	t.span, t.from, t.painted = name.span, from, false
	return t
}

// paste joins the last token of left with the first of right.
func (pp *preprocessor) paste(left, right []token, m *macro, name token) ([]token, bool) {
	if len(left) == 0 || len(right) == 0 {
		return append(left, right...), true
	}
	t := left[len(left)-1]
	text := t.text + right[0].text
	if len(text) > maxTokenText {
		pp.stop(name.span, "look for a macro that grows", "the macro %s makes a token that is too long", clip(m.name))
		return nil, false
	}
	lx := newLexer(&source{text: text})
	made := lx.next()
	if made.text != text || made.kind == tBad || made.kind == tEOF {
		pp.fail(RulePreprocessor, name.span, "", "the macro %s pastes `%s` and `%s`, which is no token", clip(m.name), clip(t.text), clip(right[0].text))
		return nil, false
	}
	t.kind, t.text, t.painted = made.kind, text, false
	left[len(left)-1] = t
	return append(left, right[1:]...), true
}

// stringify makes a string of the text of tokens.
func stringify(toks []token) token {
	var b strings.Builder
	for i, t := range toks {
		if i > 0 && t.space {
			b.WriteByte(' ')
		}
		if b.Len() > maxTokenText {
			break
		}
		b.WriteString(strings.ReplaceAll(t.text, `"`, ""))
	}
	return token{kind: tString, text: `"` + b.String() + `"`}
}
