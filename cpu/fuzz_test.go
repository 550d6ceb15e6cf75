package cpu

import (
	"testing"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// FuzzENCLU executes leaves with hostile registers on hostile memory: an
// enclave cannot make the processor fail, only fault.
func FuzzENCLU(f *testing.F) {
	f.Add(byte(0), at(pgData), at(pgData2), at(pgData3), []byte{1, 2, 3})
	f.Add(byte(1), at(pgData), at(pgData2), uint64(0), []byte{4, 0, 1})
	f.Add(byte(5), at(pgData), at(pgZero), uint64(0), []byte{0x0B, 2})
	f.Add(byte(8), at(pgData), uint64(0), uint64(0), []byte{0x81})
	f.Add(byte(3), at(pgTCS), testAEP, uint64(0), []byte{0xFF})
	f.Fuzz(func(t *testing.T, leaf byte, rbx, rcx, rdx uint64, data []byte) {
		m := inside(t)
		for _, pg := range []uint64{pgData, pgData2, pgData3} {
			m.poke(at(pg), data)
		}
		r := Regs{RAX: uint64(leaf), RBX: rbx, RCX: rcx, RDX: rdx}
		if err := m.lp.ENCLU(&r); err != nil {
			fault(t, err)
			return
		}
		if !m.lp.InEnclave() {
			return
		}
		// What the enclave writes to its own SSA frame, ERESUME reads.
		m.must(m.lp.AEX(insideRegs(), data, AEXEvent{}))
		m.poke(at(pgSSA), data)
		copy(m.gpr(pgSSA, 0), data)
		if err := m.lp.ERESUME(outsideRegs(pgTCS), make([]byte, 700)); err != nil {
			fault(t, err)
		}
	})
}

// FuzzDriver runs a program of ENCLS leaves on a few pages: a driver cannot
// bring the EPCM and the decoded SECSs and TCSs apart.
func FuzzDriver(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 1, 2, 1, 0, 1, 3, 1, 0x11, 6, 2, 1, 0, 10, 5, 0, 0, 9, 2, 0, 0, 12, 1, 0, 0, 11, 2, 5, 1, 8, 4, 5, 1})
	f.Add([]byte{2, 0, 0, 0, 13, 1, 0, 3, 14, 12, 0, 1, 15, 12, 0, 1, 9, 12, 0, 0, 12, 0, 0, 0, 3, 12, 0, 0})
	f.Fuzz(func(t *testing.T, prog []byte) {
		const pages = 32
		var last Event
		c := Config{EPCSize: pages * isa.PageSize, Trace: func(e Event) { last = e }}
		m := newMachine(t, c, testSECS())
		m.build()
		p := m.p
		sig := m.sign(m.signature())
		p.SetLEPubKeyHash(sign.MRSigner(sig))
		page := func(b byte) PA { return p.EPCBase() + PA(b)*isa.PageSize }
		var out []*EvictedPage
		for ; len(prog) >= 4; prog = prog[4:] {
			op, a, b, c := isa.ENCLS(prog[0]%16), page(prog[1]), page(prog[2]), prog[3]
			slot := b + PA(c%8)*8
			info := isa.SecInfo{Flags: isa.MakeSecInfoFlags(isa.SecInfoFlags(c&7), isa.PageType(c>>4&7))}
			switch op {
			case isa.ECREATE:
				_ = p.ECREATE(a, CreateInfo{SECS: testSECS()})
			case isa.EADD:
				_ = p.EADD(a, AddInfo{LinAddr: at(uint64(c) % 64), SecInfo: info, SECS: b})
			case isa.EINIT:
				_ = p.EINIT(a, sig, nil)
			case isa.EREMOVE:
				_ = p.EREMOVE(a)
			case isa.EDBGRD:
				_, _ = p.EDBGRD(a + PA(c)*8)
			case isa.EDBGWR:
				_ = p.EDBGWR(a+PA(c%2)*8, uint64(c&1))
			case isa.EEXTEND:
				_ = p.EEXTEND(a+PA(c%16)*256, b)
			case isa.ELDB, isa.ELDU:
				if len(out) > 0 {
					load := p.ELDU
					if op == isa.ELDB {
						load = p.ELDB
					}
					secs := m.secs
					if c&0x80 != 0 {
						secs = 0
					}
					_ = load(a, out[int(c>>3)%len(out)], secs, slot)
				}
			case isa.EBLOCK:
				_ = p.EBLOCK(a)
			case isa.EPA:
				_ = p.EPA(a)
			case isa.EWB:
				o := new(EvictedPage)
				if code := classify(p.EWB(a, o, slot)); code == success || code == "SGX_VA_SLOT_OCCUPIED" {
					out = append(out, o)
				}
			case isa.ETRACK:
				_ = p.ETRACK(a)
			case isa.EAUG:
				_ = p.EAUG(a, at(uint64(c)%64), nil, b)
			case isa.EMODPR:
				_ = p.EMODPR(info, a)
			case isa.EMODT:
				_ = p.EMODT(info, a)
			}
			if (op != isa.ELDB && op != isa.ELDU || len(out) > 0) && last.Leaf != op.String() {
				t.Fatalf("%v was traced as %+v", op, last)
			}
			coherent(t, p)
		}
	})
}

// coherent checks the decoded state against the EPCM.
func coherent(t testing.TB, p *Processor) {
	t.Helper()
	children := map[uint32]uint64{}
	secs, tcs := 0, 0
	for n := range p.pages {
		e := p.epcm.get(n)
		switch {
		case !e.valid():
			if p.threads[uint32(n)] != nil || p.enclaves[uint32(n)] != nil {
				t.Fatalf("page %d is not valid and still something", n)
			}
		case e.pt() == isa.PTSECS:
			secs++
			if p.enclaves[uint32(n)] == nil {
				t.Fatalf("page %d has no SECS", n)
			}
		case e.child():
			children[e.secs]++
			th := p.threads[uint32(n)]
			if e.pt() == isa.PTTCS && !e.is(epcmModified) && (th == nil || th.linear != e.linear()) {
				t.Fatalf("page %d has no TCS", n)
			}
			if th != nil && (e.pt() == isa.PTREG || e.pt() == isa.PTTCS && e.is(epcmModified)) {
				t.Fatalf("page %d is no TCS", n)
			}
			if th != nil {
				tcs++
			}
		}
	}
	if len(p.enclaves) != secs || len(p.threads) != tcs {
		t.Fatalf("%d SECSs and %d TCSs, the EPCM has %d and %d", len(p.enclaves), len(p.threads), secs, tcs)
	}
	for n, e := range p.enclaves {
		if e.children != children[n] {
			t.Fatalf("SECS %d has %d pages, the EPCM has %d", n, e.children, children[n])
		}
	}
}
