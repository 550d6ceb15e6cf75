package engine

import (
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/cpu/native"
	"github.com/feidi-dev/feidi/internal/cpuid"
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

// emulated reports whether the processor is QEMU's.
func emulated() bool {
	var brand []byte
	for leaf := uint32(0x8000_0002); leaf <= 0x8000_0004; leaf++ {
		r := cpuid.Leaf(leaf, 0)
		for _, v := range [...]uint32{r.EAX, r.EBX, r.ECX, r.EDX} {
			brand = binary.LittleEndian.AppendUint32(brand, v)
		}
	}
	return strings.Contains(string(brand), "QEMU")
}

// emulatorLimits are exceptions that qemu-user does not raise, or not as a
// processor does.
func emulatorLimits() (all []Limit) {
	for _, name := range []string{
		"int_4", "noncanonical", "noncanonical_jump", "noncanonical_stack", "general_protection_without_EXINFO", "xm", "mf", "ac",
		"single_step_after_opt_in", "no_single_step_after_opt_out",
	} {
		all = append(all, Limit{"Exception/" + name, "qemu-user does not raise the exception as a processor does"})
	}
	return all
}

// dispatches reports whether the kernel can raise SIGSYS for a SYSCALL of
// enclave code alone (Linux 6.17).
func dispatches() bool {
	answer := make(chan bool)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		const setSyscallUserDispatch, inclusive = 59, 2
		_, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, setSyscallUserDispatch, inclusive, 1<<12, 1<<12, 0, 0)
		answer <- errno == 0
	}()
	return <-answer
}

func TestNative(t *testing.T) {
	limits := slices.Clone(nativeLimits)
	if emulated() {
		limits = append(limits, emulatorLimits()...)
	}
	if !dispatches() {
		limits = append(limits, Limit{"Exception/syscall_without_symbols", "this kernel lets SYSCALL of enclave code through, where decoding does not find it"})
	}
	Run(t, openNative, limits...)
}
