package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// What the shell of the user completes. Anything else is a file.

// oneOf completes a flag that takes one of a few words.
func oneOf(cmd *cobra.Command, flag string, words ...string) {
	complete(cmd, flag, func(string) ([]string, cobra.ShellCompDirective) { return words, cobra.ShellCompDirectiveNoFileComp })
}

// filesOf completes a flag that takes a file with one of these extensions.
func filesOf(cmd *cobra.Command, flag string, extensions ...string) {
	complete(cmd, flag, func(string) ([]string, cobra.ShellCompDirective) {
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	})
}

func complete(cmd *cobra.Command, flag string, f func(word string) ([]string, cobra.ShellCompDirective)) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return f(word)
	})
	if err != nil {
		panic(err) // the flag does not exist, or is registered twice
	}
}

// edlFiles completes arguments that are EDL files.
func edlFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"edl"}, cobra.ShellCompDirectiveFilterFileExt
}

// names completes the OCALLs that are answered, and returns what completes the
// ECALLs behind the enclave's file, as the EDL of the command line has them.
func (d *describing) names(a *app, cmd *cobra.Command) cobra.CompletionFunc {
	filesOf(cmd, "edl", "edl")
	complete(cmd, "ocall", func(word string) ([]string, cobra.ShellCompDirective) {
		return d.beginning(a, word, "=", false), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	return func(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 || d.edl == "" {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return d.beginning(a, word, "(", true), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// beginning are the functions whose names begin with word, none if the EDL is
// not given or cannot be read.
func (d *describing) beginning(a *app, word, end string, ecalls bool) (list []string) {
	if d.edl == "" {
		return nil
	}
	r, err := d.load(a)
	if err != nil {
		return nil
	}
	calls := r.plan.OCalls
	if ecalls {
		calls = r.plan.ECalls
	}
	for _, f := range calls {
		if strings.HasPrefix(f.Name, word) {
			list = append(list, f.Name+end)
		}
	}
	return list
}
