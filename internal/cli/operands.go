package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// operands is the check for arguments with these names, of which the last may
// be repeated if it ends in dots.
func operands(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		last := names[len(names)-1]
		switch {
		case len(args) < len(names):
			return usage("%s is missing", strings.TrimSuffix(names[len(args)], "..."))
		case len(args) > len(names) && !strings.HasSuffix(last, "..."):
			return usage("%.60q is one argument too many", args[len(names)])
		}
		return nil
	}
}
