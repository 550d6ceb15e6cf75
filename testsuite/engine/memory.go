package engine

import (
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

var memoryTests = []test{
	{"abort_page_outside", abortPageOutside},
	{"abort_page_of_another_enclave", abortPageOfAnother},
	{"EBLOCK", blockPage},
	{"EWB_and_ELDU", evictAndReload},
	{"unmap_and_map", unmapAndMap},
	{"unmapped_at_a_leaf", unmappedAtLeaf},
	{"remapped_elsewhere", remappedElsewhere},
	{"wrong_page_at_an_address", wrongPage},
	{"fixed_address", fixedAddress},
	{"range_errors", rangeErrors},
	{"untrusted_buffer", untrustedBuffer},
}

func abortPageOutside(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	th.newPage(t, sparePage)
	th.allowed(t, "write", sparePage)
	for _, page := range []uint64{codePage, dataPage, onlyR, tcsPage, sparePage} {
		b := []byte{1, 2, 3, 4}
		if err := m.p.ReadLinear(e.rng.Space(), nil, e.page(page)+2, b); err != nil || string(b) != "\xFF\xFF\xFF\xFF" {
			t.Errorf("page %d reads as %x from outside, %v", page, b, err)
		}
	}
	must(t, m.p.WriteLinear(e.rng.Space(), nil, e.page(sparePage), []byte{9, 9}))
	if v := th.allowed(t, "read", sparePage); v != jumpBack {
		t.Errorf("a write from outside arrived: %#x", v)
	}
}

func abortPageOfAnother(t *testing.T, m *machine) {
	victim, _ := dynamic(t, m)
	victim.poke(t, dataPage*isa.PageSize, 0x5EC5E7)
	_, th := dynamic(t, m)
	if r := th.call(t, "read", victim.page(dataPage)); r.RDX != ^uint64(0) {
		t.Errorf("memory of another enclave reads as %#x", r.RDX)
	}
	th.call(t, "write", victim.page(dataPage), 1)
	if v := victim.peek(t, dataPage*isa.PageSize); v != 0x5EC5E7 {
		t.Errorf("another enclave wrote %#x", v)
	}
}

func blockPage(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	pa := th.newPage(t, sparePage)
	th.allowed(t, "write", sparePage)
	must(t, m.p.EBLOCK(pa))
	for _, kind := range []string{"read", "write", "execute"} {
		th.refused(t, kind, sparePage, pfEPCM)
	}
	// A TCS and an SSA frame that are blocked cannot be entered.
	other := e.thread(t, 1)
	other.call(t, "ok")
	must(t, m.p.EBLOCK(e.pa(t, (tcsPage+tcsStride)*isa.PageSize)))
	if _, err := other.Run(t.Context(), other.regs("ok")); fault(t, err).Vector != isa.VectorPF {
		t.Errorf("EENTER of a blocked TCS: %v", err)
	}
	must(t, m.p.EBLOCK(e.pa(t, (tcsPage+1)*isa.PageSize)))
	if _, err := th.Run(t.Context(), th.regs("ok")); fault(t, err).Vector != isa.VectorPF {
		t.Errorf("EENTER with a blocked SSA frame: %v", err)
	}
}

// evict moves a page of the enclave out of the EPC.
func (e *enclave) evict(t *testing.T, pa, slot cpu.PA) *cpu.EvictedPage {
	t.Helper()
	var out cpu.EvictedPage
	must(t, e.m.p.EBLOCK(pa))
	if err := e.m.p.EWB(pa, &out, slot); !errors.Is(err, isa.ErrNotTracked) {
		t.Errorf("EWB before ETRACK: %v", err)
	}
	must(t, e.m.p.ETRACK(e.secs))
	must(t, e.m.p.EWB(pa, &out, slot))
	return &out
}

func evictAndReload(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	va := m.page(t)
	must(t, m.p.EPA(va))
	for i, page := range []uint64{sparePage, dataPage + 5, codePage + 7, sparePage} {
		var pa cpu.PA
		if page == sparePage {
			if i == 0 {
				th.newPage(t, page)
			}
			th.allowed(t, "write", page)
		}
		pa = e.pa(t, page*isa.PageSize)
		want := th.allowed(t, "read", page)
		slot := va + cpu.PA(8*i)
		saved := e.evict(t, pa, slot)
		// Whether or not the driver has unmapped it: it is gone.
		th.refused(t, "read", page, pfEPCM)
		must(t, e.rng.Unmap(e.page(page), 1))
		th.refused(t, "write", page, 0)

		// It comes back elsewhere in the EPC.
		to := m.page(t)
		must(t, m.p.ELDU(to, saved, e.secs, slot))
		perm := m.p.EPCM(to).Perm
		must(t, e.rng.Map(e.page(page), to, 1, perm))
		if got := th.allowed(t, "read", page); got != want {
			t.Errorf("page %d holds %#x, held %#x", page, got, want)
		}
		if perm&cpu.PermW != 0 {
			th.allowed(t, "write", page)
		}
	}
	must(t, m.p.EREMOVE(va))
}

func unmapAndMap(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	pa := th.newPage(t, sparePage)
	th.allowed(t, "write", sparePage)
	for range 20 {
		must(t, e.rng.Unmap(e.page(sparePage), 1))
		th.refused(t, "read", sparePage, 0)
		must(t, e.rng.Map(e.page(sparePage), pa, 1, cpu.PermR))
		th.refused(t, "write", sparePage, isa.PFPresent)
		must(t, e.rng.Map(e.page(sparePage), pa, 1, cpu.PermR|cpu.PermW))
		if v := th.allowed(t, "read", sparePage); v != jumpBack {
			t.Fatalf("read %#x", v)
		}
		th.allowed(t, "write", sparePage)
	}
	// A thread whose TCS or SSA the driver unmaps cannot enter, even if it
	// did a moment ago.
	th.call(t, "ok")
	tcs := e.pa(t, tcsPage*isa.PageSize)
	must(t, e.rng.Unmap(e.page(tcsPage), 1))
	if _, err := th.Run(t.Context(), th.regs("ok")); fault(t, err).Vector != isa.VectorPF {
		t.Errorf("EENTER of a TCS that is not mapped: %v", err)
	}
	must(t, e.rng.Map(e.page(tcsPage), tcs, 1, cpu.PermR|cpu.PermW))
	th.call(t, "ok")
}

// unmappedAtLeaf has the driver take code away, and give it back, while a
// thread executes ENCLU on that very page: it leaves, or it faults on the
// fetch, and nothing else.
func unmappedAtLeaf(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{leaf, {"far", func(a *asm.Assembler) {
		a.Mov(asm.RSI, asm.RBX)
		a.Lea(asm.RDI, asm.Mem{Label: "data", Disp: (onlyRWX - dataPage) * isa.PageSize})
		a.Mov(asm.RAX, data(dataLeaf))
		a.JmpTo(asm.RDI)
	}}}})
	e.poke(t, onlyRWX*isa.PageSize, 0x0B0F_D7_01_0F) // enclu; ud2
	pa := e.pa(t, onlyRWX*isa.PageSize)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			default:
			}
			if err := errors.Join(e.rng.Unmap(e.page(onlyRWX), 1), e.rng.Map(e.page(onlyRWX), pa, 1, cpu.PermR|cpu.PermX)); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	th := e.thread(t, 0)
	faults := 0
	for range rounds(4000) {
		_, exit := th.enter(t, "far")
		for exit.Kind == cpu.ExitException && exit.Vector == isa.VectorPF && exit.Addr == e.page(onlyRWX) {
			faults++
			_, exit = th.resume(t)
		}
		if exit.Kind != cpu.ExitEEXIT {
			t.Errorf("%s, error code %#x at %#x", describe(&exit), exit.ErrorCode, exit.Addr)
			break
		}
	}
	close(end)
	<-ended
	t.Logf("%d faults", faults)
}

