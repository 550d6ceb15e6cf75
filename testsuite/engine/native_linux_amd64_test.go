package engine

import (
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/cpu/native"
)

func openNative(c cpu.Config) (cpu.Engine, error) { return cpu.Open(native.Name, c) }

// nativeLimits are what code that the host's processor executes by itself
// escapes from.
var nativeLimits = []Limit{
	{"Entry/flags_in", "enclave code is entered with the flags that the Go code has"},
	{"Entry/one_ENCLU_for_two_leaves", "an ENCLU that a straight line from \"mov $4, %eax\" reaches is taken for EEXIT"},
	{"Exception/cpuid_without_symbols", "CPUID is found by decoding functions; without symbols it executes"},
	{"Exception/jump_out_to_code", "the host executes code outside ELRANGE"},
	{"Dynamic/execute_only", "page tables cannot express execute without read"},
	{"Memory/abort_page_of_another_enclave", "enclaves share the address space of one process"},
}

func TestNative(t *testing.T) { Run(t, openNative, nativeLimits...) }
