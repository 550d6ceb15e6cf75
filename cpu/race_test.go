package cpu

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

// TestConcurrentDriver has threads enter and leave while a driver blocks,
// tracks, evicts and loads the pages that they need. Whatever the driver
// does, a thread is inside only with its TCS and frame in the EPC.
func TestConcurrentDriver(t *testing.T) {
	m := newMachine(t, Config{EPCSize: 16384 * isa.PageSize}, testSECS())
	m.build()
	m.init()
	var stop atomic.Bool
	var entered, refused atomic.Uint64
	var wg sync.WaitGroup
	for _, pg := range []uint64{pgTCS, pgTCS2, pgTCS} { // two LPs fight for one TCS
		wg.Add(1)
		go func() {
			defer wg.Done()
			lp := m.p.NewLP(m.as)
			for !stop.Load() {
				r := outsideRegs(pg)
				if err := lp.EENTER(r); err != nil {
					refused.Add(1)
					continue
				}
				entered.Add(1)
				pa, _, ok := m.as.Lookup(at(pg))
				if e := m.p.EPCM(pa); !ok || !e.Valid || e.PT != isa.PTTCS {
					t.Errorf("inside without a TCS: %+v", e)
				}
				r.RBX = outside
				if err := lp.EEXIT(r); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Add(1)
	go func() { // software outside reads and gets ones
		defer wg.Done()
		buf := make([]byte, 64)
		for !stop.Load() {
			if err := m.p.ReadLinear(m.as, nil, at(pgData), buf); err != nil || buf[0] != 0xFF {
				t.Errorf("read %x, %v", buf[0], err)
			}
		}
	}()

	evicted := 0
	for i := 0; i < 400; i++ {
		pg := []uint64{pgTCS, pgSSA, pgTCS2, pgSSA2}[i%4]
		pa := m.epc[at(pg)]
		m.must(m.p.EBLOCK(pa))
		slot := m.va()
		out := new(EvictedPage)
		for tries := 0; ; tries++ {
			if err := m.p.ETRACK(m.secs); err != nil && !errors.Is(err, isa.ErrPrevTrkIncmpl) {
				t.Fatal(err)
			}
			err := m.p.EWB(pa, out, slot)
			if err == nil {
				break
			}
			if !errors.Is(err, isa.ErrNotTracked) {
				t.Fatal(err)
			}
		}
		evicted++
		dst := m.page()
		m.must(m.p.ELDU(dst, out, m.secs, slot))
		m.mapPage(pg, dst)
	}
	for entered.Load() == 0 {
		runtime.Gosched()
	}
	stop.Store(true)
	wg.Wait()
	t.Logf("%d entries, %d refused, %d evictions", entered.Load(), refused.Load(), evicted)
}

// TestRemoveWhileEntering checks that a page is never removed under a thread.
func TestRemoveWhileEntering(t *testing.T) {
	for range 200 {
		m := ready(t)
		lp := m.lp
		m.enter(pgTCS) // warm the LP
		m.exit()
		var wg sync.WaitGroup
		wg.Add(1)
		var in, removed bool
		go func() {
			defer wg.Done()
			in = lp.EENTER(outsideRegs(pgTCS)) == nil
		}()
		removed = m.p.EREMOVE(m.epc[at(pgSSA)]) == nil
		wg.Wait()
		if in && removed {
			t.Fatal("a thread is inside, and its SSA frame was removed")
		}
	}
}

func TestHookAndTrace(t *testing.T) {
	type told struct {
		pa     PA
		linear uint64
	}
	var hooks []told
	var leaves []string
	var p *Processor
	c := Config{
		EPCMChanged: func(pa PA, linear uint64) {
			hooks = append(hooks, told{pa, linear})
			p.EPCM(pa) // the hook may ask
		},
		Trace: func(e Event) { leaves = append(leaves, e.Leaf+"="+e.Result()) },
	}
	m := newMachine(t, c, testSECS())
	p = m.p
	m.build()
	m.init()
	if len(hooks) != 0 {
		t.Errorf("hook called %d times for EADD and EINIT", len(hooks))
	}
	m.augmented()
	m.enter(pgTCS)
	m.must(m.accept(pgSpare, pendingRW))
	m.must(m.enclu(isa.EMODPE, m.secInfoAt(isa.SecInfo{Flags: isa.SecInfoX}), at(pgSpare), 0))
	m.exit()
	m.must(m.p.EBLOCK(m.epc[at(pgSpare)]))
	if err := m.p.EBLOCK(m.epc[at(pgSpare)]); err != isa.ErrBlState {
		t.Error(err)
	}
	m.must(m.p.EREMOVE(m.epc[at(pgSpare)]))
	if len(hooks) != 5 {
		t.Errorf("hook called %d times, want 5", len(hooks))
	}
	for _, h := range hooks {
		if h != (told{m.epc[at(pgSpare)], at(pgSpare)}) {
			t.Errorf("hook called with %+v", h)
		}
	}
	m.enter(pgTCS)
	if _, err := m.key(&isa.KeyRequest{KeyName: 9}); err != isa.ErrInvalidKeyName {
		t.Error(err)
	}
	if err := m.enclu(isa.EREPORT, 1, 0, 0); leaves[len(leaves)-1] != "EREPORT="+err.Error() {
		t.Error(leaves[len(leaves)-1])
	}
	leaves = leaves[:len(leaves)-1]
	m.exit()
	if m.lp.SECS() != 0 || m.lp.AEP() != 0 || m.lp.TCS() != at(pgTCS) {
		t.Error("the LP is outside and has an enclave")
	}
	want := []string{"EINIT=0", "EAUG=0", "EENTER=0", "EACCEPT=0", "EMODPE=0", "EEXIT=0", "EBLOCK=0", "EBLOCK=SGX_BLSTATE", "EREMOVE=0",
		"EENTER=0", "EGETKEY=SGX_INVALID_KEYNAME", "EEXIT=0"}
	tail := leaves[len(leaves)-len(want):]
	for i := range want {
		if tail[i] != want[i] {
			t.Fatalf("trace ends with %v, want %v", tail, want)
		}
	}
}