func remappedElsewhere(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	pa := th.newPage(t, sparePage)
	th.allowed(t, "write", sparePage)
	must(t, e.rng.Map(e.page(sparePage+1), pa, 1, cpu.PermR|cpu.PermW|cpu.PermX))
	for _, kind := range []string{"read", "write", "execute"} {
		th.refused(t, kind, sparePage+1, pfEPCM) // not its ENCLAVEADDRESS
	}
	if v := th.allowed(t, "read", sparePage); v != jumpBack {
		t.Errorf("read %#x", v)
	}
}

// wrongPage has the driver swap two pages of one enclave, and give a page of
// another.
func wrongPage(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	other, _ := dynamic(t, m)
	must(t, e.rng.Map(e.page(dataPage+4), e.pa(t, (dataPage+5)*isa.PageSize), 1, cpu.PermR|cpu.PermW))
	th.refused(t, "read", dataPage+4, pfEPCM)
	must(t, e.rng.Map(e.page(dataPage+4), other.pa(t, (dataPage+4)*isa.PageSize), 1, cpu.PermR|cpu.PermW))
	th.refused(t, "read", dataPage+4, pfEPCM)
	must(t, e.rng.Map(e.page(dataPage+4), e.secs, 1, cpu.PermR|cpu.PermW))
	th.refused(t, "write", dataPage+4, pfEPCM)
	must(t, e.rng.Map(e.page(dataPage+4), m.p.EPCBase()+cpu.PA(m.p.EPCSize()), 1, cpu.PermR|cpu.PermW))
	th.refused(t, "write", dataPage+4, pfEPCM)
}

