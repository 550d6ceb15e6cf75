package cli

import (
	"path/filepath"
	"slices"
	"strings"
)

// programs are other programs that feidi stands in for, by a link to it of
// that name, and the verb that it is then.
var programs = map[string][]string{
	"sgx_sign":    {"sign"},
	"sgx_edger8r": {"edl", "gen"},
}

// Args returns the arguments of Main for a command line that begins with the
// program's name.
func Args(argv []string) []string {
	if len(argv) == 0 {
		return nil
	}
	name := strings.TrimSuffix(filepath.Base(argv[0]), ".exe")
	if verb, ok := programs[name]; ok {
		return slices.Concat(verb, argv[1:])
	}
	return argv[1:]
}
