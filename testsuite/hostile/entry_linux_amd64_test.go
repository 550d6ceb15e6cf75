package hostile

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/cpuid"
	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
)

// Commands of an entry, and what RDI is when it is done.
const (
	cmdInit, cmdORet, cmdExcept = ^uint64(0), ^uint64(1), ^uint64(2)
	done                        = ^uint64(0)
)

// bare is an enclave that nobody has initialised, entered register by register.
type bare struct {
	*host
	tb     testing.TB
	e      *enclave.Enclave
	blocks *enclave.Buffer
	boot   *enclave.Buffer
}

func load(tb testing.TB) *bare {
	m, img := needs(tb)
	e, err := m.Load(context.Background(), img, enclave.WithoutInit(), enclave.WithTimeLimit(5*time.Second))
	if err != nil {
		tb.Fatal(err)
	}
	b := &bare{host: &host{base: e.Base(), size: img.Size}, tb: tb, e: e}
	tb.Cleanup(func() {
		_ = e.Destroy()
		for _, l := range b.leaks {
			tb.Errorf("leak: %s", l)
		}
	})
	for size, to := range map[int]**enclave.Buffer{threads * goabi.BlockSize: &b.blocks, 4096: &b.boot} {
		if *to, err = e.Alloc(size); err != nil {
			tb.Fatal(err)
		}
	}
	p := b.boot.Bytes()
	put := func(off int, v uint64) { le.PutUint64(p[off:], v) }
	const args, rows = goabi.BootHeader, 256
	copy(p[args:], "victim\x001\x00raw\x00")
	put(goabi.BootMagicOff, goabi.BootMagic)
	put(goabi.BootSize, 512)
	put(goabi.BootBlocks, b.blocks.Addr())
	put(goabi.BootCount, threads)
	put(goabi.BootCPUs, 1)
	put(goabi.BootArgs, args)
	put(goabi.BootArgCount, 3)
	put(goabi.BootEnv, args)
	put(goabi.BootCPUID, rows)
	put(goabi.BootCPUIDRows, 1)
	l := cpuid.Leaf(1, 0)
	for i, v := range []uint32{1, ^uint32(0), l.EAX, l.EBX, l.ECX, l.EDX} {
		le.PutUint32(p[rows+4*i:], v)
	}
	return b
}

// enter enters a thread and returns RDI and RSI, after a look at the others.
func (b *bare) enter(rdi, rsi uint64) (command, value uint64) {
	b.tb.Helper()
	const junk = 0x4A554E4B4A554E4B
	r := cpu.Regs{RDI: rdi, RSI: rsi, RDX: junk, R8: junk, R9: junk, R10: junk, R11: junk, R12: junk, R13: junk, R14: junk, R15: junk}
	if err := b.e.Enter(context.Background(), &r); err != nil {
		b.tb.Fatalf("entry %#x: %v", rdi, err)
	}
	for i, v := range [...]uint64{r.RDX, r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15} {
		if v != 0 && v != junk {
			b.leak("entry %#x: register %d of those without a use is %#x", rdi, i, v)
		}
	}
	for i, v := range [...]uint64{r.RAX, r.RBX, r.RCX, r.RSP, r.RBP, r.RDI, r.RSI} {
		if b.inside(v) {
			b.leak("entry %#x: register %d of those with a use is %#x", rdi, i, v)
		}
	}
	if r.RAX != uint64(isa.EEXIT) || r.RBP != 0 {
		b.leak("entry %#x: RAX is %#x and RBP %#x", rdi, r.RAX, r.RBP)
	}
	b.search("the blocks", b.blocks.Bytes()[:goabi.BlockSize])
	return r.RDI, r.RSI
}

// ends has an entry end with a status.
func (b *bare) ends(name string, rdi, rsi uint64, want status.Code) {
	b.tb.Helper()
	if rdi, rsi := b.enter(rdi, rsi); rdi != done || status.Code(rsi) != want {
		b.tb.Errorf("%s: RDI %#x, status %v, want %v", name, rdi, status.Code(rsi), want)
	}
}

