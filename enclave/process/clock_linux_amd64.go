package process

import (
	"math/bits"
	"syscall"
	"time"

	"github.com/feidi-dev/feidi/internal/cpuid"
	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// How the clock is kept.
const (
	clockInterval = 100 * time.Millisecond // between two updates
	clockWarmup   = 5 * time.Millisecond   // the least time that a rate is taken from
	clockWindow   = 10                     // updates that a rate is taken over
	clockMargin   = 1 << 14                // ticks that ClockTSC lies in the past, so that no reader sees one before it
	clockBroken   = int64(time.Millisecond)
	clockReal     = int64(500) // change of CLOCK_REALTIME against CLOCK_MONOTONIC that is a step, in ns
)

// rdtsc returns the time-stamp counter.
func rdtsc() uint64

// invariantTSC reports whether the counter ticks at one rate, whatever the
// processor does (SDM Vol. 3B, "Invariant TSC").
func invariantTSC() bool { return cpuid.Leaf(0x80000007, 0).EDX>>8&1 == 1 }

// A moment is the time-stamp counter and the clocks at one time.
type moment struct {
	tsc        uint64
	mono, real int64 // ns
}

// clock keeps a clock page up to date.
type clock struct {
	page    []byte
	history []moment // the latest first is the last
	line    line     // what the page says
	ahead   int64    // CLOCK_REALTIME less CLOCK_MONOTONIC
	broken  bool
	now     unix.Timespec // for the kernel
}

// line is time as a function of the counter.
type line struct {
	tsc, mult uint64
	mono      int64
}

func (l line) at(tsc uint64) int64 {
	hi, lo := bits.Mul64(tsc-l.tsc, l.mult)
	return l.mono + int64(hi<<32|lo>>32)
}

func newClock() *clock {
	c := &clock{broken: !invariantTSC()}
	c.history = append(c.history, c.sample())
	return c
}

// read reads a clock of the kernel.
func (c *clock) read(id int) int64 {
	if _, _, e := syscall.RawSyscall(unix.SYS_CLOCK_GETTIME, uintptr(id), addr(bytesOf(&c.now)), 0); e != 0 {
		c.broken = true
	}
	return c.now.Nano()
}

// sample takes the quickest of several readings, which is the one that nothing
// came between.
func (c *clock) sample() (best moment) {
	width := ^uint64(0)
	for range 8 {
		t0 := rdtsc()
		mono := c.read(unix.CLOCK_MONOTONIC)
		t1 := rdtsc()
		if t1-t0 < width {
			width, best = t1-t0, moment{tsc: t0 + (t1-t0)/2, mono: mono}
		}
	}
	gap := int64(1) << 62
	for range 4 {
		m0 := c.read(unix.CLOCK_MONOTONIC)
		real := c.read(unix.CLOCK_REALTIME)
		m1 := c.read(unix.CLOCK_MONOTONIC)
		if m1-m0 < gap {
			gap, best.real = m1-m0, best.mono+real-m0-(m1-m0)/2
		}
	}
	return best
}

// start fills the page for the first time.
func (c *clock) start(page []byte) {
	c.page = page
	if c.broken {
		return // zero says so
	}
	for c.read(unix.CLOCK_MONOTONIC)-c.history[0].mono < int64(clockWarmup) {
		time.Sleep(time.Millisecond)
	}
	c.update()
}

// update brings the page up to date. Time never goes back across it: where the
// page was ahead of the clock, it goes on from there, a little slower.
func (c *clock) update() {
	if c.broken {
		return
	}
	m := c.sample()
	first := c.history[0]
	rate, ok := rateOf(first, m)
	if c.history = append(c.history, m); len(c.history) > clockWindow {
		c.history = c.history[1:]
	}
	if ahead := m.real - m.mono; c.line.mult == 0 || max(ahead-c.ahead, c.ahead-ahead) > clockReal {
		c.ahead = ahead
	}
	next, old := line{m.tsc, rate, m.mono}, c.line

	seq := word(c.page, goabi.ClockSeq)
	seq.Add(1)
	// From here on no reader uses the old line any more.
	now := rdtsc()
	next = line{now - clockMargin, rate, next.at(now) - int64(rate*clockMargin>>32)}
	if old.mult != 0 {
		was, is := old.at(now), next.at(now)
		if lead := was + 1 - is; lead > 0 {
			ok = ok && lead < clockBroken
			// Lose the lead until the next update.
			slower := rate - min(rate/1000, uint64(lead)*rate/uint64(clockInterval))
			next = line{now - clockMargin, slower, was + 1 - int64(slower*clockMargin>>32)}
		}
	}
	if !ok {
		c.broken, next.mult = true, 0
	}
	c.line = next
	word(c.page, goabi.ClockTSC).Store(next.tsc)
	word(c.page, goabi.ClockMult).Store(next.mult)
	word(c.page, goabi.ClockMono).Store(uint64(next.mono))
	word(c.page, goabi.ClockReal).Store(uint64(next.mono + c.ahead))
	seq.Add(1)
}

// rateOf returns the nanoseconds of a tick between two moments, times 1<<32,
// and whether that can be.
func rateOf(a, b moment) (uint64, bool) {
	ticks, ns := b.tsc-a.tsc, b.mono-a.mono
	if int64(ticks) <= 0 || ns <= 0 || ns >= 1<<40 {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(ns), 1<<32)
	if hi >= ticks {
		return 0, false
	}
	rate, _ := bits.Div64(hi, lo, ticks)
	return rate, rate != 0 && rate < 1<<40 // 4 MHz and more: a product with the margin fits
}