func fixedAddress(t *testing.T, m *machine) {
	const size = 1 << 20
	r, err := m.e.Reserve(size, 0)
	must(t, err)
	base := r.Base()
	if base%size != 0 || r.Size() != size || !r.Space().Contains(base) {
		t.Errorf("a range of %#x bytes at %#x", r.Size(), base)
	}
	must(t, r.Close())
	for _, at := range []uint64{1 << 40, 1 << 45} {
		r, err := m.e.Reserve(size, at)
		if err != nil {
			continue // taken, which is for the host to say
		}
		if r.Base() != at {
			t.Errorf("the range is at %#x, not %#x", r.Base(), at)
		}
		if _, err := m.e.Reserve(size, at); err == nil {
			t.Error("an address range was reserved twice")
		}
		must(t, r.Close())
		return
	}
	t.Skip("no fixed address is free on this host")
}

func rangeErrors(t *testing.T, m *machine) {
	for _, c := range [][2]uint64{{0, 0}, {3 << 20, 0}, {1 << 20, 1 << 19}, {1 << 62, 0}} {
		if r, err := m.e.Reserve(c[0], c[1]); err == nil {
			t.Errorf("a range of %#x bytes at %#x was reserved", c[0], c[1])
			must(t, r.Close())
		}
	}
	r, err := m.e.Reserve(1<<20, 0)
	must(t, err)
	pa := m.p.EPCBase()
	if err := r.Map(r.Base()-isa.PageSize, pa, 1, cpu.PermR); err == nil {
		t.Error("a page below the range was mapped")
	}
	if err := r.Map(r.Base()+1<<20-isa.PageSize, pa, 2, cpu.PermR); err == nil {
		t.Error("a page above the range was mapped")
	}
	if err := r.Map(r.Base(), pa+1, 1, cpu.PermR); err == nil {
		t.Error("a physical address that is not aligned was mapped")
	}
	if err := r.Unmap(r.Base()+1, 1); err == nil {
		t.Error("half a page was unmapped")
	}
	must(t, r.Close())
}

func untrustedBuffer(t *testing.T, m *machine) {
	_, th := dynamic(t, m)
	for _, size := range []int{0, 1, isa.PageSize, 3*isa.PageSize + 1} {
		b, err := m.e.Alloc(size)
		must(t, err)
		if b.Addr()%isa.PageSize != 0 || len(b.Bytes()) < size {
			t.Errorf("a buffer of %d bytes at %#x", len(b.Bytes()), b.Addr())
		}
		for i, v := range b.Bytes() {
			if v != 0 {
				t.Fatalf("byte %d is %#x", i, v)
			}
		}
		if size > 8 {
			th.call(t, "write", b.Addr()+uint64(size)-8, 0x77)
			if got := le.Uint64(b.Bytes()[size-8:]); got != 0x77 {
				t.Errorf("the enclave wrote %#x", got)
			}
		}
		b.Free()
	}
}
