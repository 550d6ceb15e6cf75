package enclave_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
)

// EXITINFO of SSA[0] (SDM Vol. 3D, "EXITINFO").
const (
	exitInfoValid     = 1 << 31
	exitInfoTypeShift = 8
	exitTypeHardware  = 3
)

// exitInfo is the EXITINFO of an exception.
func exitInfo(v isa.Vector) uint64 {
	return exitInfoValid | exitTypeHardware<<exitInfoTypeShift | uint64(v)
}

// A fault is what one kind of fault of the toy enclave is expected to do.
type fault struct {
	kind   toy.FaultKind
	vector isa.Vector
	arg    func(e *enclave.Enclave) uint64 // nil for none
}

// Addresses that faults use: the enclave's first page is read-only, and no
// page is behind its last.
func headerPage(e *enclave.Enclave) uint64 { return e.Base() }
func nowhere(e *enclave.Enclave) uint64    { return e.Base() + e.Image().Size - isa.PageSize + 0x123 }

var faults = []fault{
	{toy.FaultUD2, isa.VectorUD, nil},
	{toy.FaultCPUID, isa.VectorUD, nil},
	{toy.FaultSyscall, isa.VectorUD, nil},
	{toy.FaultInt3, isa.VectorUD, nil},
	{toy.FaultDiv0, isa.VectorDE, nil},
	{toy.FaultRead, isa.VectorPF, nowhere},
	{toy.FaultWrite, isa.VectorPF, headerPage},
	{toy.FaultWriteCode, isa.VectorPF, nil},
	{toy.FaultJump, isa.VectorPF, headerPage},
	{toy.FaultGP, isa.VectorGP, nil},
	{toy.FaultHLT, isa.VectorGP, nil},
	{toy.FaultXM, isa.VectorXM, nil},
	{toy.FaultAC, isa.VectorAC, nil},
}

func (f fault) block(e *enclave.Enclave, armed uint64) toy.MSFault {
	v := toy.MSFault{Trap: toy.Trap{Armed: armed}, Kind: f.kind}
	if f.arg != nil {
		v.Arg = f.arg(e)
	}
	return v
}

// symbol returns the range of offsets of a function.
func symbol(t *testing.T, e *enclave.Enclave, name string) (start, end uint64) {
	t.Helper()
	for _, s := range e.Image().Symbols {
		if s.Name == name {
			return s.Offset, s.Offset + s.Size
		}
	}
	t.Fatalf("no symbol %s", name)
	return 0, 0
}

// TestRecover has the enclave handle each kind of fault, and look at what the
// processor left for it in the SSA.
func TestRecover(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{MiscSelect: isa.MiscEXINFO}))
	for _, f := range faults {
		name := toy.FaultSymbol(f.kind)
		in := f.block(e, 1)
		for range 2 { // recovering leaves nothing behind
			r := mustCall(t, e, toy.ECallFault, in)
			if r.Faulted != 1 || r.ExitInfo != exitInfo(f.vector) {
				t.Errorf("%s: faulted %d, EXITINFO %#x; want %#x", name, r.Faulted, r.ExitInfo, exitInfo(f.vector))
				break
			}
			start, end := symbol(t, e, name)
			if at := r.RIP - e.Base(); f.kind != toy.FaultJump && (at < start || at >= end) {
				t.Errorf("%s: RIP at offset %#x, not in [%#x, %#x)", name, at, start, end)
			}
			if f.kind == toy.FaultJump && r.RIP != in.Arg {
				t.Errorf("%s: RIP %#x, want %#x", name, r.RIP, in.Arg)
			}
			switch {
			case f.vector != isa.VectorPF:
			case f.arg != nil && r.MAddr != in.Arg:
				t.Errorf("%s: MADDR %#x, want %#x", name, r.MAddr, in.Arg)
			case f.kind == toy.FaultWriteCode && r.MAddr != e.Base()+start:
				t.Errorf("%s: MADDR %#x, want %#x", name, r.MAddr, e.Base()+start)
			}
		}
	}
}

