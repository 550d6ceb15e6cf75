//go:build !linux || !amd64

package enclave_test

import (
	"testing"

	"github.com/feidi-dev/feidi/internal/toy"
)

// No engine runs here, so that no benchmark gets as far as these.

func syscallPair()  {}
func emptySyscall() {}

func outside(testing.TB) func(uint64) uint64 { return toy.Compute }
