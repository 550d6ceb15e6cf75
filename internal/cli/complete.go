package cli

import (
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// commands are the words that begin a line, beside functions.
var commands = []string{"describe ", "enclave", "exit", "functions", "help", "ocall ", "ocalls ", "reload"}

// complete finds what the word before the cursor may become: at the beginning
// of a line commands and functions, within parentheses what the parameter or
// the member takes that the cursor is at.
func (s *session) complete(before string) (word string, list []string) {
	start := len(before)
	for start > 0 && isWord(before[start-1]) {
		start--
	}
	word = before[start:]
	add := func(names ...string) {
		for _, n := range names {
			if strings.HasPrefix(n, word) {
				list = append(list, n)
			}
		}
	}
	head := strings.TrimSpace(before[:start])
	switch {
	case head == "":
		for _, f := range s.plan.ECalls {
			add(f.Name + "(")
		}
		add(commands...)
	case head == "ocall":
		for _, f := range s.plan.OCalls {
			add(f.Name + "=")
		}
	case head == "describe":
		for _, f := range slices.Concat(s.plan.ECalls, s.plan.OCalls) {
			add(f.Name)
		}
		for _, t := range s.plan.Types {
			if t.Name != "" {
				add(t.Name)
			}
		}
	default:
		name, arguments, _ := strings.Cut(before[:start], "(")
		name = strings.TrimSpace(name)
		for _, f := range s.plan.ECalls {
			if f.Name == name {
				completeArgument(f, arguments, add)
			}
		}
	}
	slices.Sort(list)
	return word, slices.Compact(list)
}

func isWord(c byte) bool {
	return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
}

// completeArgument adds what may stand behind text, which begins after the
// parenthesis of a call of f. Nothing may within quotes.
func completeArgument(f *plan.Call, text string, add func(...string)) {
	places, ok := placesOf(f, text)
	if !ok || len(places) == 0 {
		return
	}
	p := &places[len(places)-1]
	if p.name == "" {
		for _, n := range p.names {
			add(n + ": ")
		}
	}
	if t := p.at(); t != nil && t.Kind == edl.EnumKind {
		for _, e := range t.Elements {
			add(e.Name)
		}
		return
	}
	add("null", "true", "false", "hex:", "base64:", "zero:")
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
			name := strings.TrimRight(text[:i], " \t")
			start := len(name)
			for start > 0 && isWord(name[start-1]) {
				start--
			}
			if name = name[start:]; slices.Contains(top.names, name) {
				top.name = name
			}
		}
	}
	return places, true
}

// common is the longest text that all of list begin with.
func common(list []string) string {
	if len(list) == 0 {
		return ""
	}
	c := list[0]
	for _, s := range list[1:] {
		for !strings.HasPrefix(s, c) {
			c = c[:len(c)-1]
		}
	}
	return c
}

// columns writes list as a table of lines of up to width columns.
func columns(list []string, width int) string {
	wide := 0
	for _, s := range list {
		wide = max(wide, len(s)+2)
	}
	perLine := max(1, width/max(1, wide))
	var b strings.Builder
	for i, s := range list {
		b.WriteString(s)
		switch {
		case (i+1)%perLine == 0 || i == len(list)-1:
			b.WriteByte('\n')
		default:
			b.WriteString(strings.Repeat(" ", wide-len(s)))
		}
	}
	return b.String()
}