// TestRecoverErrorCode checks the page-fault error codes in EXINFO.
func TestRecoverErrorCode(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{MiscSelect: isa.MiscEXINFO}))
	for _, c := range []struct {
		kind toy.FaultKind
		arg  uint64
		want uint32
	}{
		{toy.FaultRead, nowhere(e), isa.PFUser},
		{toy.FaultWrite, nowhere(e), isa.PFUser | isa.PFWrite},
		{toy.FaultJump, nowhere(e), isa.PFUser | isa.PFFetch},
	} {
		r := mustCall(t, e, toy.ECallFault, toy.MSFault{Trap: toy.Trap{Armed: 1}, Kind: c.kind, Arg: c.arg})
		if r.ErrCD != uint64(c.want) {
			t.Errorf("%s of a page that is not there: error code %#x, want %#x", toy.FaultSymbol(c.kind), r.ErrCD, c.want)
		}
	}
	for _, kind := range []toy.FaultKind{toy.FaultWrite, toy.FaultJump} {
		r := mustCall(t, e, toy.ECallFault, toy.MSFault{Trap: toy.Trap{Armed: 1}, Kind: kind, Arg: headerPage(e)})
		if want := uint32(isa.PFPresent | isa.PFUser); uint32(r.ErrCD)&want != want {
			t.Errorf("%s of a page that forbids it: error code %#x", toy.FaultSymbol(kind), r.ErrCD)
		}
	}
}

// TestNoEXINFO: without it, the enclave is told of neither #PF nor #GP.
func TestNoEXINFO(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}))
	for _, f := range faults {
		r, err := call(t, e, toy.ECallFault, f.block(e, 1))
		if f.vector != isa.VectorPF && f.vector != isa.VectorGP {
			if err != nil || r.ExitInfo != exitInfo(f.vector) {
				t.Errorf("%s: EXITINFO %#x, %v", toy.FaultSymbol(f.kind), r.ExitInfo, err)
			}
		} else if err == nil && (r.ExitInfo != 0 || r.MAddr != 0) {
			t.Errorf("%s: EXITINFO %#x, MADDR %#x; want nothing", toy.FaultSymbol(f.kind), r.ExitInfo, r.MAddr)
		}
	}
}

// TestCrash lets the enclave crash with each kind of fault: the error says
// where and why, and every later call has the SDK's status for it.
func TestCrash(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	img := build(t, toy.Options{MiscSelect: isa.MiscEXINFO})
	for _, f := range faults {
		name := toy.FaultSymbol(f.kind)
		t.Run(name, func(t *testing.T) {
			e := load(t, m, img)
			in := f.block(e, 0)
			_, err := call(t, e, toy.ECallFault, in)
			var got *enclave.FaultError
			if !errors.As(err, &got) || !errors.Is(err, enclave.ErrEnclaveCrashed) {
				t.Fatalf("error %v", err)
			}
			start, end := symbol(t, e, name)
			if got.Vector != f.vector || !got.Inside || !strings.Contains(err.Error(), "SGX_ERROR_ENCLAVE_CRASHED") {
				t.Errorf("%+v: %v", got, err)
			}
			if f.kind == toy.FaultJump {
				if got.RIP != in.Arg-e.Base() {
					t.Errorf("offset %#x, want %#x", got.RIP, in.Arg-e.Base())
				}
			} else if got.Symbol != name || got.RIP != start+got.Plus || got.RIP >= end {
				t.Errorf("offset %#x in %s+%#x, want %s", got.RIP, got.Symbol, got.Plus, name)
			}
			if f.vector == isa.VectorPF {
				want := in.Arg
				if f.kind == toy.FaultWriteCode {
					want = e.Base() + start
				}
				if got.Addr != want {
					t.Errorf("address %#x, want %#x", got.Addr, want)
				}
			}
			if strings.ContainsRune(err.Error(), '\n') {
				t.Errorf("more than a line: %v", err)
			}
			for range 2 {
				if err := e.ECall(context.Background(), int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrEnclaveCrashed) {
					t.Errorf("a later call: %v", err)
				}
			}
		})
	}
}

