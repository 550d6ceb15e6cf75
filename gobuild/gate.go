package gobuild

import (
	"fmt"

	"github.com/feidi-dev/feidi/gobuild/scan"
	"github.com/feidi-dev/feidi/internal/elf64"
)

// gateFunctions are the functions of the gate's assembly from the first to the
// last, in the order in which they must lie in memory: the runtime tells by
// the address that was interrupted whether a thread was in the gate.
var gateFunctions = []string{
	"runtime.enclentry", "runtime.enclret", "runtime.enclocall", "runtime.enclgate", "runtime.enclrestore", "runtime.enclsigreturn",
}

// checkGate checks that the enclave is entered at its gate, and that the gate's
// functions, and no others, lie between its first and its last.
func checkGate(f *elf64.File) error {
	all, err := scan.Functions(f.Bytes)
	if err != nil {
		return fmt.Errorf("gobuild: what the Go linker made: %w", err)
	}
	for i, fn := range all {
		if fn.Start != f.Entry {
			continue
		}
		for j, want := range gateFunctions {
			if j >= len(all[i:]) || all[i+j].Name != want {
				if j == 0 {
					return fmt.Errorf("gobuild: the program begins at %.80q, and not at the gate of the enclave's runtime: was -ldflags given, in GOFLAGS perhaps?", fn.Name)
				}
				return fmt.Errorf("%w: its linker has not put %s behind %s, where the enclave's runtime expects it", ErrToolchain, want, gateFunctions[j-1])
			}
		}
		return nil
	}
	return fmt.Errorf("gobuild: the program begins at %#x, where it has no function", f.Entry)
}
