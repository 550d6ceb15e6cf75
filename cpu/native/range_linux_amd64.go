package native

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/isa"
	"golang.org/x/sys/unix"
)

// elrange is a linear range that an enclave occupies. It implements cpu.Range.
type elrange struct {
	e     *Engine
	base  uint64
	size  uint64
	fixed bool // outside the arena
	space *cpu.AddressSpace
	// xsaves says that the code may have instructions that save extended
	// state: it has, or it is not known.
	xsaves atomic.Bool

	mu    sync.Mutex
	sites map[uint64]*masked // rewritten illegal instructions, by address
	homes map[uint64]*context
}

func (e *Engine) reserve(size, base uint64) (*elrange, error) {
	if size == 0 || size&(size-1) != 0 || base&(size-1) != 0 {
		return nil, fmt.Errorf("native: a range of %#x bytes at %#x is not a naturally aligned power of two", size, base)
	}
	r := &elrange{e: e, base: base, size: size, fixed: base != 0, sites: map[uint64]*masked{}, homes: map[uint64]*context{}}
	if r.fixed {
		p, err := unix.MmapPtr(-1, 0, pointer(base), uintptr(size), unix.PROT_NONE,
			unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE|unix.MAP_FIXED_NOREPLACE)
		if err == nil && uint64(uintptr(p)) != base { // before Linux 4.17
			_ = unix.MunmapPtr(p, uintptr(size))
			err = unix.EEXIST
		}
		if err != nil {
			return nil, fmt.Errorf("native: the address range %#x-%#x that the enclave demands is taken: %w", base, base+size, err)
		}
	} else {
		at, err := arenaAlloc(size)
		if err != nil {
			return nil, err
		}
		r.base = at
	}
	r.space = cpu.NewAddressSpace(r.base, size)
	r.xsaves.Store(true)
	return r, nil
}

// home returns the context whose exit stub threads at a TCS leave by, or nil
// if there can be no TCS.
func (r *elrange) home(tcs uint64) (*context, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.homes[tcs]; c != nil {
		return c, nil
	}
	if _, _, ok := r.space.Lookup(tcs); !ok || tcs%isa.PageSize != 0 {
		return nil, nil
	}
	c, err := r.e.newContext()
	if err != nil {
		return nil, err
	}
	r.homes[tcs] = c
	return c, nil
}

// pointer turns an address outside the Go heap into a pointer.
func pointer(addr uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }

// Base implements cpu.Range.
func (r *elrange) Base() uint64 { return r.base }

// Size implements cpu.Range.
func (r *elrange) Size() uint64 { return r.size }

// Space implements cpu.Range.
func (r *elrange) Space() *cpu.AddressSpace { return r.space }

// Map implements cpu.Range.
func (r *elrange) Map(linear uint64, pa cpu.PA, pages uint64, perm cpu.Perm) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.space.Map(linear, pa, pages, perm); err != nil {
		return err
	}
	// One mapping for each run of pages with the same protection.
	for done := uint64(0); done < pages; {
		prot := r.e.protection(pa+cpu.PA(done*isa.PageSize), linear+done*isa.PageSize, perm)
		n := uint64(1)
		for done+n < pages && r.e.protection(pa+cpu.PA((done+n)*isa.PageSize), linear+(done+n)*isa.PageSize, perm) == prot {
			n++
		}
		if err := r.mapPages(linear+done*isa.PageSize, pa+cpu.PA(done*isa.PageSize), n, prot); err != nil {
			return err
		}
		done += n
	}
	return nil
}

func (r *elrange) mapPages(linear uint64, pa cpu.PA, pages uint64, prot int) error {
	r.executes(prot)
	n := uintptr(pages * isa.PageSize)
	_, err := unix.MmapPtr(r.e.mem.fd, int64(pa-r.e.epcBase), pointer(linear), n, prot, unix.MAP_SHARED|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("native: cannot map %d enclave pages at %#x (vm.max_map_count?): %w", pages, linear, err)
	}
	keepPrivate(pointer(linear), n)
	return nil
}

// Unmap implements cpu.Range.
func (r *elrange) Unmap(linear, pages uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.space.Unmap(linear, pages); err != nil {
		return err
	}
	return noAccess(linear, pages*isa.PageSize)
}

// noAccess puts an empty reservation in the place of what is mapped.
func noAccess(linear, size uint64) error {
	_, err := unix.MmapPtr(-1, 0, pointer(linear), uintptr(size), unix.PROT_NONE,
		unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE|unix.MAP_FIXED)
	if err != nil {
		return fmt.Errorf("native: cannot unmap %#x bytes at %#x: %w", size, linear, err)
	}
	return nil
}

// sync brings the host's protection of the page at linear in line with the
// page tables and the EPCM.
func (r *elrange) sync(linear uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	linear &^= isa.PageSize - 1
	pa, perm, ok := r.space.Lookup(linear)
	if !ok {
		return
	}
	prot := r.e.protection(pa, linear, perm)
	r.executes(prot)
	_, _, _ = unix.RawSyscall(unix.SYS_MPROTECT, uintptr(linear), isa.PageSize, uintptr(prot))
}

// executes notes that pages are given a protection: code that comes after
// Initialized is not known.
func (r *elrange) executes(prot int) {
	if prot&unix.PROT_EXEC != 0 {
		r.xsaves.Store(true)
	}
}

