package edl

import (
	"fmt"
	"strconv"
	"strings"
)

func (p *parser) peek() token { return p.toks[p.i] }

// ahead returns the token n places on.
func (p *parser) ahead(n int) token { return p.toks[min(p.i+n, len(p.toks)-1)] }

func (p *parser) next() token {
	t := p.toks[p.i]
	if p.i < len(p.toks)-1 {
		p.i++
	}
	return t
}

// accept takes the next token if it is a given name or punctuator.
func (p *parser) accept(text string) bool {
	if !p.peek().is(text) {
		return false
	}
	p.next()
	return true
}

// expect is accept, and an error if it is not there.
func (p *parser) expect(text, after string) bool {
	if p.accept(text) {
		return true
	}
	p.unexpected("`" + text + "` " + after)
	return false
}

// unexpected reports that the next token is not what was wanted.
func (p *parser) unexpected(want string) {
	t := p.peek()
	switch {
	case t.kind == tBad, t.kind == tChar:
		p.badToken(t)
	case t.kind == tEOF && p.failed():
	case t.kind == tEOF && p.i > 0:
		last := p.toks[p.i-1].span
		p.fail(RuleSyntax, last, "write "+want, "the file ends after `%s`", p.toks[p.i-1].text)
	case t.kind == tEOF:
		p.fail(RuleSyntax, t.span, "write "+want, "the file is empty")
	default:
		p.fail(RuleSyntax, t.span, "write "+want, "`%s` is not expected here%s", clip(t.text), origin(t))
	}
}

// failed reports whether there was an error in this file. What is missing at
// its end is then a consequence, likely.
func (p *parser) failed() bool { return len(p.errors) > p.before }

// unclosed reports a brace that the file ends in.
func (p *parser) unclosed(open token, what string) {
	if !p.failed() {
		p.fail(RuleSyntax, open.span, "close it with `};`", "the `{` of %s has no `}`", what)
	}
}

// origin says which macro a token came from.
func origin(t token) string {
	if t.from == nil {
		return ""
	}
	return " (from the macro " + clip(t.from.name) + ")"
}

// clip shortens text for a message.
func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:37], "") + "..."
	}
	return s
}

// badToken reports a token that EDL does not have.
func (p *parser) badToken(t token) {
	switch {
	case strings.HasPrefix(t.text, "/*"):
		t.end = t.off + 2
		p.fail(RuleToken, t.span, "close it with `*/`", "this comment has no end")
	case strings.HasPrefix(t.text, `"`):
		p.fail(RuleToken, t.span, "close it with `\"` on the same line", "this string has no end")
	default:
		p.fail(RuleToken, t.span, "remove it", "`%s` has no meaning in EDL%s", clip(t.text), origin(t))
	}
}

// ident takes a name. what says of what.
func (p *parser) ident(what string) (token, bool) {
	t := p.peek()
	if t.kind == tIdent && !keywords[t.text] {
		return p.next(), true
	}
	if t.kind == tIdent {
		p.fail(RuleSyntax, t.span, "choose another name", "`%s` is a keyword and cannot be %s", t.text, what)
	} else {
		p.unexpected(what)
	}
	return t, false
}

// str takes a string and returns it without quotes.
func (p *parser) str(what string) (nameRef, bool) {
	t := p.peek()
	if t.kind != tString {
		p.unexpected(what)
		return nameRef{}, false
	}
	p.next()
	s := t.text[1 : len(t.text)-1]
	if s == "" {
		p.fail(RuleSyntax, t.span, "write "+what, "the string is empty")
	}
	return nameRef{s, t.span}, true
}

// maxNumber is the largest number that sgx_edger8r reads.
const maxNumber uint64 = 1<<62 - 1

// number is the value of a number token, false after an error.
func (p *parser) number(t token) (uint64, bool) {
	for i := 0; i < len(t.text); i++ {
		if !isDigit(t.text[i]) {
			p.fail(RuleNumber, t.span, "write it with decimal digits only", "`%s` is no decimal number", clip(t.text))
			return 0, false
		}
	}
	n, err := strconv.ParseUint(t.text, 10, 64)
	if err != nil || n > maxNumber {
		p.fail(RuleNumber, t.span, fmt.Sprint("write a number up to ", maxNumber), "the number %s is too large", clip(t.text))
		return 0, false
	}
	return n, true
}
