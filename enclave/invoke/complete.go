package invoke

import (
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
)

// Complete returns what may stand behind text, which begins after the
// parenthesis of a call of f: names of parameters and members, each with what
// gives it a value, elements of enums, and what begins a value. Within quotes
// there is nothing.
func Complete(f *plan.Call, text string) (list []string) {
	places, ok := placesOf(f, text)
	if !ok || len(places) == 0 {
		return nil
	}
	p := &places[len(places)-1]
	if p.name == "" {
		for _, n := range p.names {
			list = append(list, n+": ")
		}
	}
	if t := p.at(); t != nil && t.Kind == edl.EnumKind {
		for _, e := range t.Elements {
			list = append(list, e.Name)
		}
		return list
	}
	return append(list, "null", "true", "false", "hex:", "base64:", "zero:")
}

// bracketed is what a bracket has within it, from the left: arguments, members
// of a struct or a union, or elements of one type.
type bracketed struct {
	names []string
	types []*plan.Composite // of names
	of    *plan.Composite   // of elements
	index int               // of the value that the text ends in
	name  string            // of that value, if it was given one
}

// at is the type of the value that the text ends in, nil if it has no
// definition. A pointer has that of what it points to.
func (b *bracketed) at() *plan.Composite {
	i := b.index
	if b.name != "" {
		i = slices.Index(b.names, b.name)
	}
	if i >= 0 && i < len(b.types) {
		return b.types[i]
	}
	return b.of
}

// placesOf are the brackets that are open at the end of text, the innermost
// last. It is not ok if a quote is, too.
func placesOf(f *plan.Call, text string) (places []bracketed, ok bool) {
	first := bracketed{}
	for _, p := range f.Params {
		first.names, first.types = append(first.names, p.Name), append(first.types, p.Type.Composite)
	}
	places = append(places, first)
	for i := 0; i < len(text) && len(places) > 0; i++ {
		top := &places[len(places)-1]
		switch c := text[i]; c {
		case '"', '\'':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if i >= len(text) {
				return nil, false
			}
		case '[':
			places = append(places, bracketed{of: top.at()})
		case '{':
			b := bracketed{}
			if t := top.at(); t != nil {
				for _, m := range t.Members {
					b.names, b.types = append(b.names, m.Name), append(b.types, m.Type.Composite)
				}
			}
			places = append(places, b)
		case ']', '}', ')':
			places = places[:len(places)-1]
		case ',':
			top.index, top.name = top.index+1, ""
		case ':', '=':
			if name := value.LastName(strings.TrimRight(text[:i], " \t")); slices.Contains(top.names, name) {
				top.name = name
			}
		}
	}
	return places, true
}