// TestCrashOfOnly crashes the only thread of an enclave.
func TestCrashOfOnly(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 1}))
	for range 2 {
		if _, err := call(t, e, toy.ECallFault, toy.MSFault{Kind: toy.FaultUD2}); !errors.Is(err, enclave.ErrEnclaveCrashed) {
			t.Error(err)
		}
	}
}

// TestFaultsAtOnce has several threads fault and recover in parallel, beside
// one that only computes. CPUID and SYSCALL are left out: where the
// host cannot make them fault, an engine rewrites them, and puts them back
// while a handler may look at them; another thread that executes one then is
// not stopped.
func TestFaultsAtOnce(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 4, MiscSelect: isa.MiscEXINFO}))
	done := make(chan error)
	for i := range 3 {
		go func() {
			for n := range 200 {
				f := faults[(n+i)%len(faults)]
				if f.kind == toy.FaultCPUID || f.kind == toy.FaultSyscall {
					continue
				}
				b := toy.Encode(f.block(e, 1))
				if err := e.ECall(context.Background(), int(toy.ECallFault), b); err != nil {
					done <- err
					return
				}
				if r, _ := toy.Decode[toy.MSFault](b); r.ExitInfo != exitInfo(f.vector) {
					done <- fmt.Errorf("%s: EXITINFO %#x, want %#x", toy.FaultSymbol(f.kind), r.ExitInfo, exitInfo(f.vector))
					return
				}
			}
			done <- nil
		}()
	}
	const n = 2_000_000
	if r := mustCall(t, e, toy.ECallCompute, toy.MSCompute{N: n}); r.Result != toy.Compute(n) {
		t.Error("the thread that computes is disturbed")
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestFaultOutside has an enclave reach for memory that the process does not
// have, and jump out of its range, which is #GP.
func TestFaultOutside(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{MiscSelect: isa.MiscEXINFO}))
	const nothing = 0x1000
	r := mustCall(t, e, toy.ECallFault, toy.MSFault{Trap: toy.Trap{Armed: 1}, Kind: toy.FaultRead, Arg: nothing})
	if r.ExitInfo != exitInfo(isa.VectorPF) || r.MAddr != nothing {
		t.Errorf("reading address %#x: EXITINFO %#x, MADDR %#x", uint64(nothing), r.ExitInfo, r.MAddr)
	}
	b := buffer(t, e, 64)
	r = mustCall(t, e, toy.ECallFault, toy.MSFault{Trap: toy.Trap{Armed: 1}, Kind: toy.FaultJump, Arg: b.Addr()})
	if r.ExitInfo != exitInfo(isa.VectorGP) {
		t.Errorf("jumping out of the enclave: EXITINFO %#x, want #GP", r.ExitInfo)
	}
}

func TestErrorTexts(t *testing.T) {
	for _, c := range []struct {
		f    enclave.FaultError
		want string
	}{
		{enclave.FaultError{Status: enclave.ErrEnclaveCrashed, Vector: isa.VectorPF, RIP: 0x1234, Inside: true, Addr: 0xABC, Symbol: "f", Plus: 4, Cause: "why"},
			"enclave: SGX_ERROR_ENCLAVE_CRASHED: #PF on address 0xabc at offset 0x1234 in f+0x4: why"},
		{enclave.FaultError{Status: enclave.ErrEnclaveLost, Vector: isa.VectorUD, RIP: 0x1234, Inside: true},
			"enclave: SGX_ERROR_ENCLAVE_LOST: #UD at offset 0x1234"},
		{enclave.FaultError{Status: enclave.ErrUnexpected, Vector: isa.VectorGP, RIP: 0x1234},
			"enclave: SGX_ERROR_UNEXPECTED: #GP at 0x1234, outside the enclave"},
	} {
		if got := c.f.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if s := enclave.Status(0x1234).Error(); s != "status 0x1234" {
		t.Errorf("a status without a name: %q", s)
	}
}
