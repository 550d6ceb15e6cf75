package enclave_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
)

// epcMemory returns the bytes of host memory behind the EPCs of the process.
func epcMemory(t *testing.T) (n int64) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range files {
		if to, err := os.Readlink(f); err != nil || !strings.Contains(to, "memfd:feidi-epc") {
			continue
		}
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		found = true
		n += info.Sys().(*syscall.Stat_t).Blocks * 512
	}
	if !found {
		t.Skip("the engine's EPC is not a file in memory")
	}
	return n
}

// TestDestroyMemory: the pages of an enclave that is gone take no memory.
func TestDestroyMemory(t *testing.T) {
	const heap = 16 << 20
	m := powerOn(t, enclave.MachineConfig{})
	before := epcMemory(t)
	e := up(t, m, toy.Options{HeapSize: heap})
	if n := epcMemory(t) - before; n > heap/2 {
		t.Errorf("%d bytes of memory before the heap is touched", n)
	}
	info := mustCall(t, e, toy.ECallInfo, toy.MSInfo{})
	mustCall(t, e, toy.ECallCopy, toy.MSCopy{Src: info.Heap, Dst: info.Heap + isa.PageSize, Len: heap - isa.PageSize})
	if n := epcMemory(t) - before; n < heap-isa.PageSize {
		t.Errorf("%d bytes of memory after the heap is touched", n)
	}
	if err := e.Destroy(); err != nil {
		t.Fatal(err)
	}
	if n := epcMemory(t) - before; n != 0 {
		t.Errorf("%d bytes of memory after Destroy", n)
	}
}
