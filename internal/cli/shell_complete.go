package cli

import (
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/enclave/invoke"
)

// commands are the words that begin a line, beside functions.
var commands = []string{"describe ", "enclave", "exit", "functions", "help", "ocall ", "ocalls ", "reload"}

// complete finds what the word before the cursor may become: at the beginning
// of a line commands and functions, within parentheses what the parameter or
// the member takes that the cursor is at.
func (s *session) complete(before string) (word string, list []string) {
	word = value.LastName(before)
	before = strings.TrimSuffix(before, word)
	add := func(names ...string) {
		for _, n := range names {
			if strings.HasPrefix(n, word) {
				list = append(list, n)
			}
		}
	}
	head := strings.TrimSpace(before)
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
		name, arguments, _ := strings.Cut(before, "(")
		name = strings.TrimSpace(name)
		for _, f := range s.plan.ECalls {
			if f.Name == name {
				add(invoke.Complete(f, arguments)...)
			}
		}
	}
	slices.Sort(list)
	return word, slices.Compact(list)
}
