package inside

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/feidi-dev/feidi/aesm"
)

// AESMSocket is the environment variable that names the socket of the AESM
// service. Without it, the socket is where Intel's daemon has it, see
// aesm.Options. An enclave has the variable only if it is passed on:
// `feidi run --env SGX_AESM_SOCKET`.
const AESMSocket = "SGX_AESM_SOCKET"

// ErrQuote is returned for what came back in place of a quote of this enclave.
var ErrQuote = errors.New("inside: what the host has brought is no quote of this enclave")

// QuoteOptions change how QuoteWith gets a quote.
type QuoteOptions struct {
	// Client asks the AESM service. Nil is one for the socket that AESMSocket
	// names.
	Client *aesm.Client
	// Keys are the attestation keys that will do, which is to say those of
	// which quoting enclaves, and the service chooses one. With none it chooses
	// among all that it has.
	Keys []aesm.AttKeyID
}

// Quote returns a quote of the enclave with 64 bytes of data, which whoever
// verifies it knows to come from the enclave: the hash of a key, for example. It
// has the quoting enclave of the machine make it, by the AESM service, and is
// QuoteWith without options.
func Quote(ctx context.Context, data [64]byte) ([]byte, error) { return QuoteWith(ctx, data, nil) }

// QuoteWith is Quote with options, which may be nil.
//
// The host carries what is said between the two enclaves, and may change it. What
// is returned is a quote of this enclave and this data, in the very bytes that an
// enclave of this machine says, in a REPORT for this one, to have made. That
// enclave is the one that the quoted REPORT was for, is not under debug, and has
// the signer and product that the ID of the attestation key names; everything else
// is ErrQuote. Whether such a quoting enclave is trusted is for Keys to say and,
// in any case, for whoever verifies the quote.
//
// Errors of the service are those of package aesm, such as aesm.ErrUnreachable or
// an *aesm.Error.
func QuoteWith(ctx context.Context, data [64]byte, opts *QuoteOptions) ([]byte, error) {
	if !enclosed {
		return nil, ErrNotEnclosed
	}
	if opts == nil {
		opts = new(QuoteOptions)
	}
	c := opts.Client
	if c == nil {
		c = aesm.New(aesm.Options{Path: os.Getenv(AESMSocket)})
	}
	quote, err := getQuote(ctx, c, data, opts.Keys)
	switch {
	case errors.Is(err, aesm.ErrUnreachable) && opts.Client == nil:
		return nil, fmt.Errorf("inside: no quote: %w by %s, which `feidi run` sets with --attest, or passes on with --env %[2]s", err, AESMSocket)
	case err != nil && !errors.Is(err, ErrQuote):
		return nil, fmt.Errorf("inside: no quote: %w", err)
	}
	return quote, err
}

func getQuote(ctx context.Context, c *aesm.Client, data [64]byte, accepted []aesm.AttKeyID) ([]byte, error) {
	self, err := Target()
	if err != nil {
		return nil, err
	}
	x := exchange{info: aesm.QEReportInfo{Target: *self}}
	if _, err := rand.Read(x.info.Nonce[:]); err != nil {
		return nil, err
	}
	if x.key, err = c.SelectAttKeyID(ctx, accepted); err != nil {
		return nil, err
	}
	if err := checkKey(x.key, accepted); err != nil {
		return nil, err
	}
	if x.qe, _, err = c.InitQuoteEx(ctx, x.key); err != nil {
		return nil, err
	}
	if x.report, err = Report(x.qe, data); err != nil {
		return nil, err
	}
	size, err := c.GetQuoteSizeEx(ctx, x.key)
	if err != nil {
		return nil, err
	}
	quote, err := c.GetQuoteEx(ctx, x.key, x.report, size, &x.info)
	if err != nil {
		return nil, err
	}
	if err := VerifyReport(&x.info.QEReport); err != nil {
		return nil, fmt.Errorf("%w: REPORT of the quoting enclave: %w", ErrQuote, err)
	}
	return x.check(quote)
}
