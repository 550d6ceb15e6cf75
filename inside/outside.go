//go:build !feidi || !linux || !amd64

package inside

import (
	"context"

	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/isa"
)

const enclosed = false

// What follows is never called: enclosed is false.

func ereport([]byte, [64]byte) []byte { return nil }

func egetkey([]byte) (key [isa.KeySize]byte, rax uint64) { return key, uint64(isa.ErrInvalidAttribute) }

func serve(context.Context, tedge.Table) error { return nil }
