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

// pairTime measures a pair of the runtime's entersyscall and exitsyscall: the
// median of several batches, in nanoseconds.
func pairTime() float64 {
	const batches, size = 15, 20_000
	var d []time.Duration
	for range batches {
		start := time.Now()
		for range size {
			syscallPair()
		}
		d = append(d, time.Since(start))
	}
	slices.Sort(d)
	return float64(d[batches/2]) / size
}

// reportPairs reports the time of one of ops operations as a multiple of a
// pair, which is measured now: on the same machine in the same minute.
func reportPairs(b *testing.B, ops int) {
	each := float64(b.Elapsed()) / float64(ops)
	if ops != b.N {
		b.ReportMetric(each, "ns/call")
	}
	pair := pairTime()
	b.ReportMetric(pair, "ns/pair")
	b.ReportMetric(each/pair, "x-syscall-pair")
}

// exits are the two ways out of an enclave: an EEXIT that the engine rewrote
// to a jump, and one that it could not, which traps.
var exits = []struct {
	name string
	opt  toy.Options
}{
	{"patched", toy.Options{}},
	{"trap", toy.Options{TrapExit: true}},
}

// BenchmarkECall times the round trip of an ECALL that does nothing: EENTER
// and EEXIT. The sub-benchmark context adds a context that can end, and
// exception a fault that the enclave recovers from: an AEX, an entry for the
// handler and ERESUME.
func BenchmarkECall(b *testing.B) {
	background := context.Background()
	cancelable, cancel := context.WithCancel(background)
	defer cancel()
	for _, x := range exits {
		b.Run(x.name, func(b *testing.B) {
			e := load(b, powerOn(b, enclave.MachineConfig{}), build(b, x.opt))
			for b.Loop() {
				if err := e.ECall(background, int(toy.ECallEmpty), nil); err != nil {
					b.Fatal(err)
				}
			}
			reportPairs(b, b.N)
		})
	}
	b.Run("block", func(b *testing.B) {
		e := load(b, powerOn(b, enclave.MachineConfig{}), build(b, toy.Options{}))
		block := toy.Encode(toy.MSAdd{A: 40, B: 2})
		for b.Loop() {
			if err := e.ECall(background, int(toy.ECallAdd), block); err != nil {
				b.Fatal(err)
			}
		}
		reportPairs(b, b.N)
	})
	b.Run("context", func(b *testing.B) {
		e := load(b, powerOn(b, enclave.MachineConfig{}), build(b, toy.Options{}))
		for b.Loop() {
			if err := e.ECall(cancelable, int(toy.ECallEmpty), nil); err != nil {
				b.Fatal(err)
			}
		}
		reportPairs(b, b.N)
	})
	b.Run("bound", func(b *testing.B) {
		e := load(b, powerOn(b, enclave.MachineConfig{}), build(b, toy.Options{}))
		t, err := e.Bind()
		if err != nil {
			b.Fatal(err)
		}
		defer t.Release()
		for b.Loop() {
			if err := t.ECall(background, int(toy.ECallEmpty), nil); err != nil {
				b.Fatal(err)
			}
		}
		reportPairs(b, b.N)
	})
	b.Run("exception", func(b *testing.B) {
		e := load(b, powerOn(b, enclave.MachineConfig{}), build(b, toy.Options{MiscSelect: isa.MiscEXINFO}))
		fault := toy.Encode(toy.MSFault{Trap: toy.Trap{Armed: 1}, Kind: toy.FaultUD2})
		for b.Loop() {
			if err := e.ECall(background, int(toy.ECallFault), fault); err != nil {
				b.Fatal(err)
			}
		}
		reportPairs(b, b.N)
	})
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
// EENTER. One operation is an ECALL that makes many; ns/call is one of them.
func BenchmarkOCall(b *testing.B) {
	const calls = 1000
	nothing := func(context.Context, *enclave.Call) enclave.Status { return enclave.Success }
	for _, x := range exits {
		b.Run(x.name, func(b *testing.B) {
			e := load(b, powerOn(b, enclave.MachineConfig{}), build(b, x.opt), enclave.WithOCalls(nothing))
			block := toy.Encode(toy.MSOCallLoop{N: calls})
			for b.Loop() {
				if err := e.ECall(context.Background(), int(toy.ECallOCallLoop), block); err != nil {
					b.Fatal(err)
				}
			}
			if r, err := toy.Decode[toy.MSOCallLoop](block); err != nil || r.Done != calls {
				b.Fatalf("%d of %d OCALLs, %v", r.Done, calls, err)
			}
			reportPairs(b, b.N*calls)
		})
	}
}

// BenchmarkLoad times loading an enclave of 64 MB of heap up to and including
// EINIT, and with the INIT ECALL, and each with the time to take it down again.
func BenchmarkLoad(b *testing.B) {
	img := build(b, toy.Options{HeapSize: 64 << 20})
	for _, c := range []struct {
		name string
		opts []enclave.Option
	}{
		{"init", nil},
		{"einit", []enclave.Option{enclave.WithoutInit()}},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := powerOn(b, enclave.MachineConfig{})
			var up time.Duration
			for b.Loop() {
				start := time.Now()
				e, err := m.Load(context.Background(), img, c.opts...)
				up += time.Since(start)
				if err != nil {
					b.Fatal(err)
				}
				if err := e.Destroy(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(up.Seconds()*1e3/float64(b.N), "ms/load")
			b.ReportMetric((b.Elapsed()-up).Seconds()*1e3/float64(b.N), "ms/destroy")
		})
	}
}

// BenchmarkCompute compares a function that only computes inside an enclave
// with the same instructions outside. inside/outside is a ratio of speeds.
func BenchmarkCompute(b *testing.B) {
	const rounds = 1_000_000
	e := load(b, powerOn(b, enclave.MachineConfig{}), build(b, toy.Options{}))
	f := outside(b)
	want := f(rounds)
	block := toy.Encode(toy.MSCompute{N: rounds})
	var in, out []time.Duration
	for b.Loop() {
		t0 := time.Now()
		err := e.ECall(context.Background(), int(toy.ECallCompute), block)
		t1 := time.Now()
		got := f(rounds)
		out = append(out, time.Since(t1))
		in = append(in, t1.Sub(t0))
		if r, _ := toy.Decode[toy.MSCompute](block); err != nil || r.Result != want || got != want {
			b.Fatalf("%x inside, %x outside, %v", r.Result, got, err)
		}
	}
	slices.Sort(in)
	slices.Sort(out)
	b.ReportMetric(float64(out[len(out)/2])/float64(in[len(in)/2]), "inside/outside")
}

// BenchmarkEPC loads an enclave of 256 MB onto a new machine and reports the Go heap that a page of an enclave's EPC takes.
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
