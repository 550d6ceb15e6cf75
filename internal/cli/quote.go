package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/verifyd/wire"
)

// sampleSet is a quote with its collateral that the repository has.
const sampleSet = "examples/browser/sample"

// quoteForms is said of each argument that is a quote.
const quoteForms = `QUOTE is a file, or - for standard input, with the quote raw, in hexadecimal
digits or in base64, which it tells apart by itself.`

func (a *app) quote() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quote",
		Short: "Show what is in a quote",
		Long: `Quote has what can be done with a quote of an SGX enclave or a TDX guest without
asking whether it is true. To find that out, use ` + "`feidi verify`" + `.`,
		Example: `  feidi quote show ` + sampleSet + `/quote.bin`,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args:    cobra.NoArgs,
	}
	cmd.AddCommand(a.quoteShow())
	return cmd
}

func (a *app) quoteShow() *cobra.Command {
	return a.verb(&cobra.Command{
		Use:   "show QUOTE",
		Short: "Show everything that a quote says, without verifying it",
		Long: `Show shows every field of a quote: header, report of the enclave or TD,
signatures, report of the quoting enclave, and the certificates with what they
say of the platform. It verifies nothing: anybody can write a quote that says
anything. ` + "`feidi verify`" + ` tells whether it is true.

` + quoteForms + `

It exits with 0 if the quote could be read, whatever it says, and with 3 if
not.`,
		Example: `  feidi quote show ` + sampleSet + `/quote.bin
  feidi quote show ` + sampleSet + `/quote.bin --json`,
		Args: operands("the quote's file"),
		RunE: func(_ *cobra.Command, args []string) error {
			q, err := a.readQuote(args[0])
			if err != nil {
				return cannot(err)
			}
			s := showQuote(args[0], q)
			if a.json {
				return a.writeJSON(s)
			}
			s.show(a)
			return nil
		},
	})
}

// readQuote reads a quote in any form from a file, or from standard input if
// path is "-".
func (a *app) readQuote(path string) (*dcap.Quote, error) {
	var b []byte
	var err error
	if path == "-" {
		b, err = io.ReadAll(io.LimitReader(a.in, wire.MaxText+1))
	} else {
		b, err = readFile(path, wire.MaxText, nil)
	}
	if err != nil {
		if info, e := os.Stat(path); e == nil && info.IsDir() {
			return nil, fmt.Errorf("%s is a folder: name the quote in it, such as %s", path, filepath.Join(path, "quote.bin"))
		}
		return nil, err
	}
	raw, err := wire.DecodeQuote(b)
	if err != nil {
		if looksLikeJSON(b) {
			err = fmt.Errorf("%w: this looks like JSON: are quote and collateral swapped?", wire.ErrNoQuote)
		}
		return nil, fmt.Errorf("%s: %w", inputName(path), err)
	}
	q, err := dcap.ParseQuote(raw)
	if err != nil {
		if errors.Is(err, dcap.ErrVersion) && (raw[0] == 1 || raw[0] == 2) {
			err = fmt.Errorf("%w (1 and 2 are EPID)", err)
		}
		return nil, fmt.Errorf("%s: %w", inputName(path), err)
	}
	return q, nil
}

func looksLikeJSON(b []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) }
