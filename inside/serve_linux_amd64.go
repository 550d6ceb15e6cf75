//go:build feidi

package inside

import (
	"context"
	"math"
	"runtime"
	"slices"
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

// nextCall is an ECALL, as the host says it: its index and marshalling structure,
// whether no other worker waits, the number of the OCALL that it is nested in,
// and its own.
type nextCall struct {
	index, ms, last, ocall, number uint64
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
		done, number = uint64(s.serve(g, &c, tedge.Root)), c.number
	}
}

// serve serves one call, which is nested in an OCALL or in tedge.Root.
func (s *server) serve(g *gate, c *nextCall, ocall int) status.Code {
	g.number, g.used = c.number, 0
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
	inner  *gate    // of ECALLs in its OCALLs
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

// OCall implements tedge.Gate. ECALLs that the host makes in it are served here,
// by the goroutine that has made it, as the thread of an SDK's enclave would: so
// there always is one that does.
func (g *gate) OCall(index int, ms uint64) status.Code {
	var c nextCall
	nests := uintptr(0)
	if g.server.nests(index) {
		nests = 1
	}
	r, errno := leave(index, ms, g.number, nests, &c)
	for errno == 0 && r == goabi.OCallNested && nests == 1 {
		if g.inner == nil {
			g.inner = &gate{server: g.server}
		}
		r, errno = resume(g.server.serve(g.inner, &c, index), &c)
	}
	if errno != 0 || r > math.MaxUint32 {
		return status.ErrUnexpected
	}
	return status.Code(r)
}

// nests reports whether the EDL allows ECALLs in an OCALL.
func (s *server) nests(ocall int) bool {
	return ocall < len(s.table.Allowed) && slices.Contains(s.table.Allowed[ocall], true)
}
