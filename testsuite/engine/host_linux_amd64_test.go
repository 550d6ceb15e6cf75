package engine

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/cpu/native"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

// What follows is about the native engine in a process that lives on: signals,
// children, the garbage collector.

// counted powers on a machine that counts its AEXs.
func counted(t *testing.T) (*machine, *atomic.Int64) {
	t.Helper()
	n := new(atomic.Int64)
	return powerOn(t, func(c cpu.Config) (cpu.Engine, error) {
		c.Trace = func(e cpu.Event) {
			if e.Leaf == "AEX" {
				n.Add(1)
			}
		}
		return cpu.Open(native.Name, c)
	}), n
}

// spam sends signals to every thread of the process until stop is called.
func spam(signals ...syscall.Signal) (stop func()) {
	end := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			tasks, _ := os.ReadDir("/proc/self/task")
			for i := range 50 {
				for _, task := range tasks {
					if tid, err := strconv.Atoi(task.Name()); err == nil {
						_, _, _ = syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(os.Getpid()), uintptr(tid), uintptr(signals[i%len(signals)]))
					}
				}
				runtime.Gosched()
			}
			select {
			case <-end:
				return
			default:
			}
		}
	})
	return func() {
		close(end)
		wg.Wait()
	}
}

// received counts the arrivals of signals.
func received(t *testing.T, signals ...os.Signal) *atomic.Int64 {
	t.Helper()
	n, c := new(atomic.Int64), make(chan os.Signal, 1024)
	signal.Notify(c, signals...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range c {
			n.Add(1)
		}
	}()
	t.Cleanup(func() {
		signal.Stop(c)
		close(c)
		<-done
	})
	return n
}

// TestSignals has threads hold their whole state while signals pour in, for
// which the engine leaves by an AEX and comes back by itself.
func TestSignals(t *testing.T) {
	m, aex := counted(t)
	arrived := received(t, syscall.SIGUSR1, syscall.SIGURG)
	xfrm := m.p.XFRM()
	for _, flags := range holdFlags {
		h := newHolder(t, m.load(t, &probe{routines: []routine{hold("hold", xfrm, spinUntilStop)}}), xfrm, flags)
		before := aex.Load()
		stop := spam(syscall.SIGUSR1, syscall.SIGURG)
		go func() {
			for end := time.Now().Add(limit); aex.Load() < before+200 && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
			h.stop()
		}()
		_, exit := h.th.enter(t, "hold", h.out.Addr())
		stop()
		if exit.Kind != cpu.ExitEEXIT {
			t.Fatal(describe(&exit))
		}
		if n := aex.Load() - before; n < 200 {
			t.Errorf("%d AEXs only", n)
		}
		h.check(t)
	}
	if arrived.Load() == 0 {
		t.Error("no signal arrived at the program")
	}
	t.Logf("%d AEXs, %d signals", aex.Load(), arrived.Load())
}

// TestSignalsOnTheWay enters and leaves by every way while signals pour in:
// they meet the engine's own code.
func TestSignalsOnTheWay(t *testing.T) {
	m, aex := counted(t)
	received(t, syscall.SIGUSR1)
	e := m.load(t, &probe{threads: 2, routines: []routine{mix, leaf, {"raise", func(a *asm.Assembler) { a.Ud2() }}, {"hidden", func(a *asm.Assembler) { a.Jmp("trap_exit") }}}})
	threads, self := named(t, e, 2)
	defer spam(syscall.SIGUSR1, syscall.SIGURG, syscall.SIGPROF)()
	var wg sync.WaitGroup
	for i, th := range threads {
		wg.Go(func() { // t.Fatal ends the goroutine, which is enough
			for range rounds(4000) {
				work(t, th, self[i], 20)
				th.call(t, "hidden")
				if _, exit := th.enter(t, "raise"); exit.Vector != isa.VectorUD {
					t.Errorf("%s", describe(&exit))
					return
				}
				th.drop(t)
			}
		})
	}
	wg.Wait()
	t.Logf("%d AEXs, %d for exceptions", aex.Load(), 2*rounds(4000))
}

// TestLateHandler installs a handler that the engine has not seen: it is
// wrapped when the next thread is made.
func TestLateHandler(t *testing.T) {
	m, aex := counted(t)
	e := m.load(t, &probe{routines: []routine{spin}})
	e.thread(t, 0)
	signal.Ignore(syscall.SIGUSR2)
	defer signal.Reset(syscall.SIGUSR2)
	arrived := received(t, syscall.SIGUSR2)
	th, out := e.thread(t, 0), m.buffer(t, isa.PageSize)
	go func() {
		for load32(out, 0) == 0 {
			time.Sleep(10 * time.Microsecond)
		}
		defer th.Interrupt()
		defer spam(syscall.SIGUSR2)()
		for end := time.Now().Add(limit); (aex.Load() < 50 || arrived.Load() == 0) && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
	}()
	if _, exit := th.enter(t, "spin", out.Addr()); exit.Kind != cpu.ExitInterrupt {
		t.Fatal(describe(&exit))
	}
	if aex.Load() < 50 || arrived.Load() == 0 {
		t.Errorf("%d AEXs, %d signals", aex.Load(), arrived.Load())
	}
}

