//go:build feidi

package inside

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/status"
)

// server passes ECALLs from the host to a table. Each worker waits for a call
// in a request, serves it, and gives its status with the next request: one
// way out of the enclave and one in for each call.
type server struct {
	ctx     context.Context
	table   tedge.Table
	most    int32
	workers atomic.Int32
	wait    sync.WaitGroup
	// ocalls counts the OCALLs under way, by index: a call that the host says
	// is nested in one is only if there is one.
	ocalls sync.Map // of *atomic.Int32
}

var serving atomic.Bool

func serve(ctx context.Context, table tedge.Table) error {
	if serving.Swap(true) {
		return ErrServing
	}
	// Threads that the program needs beside those that serve: one for each
	// processor, and those of Go itself.
	others := runtime.GOMAXPROCS(0) + 4
	s := &server{ctx: ctx, table: table, most: int32(max(1, int(threads())-others))}
	s.start()
	s.wait.Wait()
	return ctx.Err()
}

// start starts a worker, if there may be one more.
func (s *server) start() {
	if s.workers.Add(1) > s.most {
		s.workers.Add(-1)
		return
	}
	s.wait.Go(s.work)
}

// nextCall is the host's answer to OpNextCall.
type nextCall struct {
	index, ms, last, nested, number uint64
}

// work serves calls until no more come.
func (s *server) work() {
	g := new(gate)
	g.server = s
	var done, number uint64
	for {
		var c nextCall
		errno := next(done, number, &c)
		switch errno {
		case 0:
		case syscall.EINTR:
			done, number = 0, 0
			continue
		default:
			return
		}
		if c.last != 0 {
			s.start()
		}
		done, number = uint64(s.serve(g, &c)), c.number
	}
}

// serve serves one call.
func (s *server) serve(g *gate, c *nextCall) status.Code {
	g.number, g.used = c.number, 0
	ocall := tedge.Root
	if c.nested != 0 {
		n, ok := s.ocalls.Load(int(c.nested - 1))
		if !ok || n.(*atomic.Int32).Load() == 0 {
			return status.ErrECallNotAllowed
		}
		ocall = int(c.nested - 1)
	}
	if c.index > 1<<24 {
		return status.ErrInvalidFunction
	}
	return s.table.Dispatch(s.ctx, g, int(c.index), c.ms, ocall)
}

// gate is the way of one ECALL to the outside. It implements tedge.Gate.
type gate struct {
	server *server
	number uint64 // of the ECALL
	arena  uint64 // untrusted memory for OCALLs
	used   uint64
	extra  []uint64 // larger pieces, which are given back by Free
}

// arenaSize is the untrusted memory of a worker, in bytes.
const arenaSize = 64 << 10

// Outside implements tedge.Gate.
func (g *gate) Outside(addr, n uint64) bool { return isOutside(addr, n) }

// Load implements tedge.Gate.
func (g *gate) Load(dst []byte, addr uint64) {
	lfence()
	copy(dst, at(addr, len(dst)))
}

// Store implements tedge.Gate.
func (g *gate) Store(addr uint64, src []byte) {
	lfence()
	copy(at(addr, len(src)), src)
}

// Alloc implements tedge.Gate.
func (g *gate) Alloc(n uint64) (uint64, error) {
	if n > 1<<30 {
		return 0, status.ErrOutOfMemory
	}
	if g.arena == 0 {
		a, errno := outside(arenaSize)
		if errno != 0 {
			return 0, status.ErrOutOfMemory
		}
		g.arena = a
	}
	n = (n + 15) &^ 15
	if n <= arenaSize-g.used {
		a := g.arena + g.used
		g.used += n
		return a, nil
	}
	a, errno := outside(n)
	if errno != 0 {
		return 0, status.ErrOutOfMemory
	}
	g.extra = append(g.extra, a)
	return a, nil
}

// Free implements tedge.Gate.
func (g *gate) Free() {
	g.used = 0
	for _, a := range g.extra {
		release(a)
	}
	g.extra = g.extra[:0]
}

// OCall implements tedge.Gate.
func (g *gate) OCall(index int, ms uint64) status.Code {
	n, ok := g.server.ocalls.Load(index)
	if !ok {
		n, _ = g.server.ocalls.LoadOrStore(index, new(atomic.Int32))
	}
	c := n.(*atomic.Int32)
	c.Add(1)
	defer c.Add(-1)
	r, _, errno := syscall.Syscall(goabi.OpOCall, uintptr(index), uintptr(ms), uintptr(g.number))
	if errno != 0 {
		return status.ErrUnexpected
	}
	return status.Code(uint32(r))
}
