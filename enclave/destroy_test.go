package enclave_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
)

// up loads an enclave that the test itself destroys.
func up(t *testing.T, m *enclave.Machine, o toy.Options, opts ...enclave.Option) *enclave.Enclave {
	t.Helper()
	e, err := m.Load(context.Background(), build(t, o), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDestroy(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	free := enclave.FreeEPC(m)
	e := up(t, m, toy.Options{})
	b := buffer(t, e, 8)
	bound, err := e.Bind()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Destroy(); err != nil {
		t.Fatal(err)
	}
	if now := enclave.FreeEPC(m); now != free {
		t.Errorf("%d pages of the EPC are lost", free-now)
	}
	ctx := context.Background()
	if err := e.Destroy(); !errors.Is(err, enclave.ErrDestroyed) {
		t.Errorf("the second Destroy: %v", err)
	}
	if err := e.ECall(ctx, int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrDestroyed) {
		t.Errorf("ECall: %v", err)
	}
	if err := bound.ECall(ctx, int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrDestroyed) {
		t.Errorf("ECall of a bound thread: %v", err)
	}
	if _, err := e.Bind(); !errors.Is(err, enclave.ErrDestroyed) {
		t.Errorf("Bind: %v", err)
	}
	if _, err := e.Alloc(8); !errors.Is(err, enclave.ErrDestroyed) {
		t.Errorf("Alloc: %v", err)
	}
	other := load(t, m, build(t, toy.Options{})) // on the same pages
	if s := e.SECS(); other.SECS() == s || s != (isa.SECS{}) {
		t.Errorf("SECS: %+v", s)
	}
	if _, err := e.ReadAt(make([]byte, 8), 0); !errors.Is(err, enclave.ErrDestroyed) {
		t.Errorf("ReadAt: %v", err)
	}
	bound.Release()
	b.Free()
}

// TestDestroySpinning destroys an enclave with threads inside it.
func TestDestroySpinning(t *testing.T) {
	const threads = 3
	m := powerOn(t, enclave.MachineConfig{})
	e := up(t, m, toy.Options{Threads: threads})
	errs := make(chan error)
	for range threads {
		b, err := e.Bind()
		if err != nil {
			t.Fatal(err)
		}
		go func() { errs <- b.ECall(context.Background(), int(toy.ECallSpin), nil) }()
	}
	time.Sleep(20 * time.Millisecond)
	if err := e.Destroy(); err != nil {
		t.Error(err)
	}
	for range threads {
		if err := <-errs; !errors.Is(err, enclave.ErrDestroyed) {
			t.Errorf("a thread that was inside: %v", err)
		}
	}
}

// TestDestroyInOCall destroys an enclave while an OCALL blocks: Destroy waits
// for it, the enclave is not entered again, and the call fails.
func TestDestroyInOCall(t *testing.T) {
	entered, proceed := make(chan struct{}), make(chan struct{})
	e := up(t, powerOn(t, enclave.MachineConfig{}), toy.Options{}, enclave.WithOCalls(func(context.Context, *enclave.Call) enclave.Status {
		close(entered)
		<-proceed
		return enclave.Success
	}))
	called, destroyed := make(chan error, 1), make(chan error, 1)
	go func() { called <- e.ECall(context.Background(), int(toy.ECallOCall), toy.Encode(toy.MSOCall{})) }()
	<-entered
	go func() { destroyed <- e.Destroy() }()
	select {
	case err := <-destroyed:
		t.Errorf("Destroy did not wait for the OCALL: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(proceed)
	if err := <-called; !errors.Is(err, enclave.ErrDestroyed) {
		t.Errorf("the call: %v", err)
	}
	if err := <-destroyed; err != nil {
		t.Error(err)
	}
}

// TestDestroyBusy destroys an enclave under a storm of calls.
func TestDestroyBusy(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	for range 20 {
		e := up(t, m, toy.Options{Threads: 2}, enclave.WithOCalls(double))
		b := buffer(t, e, 16)
		block := toy.MSOCall{Block: b.Addr(), Value: 1}
		done := make(chan error)
		for range 3 {
			go func() {
				for {
					err := e.ECall(context.Background(), int(toy.ECallOCall), toy.Encode(block))
					if err != nil && !errors.Is(err, enclave.ErrOutOfTCS) {
						done <- err
						return
					}
				}
			}()
		}
		time.Sleep(2 * time.Millisecond)
		if err := e.Destroy(); err != nil {
			t.Error(err)
		}
		for range 3 {
			if err := <-done; !errors.Is(err, enclave.ErrDestroyed) {
				t.Errorf("a call: %v", err)
			}
		}
	}
}

// TestReadAt reads the enclave as software outside does.
func TestReadAt(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}))
	const secret = 0x1122334455667788
	info := mustCall(t, e, toy.ECallInfo, toy.MSInfo{})
	mustCall(t, e, toy.ECallPoke, toy.MSPeek{Addr: info.Scratch, Value: secret})
	if r := mustCall(t, e, toy.ECallPeek, toy.MSPeek{Addr: info.Scratch}); r.Value != secret {
		t.Fatalf("inside it reads %#x", r.Value)
	}
	for _, off := range []uint64{0, info.Scratch - e.Base(), info.TCS - e.Base(), info.Heap - e.Base() - 8} {
		b := make([]byte, 100)
		n, err := e.ReadAt(b, int64(off))
		if n != len(b) || err != nil || !bytes.Equal(b, bytes.Repeat([]byte{0xFF}, len(b))) {
			t.Errorf("at offset %#x: %d bytes, %v: %x", off, n, err, b)
		}
	}
	size := int64(e.Image().Size)
	for _, c := range []struct{ off, n int64 }{{-1, 1}, {size, 1}, {size - 1, 2}, {1 << 62, 1}, {-1 << 63, 1}} {
		if n, err := e.ReadAt(make([]byte, c.n), c.off); err == nil {
			t.Errorf("ReadAt(%d bytes, %#x): %d bytes and no error", c.n, c.off, n)
		}
	}
}

// usage is what a process holds.
type usage struct {
	epc, goroutines, maps, rss int // EPC pages, -, lines, KB
}

// measureUsage returns what the process holds once nothing changes any more.
func measureUsage(t *testing.T, m *enclave.Machine) usage {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip("no /proc to measure with")
	}
	runtime.GC()
	runtime.GC()
	return usage{int(enclave.FreeEPC(m)), runtime.NumGoroutine(), bytes.Count(maps, []byte("\n")), residentKB(t)}
}