// Initialized implements cpu.Range: it rewrites EEXIT sites of executable
// pages, and illegal instructions of the given functions.
func (r *elrange) Initialized(functions []cpu.Function) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	functions = disjoint(functions)
	illegal := [][]byte{cpuidInst}
	if !hasDispatch.Load() || r.fixed {
		illegal = append(illegal, syscallInst, sysenterInst, int80Inst)
	}
	xsaves := false
	for _, run := range r.space.Mappings() {
		if run.Perm&cpu.PermX == 0 {
			continue
		}
		code := r.executable(run)
		for _, c := range code {
			xsaves = xsaves || run.Perm&cpu.PermW != 0 || mayXSave(c.bytes)
			for _, s := range exitSites(c.bytes) {
				copy(c.bytes[s.off:], s.new)
			}
			for _, f := range within(functions, c.linear, c.linear+uint64(len(c.bytes))) {
				for _, s := range illegalSites(c.bytes[f.Start-c.linear:f.End-c.linear], illegal...) {
					at := f.Start + uint64(s.off)
					copy(c.bytes[at-c.linear:], s.new)
					r.sites[at] = &masked{site: s}
				}
			}
		}
	}
	r.xsaves.Store(xsaves)
	return nil
}

// disjoint returns functions in ascending order, without those that are empty
// or begin inside another one.
func disjoint(functions []cpu.Function) []cpu.Function {
	functions = slices.Clone(functions)
	slices.SortFunc(functions, func(a, b cpu.Function) int { return cmp.Compare(a.Start, b.Start) })
	end := uint64(0)
	return slices.DeleteFunc(functions, func(f cpu.Function) bool {
		if f.Start < end || f.Start >= f.End {
			return true
		}
		end = f.End
		return false
	})
}

// within returns those of disjoint functions that lie in [start, end).
func within(functions []cpu.Function, start, end uint64) []cpu.Function {
	i := sort.Search(len(functions), func(i int) bool { return functions[i].Start >= start })
	j := sort.Search(len(functions), func(j int) bool { return functions[j].End > end })
	return functions[i:max(i, j)]
}

// A codeRun is contiguous executable memory of an enclave.
type codeRun struct {
	linear uint64
	bytes  []byte
}

// executable returns the parts of run that the EPCM lets the enclave execute.
func (r *elrange) executable(run cpu.Mapping) []codeRun {
	var parts []codeRun
	first := uint64(run.PA-r.e.epcBase) / isa.PageSize
	start := uint64(0)
	for i := uint64(0); i <= run.Pages; i++ {
		if i < run.Pages && r.e.protection(run.PA+cpu.PA(i*isa.PageSize), run.Linear+i*isa.PageSize, run.Perm)&unix.PROT_EXEC != 0 {
			continue
		}
		if i > start {
			parts = append(parts, codeRun{run.Linear + start*isa.PageSize, r.e.mem.pages(first+start, i-start)})
		}
		start = i + 1
	}
	return parts
}

// code returns up to n bytes of memory at linear inside the range, fewer
// where the mapping ends.
func (r *elrange) code(linear uint64, n int) []byte {
	var out []byte
	for n > 0 {
		pa, _, ok := r.space.Lookup(linear &^ (isa.PageSize - 1))
		if !ok {
			break
		}
		off := linear % isa.PageSize
		page := r.e.mem.Page(uint64(pa-r.e.epcBase) / isa.PageSize)[off:]
		page = page[:min(len(page), n)]
		out = append(out, page...)
		linear += uint64(len(page))
		n -= len(page)
	}
	return out
}

// A masked site is an illegal instruction with UD2 in its place, but while
// threads handle its #UD: their handlers may look at it.
type masked struct {
	site
	shown int // to how many threads
}

// show puts the illegal instruction at an address back for a thread, until the
// thread hides it again. It reports whether there is one.
func (r *elrange) show(at uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sites[at]
	if s == nil {
		return false
	}
	s.shown++
	r.write(at, s.old)
	return true
}

// hide undoes a show.
func (r *elrange) hide(at uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.sites[at]; s.shown > 1 {
		s.shown--
	} else {
		s.shown = 0
		r.write(at, s.new)
	}
}

// write writes to the enclave's code, as far as it is still mapped.
func (r *elrange) write(at uint64, b []byte) {
	for i, c := range b {
		if pa, _, ok := r.space.Lookup(at + uint64(i)); ok {
			r.e.mem.Page(uint64(pa-r.e.epcBase) / isa.PageSize)[(at+uint64(i))%isa.PageSize] = c
		}
	}
}

// narrowSite gives the XSAVEC at an address the mask that it should have, if
// it is the SDK's: nothing there looks at the mask afterwards. Threads that
// run meanwhile see ones or the new mask in each byte, and both will do.
func (r *elrange) narrowSite(xsavec, mask uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := xsavec - saveAllXSAVEC
	if !bytes.Equal(r.code(at, len(saveAll)), saveAll) {
		return
	}
	r.write(at+saveAllLow, binary.LittleEndian.AppendUint32(nil, uint32(mask)))
	r.write(at+saveAllHigh, binary.LittleEndian.AppendUint32(nil, uint32(mask>>32)))
}

// rewritten reports whether an illegal instruction was rewritten at an address.
func (r *elrange) rewritten(at uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sites[at] != nil
}

// Close implements cpu.Range.
func (r *elrange) Close() error {
	if !r.e.forget(r) {
		return nil // closed already
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.homes {
		r.e.freeContext(c)
	}
	if r.fixed {
		return unix.MunmapPtr(pointer(r.base), uintptr(r.size))
	}
	if err := noAccess(r.base, r.size); err != nil {
		return err
	}
	arenaFree(r.base)
	return nil
}
