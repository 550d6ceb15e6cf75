package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/internal/diff"
)

func (a *app) edlFmt() *cobra.Command {
	var write, compare bool
	cmd := &cobra.Command{
		Use:   "fmt FILE...",
		Short: "Print EDL files in canonical form",
		Long: `Fmt prints EDL files in canonical form. Comments and directives stay. With -d it
shows what would change, with the exit code 1 if anything would.`,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  feidi edl fmt /tmp/feidi-demo/toy.edl`,
		Args:              operands("the EDL file..."),
		ValidArgsFunction: edlFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			changed := 0
			for _, file := range args {
				src, err := readFile(file, maxEDL, nil)
				if err != nil {
					return cannot(err)
				}
				out, err := edl.FormatSource(file, src)
				if err != nil {
					return edlError(err)
				}
				switch same := string(out) == string(src); {
				case !write && !compare:
					_, _ = a.out.Write(out) // as it is: a.out keeps the error
				case same:
				case compare:
					changed++
					a.printf("%s", diff.Lines(file, string(src), file+", formatted", string(out)))
				}
				if write && string(out) != string(src) {
					if err := writeBytes(file, out); err != nil {
						return err
					}
				}
			}
			if changed > 0 && !write {
				return no(fmt.Errorf("%s not in canonical form", count(changed, "file")))
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&write, "write", "w", false, "write the result into the file")
	cmd.Flags().BoolVarP(&compare, "diff", "d", false, "show what changes")
	return cmd
}
