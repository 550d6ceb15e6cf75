package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) gendata() *cobra.Command {
	f := &signFlags{}
	cmd := a.verb(&cobra.Command{
		Use:   "gendata FILE -o DATA",
		Short: "Write the bytes that are to be signed elsewhere",
		Long: `Gendata writes the 256 bytes that a signature covers: the SIGSTRUCT's header and
body. Sign them elsewhere with RSA, PKCS #1 v1.5 and SHA-256; catsig takes the
signature with the public key, the same enclave and the same configuration.`,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  feidi sign gendata /tmp/feidi-demo/alice.signed.so --resign -o /tmp/alice.data`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			u, err := f.lay(cmd, args, "out")
			if err != nil {
				return err
			}
			if err := writeBytes(string(f.out), u.GenData()); err != nil {
				return err
			}
			return a.showSigned(f, u)
		},
	})
	f.add(cmd, "enclave", "out", "config", "date", "fips-module", "resign", "ignore-rel-error", "ignore-init-sec-error")
	return cmd
}
