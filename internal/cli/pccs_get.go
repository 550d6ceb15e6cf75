package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
)

// Names of files, as pccsadmin has them.
const (
	platformList        = "platform_list.json"
	platformCollaterals = "platform_collaterals.json"
)

// shownList is the JSON object of verbs that write a platform list.
type shownList struct {
	File      string `json:"file"`
	Platforms int    `json:"platforms"`
}

func (s *shownList) show(a *app) error {
	if a.json {
		return a.writeJSON(s)
	}
	a.printf("%s in %s\n", plural(s.Platforms, "platform"), s.File)
	return nil
}

func (a *app) pccsGet() *cobra.Command {
	at := pccsAt{looks: true}
	var out, source string
	var force bool
	cmd := a.verb(&cobra.Command{
		Use:   "get",
		Short: "Get the list of platforms that wait, or of those in the cache",
		Long: `Get writes a list of platforms, for ` + "`feidi pccs fetch`" + ` or ` + "`pccsadmin fetch`" + `:
those that registered and wait for their certificates, which wait no longer
then; or with -s those in the cache. The file is created before the service is
asked, so that no list is lost.

  -s reg             that wait (the default)
  -s reg_na          that some certificates were not available for
  -s '[FMSPC,...]'   in the cache, of these FMSPCs; '[]' for all

` + whichPCCS,
		Example: `  feidi pccs import ` + sampleCollaterals + ` --database /tmp/pccs.db --root ` + sampleRoot + `
  feidi pccs get --database /tmp/pccs.db -s '[]' -o /tmp/platform_list.json`,
		Args: noOperands,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if source != "reg" && source != "reg_na" {
				if _, err := fmspcList(source); err != nil {
					return err
				}
			}
			if err := free(out, force); err != nil {
				return err
			}
			office, done, err := at.office(a, cmd, false)
			if err != nil {
				return err
			}
			s := &shownList{File: out}
			var asked error // which says more than that nothing was written
			write := func(w io.Writer) error {
				var list []store.Registration
				if list, asked = office.Platforms(cmd.Context(), source); asked != nil {
					return asked
				}
				s.Platforms = len(list)
				return writeList(w, list)
			}
			if out == "-" {
				err = write(a.out)
			} else {
				err = writeFile(out, 0o666, write)
			}
			if e := done(); err == nil {
				err = e
			}
			switch {
			case asked != nil:
				return refused(asked)
			case err != nil:
				return coded(err)
			case out == "-":
				return nil
			}
			return s.show(a)
		},
	})
	f := cmd.Flags()
	f.StringVarP(&out, "out", "o", platformList, "write to this `file`, - for standard output")
	f.StringVarP(&source, "source", "s", "reg", "`which`: reg, reg_na, or FMSPCs in brackets")
	f.BoolVar(&force, "force", false, "replace a file that is there")
	at.add(cmd)
	return cmd
}

// writeList writes a platform list.
func writeList(w io.Writer, list []store.Registration) error {
	_, err := w.Write(append(exchange.AppendPlatforms(nil, list), '\n'))
	return err
}
