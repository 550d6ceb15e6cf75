package cli

import (
	"slices"
	"strings"
)

// commands are the words that begin a line, beside functions.
var commands = []string{"describe ", "enclave", "exit", "functions", "help", "ocall ", "ocalls ", "reload"}

// complete finds what the word before the cursor may become: at the beginning
// of a line commands and functions, within parentheses the parameters of the
// function, the members of structs and the elements of enums.
func (s *session) complete(before string) (word string, list []string) {
	start := len(before)
	for start > 0 && (before[start-1] == '_' || before[start-1]|0x20 >= 'a' && before[start-1]|0x20 <= 'z' || before[start-1] >= '0' && before[start-1] <= '9') {
		start--
	}
	word = before[start:]
	add := func(names ...string) {
		for _, n := range names {
			if strings.HasPrefix(n, word) && !slices.Contains(list, n) {
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
		name, _, _ := strings.Cut(head, "(")
		s.completeArgument(strings.TrimSpace(name), strings.Contains(head, "{"), add)
	}
	slices.Sort(list)
	return word, list
}

func (s *session) completeArgument(function string, inStruct bool, add func(...string)) {
	for _, f := range s.plan.ECalls {
		if f.Name == function && !inStruct {
			for _, p := range f.Params {
				add(p.Name + ": ")
			}
		}
	}
	for _, t := range s.plan.Types {
		for _, m := range t.Members {
			if inStruct {
				add(m.Name + ": ")
			}
		}
		for _, e := range t.Elements {
			add(e.Name)
		}
	}
	add("null", "true", "false", "hex:", "base64:", "zero:")
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
