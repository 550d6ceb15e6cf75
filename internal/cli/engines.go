package cli

import (
	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/cpu/native" // registers itself where it works
)

// engines are the engines that this program has on this platform.
func engines() []string {
	return append([]string{}, cpu.Engines()...)
}

// emulated is what doctor says of the software processor.
var emulated = []string{
	"the processor: EPC, EPCM, the leaves of ENCLS and ENCLU, launch control, key derivation, fuses",
	"the driver: page tables, launch of any signer as with flexible launch control",
	"the SDK's untrusted runtime: ECALLs, OCALLs, exceptions, threads",
}
