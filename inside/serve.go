package inside

import (
	"context"
	"errors"

	"github.com/feidi-dev/feidi/edl/tedge"
)

// ErrServing is returned by Serve if it was called before.
var ErrServing = errors.New("inside: ECALLs are being served already")

// Serve serves the ECALLs of an EDL with a table that `feidi edl gen` has
// written, until the host has no more of them. It starts a worker
// for each call that is under way at once, as far as the enclave has threads;
// calls beyond them wait. A program serves one table.
//
// The context of a call is derived from ctx. OCALLs that a function makes with
// it must be made one after the other.
func Serve(ctx context.Context, table tedge.Table) error {
	if !enclosed {
		return ErrNotEnclosed
	}
	return serve(ctx, table)
}
