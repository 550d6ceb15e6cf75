package cpu

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

// nullMemory is an EPC that nobody may touch.
type nullMemory struct {
	testing.TB
	size uint64
}

func (m nullMemory) Size() uint64 { return m.size }
func (m nullMemory) Page(n uint64) []byte {
	m.Fatalf("page %d was touched", n)
	return nil
}
func (m nullMemory) Discard(n, count uint64) { m.Fatalf("page %d was discarded", n) }

// bulk returns a processor with a huge EPC and an enclave of size bytes in it.
func bulk(tb testing.TB, epc, size uint64) (*Processor, PA) {
	tb.Helper()
	p, err := New(Config{EPCSize: epc, Memory: nullMemory{tb, epc}})
	if err != nil {
		tb.Fatal(err)
	}
	s := testSECS()
	s.BaseAddr, s.Size = 0, size
	if err := p.ECREATE(p.EPCBase(), CreateInfo{SECS: s}); err != nil {
		tb.Fatal(err)
	}
	return p, p.EPCBase()
}

func heapInUse() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// TestBookkeeping checks what the processor keeps for each EPC page: nothing
// until a page is used, then at most 24 bytes, and never the page.
func TestBookkeeping(t *testing.T) {
	if n := reflect.TypeFor[epcmEntry]().Size(); n != 16 {
		t.Errorf("an EPCM entry has %d bytes", n)
	}
	const pages = 1 << 20 // 4 GiB
	before := heapInUse()
	p, secs := bulk(t, 128<<30, 64<<30)
	if idle := heapInUse() - before; idle > 1<<20 {
		t.Errorf("an idle EPC of 128 GiB costs %d bytes", idle)
	}
	info := AddInfo{SecInfo: isa.SecInfo{Flags: isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoW, isa.PTREG)}, SECS: secs}
	for n := range uint64(pages) {
		info.LinAddr = n * isa.PageSize
		if err := p.EADD(secs+PA((n+1)*isa.PageSize), info); err != nil {
			t.Fatal(err)
		}
	}
	perPage := float64(heapInUse()-before) / pages
	t.Logf("%.1f bytes of bookkeeping for each EPC page", perPage)
	if perPage > 24 {
		t.Errorf("%.1f bytes a page", perPage)
	}
	runtime.KeepAlive(p)
}

func BenchmarkEADDZero(b *testing.B) {
	const pages = 1 << 23
	p, secs := bulk(b, pages*isa.PageSize, 1<<40)
	info := AddInfo{SecInfo: isa.SecInfo{Flags: isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoW, isa.PTREG)}, SECS: secs}
	b.ReportAllocs()
	n := uint64(0)
	for b.Loop() {
		if n++; n == pages {
			b.StopTimer()
			p, secs = bulk(b, pages*isa.PageSize, 1<<40)
			n = 1
			b.StartTimer()
		}
		info.LinAddr = n * isa.PageSize
		if err := p.EADD(secs+PA(n*isa.PageSize), info); err != nil {
			b.Fatal(err)
		}
	}
}

func TestScrub(t *testing.T) {
	m := ready(t)
	m.poke(at(pgData), []byte("left behind"))
	pa := m.epc[at(pgData)]
	m.must(m.p.EREMOVE(pa))
	n, _ := m.p.page(pa)
	m.p.Scrub(m.p.EPCBase(), 1<<30) // more than there is
	if !zeros(m.p.mem.Page(n), 0) {
		t.Error("the page was not cleared")
	}
	if m.peek(at(pgCode), 1)[0] != 0x90 {
		t.Error("a page in use was cleared")
	}
	m.p.Scrub(notEPC, 1)
}

// TestReusedPage checks that nothing of a page's former life shows.
func TestReusedPage(t *testing.T) {
	m := built(t)
	pa := m.epc[at(pgData)]
	m.poke(at(pgData), []byte("left behind"))
	m.must(m.p.EREMOVE(pa))
	info := AddInfo{LinAddr: at(pgSpare), SecInfo: isa.SecInfo{Flags: isa.MakeSecInfoFlags(isa.SecInfoR, isa.PTREG)}, SECS: m.secs}
	m.must(m.p.EADD(pa, info))
	if !zeros(m.bytes(at(pgData)), 0) {
		t.Error("a page of zeros is not")
	}
}

