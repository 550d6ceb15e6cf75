package cli

import (
	"path/filepath"
	"slices"
	"strings"
)

// program is another program that feidi stands in for, by a link to it of that
// name.
type program struct {
	verb    []string // that it is
	options []string // that may have one hyphen
	fold    bool     // that may have capital letters, too
}

var programs = map[string]*program{
	"sgx_sign": {verb: []string{"sign"}, options: []string{
		"enclave", "key", "out", "config", "sig", "unsigned", "dumpfile", "cssfile",
		"ignore-rel-error", "ignore-init-sec-error", "resign", "help", "version",
	}},
	"sgx_edger8r": {verb: []string{"edl", "gen"}, fold: true, options: []string{
		"trusted", "untrusted", "trusted-dir", "untrusted-dir", "search-path", "header-only", "use-prefix", "help",
	}},
}

// Args returns the arguments of Main for a command line that begins with the
// program's name.
func Args(argv []string) []string {
	if len(argv) == 0 {
		return nil
	}
	if p := programs[strings.TrimSuffix(filepath.Base(argv[0]), ".exe")]; p != nil {
		return slices.Concat(p.verb, argv[1:])
	}
	return argv[1:]
}

// longOptions gives the options of a verb that stands in for a program the form
// that they have here.
func longOptions(args []string) []string {
	for _, p := range programs {
		if len(args) >= len(p.verb) && slices.Equal(args[:len(p.verb)], p.verb) {
			return p.long(args)
		}
	}
	return args
}

func (p *program) long(args []string) []string {
	out := slices.Clone(args)
	for i, arg := range out {
		if arg == "--" {
			break
		}
		name, ok := strings.CutPrefix(arg, "-")
		name = strings.TrimPrefix(name, "-")
		if p.fold {
			name = strings.ToLower(name)
		}
		if ok && slices.Contains(p.options, name) {
			out[i] = "--" + name
		}
	}
	return out
}
