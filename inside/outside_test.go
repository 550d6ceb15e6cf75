//go:build !feidi || !linux || !amd64

package inside_test

import (
	"context"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/inside"
	"github.com/feidi-dev/feidi/isa"
)

// TestOutside calls everything where there is no enclave.
func TestOutside(t *testing.T) {
	if inside.Enclosed() {
		t.Error("this program is in an enclave")
	}
	for name, call := range map[string]func() error{
		"Self":         func() error { _, err := inside.Self(); return err },
		"Target":       func() error { _, err := inside.Target(); return err },
		"Report":       func() error { _, err := inside.Report(nil, [64]byte{}); return err },
		"VerifyReport": func() error { return inside.VerifyReport(new(isa.Report)) },
		"GetKey":       func() error { _, err := inside.GetKey(new(isa.KeyRequest)); return err },
		"Key":          func() error { _, err := inside.Key(isa.PolicyMRSigner); return err },
		"Seal":         func() error { _, err := inside.Seal([]byte("x"), nil, isa.PolicyMRSigner); return err },
		"Unseal":       func() error { _, _, err := inside.Unseal(nil); return err },
		"OpenSealed":   func() error { _, err := inside.OpenSealed(t.TempDir(), nil); return err },
		"Serve":        func() error { return inside.Serve(context.Background(), tedge.Table{}) },
	} {
		if err := call(); !errors.Is(err, inside.ErrNotEnclosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
