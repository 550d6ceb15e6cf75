package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign/sdk"
)

func (a *app) catsig() *cobra.Command {
	f := &signFlags{}
	cmd := a.verb(&cobra.Command{
		Use:   "catsig FILE --key PUBLIC.pem --unsigned DATA --sig SIGNATURE -o OUT",
		Short: "Sign with a signature that was made elsewhere",
		Long: `Catsig writes the signed enclave with a signature of what gendata wrote. The
enclave and the configuration must be those of gendata; the date is the one in
its file.`,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  feidi sign gendata /tmp/feidi-demo/alice.signed.so --resign -o /tmp/alice.data
  openssl genrsa -3 -out /tmp/key.pem 3072
  openssl rsa -in /tmp/key.pem -pubout -out /tmp/public.pem
  openssl dgst -sha256 -sign /tmp/key.pem -out /tmp/alice.sig /tmp/alice.data
  feidi sign catsig /tmp/feidi-demo/alice.signed.so --resign --key /tmp/public.pem --unsigned /tmp/alice.data --sig /tmp/alice.sig -o /tmp/alice.signed.so`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			u, err := f.lay(cmd, args, "key", "out", "sig", "unsigned")
			if err != nil {
				return err
			}
			key, err := readPublicKey(string(f.key))
			if err != nil {
				return err
			}
			data, err := readExactly(string(f.unsigned), isa.SigStructSignedSize, "gendata writes")
			if err != nil {
				return err
			}
			sig, err := readExactly(string(f.sig), isa.RSAKeySize, "an RSA-3072 signature has")
			if err != nil {
				return err
			}
			if err := u.Attach(key, data, sig); err != nil {
				return attachError(f, err)
			}
			return a.writeSigned(f, u)
		},
	})
	f.add(cmd, "enclave", "public", "sig", "unsigned", "out", "config", "dumpfile", "cssfile", "fips-module",
		"resign", "ignore-rel-error", "ignore-init-sec-error")
	return cmd
}

// attachError is the "no" of a signature or data that is another one's.
func attachError(f *signFlags, err error) error {
	switch {
	case errors.Is(err, sdk.ErrData):
		return no(fmt.Errorf("%s: %w", f.unsigned, err))
	case errors.Is(err, isa.ErrInvalidSignature):
		return no(fmt.Errorf("%s: %w: it must be one of %s, big-endian, by the key of %s", f.sig, err, f.unsigned, f.key))
	}
	return cannot(fmt.Errorf("%s: %w", f.enclave, err))
}

// readExactly reads a file of n bytes.
func readExactly(file string, n int, why string) ([]byte, error) {
	b, err := readFile(file, maxSigStruct, nil)
	if err != nil {
		return nil, cannot(err)
	}
	if len(b) != n {
		return nil, cannot(fmt.Errorf("%s: %s %d bytes, this file has %d", file, why, n, len(b)))
	}
	return b, nil
}
