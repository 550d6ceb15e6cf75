package cpu

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// The layout of the test enclave, in pages from its base.
const (
	testBase = uint64(0x7000_0000_0000)
	testSize = uint64(64 * isa.PageSize)

	pgCode    = 0
	pgData    = 1
	pgData2   = 2
	pgData3   = 3
	pgTCS     = 4
	pgSSA     = 5 // three frames of one page
	pgTCS2    = 8
	pgSSA2    = 9
	pgZero    = 12
	pgRO      = 13
	pgSpareRW = 14
	pgSpare   = 20 // nothing is here
	testAEP   = uint64(0x40_1000)
	outside   = uint64(0x40_0000)
)

func at(page uint64) uint64 { return testBase + page*isa.PageSize }

// signer is the key that signs test enclaves; making one takes a while.
var signer = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

// A machine is a processor with one enclave, as a driver would build it.
type machine struct {
	tb   testing.TB
	p    *Processor
	as   *AddressSpace
	lp   *LP
	secs PA
	next PA
	epc  map[uint64]PA // by linear address
	sig  *isa.SigStruct
}

// testSECS is the SECS of the test enclave.
func testSECS() *isa.SECS {
	return &isa.SECS{
		Size: testSize, BaseAddr: testBase, SSAFrameSize: 1, MiscSelect: isa.MiscEXINFO,
		Attributes: isa.Attributes{Flags: isa.AttrMode64Bit | isa.AttrDebug | isa.AttrKSS, XFRM: isa.XFRMLegacy},
	}
}

// testTCS is the TCS of a thread whose SSA begins at page ssa.
func testTCS(ssa uint64) *isa.TCS {
	return &isa.TCS{
		OSSA: ssa * isa.PageSize, NSSA: 3, OEntry: 0x10, OFSBasGX: pgData * isa.PageSize, OGSBasGX: pgData * isa.PageSize,
		FSLimit: 0xFFF, GSLimit: 0xFFF,
	}
}

func (c *Config) defaults() {
	if c.EPCSize == 0 {
		c.EPCSize = 256 * isa.PageSize
	}
	for i := range c.CPUSVN {
		c.CPUSVN[i] = 5
	}
	for i := range 16 {
		c.OwnerEpoch[i] = byte(i)
		c.Fuses.RootProvisioningKey[i] = byte(i + 1)
		c.Fuses.RootSealKey[i] = byte(0xA0 + i)
	}
}

// newMachine powers on a processor and creates the enclave's SECS.
func newMachine(tb testing.TB, c Config, secs *isa.SECS) *machine {
	tb.Helper()
	c.defaults()
	p, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	m := &machine{tb: tb, p: p, next: p.EPCBase(), epc: map[uint64]PA{}}
	m.as = NewAddressSpace(testBase, testSize)
	m.lp = p.NewLP(m.as)
	m.secs = m.page()
	m.must(p.ECREATE(m.secs, CreateInfo{SECS: secs}))
	return m
}

func (m *machine) must(err error) {
	m.tb.Helper()
	if err != nil {
		m.tb.Fatal(err)
	}
}

// page returns an EPC page that was never used.
func (m *machine) page() PA {
	pa := m.next
	m.next += isa.PageSize
	return pa
}

// add adds and measures a page.
func (m *machine) add(page uint64, pt isa.PageType, perm isa.SecInfoFlags, src []byte) PA {
	m.tb.Helper()
	pa := m.page()
	info := AddInfo{LinAddr: at(page), Src: src, SecInfo: isa.SecInfo{Flags: isa.MakeSecInfoFlags(perm, pt)}, SECS: m.secs}
	m.must(m.p.EADD(pa, info))
	for off := PA(0); off < isa.PageSize; off += 256 {
		m.must(m.p.EEXTEND(pa+off, m.secs))
	}
	m.mapPage(page, pa)
	return pa
}

// mapPage maps an EPC page with all permissions, so that only SGX forbids.
func (m *machine) mapPage(page uint64, pa PA) {
	m.tb.Helper()
	m.epc[at(page)] = pa
	m.must(m.as.Map(at(page), pa, 1, PermR|PermW|PermX))
}

func pageOf(v interface {
	AppendBinary([]byte) ([]byte, error)
}) []byte {
	b, _ := v.AppendBinary(nil)
	return b
}

// build adds the pages of the test enclave.
func (m *machine) build() {
	m.tb.Helper()
	m.buildWith(testTCS(pgSSA))
}

func (m *machine) buildWith(tcs *isa.TCS) {
	m.tb.Helper()
	const rw = isa.SecInfoR | isa.SecInfoW
	m.add(pgCode, isa.PTREG, isa.SecInfoR|isa.SecInfoX, bytes.Repeat([]byte{0x90}, isa.PageSize))
	for i := range uint64(3) {
		m.add(pgData+i, isa.PTREG, rw, make([]byte, isa.PageSize))
	}
	m.add(pgTCS, isa.PTTCS, 0, pageOf(tcs))
	for i := range uint64(3) {
		m.add(pgSSA+i, isa.PTREG, rw, nil)
	}
	m.add(pgTCS2, isa.PTTCS, 0, pageOf(testTCS(pgSSA2)))
	for i := range uint64(3) {
		m.add(pgSSA2+i, isa.PTREG, rw, nil)
	}
	m.add(pgZero, isa.PTREG, rw, nil)
	m.add(pgRO, isa.PTREG, isa.SecInfoR, nil)
	m.add(pgSpareRW, isa.PTREG, rw, nil)
}

