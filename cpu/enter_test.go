package cpu

import (
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

func TestEnterExit(t *testing.T) {
	m := ready(t)
	for range 3 { // the second time on a warm LP
		r := m.enter(pgTCS)
		want := *outsideRegs(pgTCS)
		want.RAX, want.RCX, want.RIP = 0, outside, at(pgCode)+0x10
		want.FSBase, want.GSBase = at(pgData), at(pgData)
		if *r != want {
			t.Fatalf("after EENTER: %+v\nwant %+v", *r, want)
		}
		if got := get64(m.peek(at(pgSSA+1)-isa.GPRSGXSize+isa.GPRSGXOffURSP, 8), 0); got != r.RSP {
			t.Errorf("URSP = %#x, want %#x", got, r.RSP)
		}
		r.RBX = outside + 8
		if err := m.lp.EEXIT(r); err != nil {
			t.Fatal(err)
		}
		if r.RIP != outside+8 || r.RCX != testAEP || r.FSBase != 0x1111_0000 || r.GSBase != 0x2222_0000 {
			t.Fatalf("after EEXIT: %+v", *r)
		}
	}
}

func BenchmarkEENTER_EEXIT(b *testing.B) {
	m := ready(b)
	r := outsideRegs(pgTCS)
	b.ReportAllocs()
	for b.Loop() {
		r.RBX, r.RCX, r.RIP = at(pgTCS), testAEP, outside
		if err := m.lp.EENTER(r); err != nil {
			b.Fatal(err)
		}
		r.RBX = outside
		if err := m.lp.EEXIT(r); err != nil {
			b.Fatal(err)
		}
	}
}