// TestReusedSECSPage is TestReusedPage with a SECS in between.
func TestReusedSECSPage(t *testing.T) {
	m := built(t)
	pa := m.epc[at(pgData)]
	m.poke(at(pgData), []byte("left behind"))
	m.must(m.p.EREMOVE(pa))
	m.must(m.p.ECREATE(pa, CreateInfo{SECS: testSECS()}))
	m.must(m.p.EREMOVE(pa))
	info := AddInfo{LinAddr: at(pgSpare), SecInfo: isa.SecInfo{Flags: isa.MakeSecInfoFlags(isa.SecInfoR, isa.PTREG)}, SECS: m.secs}
	m.must(m.p.EADD(pa, info))
	if !zeros(m.bytes(at(pgData)), 0) {
		t.Error("a page of zeros is not")
	}
}

func TestEPCMOutside(t *testing.T) {
	m := ready(t)
	if e := m.p.EPCM(notEPC); e != (EPCMEntry{}) {
		t.Errorf("EPCM = %+v", e)
	}
	for _, pa := range []PA{m.epc[at(pgData)], notEPC, m.secs + 8} {
		if _, ok := m.p.SECSInfo(pa); ok {
			t.Errorf("%#x is a SECS", uint64(pa))
		}
	}
}

func TestNewRejects(t *testing.T) {
	for _, c := range []Config{
		{EPCSize: 100}, {EPCSize: 1 << 60}, {EPCBase: 5}, {EPCBase: ^PA(0) &^ 0xFFF, EPCSize: 1 << 20},
		{XFRM: 2}, {XFRM: 0x43}, {EPCSize: 1 << 20, Memory: NewHeapMemory(1 << 19)}, {Rand: shortReader{}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("New accepts %+v", c)
		}
	}
}

func TestEPCAllocator(t *testing.T) {
	p, err := New(Config{EPCSize: 1000 * isa.PageSize})
	if err != nil {
		t.Fatal(err)
	}
	a := NewEPCAllocator(p)
	rng := rand.New(rand.NewPCG(1, 2))
	owner := map[PA]bool{}
	var held []PageRun
	for range 5000 {
		if rng.IntN(2) == 0 || len(held) == 0 {
			n := uint64(1 + rng.IntN(60))
			free := a.Available()
			runs, err := a.Alloc(n)
			if n > free {
				if !errors.Is(err, ErrEPCFull) {
					t.Fatalf("got %v, want ErrEPCFull", err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range runs {
				n -= r.Pages
				for pa := r.PA; pa < r.end(); pa += isa.PageSize {
					if _, ok := p.page(pa); !ok || owner[pa] {
						t.Fatalf("page %#x given twice", uint64(pa))
					}
					owner[pa] = true
				}
			}
			if n != 0 {
				t.Fatalf("%d pages are missing", n)
			}
			held = append(held, runs...)
			continue
		}
		i := rng.IntN(len(held))
		r := held[i]
		held = append(held[:i], held[i+1:]...)
		if r.Pages > 1 && rng.IntN(2) == 0 { // give back a part
			held = append(held, PageRun{r.PA + isa.PageSize, r.Pages - 1})
			r.Pages = 1
		}
		for pa := r.PA; pa < r.end(); pa += isa.PageSize {
			delete(owner, pa)
		}
		a.Free(r)
	}
	for _, r := range held {
		a.Free(r)
	}
	if a.Available() != 1000 || len(a.free) != 1 {
		t.Errorf("%d pages in %d runs are free at the end", a.Available(), len(a.free))
	}
	defer func() {
		if recover() == nil {
			t.Error("a page can be freed twice")
		}
	}()
	a.Free(PageRun{p.EPCBase(), 1})
}
