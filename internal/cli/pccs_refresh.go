package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) pccsRefresh() *cobra.Command {
	var at pccsAt
	var certs bool
	var fmspc string
	cmd := a.verb(&cobra.Command{
		Use:   "refresh",
		Short: "Have a PCCS get its documents anew",
		Long: `Refresh has the service get all documents that it keeps anew, or with --certs the
PCK certificates of its platforms, with --fmspc only of these FMSPCs. What
cannot be had is told; the rest is new all the same.

` + whichPCCS,
		Example: `  feidi pccs fetch --world -p all -o /tmp/collaterals.json
  feidi pccs put /tmp/collaterals.json --world --database /tmp/pccs.db
  feidi pccs refresh --world --database /tmp/pccs.db`,
		Args: noOperands,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmspcs, err := fmspcList(fmspc)
			if err != nil {
				return err
			}
			certs = certs || fmspc != ""
			office, done, err := at.office(a, cmd, true)
			if err != nil {
				return err
			}
			err = office.Refresh(cmd.Context(), certs, fmspcs)
			if e := done(); err == nil {
				err = e
			}
			if err != nil {
				return refused(err)
			}
			what := "documents"
			if certs {
				what = "certificates"
			}
			if a.json {
				return a.writeJSON(map[string]string{"refreshed": what})
			}
			a.printf("all %s are refreshed\n", what)
			return nil
		},
	})
	cmd.Flags().BoolVar(&certs, "certs", false, "the PCK certificates of platforms, in place of documents")
	cmd.Flags().StringVarP(&fmspc, "fmspc", "f", "", "certificates of platforms of these `FMSPCs`, between commas; all for all")
	at.add(cmd)
	return cmd
}