// The states of a thread and of the enclave, in each of which only the right
// entry does anything.
func TestEntries(t *testing.T) {
	b := load(t)
	start := b.boot.Addr()
	b.ends("ORET at first", cmdORet, 0, status.ErrUnexpected)
	b.ends("EXCEPT at first", cmdExcept, 0, status.ErrEnclaveCrashed)
	b.ends("START before INIT", goabi.ECallStart, start, status.ErrEnclaveCrashed)
	b.ends("a thread before INIT", goabi.ECallThread, 0, status.ErrEnclaveCrashed)
	b.ends("INIT", cmdInit, b.base, status.Success)
	b.ends("INIT again", cmdInit, 0, status.ErrUnexpected)
	b.ends("EXCEPT without an exception", cmdExcept, 0, status.ErrInvalidFunction)
	b.ends("an ECALL of an EDL", 0, start, status.ErrInvalidFunction)
	b.ends("ECALL -4", cmdExcept-1, start, status.ErrInvalidFunction)
	b.ends("ECALL 0x1_0100_0000", goabi.ECallStart+1<<32, start, status.ErrInvalidFunction)
	b.ends("a thread that nobody wants", goabi.ECallThread, 0, status.ErrOutOfTCS)

	command, block := b.enter(goabi.ECallStart, start)
	for n := 0; ; n++ {
		if command != goabi.OCallRequest || block != b.blocks.Addr() {
			t.Fatalf("START left with RDI %#x, RSI %#x", command, block)
		}
		p := b.blocks.Bytes()
		op, r := le.Uint64(p[goabi.OffOp:]), -int64(syscall.ENOSYS)
		if op == goabi.OpExit {
			break
		}
		switch op {
		case goabi.OpSpawn:
			r = -int64(syscall.EAGAIN)
		case syscall.SYS_WRITE:
			r = int64(le.Uint64(p[goabi.OffArgs+16:]))
		case syscall.SYS_CLOCK_GETTIME:
			clear(p[goabi.OffData:][:16])
			r = 0
		case goabi.OpPark, syscall.SYS_NANOSLEEP, syscall.SYS_SCHED_YIELD:
			r = 0
		}
		if n < 3 {
			b.ends("INIT in an OCALL", cmdInit, 0, status.ErrUnexpected)
			b.ends("START in an OCALL", goabi.ECallStart, start, status.ErrUnexpected)
			b.ends("a thread in an OCALL", goabi.ECallThread, 1, status.ErrUnexpected)
			b.ends("EXCEPT in an OCALL", cmdExcept, 0, status.ErrUnexpected)
		}
		if n == 1 { // on another thread
			held, err := b.e.Bind()
			if err != nil {
				t.Fatal(err)
			}
			b.ends("START again", goabi.ECallStart, start, status.ErrUnexpected)
			b.ends("a thread at once", goabi.ECallThread, 0, status.ErrOutOfTCS)
			other, err := b.e.Bind()
			if err != nil {
				t.Fatal(err)
			}
			held.Release()
			defer other.Release()
		}
		le.PutUint64(p[goabi.OffResult:], uint64(r))
		le.PutUint64(p[goabi.OffSignals:], 0)
		command, block = b.enter(cmdORet, 0)
		if n == 10000 {
			t.Fatal("it does not end")
		}
	}
	for range 3 { // and nothing brings it back
		for i := range goabi.OffData {
			b.blocks.Bytes()[i] = 0
		}
		if command, _ := b.enter(cmdORet, 0); command != goabi.OCallRequest || le.Uint64(b.blocks.Bytes()) != goabi.OpExit {
			t.Errorf("after its end it made request %d", le.Uint64(b.blocks.Bytes()))
		}
	}
	held, err := b.e.Bind()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	b.ends("START after the end", goabi.ECallStart, start, status.ErrEnclaveCrashed)
	b.ends("a thread after the end", goabi.ECallThread, 0, status.Success)
}

