package enclave_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
)

// measure times an operation against a pair of the runtime's entersyscall and
// exitsyscall, which every entry into an enclave pays, as every system call
// from Go does. Batches of the one alternate with batches of the other, and
// medians are reported, so that what else the machine does hits both alike.
// ns/op is of the operation alone; if it consists of several calls, ns/call
// and the ratio are of one of them.
func measure(b *testing.B, batch, calls int, op func() error) {
	var ops, pairs []float64 // nanoseconds of one
	start, n := time.Now(), 0
	for b.Loop() {
		if err := op(); err != nil {
			b.Fatal(err)
		}
		if n++; n%batch != 0 {
			continue
		}
		done := time.Now()
		const size = 256
		for range size {
			syscallPair()
		}
		pairs = append(pairs, float64(time.Since(done))/size)
		ops = append(ops, float64(done.Sub(start))/float64(batch))
		start = time.Now()
	}
	if len(ops) == 0 {
		return // too short a run to tell
	}
	each, pair := median(ops)/float64(calls), median(pairs)
	b.ReportMetric(median(ops), "ns/op")
	if calls > 1 {
		b.ReportMetric(each, "ns/call")
	}
	b.ReportMetric(pair, "ns/pair")
	b.ReportMetric(each/pair, "x-syscall-pair")
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// exits are the two ways out of an enclave: an EEXIT that the engine rewrote
// to a jump, and one that it could not, which traps.
var exits = []struct {
	name  string
	opt   toy.Options
	batch int // of calls
}{
	{"patched", toy.Options{}, 256},
	{"trap", toy.Options{TrapExit: true}, 16},
}

// BenchmarkECall times the round trip of an ECALL, EENTER and EEXIT: one that
// does nothing, by both ways out; with a block; with a context that can end;
// on a bound thread; and with an exception that the enclave recovers from,
// which is an AEX, an entry for the handler and ERESUME.
func BenchmarkECall(b *testing.B) {
	background := context.Background()
	cancelable, cancel := context.WithCancel(background)
	defer cancel()
	start := func(b *testing.B, o toy.Options) *enclave.Enclave {
		return load(b, powerOn(b, enclave.MachineConfig{}), build(b, o))
	}
	for _, x := range exits {
		b.Run(x.name, func(b *testing.B) {
			e := start(b, x.opt)
			measure(b, x.batch, 1, func() error { return e.ECall(background, int(toy.ECallEmpty), nil) })
		})
	}
	b.Run("block", func(b *testing.B) {
		e, block := start(b, toy.Options{}), toy.Encode(toy.MSAdd{A: 40, B: 2})
		measure(b, 256, 1, func() error { return e.ECall(background, int(toy.ECallAdd), block) })
	})
	b.Run("context", func(b *testing.B) {
		e := start(b, toy.Options{})
		measure(b, 256, 1, func() error { return e.ECall(cancelable, int(toy.ECallEmpty), nil) })
	})
	b.Run("bound", func(b *testing.B) {
		t, err := start(b, toy.Options{}).Bind()
		if err != nil {
			b.Fatal(err)
		}
		defer t.Release()
		measure(b, 256, 1, func() error { return t.ECall(background, int(toy.ECallEmpty), nil) })
	})
	b.Run("exception", func(b *testing.B) {
		e := start(b, toy.Options{MiscSelect: isa.MiscEXINFO})
		fault := toy.Encode(toy.MSFault{Trap: toy.Trap{Armed: 1}, Kind: toy.FaultUD2})
		measure(b, 16, 1, func() error { return e.ECall(background, int(toy.ECallFault), fault) })
	})
}

// BenchmarkSyscall times a system call that does nothing, to compare with.
func BenchmarkSyscall(b *testing.B) {
	powerOn(b, enclave.MachineConfig{})
	measure(b, 256, 1, func() error { emptySyscall(); return nil })
}

// BenchmarkECallParallel has as many goroutines as processors call at once.
func BenchmarkECallParallel(b *testing.B) {
	e := load(b, powerOn(b, enclave.MachineConfig{}), build(b, toy.Options{Threads: runtime.GOMAXPROCS(0)}))
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := e.ECall(context.Background(), int(toy.ECallEmpty), nil); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkOCall times the round trip of an OCALL that does nothing: EEXIT and
// EENTER, by both ways out, and with a context that can end. One operation is
// an ECALL that makes many; ns/call is one of them.
func BenchmarkOCall(b *testing.B) {
	const calls = 100
	nothing := func(context.Context, *enclave.Call) enclave.Status { return enclave.Success }
	run := func(name string, ctx context.Context, o toy.Options, batch int) {
		b.Run(name, func(b *testing.B) {
			e := load(b, powerOn(b, enclave.MachineConfig{}), build(b, o), enclave.WithOCalls(nothing))
			block := toy.Encode(toy.MSOCallLoop{N: calls})
			measure(b, max(1, batch/calls), calls, func() error {
				return e.ECall(ctx, int(toy.ECallOCallLoop), block)
			})
			if r, err := toy.Decode[toy.MSOCallLoop](block); err != nil || r.Done != calls {
				b.Fatalf("%d of %d OCALLs, %v", r.Done, calls, err)
			}
		})
	}
	for _, x := range exits {
		run(x.name, context.Background(), x.opt, x.batch)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	run("context", ctx, toy.Options{}, 256)
}

// BenchmarkLoad times loading an enclave of 64 MB of heap up to and including
// EINIT; with the INIT ECALL, which in a toy enclave does next to nothing; and
// with a write to every page of the heap, as INIT of the SDK's runtime does.
// One operation takes the enclave down again, too.
func BenchmarkLoad(b *testing.B) {
	img := build(b, toy.Options{HeapSize: 64 << 20})
	touch := func(e *enclave.Enclave) {
		heap := mustCall(b, e, toy.ECallInfo, toy.MSInfo{})
		mustCall(b, e, toy.ECallCopy, toy.MSCopy{
			Src: heap.Heap, Dst: heap.Heap + isa.PageSize, Len: heap.HeapSize - isa.PageSize,
		})
	}
	for _, c := range []struct {
		name string
		opts []enclave.Option
		then func(*enclave.Enclave)
	}{
		{"einit", []enclave.Option{enclave.WithoutInit()}, nil},
		{"init", nil, nil},
		{"touch", nil, touch},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := powerOn(b, enclave.MachineConfig{})
			var up, down []float64 // milliseconds
			for b.Loop() {
				start := time.Now()
				e, err := m.Load(context.Background(), img, c.opts...)
				if err != nil {
					b.Fatal(err)
				}
				if c.then != nil {
					c.then(e)
				}
				up = append(up, time.Since(start).Seconds()*1e3)
				start = time.Now()
				if err := e.Destroy(); err != nil {
					b.Fatal(err)
				}
				down = append(down, time.Since(start).Seconds()*1e3)
			}
			b.ReportMetric(median(up), "ms/load")
			b.ReportMetric(median(down), "ms/destroy")
		})
	}
}

// BenchmarkCompute compares a function that only computes inside an enclave
// with the same instructions outside. inside/outside is a ratio of speeds, of
// the fastest runs of both: nothing but the machine's noise makes one slower.
func BenchmarkCompute(b *testing.B) {
	const rounds = 1_000_000
	e := load(b, powerOn(b, enclave.MachineConfig{}), build(b, toy.Options{}))
	f := outside(b)
	want := f(rounds)
	block := toy.Encode(toy.MSCompute{N: rounds})
	var in, out []float64
	for b.Loop() {
		t0 := time.Now()
		err := e.ECall(context.Background(), int(toy.ECallCompute), block)
		t1 := time.Now()
		got := f(rounds)
		out = append(out, float64(time.Since(t1)))
		in = append(in, float64(t1.Sub(t0)))
		if r, _ := toy.Decode[toy.MSCompute](block); err != nil || r.Result != want || got != want {
			b.Fatalf("%x inside, %x outside, %v", r.Result, got, err)
		}
	}
	b.ReportMetric(slices.Min(out)/slices.Min(in), "inside/outside")
}

// BenchmarkEPC loads an enclave of 256 MB onto a new machine and reports the
// Go heap that a page of an enclave's EPC takes.
func BenchmarkEPC(b *testing.B) {
	img := build(b, toy.Options{HeapSize: 256 << 20})
	var pages uint64
	for i := range img.Runs {
		pages += img.Runs[i].Pages
	}
	var per float64
	for b.Loop() {
		m := powerOn(b, enclave.MachineConfig{})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		e, err := m.Load(context.Background(), img, enclave.WithoutInit())
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		per = float64(after.HeapAlloc-before.HeapAlloc) / float64(pages)
		if err := e.Destroy(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(per, "B/page")
}
