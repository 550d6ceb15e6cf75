package cli

// What is checked of arguments and flags before a verb begins.

import (
	"strings"

	"github.com/spf13/cobra"
)

// noOperands is the check for verbs that take flags only.
func noOperands(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("%.60q: %s takes no arguments", args[0], cmd.Name())
	}
	return nil
}

// exclude makes it an error to give both of two flags.
func exclude(cmd *cobra.Command, one, other string) {
	cmd.MarkFlagsMutuallyExclusive(one, other) // so that completion does not offer the other
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if f := cmd.Flags(); f.Changed(one) && f.Changed(other) {
			return usage("--%s and --%s exclude each other", one, other)
		}
		if before != nil {
			return before(cmd, args)
		}
		return nil
	}
}

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
