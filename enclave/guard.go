package enclave

import (
	"fmt"

	"github.com/feidi-dev/feidi/internal/host"
)

// Guard has the kernel kill the host program if code inside the enclave makes
// a system call, as no enclave can: by SYSCALL, or by what 32-bit programs use.
// The engine turns those that it finds into #UD by itself, and has the kernel
// report the others where it can (Linux 6.17 and later); the guard is for the
// rest, and for tests that nothing passes.
//
// It is a filter (seccomp) of the whole host program, and stays when the
// enclave is destroyed. errors.ErrUnsupported is wrapped where there is none.
func (e *Enclave) Guard() error {
	if e.dead.Load() {
		return ErrDestroyed
	}
	if err := host.Guard(e.rng.Base(), e.rng.Size()); err != nil {
		return fmt.Errorf("enclave: %w", err)
	}
	return nil
}
