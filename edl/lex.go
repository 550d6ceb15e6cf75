package edl

import (
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tEOF     tokenKind = iota
	tIdent             // a name or a keyword
	tNumber            // begins with a digit; the parser wants decimal digits only
	tString            // in double quotes, with them
	tChar              // in single quotes, with them; only #if knows it
	tPunct             // of EDL or of C
	tComment           // only if the lexer keeps comments
	tBad               // what begins no token
)

// token is a piece of text. One that comes from a macro has the place of the
// macro's name where it was used.
type token struct {
	kind tokenKind
	// bol: the first of its line. space: white space is before it.
	// painted: the name of a macro that must not be expanded again.
	bol, space, painted bool
	text                string
	from                *macro // that it was made by, or nil
	span
}

// is reports whether the token is a given name or punctuator.
func (t token) is(text string) bool {
	return (t.kind == tIdent || t.kind == tPunct) && t.text == text
}

// lexer cuts a source into the tokens of the C preprocessor, which are those
// of EDL and some more.
type lexer struct {
	src          *source
	off          int
	bol          bool // nothing but white space since the start of the line
	keepComments bool
}

func newLexer(src *source) *lexer { return &lexer{src: src, bol: true} }

// next returns the next token; at the end of the text always tEOF.
func (l *lexer) next() token {
	text := l.src.text
	space := false
	for l.off < len(text) {
		switch c := text[l.off]; {
		case c == '\n':
			l.bol = true
			l.off++
		case c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f':
			l.off++
		case c == '/' && strings.HasPrefix(text[l.off:], "//"):
			end := strings.IndexByte(text[l.off:], '\n')
			if end < 0 {
				end = len(text) - l.off
			}
			if l.keepComments {
				return l.token(tComment, end, space)
			}
			l.off += end
		case c == '/' && strings.HasPrefix(text[l.off:], "/*"):
			end := strings.Index(text[l.off+2:], "*/")
			if end < 0 {
				return l.token(tBad, len(text)-l.off, space)
			}
			if l.keepComments {
				return l.token(tComment, end+4, space)
			}
			l.off += end + 4
		default:
			return l.lex(c, space)
		}
		space = true
	}
	return l.token(tEOF, 0, space)
}

// token makes a token of the next n bytes.
func (l *lexer) token(kind tokenKind, n int, space bool) token {
	t := token{
		kind: kind, bol: l.bol, space: space,
		text: l.src.text[l.off : l.off+n],
		span: span{l.src, l.off, l.off + n},
	}
	l.off += n
	if kind != tEOF {
		l.bol = false
	}
	return t
}

// lex makes a token that begins with c.
func (l *lexer) lex(c byte, space bool) token {
	rest := l.src.text[l.off:]
	switch {
	case isLetter(c):
		n := 1
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n])) {
			n++
		}
		return l.token(tIdent, n, space)
	case isDigit(c):
		n := 1
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n]) || rest[n] == '.') {
			n++
		}
		return l.token(tNumber, n, space)
	case c == '"' || c == '\'':
		return l.quoted(c, rest, space)
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			return l.token(tPunct, len(op), space)
		}
	}
	if strings.IndexByte("{}()[]*.,;=<>+-/%!~&|^?:#", c) >= 0 {
		return l.token(tPunct, 1, space)
	}
	_, n := utf8.DecodeRuneInString(rest)
	return l.token(tBad, n, space)
}

// operators are the punctuators of more than one byte.
var operators = []string{"...", "##", "&&", "||", "==", "!=", "<=", ">=", "<<", ">>"}

// quoted makes a string or a character constant, or takes the rest of the
// line if it has no end there.
func (l *lexer) quoted(quote byte, rest string, space bool) token {
	for i := 1; i < len(rest) && rest[i] != '\n'; i++ {
		switch {
		case rest[i] == quote && quote == '"':
			return l.token(tString, i+1, space)
		case rest[i] == quote:
			return l.token(tChar, i+1, space)
		case rest[i] == '\\' && quote == '\'':
			i++
		}
	}
	n := strings.IndexByte(rest, '\n')
	if n < 0 {
		n = len(rest)
	}
	return l.token(tBad, n, space)
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
