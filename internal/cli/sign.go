package cli

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/sign/sdk"
)

func (a *app) sign() *cobra.Command {
	f := &signFlags{}
	cmd := a.verb(&cobra.Command{
		Use:   "sign FILE --key KEY.pem -o OUT",
		Short: "Sign an enclave of the Intel SDK",
		Long: `Sign lays out the metadata of an enclave that was linked with the Intel SDK,
measures it, signs it and writes the signed file. The settings come from a
configuration, Enclave.config.xml or the same in TOML, or are the defaults:
` + "`feidi sign config`" + ` shows all of them.

The key is RSA of 3072 bits with exponent 3, in PEM (PKCS #1 or PKCS #8).
--generate makes one; it never overwrites a file. Where the key is not at hand,
as in a hardware security module, gendata writes the bytes to be signed, and
catsig takes the signature.

Signing is reproducible: the same enclave, configuration, key and --date give
the same bytes. Without --date it is the day of SOURCE_DATE_EPOCH, or today.

The commands and options of sgx_sign are taken as they are, also with one
hyphen, so that a link of that name to feidi stands in for it in a Makefile.`,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  feidi sign --generate --key /tmp/key.pem
  feidi sign /tmp/feidi-demo/alice.signed.so --resign --key /tmp/key.pem -o /tmp/alice.signed.so --date 2026-01-31
  feidi sign sign -enclave /tmp/feidi-demo/alice.signed.so -key /tmp/key.pem -out /tmp/again.signed.so -resign
  feidi sign dump /tmp/alice.signed.so`,
		Version: version(),
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runSign(cmd, f, args) },
	})
	f.add(cmd, signPathFlags...)
	cmd.AddCommand(a.signSign(), a.gendata(), a.catsig(), a.dump(), a.signConfig())
	return cmd
}

// signPathFlags are the flags of signing with a key.
var signPathFlags = []string{
	"enclave", "key", "generate", "out", "config", "date", "dumpfile", "cssfile", "fips-module",
	"resign", "ignore-rel-error", "ignore-init-sec-error",
}

func (a *app) signSign() *cobra.Command {
	f := &signFlags{}
	cmd := a.verb(&cobra.Command{
		Use:   "sign FILE --key KEY.pem -o OUT",
		Short: "Sign with a private key; the same as `feidi sign` without a command",
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  feidi sign sign /tmp/feidi-demo/alice.signed.so -resign --generate -key /tmp/key.pem -out /tmp/alice.signed.so`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runSign(cmd, f, args) },
	})
	f.add(cmd, signPathFlags...)
	return cmd
}

// runSign signs with a private key, or only makes one.
func (a *app) runSign(cmd *cobra.Command, f *signFlags, args []string) error {
	if err := f.file(args); err != nil {
		return err
	}
	if f.generate && f.enclave == "" && f.out == "" {
		if err := f.check(cmd, "key"); err != nil {
			return err
		}
		key, err := generateKey(string(f.key))
		if err != nil {
			return err
		}
		return a.showKey(string(f.key), &key.PublicKey)
	}
	u, err := f.lay(cmd, nil, "key", "out")
	if err != nil {
		return err
	}
	read := readPrivateKey
	if f.generate {
		read = generateKey
	}
	var key *rsa.PrivateKey
	if key, err = read(string(f.key)); err != nil {
		return err
	}
	if err := u.Sign(key); err != nil {
		return cannot(fmt.Errorf("%s: %w", f.enclave, err))
	}
	return a.writeSigned(f, u)
}

// lay checks the arguments, and lays out and measures the enclave.
func (f *signFlags) lay(cmd *cobra.Command, args []string, required ...string) (*sdk.Unsigned, error) {
	if err := f.file(args); err != nil {
		return nil, err
	}
	if err := f.check(cmd, append([]string{"enclave"}, required...)...); err != nil {
		return nil, err
	}
	day, err := f.day()
	if err != nil {
		return nil, err
	}
	c, err := readConfig(string(f.config))
	if err != nil {
		return nil, err
	}
	o := sdk.Options{Date: day, Resign: f.resign, IgnoreRelocations: f.ignoreRel, IgnoreInit: f.ignoreInit}
	if sdk := os.Getenv("SGX_SDK"); c.EnableOSSLFIPS && f.fips == "" && sdk != "" {
		f.fips = path(filepath.Join(sdk, "lib64", "fips.so"))
	}
	if c.EnableOSSLFIPS && f.fips != "" {
		if o.FIPSModule, err = readFile(string(f.fips), maxFile, nil); err != nil {
			return nil, cannot(err)
		}
	}
	b, err := readFile(string(f.enclave), maxFile, nil)
	if err != nil {
		return nil, cannot(err)
	}
	u, err := sdk.Lay(b, c, o)
	switch {
	case errors.Is(err, sdk.ErrSigned):
		return nil, no(fmt.Errorf("%s: %w (--resign signs it again)", f.enclave, err))
	case err != nil:
		return nil, cannot(fmt.Errorf("%s: %w", f.enclave, err))
	}
	return u, nil
}

// writeSigned writes the signed enclave and what else is asked for.
func (a *app) writeSigned(f *signFlags, u *sdk.Unsigned) error {
	err := writeFile(string(f.out), 0o666, func(w io.Writer) error { _, err := u.WriteTo(w); return err })
	if err != nil {
		return err
	}
	if err := a.writeDump(f, u.Metadata()); err != nil || f.dumpFile == "-" {
		return err
	}
	return a.showSigned(f, u)
}
