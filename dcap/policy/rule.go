package policy

import (
	"fmt"
	"slices"
	"strings"
)

// A rule is a key of a section of a policy, and what it demands. S is where the
// section has its settings, F what is known of a quote.
type rule[S, F any] struct {
	key   string
	about string // what it means, for the guide and the schema
	form
	read  func(*S, *node, func(*node, string))
	write func(*S) *node // nil if it is not given

	advice string                // what to do if it fails
	check  func(*S, *F) *Failure // nil if it holds; the rest of the Failure is filled in. No function for keys that others look at
}

// note is a failed check.
func note(wanted, found string) *Failure { return &Failure{Wanted: wanted, Found: found} }

// one makes a key with one value, the zero value of which is not given.
func one[S, F any, T comparable](key, about string, c codec[T], p func(*S) *T) rule[S, F] {
	return rule[S, F]{
		key: key, about: about, form: c.form,
		read: func(s *S, n *node, report func(*node, string)) {
			if v, ok := readOne(c, n, report); ok {
				*p(s) = v
			}
		},
		write: func(s *S) *node {
			var zero T
			if *p(s) == zero {
				return nil
			}
			return &node{kind: c.kind, text: c.write(*p(s))}
		},
	}
}

// many makes a key with a list of values; a single one may stand for itself.
func many[S, F any, T any](key, about string, c codec[T], p func(*S) *[]T) rule[S, F] {
	r := rule[S, F]{key: key, about: about, form: c.form}
	r.list = true
	r.read = func(s *S, n *node, report func(*node, string)) {
		values := []T{}
		for _, e := range elements(n) {
			if v, ok := readOne(c, e, report); ok {
				values = append(values, v)
			}
		}
		*p(s) = values
	}
	r.write = func(s *S) *node {
		if len(*p(s)) == 0 {
			return nil
		}
		n := &node{kind: array}
		for _, v := range *p(s) {
			n.items = append(n.items, &node{kind: c.kind, text: c.write(v)})
		}
		return n
	}
	return r
}

// bits makes a key with a list of bits of a word.
func bits[S, F any, W ~uint32 | ~uint64](key, about string, names []bitName, p func(*S) *W) rule[S, F] {
	width := 32
	if ^W(0) > 0xffff_ffff {
		width = 64
	}
	f := bitForm(names, width)
	return rule[S, F]{
		key: key, about: about, form: f,
		read: func(s *S, n *node, report func(*node, string)) {
			*p(s) = 0
			for _, e := range elements(n) {
				v, ok := readBit(e.text, names, width)
				if e.kind != textual || !ok {
					report(e, wrong(f, e))
					continue
				}
				*p(s) |= W(v)
			}
		},
		write: func(s *S) *node {
			if *p(s) == 0 {
				return nil
			}
			n := &node{kind: array}
			for _, name := range nameBits(uint64(*p(s)), names) {
				n.items = append(n.items, &node{kind: textual, text: name})
			}
			return n
		},
	}
}

// elements are those of a list, or the one that stands for itself.
func elements(n *node) []*node {
	if n.kind == array {
		return n.items
	}
	return []*node{n}
}

func readOne[T any](c codec[T], n *node, report func(*node, string)) (v T, ok bool) {
	if n.kind == c.kind {
		v, ok = c.read(n.text)
	}
	if !ok {
		report(n, wrong(c.form, n))
	}
	return v, ok
}

// wrong says that a value is none of its form.
func wrong(f form, n *node) string {
	found := n.kind.String()
	if n.kind == textual || n.kind == number {
		found = quote(n.text)
	}
	return fmt.Sprintf("%s does not belong here: write %s", found, f.what)
}

// among makes a rule of a list: the fact must be in it.
func among[S, F any, T comparable](r rule[S, F], c codec[T], p func(*S) *[]T, fact func(*F) T) rule[S, F] {
	r.check = func(s *S, f *F) *Failure {
		list, v := *p(s), fact(f)
		if len(list) == 0 || slices.Contains(list, v) {
			return nil
		}
		return note(anyOf(list, c.write), c.write(v))
	}
	return r
}

// listed is many and among in one.
func listed[S, F any, T comparable](key, about string, c codec[T], p func(*S) *[]T, fact func(*F) T, advice string) rule[S, F] {
	r := among(many[S, F](key, about, c, p), c, p, fact)
	r.advice = advice
	return r
}

// atLeast makes a rule of a number: the fact must not be less.
func atLeast[S, F any, T ~uint16 | ~uint32](key, about string, p func(*S) *T, fact func(*F) T, advice string) rule[S, F] {
	r := one[S, F](key, about, numberUpTo(^T(0)), p)
	r.advice = advice
	r.check = func(s *S, f *F) *Failure {
		if v := fact(f); v < *p(s) {
			return note(fmt.Sprintf("%d or more", *p(s)), fmt.Sprint(v))
		}
		return nil
	}
	return r
}

// required and forbidden make rules of bits.
func required[S, F any, W ~uint32 | ~uint64](key, about string, names []bitName, p func(*S) *W, fact func(*F) W, advice string) rule[S, F] {
	r := bits[S, F](key, about, names, p)
	r.advice = advice
	r.check = func(s *S, f *F) *Failure {
		if missing := *p(s) &^ fact(f); missing != 0 {
			return note(showBits(uint64(*p(s)), names), showBits(uint64(fact(f)), names)+"; not "+showBits(uint64(missing), names))
		}
		return nil
	}
	return r
}

func forbidden[S, F any, W ~uint32 | ~uint64](key, about string, names []bitName, p func(*S) *W, fact func(*F) W, advice string) rule[S, F] {
	r := bits[S, F](key, about, names, p)
	r.advice = advice
	r.check = func(s *S, f *F) *Failure {
		if bad := *p(s) & fact(f); bad != 0 {
			return note("none of "+showBits(uint64(*p(s)), names), showBits(uint64(bad), names))
		}
		return nil
	}
	return r
}

// anyOf is a list for a message.
func anyOf[T any](list []T, write func(T) string) string {
	const shown = 3
	var s []string
	for _, v := range list[:min(len(list), shown)] {
		s = append(s, write(v))
	}
	if more := len(list) - shown; more > 0 {
		return fmt.Sprintf("%s, or one of %d more", strings.Join(s, ", "), more)
	}
	return strings.Join(s, " or ")
}