// residentKB returns the resident set of the process.
func residentKB(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc to measure with")
	}
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Skip("no VmRSS")
	return 0
}

// TestLeaks loads, uses and destroys an enclave many times, also with calls
// that fail, and compares what the process holds.
func TestLeaks(t *testing.T) {
	const cycles = 200
	m := powerOn(t, enclave.MachineConfig{})
	img := build(t, toy.Options{HeapSize: 1 << 20})
	cycle := func(i int) {
		e, err := m.Load(context.Background(), img)
		if err != nil {
			t.Fatal(err)
		}
		buffer(t, e, 1000) // left for Destroy
		mustCall(t, e, toy.ECallAdd, toy.MSAdd{})
		info := mustCall(t, e, toy.ECallInfo, toy.MSInfo{})
		if r := mustCall(t, e, toy.ECallPeek, toy.MSPeek{Addr: info.Heap}); r.Value != 0 {
			t.Fatalf("cycle %d: the heap holds %#x of the enclave before", i, r.Value)
		}
		for at := info.Heap; at < info.Heap+info.HeapSize; at += isa.PageSize {
			mustCall(t, e, toy.ECallPoke, toy.MSPeek{Addr: at, Value: 0xBAD})
		}
		if i%4 == 0 { // a thread is lost
			if _, err := call(t, e, toy.ECallFault, toy.MSFault{Kind: toy.FaultUD2}); err == nil {
				t.Fatal("no error")
			}
		}
		if err := e.Destroy(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		cycle(i)
	}
	before := measureUsage(t, m)
	for i := range cycles {
		cycle(i)
	}
	after := measureUsage(t, m)
	t.Logf("before %+v, after %+v", before, after)
	const noise = 4 << 10 // KB, of the Go heap; the heaps of all the enclaves are 200 MB
	if after.epc != before.epc || after.goroutines > before.goroutines || after.maps > before.maps+4 || after.rss > before.rss+noise {
		t.Errorf("before %+v, after %d cycles %+v", before, cycles, after)
	}
}

// TestFailedLoadLeaks has loads fail late, at EINIT.
func TestFailedLoadLeaks(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	img := build(t, toy.Options{})
	img.SigStruct.EnclaveHash[0]++
	fail := func() {
		if _, err := m.Load(context.Background(), img); !errors.Is(err, isa.ErrInvalidSignature) {
			t.Fatal(err)
		}
	}
	fail()
	before := measureUsage(t, m)
	for range 50 {
		fail()
	}
	after := measureUsage(t, m)
	if after.epc != before.epc || after.goroutines > before.goroutines || after.maps > before.maps+2 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}
