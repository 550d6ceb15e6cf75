package hostile

import (
	mrand "math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/goabi"
)

// values are results and arguments that are worth a try.
func (h *host) values(r *request) []uint64 {
	return []uint64{
		0, 1, 2, 7, 100, goabi.MaxFD - 1, goabi.MaxFD, 1<<31 - 1, 1 << 31, 1 << 32, huge, 1 << 63, ^uint64(0), ^uint64(3), ^uint64(10), ^uint64(4094), ^uint64(4095),
		h.base, h.base - 1, h.base + h.size - 1, h.base + h.size, h.blocks.Load(),
		r.args[0], r.args[1], r.args[2] + 1, r.args[2], r.args[4], goabi.OffData, goabi.BlockSize, goabi.BlockSize - 1,
	}
}

// scripted is a lie that takes what it does to each answer from a script: a
// byte says what, and those behind it how. When the script is over it lies no
// more, or begins again.
func scripted(script []byte, loops bool, jobs string) lie {
	var at atomic.Int64
	next := func() int {
		i := int(at.Add(1) - 1)
		if i >= len(script) && (!loops || len(script) == 0) {
			return 0
		}
		return int(script[i%len(script)])
	}
	after := func(h *host, r *request) {
		if r.op == goabi.OpExit {
			return
		}
		what := next()
		values := h.values(r)
		switch what % 32 {
		case 1:
			r.set(values[next()%len(values)])
		case 2:
			r.set(r.result() + uint64(next()%16) - 8)
		case 3:
			r.fail(next())
		case 4:
			r.setArg(next()%6, values[next()%len(values)])
		case 5, 6:
			le.PutUint64(r.data()[8*(next()*16%1000):], values[next()%len(values)])
		case 7:
			r.data()[next()] = byte(next())
		case 8:
			for i, n := 0, next()*8; i < n; i++ {
				r.data()[i] = byte(h.draw(256))
			}
		case 9:
			le.PutUint64(r.block[goabi.OffSignals:], bit(syscall.SIGURG)|uint64(next())<<(next()%56))
		case 10:
			le.PutUint32(r.data()[4*(next()%64):], uint32(h.draw(1<<32)))
		case 11:
			time.Sleep(time.Duration(next()) * 10 * time.Microsecond)
		case 12:
			le.PutUint64(r.block[goabi.MsgControl+next()%64&^7:], uint64(next()))
		case 13:
			_ = r.c.ECall(r.ctx, []int{0, 1, goabi.ECallStart, goabi.ECallThread}[next()%4], nil)
		case 14:
			setLengths(h, r)
		}
	}
	before := func(h *host, r *request) bool {
		if r.op == goabi.OpExit || next()%64 != 1 {
			return false
		}
		r.set(0)
		return next()%2 == 0
	}
	return lie{name: "script", op: everything, jobs: jobs, want: ends, addresses: true, limit: 2 * time.Second, before: before, after: after}
}

var allJobs = []string{"all", "files,names", "raw,pipes", "messages,datagrams", "sockets,polls", "clocks,threads", "calls,memory", "registers,seals,calls"}

// FuzzHost has a host lie by a script.
func FuzzHost(f *testing.F) {
	f.Add(uint64(1), byte(0), []byte{})
	f.Add(uint64(2), byte(1), []byte("\x00\x00\x00\x01\x05\x00\x02\x04\x00\x03\x0b"))
	f.Add(uint64(3), byte(0), []byte("\x80\x09\x40\x01\x00\x04\x01\x11\x00\x05\x02\x11\x00\x0b\x50\x00\x00\x00"))
	f.Add(uint64(4), byte(3), []byte("\x00\x0c\x10\x05\x00\x08\xff\x00\x00\x0e\x00\x00"))
	f.Add(uint64(5), byte(4), []byte("\x00\x00\x00\x00\x00\x00\x05\x00\x12\x00\x0a\x02\x00\x0a\x01"))
	f.Add(uint64(6), byte(5), []byte("\x01\x00\x00\x0d\x03\x00\x01\x01"))
	f.Fuzz(func(t *testing.T, seed uint64, jobs byte, script []byte) {
		h, r := run(t, scripted(script, seed%2 == 0, allJobs[int(jobs)%len(allJobs)]), seed)
		h.judge(t, r)
	})
}

// TestStress has hosts lie by scripts that are drawn, for as long as
// FEIDI_STRESS says, or a moment.
func TestStress(t *testing.T) {
	needs(t)
	last := 2 * time.Second
	if s := os.Getenv("FEIDI_STRESS"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatalf("FEIDI_STRESS: %v", err)
		}
		last = d
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("from seed %d on", seed)
	for begin := time.Now(); time.Since(begin) < last; seed++ {
		rand := mrand.New(mrand.NewPCG(seed, 1))
		script := make([]byte, rand.IntN(200))
		for i := range script {
			if script[i] = byte(rand.Uint32()); rand.IntN(3) > 0 {
				script[i] = 0
			}
		}
		h, r := run(t, scripted(script, rand.IntN(2) == 0, allJobs[rand.IntN(len(allJobs))]), seed)
		if h.judge(t, r); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
