package gogen

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"
	"unicode"
)

// goExported makes a name of C one of Go that is exported: ecall_get_sum
// becomes EcallGetSum. Letters keep their case but for the first of a word,
// and of a name that is all upper case (MAX_SIZE, MaxSize).
func goExported(c string) string {
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

// goLower is goExported, and not exported.
func goLower(c string) string {
	s := goExported(c)
	n := 1
	// PCEInfo becomes pceInfo.
	for n < len(s) && isUpper(s[n]) && (n+1 == len(s) || !isLower(s[n+1])) {
		n++
	}
	return strings.ToLower(s[:n]) + s[n:]
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

func goIdentifier(s string) bool { return token.IsIdentifier(s) && s != "_" }

// goFileName is the name of an interface as the beginning of a file name.
func goFileName(c string) string {
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

// goComment is a text in a comment: on one line.
func goComment(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// goScope are the names that are taken.
type goScope struct{ taken map[string]bool }

func newGoScope(taken ...string) *goScope {
	s := &goScope{map[string]bool{}}
	for _, name := range taken {
		s.taken[name] = true
	}
	return s
}

// exported takes a name; one that is taken gets a number.
func (s *goScope) exported(name string) string {
	return s.take(name, func(n int) string { return fmt.Sprintf("%s%d", name, n) })
}

// local takes the name of a parameter or a variable. Keywords and predeclared
// names are taken from the beginning.
func (s *goScope) local(name string) string {
	return s.take(name, func(n int) string { return name + strings.Repeat("_", n-1) })
}

func (s *goScope) take(name string, other func(n int) string) string {
	try := name
	for n := 2; s.taken[try] || token.IsKeyword(try) || types.Universe.Lookup(try) != nil; n++ {
		try = other(n)
	}
	s.taken[try] = true
	return try
}
