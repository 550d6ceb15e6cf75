package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/isa"
)

var le = binary.LittleEndian

// aep is the asynchronous exit pointer that threads give. Nothing runs there:
// engines return from Run.
const aep = 0x5A5A_1000

// limit bounds a Run that is not meant to last.
const limit = 30 * time.Second

// A thread is a logical processor with a TCS and an untrusted stack.
type thread struct {
	cpu.Thread
	e     *enclave
	n     uint64 // of the TCS
	tcs   uint64
	stack uint64 // address of its end
}

// thread makes a logical processor for TCS n.
func (e *enclave) thread(t *testing.T, n int) *thread {
	t.Helper()
	c, err := e.m.e.NewThread(e.rng)
	must(t, err)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	stack := e.m.buffer(t, 64<<10)
	return &thread{Thread: c, e: e, n: uint64(n), tcs: e.tcs[n], stack: stack.Addr() + 64<<10 - 256}
}

// regs are the registers of a host that is about to enter routine name.
func (th *thread) regs(name string, args ...uint64) *cpu.Regs {
	r := &cpu.Regs{RAX: uint64(isa.EENTER), RBX: th.tcs, RCX: aep, RSP: th.stack, RBP: th.stack + 0x80, RFLAGS: 0x202}
	r.RDI = th.e.index[name]
	for i, p := range []*uint64{&r.RSI, &r.RDX, &r.R8, &r.R9, &r.R10} {
		if i < len(args) {
			*p = args[i]
		}
	}
	return r
}

// run runs with a bound on time.
func (th *thread) run(t *testing.T, r *cpu.Regs) cpu.Exit {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	exit, err := th.Run(ctx, r)
	must(t, err)
	if ctx.Err() != nil {
		t.Fatal("the enclave did not return")
	}
	return exit
}

// enter runs a routine, however it ends.
func (th *thread) enter(t *testing.T, name string, args ...uint64) (cpu.Regs, cpu.Exit) {
	t.Helper()
	if _, ok := th.e.index[name]; !ok {
		t.Fatalf("no routine %s", name)
	}
	r := th.regs(name, args...)
	exit := th.run(t, r)
	return *r, exit
}

// call runs a routine that must end by EEXIT.
func (th *thread) call(t *testing.T, name string, args ...uint64) cpu.Regs {
	t.Helper()
	r, exit := th.enter(t, name, args...)
	if exit.Kind != cpu.ExitEEXIT {
		t.Fatalf("%s: left by %v, not EEXIT", name, describe(&exit))
	}
	return r
}

// resume is ERESUME.
func (th *thread) resume(t *testing.T) (cpu.Regs, cpu.Exit) {
	t.Helper()
	r := th.regs("")
	r.RAX = uint64(isa.ERESUME)
	exit := th.run(t, r)
	return *r, exit
}

// drop enters once more, and has the enclave drop the last SSA frame.
func (th *thread) drop(t *testing.T) {
	t.Helper()
	before := th.cssa(t)
	r := th.regs("")
	if exit := th.run(t, r); exit.Kind != cpu.ExitEEXIT {
		t.Fatalf("the handler left by %s", describe(&exit))
	}
	if after := th.cssa(t); before == 0 || after != before-1 {
		t.Fatalf("CSSA was %d, is %d", before, after)
	}
}

// cssa returns TCS.CSSA.
func (th *thread) cssa(t *testing.T) uint32 {
	t.Helper()
	return uint32(th.e.peek(t, (tcsPage+th.n*tcsStride)*isa.PageSize+24))
}

// frame returns the offset of SSA frame n.
func (th *thread) frame(n uint64) uint64 {
	return (tcsPage+th.n*tcsStride+1)*isa.PageSize + n*th.e.frame
}

// gpr reads the GPRSGX area of SSA frame n, and exInfo its EXINFO.
func (th *thread) gpr(t *testing.T, n uint64) (g isa.GPRSGX) {
	t.Helper()
	must(t, g.UnmarshalBinary(th.e.bytes(t, th.frame(n+1)-isa.GPRSGXSize, isa.GPRSGXSize)))
	return g
}

func (th *thread) exInfo(t *testing.T, n uint64) (x isa.ExInfo) {
	t.Helper()
	must(t, x.UnmarshalBinary(th.e.bytes(t, th.frame(n+1)-isa.GPRSGXSize-isa.ExInfoSize, isa.ExInfoSize)))
	return x
}

// fault returns the *cpu.Fault in err.
func fault(t *testing.T, err error) *cpu.Fault {
	t.Helper()
	var f *cpu.Fault
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a fault", err)
	}
	return f
}

// describe words an exit.
func describe(x *cpu.Exit) string {
	s := [...]string{"EEXIT", "exception " + x.Vector.String(), "interrupt"}[x.Kind]
	if x.Detail != nil {
		s += ": " + x.Detail.Cause
	}
	return s
}
