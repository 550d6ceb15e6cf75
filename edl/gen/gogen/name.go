package gogen

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"
	"unicode"
)

// exportedName makes a name of C one of Go that is exported: ecall_get_sum
// becomes EcallGetSum. Letters keep their case but for the first of a word,
// and of a name that is all upper case (MAX_SIZE, MaxSize).
func exportedName(c string) string {
	var b strings.Builder
	shout := !strings.ContainsFunc(c, unicode.IsLower)
	for _, word := range strings.FieldsFunc(c, func(r rune) bool {
		return r >= unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if shout {
			word = strings.ToLower(word)
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	if s := b.String(); s != "" && !unicode.IsDigit(rune(s[0])) {
		return s
	}
	return "X" + b.String()
}

// localName is exportedName for a name that is not exported.
func localName(c string) string {
	s := exportedName(c)
	n := 1
	// PCEInfo becomes pceInfo.
	for n < len(s) && isUpper(s[n]) && (n+1 == len(s) || !isLower(s[n+1])) {
		n++
	}
	return strings.ToLower(s[:n]) + s[n:]
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

func isIdentifier(s string) bool { return token.IsIdentifier(s) && s != "_" }

// fileName is the name of an interface as the beginning of a file name.
func fileName(c string) string {
	s := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, c)
	s = strings.TrimLeft(s, "_.")
	if s == "" {
		return "x"
	}
	return s
}

// commentText is a text in a comment: on one line.
func commentText(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// nameScope are the names that are taken.
type nameScope struct{ taken map[string]bool }

func newNameScope(taken ...string) *nameScope {
	s := &nameScope{map[string]bool{}}
	for _, name := range taken {
		s.taken[name] = true
	}
	return s
}

// exported takes a name; one that is taken gets a number.
func (s *nameScope) exported(name string) string {
	return s.take(name, func(n int) string { return fmt.Sprintf("%s%d", name, n) })
}

// local takes the name of a parameter or a variable. Keywords and predeclared
// names are taken from the beginning.
func (s *nameScope) local(name string) string {
	return s.take(name, func(n int) string { return name + strings.Repeat("_", n-1) })
}

func (s *nameScope) take(name string, other func(n int) string) string {
	try := name
	for n := 2; s.taken[try] || token.IsKeyword(try) || types.Universe.Lookup(try) != nil; n++ {
		try = other(n)
	}
	s.taken[try] = true
	return try
}
