package cpu

import (
	"errors"
	"fmt"
	"sort"
	"sync"

	"github.com/feidi-dev/feidi/isa"
)

// ErrEPCFull says that the EPC has fewer free pages than were asked for.
var ErrEPCFull = errors.New("cpu: the EPC is full")

// PageRun is a run of EPC pages.
type PageRun struct {
	PA    PA
	Pages uint64
}

func (r PageRun) end() PA { return r.PA + PA(r.Pages*isa.PageSize) }

// EPCAllocator hands out EPC pages, as the driver of a processor does. It
// keeps runs of free pages, so that bookkeeping costs 16 bytes for each hole
// and nothing for each page. It is safe for concurrent use.
type EPCAllocator struct {
	mu   sync.Mutex
	free []PageRun // sorted, and no two of them touch
	left uint64
}

// NewEPCAllocator returns an allocator of all of p's EPC.
func NewEPCAllocator(p *Processor) *EPCAllocator {
	return &EPCAllocator{free: []PageRun{{p.EPCBase(), p.pages}}, left: p.pages}
}

// Available returns the number of free pages.
func (a *EPCAllocator) Available() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.left
}

// Alloc returns n pages: one run, the first that is long enough, or if there
// is none as many runs as it takes. Its error wraps ErrEPCFull.
func (a *EPCAllocator) Alloc(n uint64) ([]PageRun, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n > a.left {
		return nil, fmt.Errorf("%w: %d pages wanted, %d free", ErrEPCFull, n, a.left)
	}
	a.left -= n
	for i, r := range a.free {
		if r.Pages >= n {
			a.take(i, n)
			return []PageRun{{r.PA, n}}, nil
		}
	}
	var runs []PageRun
	for n > 0 {
		r := a.free[0]
		r.Pages = min(r.Pages, n)
		a.take(0, r.Pages)
		runs = append(runs, r)
		n -= r.Pages
	}
	return runs, nil
}

// take removes the first n pages of free run i.
func (a *EPCAllocator) take(i int, n uint64) {
	r := &a.free[i]
	if r.Pages == n {
		a.free = append(a.free[:i], a.free[i+1:]...)
		return
	}
	r.PA += PA(n * isa.PageSize)
	r.Pages -= n
}

// Free gives pages back. It panics if one of them is free already: two owners
// of a page are beyond repair.
func (a *EPCAllocator) Free(r PageRun) {
	if r.Pages == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	i := sort.Search(len(a.free), func(i int) bool { return a.free[i].PA >= r.PA })
	if i > 0 && a.free[i-1].end() > r.PA || i < len(a.free) && r.end() > a.free[i].PA {
		panic(fmt.Sprintf("cpu: EPC pages [%#x, %#x) are free already", uint64(r.PA), uint64(r.end())))
	}
	a.left += r.Pages
	before, after := i > 0 && a.free[i-1].end() == r.PA, i < len(a.free) && r.end() == a.free[i].PA
	switch {
	case before && after:
		a.free[i-1].Pages += r.Pages + a.free[i].Pages
		a.free = append(a.free[:i], a.free[i+1:]...)
	case before:
		a.free[i-1].Pages += r.Pages
	case after:
		a.free[i].PA = r.PA
		a.free[i].Pages += r.Pages
	default:
		a.free = append(a.free, PageRun{})
		copy(a.free[i+1:], a.free[i:])
		a.free[i] = r
	}
}
