package engine

import (
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

var threadTests = []test{
	{"parallel", parallelThreads},
	{"two_enclaves", twoEnclaves},
	{"busy_TCS", busyTCS},
	{"TCS_on_another_thread", movedTCS},
	{"many", manyThreads},
	{"from_many_goroutines", manyGoroutines},
}

// mix computes rounds of xorshift from RSI, for RDX rounds, into RDX.
var mix = routine{"mix", func(a *asm.Assembler) {
	a.Mov(asm.RCX, asm.RDX)
	a.Mov(asm.RDX, asm.RSI)
	a.Label("mix_next")
	a.Mov(asm.RAX, asm.RDX)
	a.Shl(asm.RAX, 13)
	a.Xor(asm.RDX, asm.RAX)
	a.Mov(asm.RAX, asm.RDX)
	a.Shr(asm.RAX, 7)
	a.Xor(asm.RDX, asm.RAX)
	a.Mov(asm.RAX, asm.RDX)
	a.Shl(asm.RAX, 17)
	a.Xor(asm.RDX, asm.RAX)
	a.Dec(asm.RCX)
	a.Jcc(asm.NZ, "mix_next")
	a.Mov(asm.R9, asm.In(asm.GS, 0))
	a.Jmp("exit")
}}

func mixed(x, rounds uint64) uint64 {
	for range rounds {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

// work enters a thread often and checks each result.
func work(t *testing.T, th *thread, self uint64, n int) {
	for i := range n {
		r := th.regs("mix", uint64(i)+self+1, 50)
		exit, err := th.Run(t.Context(), r)
		if err != nil || exit.Kind != cpu.ExitEEXIT {
			t.Errorf("%v, %v", exit, err)
			return
		}
		if want := mixed(uint64(i)+self+1, 50); r.RDX != want || r.R9 != self {
			t.Errorf("mix(%d) is %#x, want %#x; thread data %#x, want %#x", i, r.RDX, want, r.R9, self)
			return
		}
	}
}

// named gives each thread of an enclave a word of its own at GS:0.
func named(t *testing.T, e *enclave, n int) (threads []*thread, self []uint64) {
	t.Helper()
	for i := range n {
		threads = append(threads, e.thread(t, i))
		v := e.base + uint64(i)
		self = append(self, v)
		e.poke(t, (tcsPage+uint64(i)*tcsStride+tdPage)*isa.PageSize, v)
	}
	return threads, self
}

func rounds(n int) int {
	if testing.Short() {
		return n / 20
	}
	return n
}

func parallelThreads(t *testing.T, m *machine) {
	e := m.load(t, &probe{threads: 6, routines: []routine{mix}})
	threads, self := named(t, e, 6)
	var wg sync.WaitGroup
	for i := range threads {
		wg.Go(func() { work(t, threads[i], self[i], rounds(5000)) })
	}
	wg.Wait()
}

func twoEnclaves(t *testing.T, m *machine) {
	var wg sync.WaitGroup
	for i := range byte(2) {
		e := m.load(t, &probe{threads: 2, salt: i, routines: []routine{mix}})
		threads, self := named(t, e, 2)
		for i := range threads {
			wg.Go(func() { work(t, threads[i], self[i], rounds(5000)) })
		}
	}
	wg.Wait()
}

func busyTCS(t *testing.T, m *machine) {
	e := m.load(t, &probe{threads: 2, routines: []routine{spin, ok}})
	first, second, out := e.thread(t, 0), e.thread(t, 0), m.buffer(t, isa.PageSize)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, exit := first.enter(t, "spin", out.Addr()); exit.Kind != cpu.ExitInterrupt {
			t.Error(describe(&exit))
		}
	})
	defer wg.Wait()
	defer first.Interrupt()
	waitFor(t, "the first thread", func() bool { return load32(out, 0) != 0 })
	for _, leaf := range []isa.ENCLU{isa.EENTER, isa.ERESUME} {
		r := second.regs("ok")
		r.RAX = uint64(leaf)
		was := *r
		_, err := second.Run(t.Context(), r)
		if f := fault(t, err); f.Vector != isa.VectorGP {
			t.Errorf("%v on a busy TCS: %v", leaf, err)
		}
		was.RIP = r.RIP
		if *r != was {
			t.Errorf("registers changed: %+v, were %+v", *r, was)
		}
	}
	e.thread(t, 1).call(t, "ok") // others are free
}

// movedTCS leaves by an AEX on one logical processor and resumes on another.
func movedTCS(t *testing.T, m *machine) {
	h := interrupted(t, m)
	other := h.e.thread(t, 0)
	h.stop()
	if _, exit := other.resume(t); exit.Kind != cpu.ExitEEXIT {
		t.Fatal(describe(&exit))
	}
	h.check(t)
}

func manyThreads(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{mix}})
	e.poke(t, (tcsPage+tdPage)*isa.PageSize, 9)
	for range 100 { // more than any table holds
		work(t, e.thread(t, 0), 9, 3)
	}
}

// manyGoroutines hands a thread from goroutine to goroutine.
func manyGoroutines(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{mix}})
	e.poke(t, (tcsPage+tdPage)*isa.PageSize, 9)
	th := e.thread(t, 0)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 5 {
				mu.Lock()
				work(t, th, 9, rounds(100))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}
