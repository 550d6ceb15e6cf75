package native

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestFindProcid(t *testing.T) {
	first, err := findProcid()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 { // many threads at a time, some of them new
		wg.Go(func() {
			runtime.LockOSThread()
			off, err := findProcid()
			if err != nil || off != first {
				t.Errorf("offset %d, %v; it was %d", off, err, first)
			}
			if got := *(*uint64)(pointer(uint64(currentM()) + first)); got != uint64(unix.Gettid()) {
				t.Errorf("m holds %d on thread %d", got, unix.Gettid())
			}
		})
	}
	wg.Wait()
}

// TestArena allocates and frees at random and keeps its own books.
func TestArena(t *testing.T) {
	if err := setup(); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	mine := map[uint64]uint64{}
	overlaps := func(at, size uint64) bool {
		for a, s := range mine {
			if at < a+s && a < at+size {
				return true
			}
		}
		return false
	}
	for i := range 2000 {
		if len(mine) > 0 && rng.IntN(3) == 0 {
			for at := range mine {
				arenaFree(at)
				delete(mine, at)
				break
			}
			continue
		}
		size := uint64(1) << (13 + rng.IntN(14))
		at, err := arenaAlloc(size)
		if err != nil {
			t.Fatalf("round %d, %#x bytes, %d ranges: %v", i, size, len(mine), err)
		}
		if at%size != 0 || at < arena.start || at+size > arena.start+arena.size || overlaps(at, size) {
			t.Fatalf("%#x bytes at %#x", size, at)
		}
		mine[at] = size
	}
	for at := range mine {
		arenaFree(at)
	}
	for _, size := range []uint64{arena.size * 2, 1 << 62, 1 << 63} {
		if at, err := arenaAlloc(size); err == nil {
			t.Errorf("%#x bytes at %#x in an arena of %#x", size, at, arena.size)
			arenaFree(at)
		}
	}
	// The room of what was freed is used again.
	a, err := arenaAlloc(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	arenaFree(a)
	if b, err := arenaAlloc(1 << 20); err != nil || b != a {
		t.Errorf("%#x, then %#x, %v", a, b, err)
	} else {
		arenaFree(b)
	}
}

// TestWrapSignals sees that every handler there is goes through the engine's,
// once.
func TestWrapSignals(t *testing.T) {
	if err := setup(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := wrapSignals(); err != nil {
			t.Fatal(err)
		}
	}
	const unblockable = 1<<(unix.SIGKILL-1) | 1<<(unix.SIGSTOP-1) // which the kernel drops from masks
	wrapped := 0
	for sig := 1; sig <= numSignals; sig++ {
		if sig == int(unix.SIGKILL) || sig == int(unix.SIGSTOP) {
			continue
		}
		var sa sigaction
		if err := rtSigaction(sig, nil, &sa); err != nil {
			t.Fatal(err)
		}
		if sa.handler == sigDFL || sa.handler == sigIGN {
			continue
		}
		wrapped++
		if sa.handler != handlerPC() || sa.flags&saOnstack == 0 || sa.mask|unblockable != ^uint64(0) {
			t.Errorf("signal %d: %+v", sig, sa)
		}
		if old := oldHandlers[sig]; old <= sigIGN || old == handlerPC() {
			t.Errorf("signal %d goes on to %#x", sig, old)
		}
	}
	for _, sig := range []unix.Signal{unix.SIGILL, unix.SIGSEGV, unix.SIGTRAP, unix.SIGBUS, unix.SIGFPE, unix.SIGURG, unix.SIGPROF} {
		if oldHandlers[sig] == 0 {
			t.Errorf("%v is not wrapped", sig)
		}
	}
	if wrapped < 20 {
		t.Errorf("only %d handlers are wrapped", wrapped)
	}
	if unsafe.Sizeof(sigaction{}) != 32 {
		t.Error("struct sigaction has another size")
	}
}

// TestArm arms a thread, and sees that the handler leaves a thread alone
// that is not inside.
func TestArm(t *testing.T) {
	if err := setup(); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	armThread()
	if s := threadSlot(); s.ctx != 0 || s.m != uint64(currentM()) {
		t.Errorf("slot %+v, m %#x", *s, currentM())
	}
	for range 100 {
		if err := unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGURG); err != nil {
			t.Fatal(err)
		}
	}
}
