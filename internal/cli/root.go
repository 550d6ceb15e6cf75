// Package cli is the command feidi: one file a verb. A verb reads its
// arguments, calls the packages that do the work and shows what they return,
// as text for people or, with --json, as one JSON object on standard output.
package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/internal/text"
)

// app is what the verbs share.
type app struct {
	in    io.Reader
	out   *output
	err   io.Writer
	json  bool // the verb was given --json
	shown bool // a JSON object was written
}

// Main runs feidi with args, which do not include the program's name, and
// returns the exit code (see `feidi help exit-codes`).
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{in: stdin, out: &output{w: stdout}, err: stderr}
	root := a.root()
	args = longOptions(args)
	if cmd, rest, err := root.Find(args); err == nil && cmd.IsAdditionalHelpTopicCommand() {
		// It is no verb, and cobra does not look at its arguments.
		if i := slices.IndexFunc(rest, func(arg string) bool { return !strings.HasPrefix(arg, "-") }); i >= 0 {
			return a.finish(cmd, noOperands(cmd, rest[i:]))
		}
	}
	root.SetArgs(args)
	return a.finish(root.ExecuteC())
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "feidi",
		Short: "The Intel SGX platform in software",
		Long: `Feidi runs SGX enclaves on machines without SGX, and shows what is in them. It
verifies quotes of SGX enclaves and TDX guests, as they come from the hardware.

` + notProtected,
		Example: `  feidi doctor
  feidi demo enclave --save /tmp/feidi-demo
  feidi inspect /tmp/feidi-demo/alice.signed.so
  feidi run /tmp/feidi-demo/alice.signed.so
  feidi verify ` + sampleSet + `/quote.bin --collateral ` + sampleSet + `/collateral.json --root ` + sampleSet + `/root.pem --at 2026-06-02`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		// Without Args, a verb that is not there is an error before -h is.
		DisableSuggestions: true, // an error is one line
		RunE:               func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetHelpCommand(help(root))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		// -word is read as letters, though some verbs take words so.
		if _, word, ok := strings.Cut(err.Error(), "unknown shorthand flag: "); ok {
			if _, word, ok = strings.Cut(word, " in -"); ok && len(word) > 1 {
				return usage("unknown flag: -%s", word)
			}
		}
		return err
	})
	root.SetVersionTemplate("feidi {{.Version}}\n")
	root.AddCommand(
		a.doctor(),
		a.inspect(),
		a.build(),
		a.run(),
		a.test(),
		a.call(),
		a.shell(),
		a.edl(),
		a.sign(),
		a.collateral(),
		a.quote(),
		a.verify(),
		a.verifyd(),
		a.world(),
		a.machine(),
		a.pcs(),
		a.pccs(),
		a.aesmd(),
		a.demo(),
		a.version(),
		a.man(),
		exitCodes(),
		security(),
	)
	return root
}

// help is the verb that shows the help of others.
func help(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB]",
		Short: "Help about any verb or topic",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return usage("there is no verb or topic %q", strings.Join(args, " "))
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) (names []string, _ cobra.ShellCompDirective) {
			for _, c := range root.Commands() {
				names = append(names, c.Name())
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// verb completes a command that has --json.
func (a *app) verb(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&a.json, "json", false, "write one JSON object in place of text")
	return cmd
}

// notProtected is said wherever somebody might believe otherwise.
const notProtected = `Software SGX protects nothing from the machine that runs it: its kernel, its
administrator and every process of the same user can read and change what is
inside an enclave, and its keys. Use it to build, test and study enclaves,
never to keep a secret.`

func security() *cobra.Command {
	return &cobra.Command{
		Use:   "security",
		Short: "What is protected, and what is not",
		Long:  notProtected,
	}
}

// printf writes to standard output what people read. Enclaves and their files
// are not trusted: nothing of them confuses a terminal.
func (a *app) printf(format string, args ...any) {
	_, _ = io.WriteString(a.out, text.Printable(fmt.Sprintf(format, args...))) // a.out keeps the error
}