// signature returns a SIGSTRUCT for the enclave as it is.
func (m *machine) signature() *isa.SigStruct {
	m.tb.Helper()
	n, _ := m.p.page(m.secs)
	e := m.p.enclaves[uint32(n)]
	s := &isa.SigStruct{
		Header: isa.SigStructHeader, Header2: isa.SigStructHeader2, Exponent: isa.SigStructExponent, Date: 0x20240101,
		MiscSelect: e.secs.MiscSelect, MiscMask: ^isa.MiscSelect(0),
		Attributes:    e.secs.Attributes,
		AttributeMask: isa.Attributes{Flags: ^isa.AttrDebug, XFRM: ^isa.XFRM(0)},
		EnclaveHash:   e.measure.Sum(),
		ISVProdID:     7, ISVSVN: 3,
	}
	if e.kss() {
		s.ISVFamilyID[0], s.ISVExtProdID[0] = 0xFA, 0xE7
	}
	return s
}

func (m *machine) sign(s *isa.SigStruct) *isa.SigStruct {
	m.tb.Helper()
	signed.Lock()
	defer signed.Unlock()
	if out, ok := signed.m[*s]; ok {
		return &out
	}
	unsigned := *s
	m.must(sign.Sign(s, signer()))
	signed.m[unsigned] = *s
	return s
}

// signed remembers signatures: most machines hold the same enclave.
var signed = struct {
	sync.Mutex
	m map[isa.SigStruct]isa.SigStruct
}{m: map[isa.SigStruct]isa.SigStruct{}}

// init signs the enclave and initializes it.
func (m *machine) init() {
	m.tb.Helper()
	m.sig = m.sign(m.signature())
	m.p.SetLEPubKeyHash(sign.MRSigner(m.sig))
	m.must(m.p.EINIT(m.secs, m.sig, nil))
}

// fresh returns a machine whose enclave has no pages yet.
func fresh(tb testing.TB) *machine {
	tb.Helper()
	return newMachine(tb, Config{}, testSECS())
}

// built returns a machine whose enclave is ready for EINIT.
func built(tb testing.TB) *machine {
	tb.Helper()
	m := fresh(tb)
	m.build()
	return m
}

// inside returns a machine whose LP is in the enclave.
func inside(tb testing.TB) *machine {
	tb.Helper()
	m := ready(tb)
	m.enter(pgTCS)
	return m
}

// ready returns a machine with an initialized enclave.
func ready(tb testing.TB) *machine {
	tb.Helper()
	m := built(tb)
	m.init()
	return m
}

// entry returns the EPCM entry of a page, to be tampered with.
func (m *machine) entry(page uint64) *epcmEntry {
	n, _ := m.p.page(m.epc[at(page)])
	return m.p.epcm.at(n)
}

// enclave returns the decoded SECS, which is about to be tampered with.
func (m *machine) enclave() *enclave {
	n, _ := m.p.page(m.secs)
	e := m.p.enclaves[uint32(n)]
	e.version.Add(1)
	return e
}

// thread returns the decoded TCS at page, which is about to be tampered with.
func (m *machine) thread(page uint64) *thread {
	m.enclave()
	n, _ := m.p.page(m.epc[at(page)])
	return m.p.threads[uint32(n)]
}

// outsideRegs are the registers of a host that is about to enter page's TCS.
func outsideRegs(page uint64) *Regs {
	return &Regs{
		RAX: uint64(isa.EENTER), RBX: at(page), RCX: testAEP, RIP: outside, RSP: 0x7FFF_0000, RBP: 0x7FFF_1000,
		FSBase: 0x1111_0000, GSBase: 0x2222_0000, RFLAGS: 0x202,
	}
}

// enter enters the enclave through the TCS at page.
func (m *machine) enter(page uint64) *Regs {
	m.tb.Helper()
	r := outsideRegs(page)
	m.must(m.lp.EENTER(r))
	return r
}

// exit leaves the enclave.
func (m *machine) exit() {
	m.tb.Helper()
	m.must(m.lp.EEXIT(&Regs{RBX: outside}))
}

// bytes returns the memory of the enclave's page at a linear address, from
// there on, whatever the page tables say.
func (m *machine) bytes(linear uint64) []byte {
	m.tb.Helper()
	pa, ok := m.epc[linear&^(isa.PageSize-1)]
	if !ok {
		m.tb.Fatalf("the enclave has no page at %#x", linear)
	}
	n, _ := m.p.page(pa)
	return m.p.mem.Page(n)[linear%isa.PageSize:]
}

// poke writes to the enclave's memory behind the processor's back.
func (m *machine) poke(linear uint64, b []byte) { m.tb.Helper(); copy(m.bytes(linear), b) }

// peek returns n bytes of the enclave's memory.
func (m *machine) peek(linear uint64, n int) []byte {
	m.tb.Helper()
	return bytes.Clone(m.bytes(linear)[:n])
}

// fault returns the *Fault in err.
func fault(tb testing.TB, err error) *Fault {
	tb.Helper()
	var f *Fault
	if !errors.As(err, &f) {
		tb.Fatalf("got %v, want a fault", err)
	}
	return f
}
