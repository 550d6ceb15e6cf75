package cpu

import (
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/feidi-dev/feidi/isa"
)

// Perm is a set of page permissions, in the page tables or in the EPCM.
type Perm uint8

// Permissions, with the bit numbers of SECINFO.FLAGS.
const (
	PermR Perm = 1 << iota
	PermW
	PermX
)

// String returns the permissions as "rwx", with dashes for those missing.
func (p Perm) String() string {
	s := []byte("rwx")
	for i := range s {
		if p>>i&1 == 0 {
			s[i] = '-'
		}
	}
	return string(s)
}

// Mapping is a run of pages that are contiguous in both address spaces and
// have equal permissions.
type Mapping struct {
	Linear uint64
	Pages  uint64
	PA     PA
	Perm   Perm
}

func (m Mapping) end() uint64 { return m.Linear + m.Pages*isa.PageSize }

// cut returns the part of m within [from, to), which overlaps it.
func (m Mapping) cut(from, to uint64) Mapping {
	from, to = max(from, m.Linear), min(to, m.end())
	return Mapping{Linear: from, Pages: (to - from) / isa.PageSize, PA: m.PA + PA(from-m.Linear), Perm: m.Perm}
}

// joins reports whether n continues m.
func (m Mapping) joins(n Mapping) bool {
	return m.end() == n.Linear && m.PA+PA(m.Pages*isa.PageSize) == n.PA && m.Perm == n.Perm
}

// AddressSpace is the page tables of one linear address range: the driver's
// untrusted mappings, against which SGX checks every access. Lookups are
// lock-free and see a consistent state; changes are atomic.
type AddressSpace struct {
	base, size uint64
	mu         sync.Mutex // held by writers
	// runs points to the mappings, sorted by linear address and as few as
	// possible. They are never written to again, so that the pointer also
	// serves as a version.
	runs atomic.Pointer[[]Mapping]
}

// NewAddressSpace returns empty page tables for [base, base+size), both
// multiples of the page size.
func NewAddressSpace(base, size uint64) *AddressSpace {
	a := &AddressSpace{base: base, size: size}
	a.runs.Store(new([]Mapping))
	return a
}

// Base returns the first linear address.
func (a *AddressSpace) Base() uint64 { return a.base }

// Size returns the size of the range in bytes.
func (a *AddressSpace) Size() uint64 { return a.size }

// Contains reports whether linear is in the range.
func (a *AddressSpace) Contains(linear uint64) bool { return linear-a.base < a.size }

// Mappings returns the mappings in ascending order. The caller must not
// change them.
func (a *AddressSpace) Mappings() []Mapping { return *a.runs.Load() }

// Lookup translates a linear address.
func (a *AddressSpace) Lookup(linear uint64) (PA, Perm, bool) {
	return lookup(*a.runs.Load(), linear)
}

func lookup(runs []Mapping, linear uint64) (PA, Perm, bool) {
	i, j := 0, len(runs)
	for i < j {
		if h := int(uint(i+j) >> 1); runs[h].Linear <= linear {
			i = h + 1
		} else {
			j = h
		}
	}
	if i == 0 || linear-runs[i-1].Linear >= runs[i-1].Pages*isa.PageSize {
		return 0, 0, false
	}
	m := &runs[i-1]
	return m.PA + PA(linear-m.Linear), m.Perm, true
}

// Map maps pages pages from linear on to those from pa on, in place of what
// was mapped there.
func (a *AddressSpace) Map(linear uint64, pa PA, pages uint64, perm Perm) error {
	if pa%isa.PageSize != 0 {
		return fmt.Errorf("cpu: physical address %#x is not page-aligned", uint64(pa))
	}
	return a.replace(linear, pages, func(_ []Mapping, out []Mapping) []Mapping {
		return join(out, Mapping{Linear: linear, Pages: pages, PA: pa, Perm: perm})
	})
}

// Unmap removes the mappings of pages pages from linear on.
func (a *AddressSpace) Unmap(linear, pages uint64) error {
	return a.replace(linear, pages, func(_ []Mapping, out []Mapping) []Mapping { return out })
}

// Protect changes the permissions of whatever is mapped in pages pages from
// linear on.
func (a *AddressSpace) Protect(linear, pages uint64, perm Perm) error {
	return a.replace(linear, pages, func(old []Mapping, out []Mapping) []Mapping {
		for _, m := range old {
			m = m.cut(linear, linear+pages*isa.PageSize)
			m.Perm = perm
			out = join(out, m)
		}
		return out
	})
}

// replace puts what fill appends in place of the mappings of a range. fill is
// given the old mappings that overlap the range.
func (a *AddressSpace) replace(linear, pages uint64, fill func(old, out []Mapping) []Mapping) error {
	off := linear - a.base
	if linear%isa.PageSize != 0 || off > a.size || pages > (a.size-off)/isa.PageSize {
		return fmt.Errorf("cpu: %d pages at %#x are not within [%#x, %#x)", pages, linear, a.base, a.base+a.size)
	}
	if pages == 0 {
		return nil
	}
	end := linear + pages*isa.PageSize
	a.mu.Lock()
	defer a.mu.Unlock()
	runs := *a.runs.Load()
	lo := sort.Search(len(runs), func(i int) bool { return runs[i].end() > linear })
	hi := lo + sort.Search(len(runs)-lo, func(i int) bool { return runs[lo+i].Linear >= end })
	old := runs[lo:hi]

	out := make([]Mapping, 0, len(runs)+2)
	out = append(out, runs[:lo]...)
	if len(old) > 0 && old[0].Linear < linear {
		out = append(out, old[0].cut(0, linear))
	}
	out = fill(old, out)
	if len(old) > 0 && old[len(old)-1].end() > end {
		out = join(out, old[len(old)-1].cut(end, ^uint64(0)))
	}
	if hi < len(runs) {
		out = join(out, runs[hi])
		out = append(out, runs[hi+1:]...)
	}
	out = slices.Clip(out)
	a.runs.Store(&out)
	return nil
}

// join appends m, extending the last mapping if m continues it.
func join(out []Mapping, m Mapping) []Mapping {
	if n := len(out); n > 0 && out[n-1].joins(m) {
		out[n-1].Pages += m.Pages
		return out
	}
	return append(out, m)
}
