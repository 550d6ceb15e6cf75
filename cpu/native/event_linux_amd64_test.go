package native

import (
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/isa"
	"golang.org/x/sys/unix"
)

func TestVectorOf(t *testing.T) {
	const unknown = ^uint64(0)
	for _, c := range []struct {
		name   string
		signo  unix.Signal
		sicode uint32
		trapno uint64
		want   isa.Vector
	}{
		{"invalid opcode", unix.SIGILL, 2, 6, isa.VectorUD},
		{"general protection", unix.SIGSEGV, siKernel, 13, isa.VectorGP},
		{"page fault", unix.SIGSEGV, 1, 14, isa.VectorPF},
		{"stack fault", unix.SIGBUS, siKernel, 12, 12},
		{"alignment", unix.SIGBUS, 1, 17, isa.VectorAC},
		{"no memory", unix.SIGBUS, 2, 14, isa.VectorPF},
		{"breakpoint", unix.SIGTRAP, siKernel, 3, isa.VectorBP},
		{"single step", unix.SIGTRAP, 2, 1, isa.VectorDB},
		{"division", unix.SIGFPE, 1, 0, isa.VectorDE},
		{"x87", unix.SIGFPE, 3, 16, isa.VectorMF},
		{"SIMD", unix.SIGFPE, 3, 19, isa.VectorXM},
		{"system call", unix.SIGSYS, 2, 14, isa.VectorUD}, // the trap number is an older one

		{"emulated: invalid opcode", unix.SIGILL, 2, unknown, isa.VectorUD},
		{"emulated: general protection", unix.SIGSEGV, siKernel, unknown, isa.VectorGP},
		{"emulated: page fault", unix.SIGSEGV, 1, unknown, isa.VectorPF},
		{"emulated: protection", unix.SIGSEGV, 2, unknown, isa.VectorPF},
		{"emulated: breakpoint", unix.SIGTRAP, 1, unknown, isa.VectorBP},
		{"emulated: division", unix.SIGFPE, fpeIntDiv, unknown, isa.VectorDE},
		{"emulated: SIMD", unix.SIGFPE, 3, unknown, isa.VectorXM},
		{"emulated: no memory", unix.SIGBUS, 2, unknown, isa.VectorPF},
	} {
		if got := vectorOf(uint32(c.signo), c.sicode, c.trapno); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAccessKind(t *testing.T) {
	for code, want := range map[uint32]cpu.AccessKind{
		4: cpu.AccessRead, 5: cpu.AccessRead, 6: cpu.AccessWrite, 7: cpu.AccessWrite, 0x14: cpu.AccessFetch, 0x15: cpu.AccessFetch,
	} {
		if got := accessKind(code); got != want {
			t.Errorf("%#x: %v, want %v", code, got, want)
		}
	}
}

// codeThread returns a thread whose range has one page of code, at its second
// page, with the given bytes at its end.
func codeThread(t *testing.T, end []byte) *thread {
	t.Helper()
	e, err := New(cpu.Config{EPCSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	r, err := e.Reserve(1<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	copy(e.mem.Page(3)[isa.PageSize-len(end):], end)
	if err := r.Map(r.Base()+isa.PageSize, e.epcBase+3*isa.PageSize, 1, cpu.PermR|cpu.PermX); err != nil {
		t.Fatal(err)
	}
	th, err := e.NewThread(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := th.Close(); err != nil {
			t.Error(err)
		}
	})
	return th.(*thread)
}

// TestEvent gives the classifier what hosts report for instructions at the
// end of a page, so that nothing beyond them can be read.
func TestEvent(t *testing.T) {
	const unknown = ^uint64(0)
	for _, c := range []struct {
		name   string
		code   []byte
		after  int // bytes of code that RIP is behind already
		signo  unix.Signal
		sicode uint32
		trapno uint64
		err    uint64
		cr2    uint64
		want   isa.Vector
		code2  uint32 // error code
		back   int    // bytes that RIP moves back
	}{
		{name: "ENCLU, unknown to the silicon", code: enclu, signo: unix.SIGILL, trapno: 6, want: isa.VectorUD},
		{name: "ENCLU, known but off", code: enclu, signo: unix.SIGSEGV, sicode: siKernel, trapno: 13, want: isa.VectorUD},
		{name: "ENCLU whose operand the silicon looks at", code: enclu, signo: unix.SIGSEGV, sicode: 1, trapno: 14, err: 6, cr2: 0x1000, want: isa.VectorUD},
		{name: "ENCLU under an emulator", code: enclu, signo: unix.SIGILL, trapno: unknown, want: isa.VectorUD},
		{name: "HLT", code: []byte{0xF4}, signo: unix.SIGSEGV, sicode: siKernel, trapno: 13, want: isa.VectorGP},
		{name: "IN", code: []byte{0xEC}, signo: unix.SIGSEGV, sicode: siKernel, trapno: 13, want: isa.VectorUD},
		{name: "INT 20H, with an error code", code: []byte{0xCD, 0x20}, signo: unix.SIGSEGV, sicode: siKernel, trapno: 13, err: 0x102, want: isa.VectorUD},
		{name: "INT3", code: []byte{0xCC, 0x90}, after: 1, signo: unix.SIGTRAP, sicode: siKernel, trapno: 3, want: isa.VectorBP, back: 1},
		{name: "INT 3", code: []byte{0xCD, 0x03, 0x90}, after: 2, signo: unix.SIGTRAP, sicode: siKernel, trapno: 3, want: isa.VectorUD, back: 2},
		{name: "INT 4", code: []byte{0xCD, 0x04, 0x90}, after: 2, signo: unix.SIGSEGV, sicode: siKernel, trapno: 4, want: isa.VectorUD, back: 2},
		{name: "SYSCALL", code: []byte{0x0F, 0x05, 0x90}, after: 2, signo: unix.SIGSYS, sicode: 2, trapno: 1, want: isa.VectorUD, back: 2},
		{name: "read", code: []byte{0x48, 0x8B, 0x06}, signo: unix.SIGSEGV, sicode: 1, trapno: 14, err: 4, cr2: 0x1234, want: isa.VectorPF, code2: 4},
		{name: "write, with bits that SGX does not know", code: []byte{0x48, 0x89, 0x06}, signo: unix.SIGSEGV, sicode: 2, trapno: 14, err: 0x27, cr2: 0x1234, want: isa.VectorPF, code2: 7},
		{name: "emulated read", code: []byte{0x48, 0x8B, 0x06}, signo: unix.SIGSEGV, sicode: 1, trapno: unknown, err: 4, cr2: 0x1234, want: isa.VectorPF, code2: 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			th := codeThread(t, c.code)
			start := th.r.base + 2*isa.PageSize - uint64(len(c.code))
			x := th.c
			x.regs.RIP = start + uint64(c.after)
			x.signo, x.sicode, x.trapno, x.err, x.cr2, x.siaddr = uint32(c.signo), c.sicode, c.trapno, c.err, c.cr2, c.cr2
			ev, cause := th.event(th.r.code(x.regs.RIP, maxInstLen))
			if !ev.Exception || ev.Vector != c.want || cause == "" {
				t.Errorf("%+v, %q", ev, cause)
			}
			if c.want == isa.VectorPF && (ev.ErrorCode != c.code2 || ev.Addr != c.cr2) {
				t.Errorf("error code %#x at %#x, want %#x at %#x", ev.ErrorCode, ev.Addr, c.code2, c.cr2)
			}
			if c.want != isa.VectorPF && c.want != isa.VectorGP && c.trapno <= 4 && ev.ErrorCode != 0 {
				t.Errorf("error code %#x", ev.ErrorCode)
			}
			if got := x.regs.RIP; got != start+uint64(c.after)-uint64(c.back) {
				t.Errorf("RIP moved to %#x from %#x", got, start+uint64(c.after))
			}
		})
	}
}

// A fetch outside ELRANGE is #GP, however the host words it.
func TestEventOutside(t *testing.T) {
	th := codeThread(t, nil)
	x := th.c
	for _, c := range []struct {
		trapno uint64
		err    uint64
	}{{14, 0x14}, {14, 0x15}, {13, 0}, {^uint64(0), 4}} {
		x.regs.RIP = 0x10
		x.signo, x.sicode, x.trapno, x.err, x.cr2, x.siaddr = uint32(unix.SIGSEGV), 1, c.trapno, c.err, 0x10, 0x10
		if ev, _ := th.event(th.r.code(x.regs.RIP, maxInstLen)); ev.Vector != isa.VectorGP || ev.ErrorCode != 0 || ev.Addr != 0 {
			t.Errorf("trap number %d: %+v", c.trapno, ev)
		}
	}
	// Inside, an emulator does not say that a fault was a fetch.
	x.regs.RIP = th.r.base + 5*isa.PageSize
	x.trapno, x.err, x.siaddr = ^uint64(0), 4, x.regs.RIP
	if ev, _ := th.event(th.r.code(x.regs.RIP, maxInstLen)); ev.Vector != isa.VectorPF || ev.ErrorCode != 0x14 || ev.Addr != x.regs.RIP {
		t.Errorf("%+v", ev)
	}
}
