package cli

import (
	"encoding/hex"
	"errors"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/internal/rig"
)

// identity is the JSON object of machine identify, with the names of a PCCS.
type identity struct {
	EncryptedPPID string `json:"enc_ppid"`
	PCEID         string `json:"pce_id"`
	CPUSVN        string `json:"cpu_svn"`
	PCESVN        string `json:"pce_svn"`
	QEID          string `json:"qe_id"`
	Manifest      string `json:"platform_manifest,omitempty"`
}

func (a *app) machineIdentify() *cobra.Command {
	s := serving{stranger: true} // by what this says it may be registered
	cmd := a.verb(&cobra.Command{
		Use:   "identify NAME",
		Short: "Say who a machine is, in the form in which a PCCS is told",
		Long: `Identify runs the machine's PCE and QE, and writes what Intel's PCK Cert ID
Retrieval Tool writes: the PPID, encrypted for the certification service, PCE
ID, CPUSVN, PCE ISVSVN and QE ID in hexadecimal, separated by commas. With
--json it is the body of a PCCS's request POST /platforms, the manifest of a
machine of several packages included: by that such a machine is registered, and
need not be before.`,
		Example: `  feidi machine identify laptop`,
		Args:    operands("the machine's name"),

		ValidArgsFunction: machines,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s.machine = args[0]
			r, err := s.prepare(a, nil)
			if err != nil {
				return err
			}
			up, err := rig.Start(cmd.Context(), r.machine, r.options)
			if err != nil {
				return cannot(err)
			}
			defer func() { err = errors.Join(err, closing(up.Close())) }()
			id, err := up.Platform.Identify(cmd.Context())
			if err != nil {
				return cannot(err)
			}
			if !a.json {
				a.printf("%s\n", id.CSV())
				return nil
			}
			q := id.Request()
			return a.writeJSON(identity{
				EncryptedPPID: hex.EncodeToString(q.EncryptedPPID), PCEID: hex.EncodeToString(q.PCEID[:]),
				CPUSVN: hex.EncodeToString(q.CPUSVN[:]), PCESVN: hex.EncodeToString([]byte{byte(q.PCESVN), byte(q.PCESVN >> 8)}),
				QEID: hex.EncodeToString(q.QEID), Manifest: hex.EncodeToString(r.machine.Manifest()),
			})
		},
	})
	return cmd
}
