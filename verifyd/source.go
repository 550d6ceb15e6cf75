package verifyd

import (
	"context"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pcs"
)

// Source gets what a verifier needs besides a quote. Many goroutines use it at
// a time.
type Source func(ctx context.Context, q *dcap.Quote) (*dcap.Collateral, error)

// Fixed is a source that has one collateral, for quotes of one kind of
// platform.
func Fixed(c *dcap.Collateral) Source {
	return func(context.Context, *dcap.Quote) (*dcap.Collateral, error) { return c, nil }
}

// ErrNoPlatform: a quote does not say which platform it is from, so that no
// collateral can be asked for.
var ErrNoPlatform = errors.New("no collateral for this quote")

// ask is what to ask the PCS for a quote, and a key that stands for it.
func ask(q *dcap.Quote) (r pcs.Request, key string, err error) {
	if r, err = pcs.RequestFor(q); err != nil {
		return r, "", fmt.Errorf("%w: %w", ErrNoPlatform, err)
	}
	if p := r.PCK; p != nil {
		return r, fmt.Sprintf("%d %x %x %x %x %x", r.TEE, p.QEID, p.EncryptedPPID, p.CPUSVN, p.PCESVN, p.PCEID), nil
	}
	return r, fmt.Sprintf("%d %x %s", r.TEE, r.FMSPC, r.CA), nil
}
