package enclave

import (
	"errors"
	"slices"
	"sync"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/isa"
)

var errNoPages = errors.New("no run of free EPC pages is long enough")

// epcRun is a run of EPC pages.
type epcRun struct {
	PA    cpu.PA
	Pages uint64
}

func (r epcRun) end() cpu.PA { return r.PA + cpu.PA(r.Pages*isa.PageSize) }

// epcAllocator is the driver's list of free EPC pages: sorted runs, first fit,
// so that an enclave's pages are contiguous and its mappings few.
type epcAllocator struct {
	mu   sync.Mutex
	free []epcRun
}

func newEPCAllocator(p *cpu.Processor) *epcAllocator {
	return &epcAllocator{free: []epcRun{{p.EPCBase(), p.EPCSize() / isa.PageSize}}}
}

// take takes a run of count pages.
func (a *epcAllocator) take(count uint64) (epcRun, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.free {
		f := &a.free[i]
		if f.Pages < count {
			continue
		}
		run := epcRun{f.PA, count}
		f.PA, f.Pages = run.end(), f.Pages-count
		if f.Pages == 0 {
			a.free = slices.Delete(a.free, i, i+1)
		}
		return run, nil
	}
	return epcRun{}, errNoPages
}

// give gives a run back.
func (a *epcAllocator) give(run epcRun) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i, _ := slices.BinarySearchFunc(a.free, run.PA, func(f epcRun, pa cpu.PA) int {
		if f.PA < pa {
			return -1
		}
		return 1
	})
	a.free = slices.Insert(a.free, i, run)
	if i+1 < len(a.free) && a.free[i].end() == a.free[i+1].PA {
		a.free[i].Pages += a.free[i+1].Pages
		a.free = slices.Delete(a.free, i+1, i+2)
	}
	if i > 0 && a.free[i-1].end() == a.free[i].PA {
		a.free[i-1].Pages += a.free[i].Pages
		a.free = slices.Delete(a.free, i, i+1)
	}
}