// A page fault at an address of the enclave's is the host's doing, or as bad: it
// ends the enclave, and the program cannot recover from it.
func TestFaultInside(t *testing.T) {
	h, r := run(t, lie{name: "none", jobs: "trespass"}, 1)
	var fault *enclave.FaultError
	if !errors.As(r.err, &fault) || fault.Status != enclave.ErrEnclaveCrashed || fault.Vector != isa.VectorPF || r.log != "" {
		t.Errorf("%v, %v, %v\n%s", r.state, r.err, h.leaks, r.log)
	}
}

// A boot block inside the enclave, or across its border.
func TestBootBlockInside(t *testing.T) {
	for _, at := range []func(b *bare) uint64{
		func(b *bare) uint64 { return b.base + 0x8000 },
		func(b *bare) uint64 { return b.base - 8 },
		func(b *bare) uint64 { return b.base + b.size - 8 },
		func(b *bare) uint64 { return ^uint64(7) },
	} {
		b := load(t)
		b.ends("INIT", cmdInit, 0, status.Success)
		b.ends("START", goabi.ECallStart, at(b), status.ErrInvalidParameter)
		b.ends("START again", goabi.ECallStart, b.boot.Addr(), status.ErrUnexpected)
	}
}

// A host that stops INIT halfway, where the enclave may not even know where it
// is, and starts the program then.
func TestStartAfterHalfOfInit(t *testing.T) {
	halves := 0
	for i := 0; i < 60 && halves < 2; i++ {
		b := load(t)
		ctx, cancel := context.WithCancel(context.Background())
		var begun atomic.Bool
		go func() { // a timer is too coarse for what takes a third of a millisecond
			for !begun.Load() {
			}
			for at, d := time.Now(), time.Duration(i%15)*20*time.Microsecond; time.Since(at) < d; {
			}
			cancel()
		}()
		begun.Store(true)
		err := b.e.Enter(ctx, &cpu.Regs{RDI: cmdInit})
		cancel()
		if err == nil {
			continue
		}
		b.ends("START", goabi.ECallStart, b.boot.Addr(), status.ErrEnclaveCrashed)
		b.ends("a thread", goabi.ECallThread, 0, status.ErrEnclaveCrashed)
		if command, value := b.enter(cmdInit, 0); command != done || value != 0 && status.Code(value) != status.ErrUnexpected {
			t.Errorf("INIT again: RDI %#x, RSI %#x", command, value)
		} else if value != 0 {
			halves++ // it had begun
		}
		if err := b.e.Destroy(); err != nil {
			t.Error(err)
		}
	}
	if halves == 0 {
		t.Skip("INIT was never stopped halfway: it is quick")
	}
}

// A host that starts the program while another thread still initialises the
// enclave.
func TestStartDuringInit(t *testing.T) {
	for range 5 {
		b := load(t)
		le.PutUint64(b.boot.Bytes()[goabi.BootBlocks:], b.base+b.size-threads*goabi.BlockSize)
		initialised := make(chan struct{})
		go func() {
			defer close(initialised)
			r := cpu.Regs{RDI: cmdInit}
			if err := b.e.Enter(context.Background(), &r); err != nil || r.RDI != done || r.RSI != 0 {
				t.Errorf("INIT: RDI %#x, RSI %#x, %v", r.RDI, r.RSI, err)
			}
		}()
		for over := false; !over; {
			select {
			case <-initialised:
				over = true
			default:
			}
			r := cpu.Regs{RDI: goabi.ECallStart, RSI: b.boot.Addr()}
			err := b.e.Enter(context.Background(), &r)
			if code := status.Code(r.RSI); err != nil || r.RDI != done || code != status.ErrEnclaveCrashed && code != status.ErrInvalidParameter && code != status.ErrUnexpected {
				t.Fatalf("START: RDI %#x, RSI %#x, %v", r.RDI, r.RSI, err)
			}
		}
		<-initialised
	}
}