// TestHidden looks for enclave memory in what children and core dumps get.
func TestHidden(t *testing.T) {
	if emulated() {
		t.Skip("qemu-user keeps madvise to itself")
	}
	m := powerOn(t, openNative)
	e, th := dynamic(t, m)
	for i := range uint64(3) {
		th.newPage(t, sparePage+i)
	}
	f, err := os.Open("/proc/self/smaps")
	must(t, err)
	defer f.Close()
	var lo, hi uint64
	var mapping string
	found, scanner := 0, bufio.NewScanner(f)
	for scanner.Scan() {
		line := scanner.Text()
		if n, _ := fmt.Sscanf(line, "%x-%x", &lo, &hi); n == 2 {
			mapping = line
			continue
		}
		flags, ok := strings.CutPrefix(line, "VmFlags:")
		enclave := lo < e.base+e.rng.Size() && hi > e.base || strings.Contains(mapping, "feidi-epc")
		if !ok || !enclave || !strings.Contains(mapping, "memfd") {
			continue
		}
		found++
		if flags += " "; !strings.Contains(flags, " dc ") || !strings.Contains(flags, " dd ") {
			t.Errorf("%s: flags%s", mapping, flags)
		}
	}
	if found < 5 {
		t.Skipf("%d mappings of the EPC in /proc/self/smaps", found)
	}
}

// TestChildren starts processes while threads are inside.
func TestChildren(t *testing.T) {
	m, _ := counted(t)
	e := m.load(t, &probe{threads: 3, routines: []routine{mix, spin, ok}})
	threads, self := named(t, e, 3)
	spinner, out := threads[2], m.buffer(t, isa.PageSize)
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, exit := spinner.enter(t, "spin", out.Addr()); exit.Kind != cpu.ExitInterrupt {
			t.Error(describe(&exit))
		}
	})
	for i := range 2 {
		wg.Go(func() {
			for !stop.Load() {
				work(t, threads[i], self[i], 10)
			}
		})
	}
	waitFor(t, "the spinning thread", func() bool { return load32(out, 0) != 0 })
	for range rounds(100) {
		got, err := exec.Command("/bin/sh", "-c", "echo child").Output()
		if err != nil || string(got) != "child\n" {
			t.Errorf("%q, %v", got, err)
			break
		}
	}
	stop.Store(true)
	spinner.Interrupt()
	wg.Wait()
}

// TestCollector has the garbage collector run while a thread never leaves.
func TestCollector(t *testing.T) {
	m := powerOn(t, openNative)
	e := m.load(t, &probe{routines: []routine{spin}})
	th, out := e.thread(t, 0), m.buffer(t, isa.PageSize)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan cpu.Exit)
	go func() {
		exit, err := th.Run(ctx, th.regs("spin", out.Addr()))
		if err != nil {
			t.Error(err)
		}
		done <- exit
	}()
	waitFor(t, "the spinning thread", func() bool { return load32(out, 0) != 0 })
	start := time.Now()
	for range 20 {
		runtime.GC()
	}
	if took := time.Since(start); took > limit {
		t.Errorf("20 collections took %v", took)
	}
	cancel()
	if exit := <-done; exit.Kind != cpu.ExitInterrupt {
		t.Error(describe(&exit))
	}
}

// TestCompatibilityMode leaves 64-bit mode by a far branch, to an address
// below 4 GB where nothing is, and expects to come back in 64-bit mode.
func TestCompatibilityMode(t *testing.T) {
	if emulated() {
		t.Skip("qemu-user has no 32-bit code segment")
	}
	m := powerOn(t, openNative)
	const low = 0x10000 // vm.mmap_min_addr, or below it
	const cs32 = 0x23   // __USER32_CS of Linux
	e := m.load(t, &probe{routines: []routine{ok, {"far_return", func(a *asm.Assembler) {
		a.Mov(asm.RSP, asm.RSI)
		a.Push(asm.Imm(cs32))
		a.Push(asm.Imm(low))
		a.Data(0x48, 0xCB) // retfq
	}}}})
	th := e.thread(t, 0)
	_, exit := th.enter(t, "far_return", th.stack)
	if exit.Kind != cpu.ExitException || exit.Detail.RIP != low {
		t.Fatal(describe(&exit))
	}
	th.drop(t)
	th.call(t, "ok")
}
