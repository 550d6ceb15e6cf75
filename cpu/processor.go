// Package cpu is the SGX processor: the enclave page cache and its map, the
// leaves of ENCLS and ENCLU with the manual's checks in the manual's order,
// enclave entry and exit, the access check on translations, and key
// derivation. It knows nothing of how instructions are executed: engines do
// that (see Engine), and the package can be driven without any.
//
// The processor is a functional model. It gives its host no protection from
// enclaves, and enclaves none from its host.
//
// # Locks
//
// Processor.mu orders everything: a leaf that changes the EPCM or a SECS
// holds it for writing, one that only looks for reading. A leaf is therefore
// atomic, and the conflicts that the manual reports when two leaves meet on
// one page cannot be observed. AddressSpace has a lock of its own, taken
// last, for its writers only. EENTER on a warm LP, EEXIT and AEX take no
// lock: see enclave.version.
package cpu

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
)

// Defaults of Config.
const (
	DefaultEPCSize    = 128 << 20
	DefaultEPCBase    = PA(0x8000_0000)
	DefaultAttributes = isa.AttrDebug | isa.AttrMode64Bit | isa.AttrProvisionKey | isa.AttrEinitTokenKey | isa.AttrKSS | isa.AttrAEXNotify
	DefaultMiscSelect = isa.MiscEXINFO
)

// firstVersion is the version of the first page that EWB evicts: EDBGRD shows
// slots of a version array whose content is below 8 as empty.
const firstVersion = 8

// Config describes a processor. The zero value of every field but Fuses
// stands for a sensible default; zero Fuses are fuses of zeros.
type Config struct {
	EPCSize uint64 // bytes; zero for Memory.Size, or DefaultEPCSize
	EPCBase PA     // zero for DefaultEPCBase; page-aligned
	Memory  Memory // nil for HeapMemory

	Fuses      Fuses
	OwnerEpoch [16]byte // IA32_SGXOWNEREPOCH
	CPUSVN     [16]byte // sixteen security version numbers, one a byte

	XFRM  isa.XFRM    // what XCR0 enables; zero for x87 and SSE
	XSave XSaveLayout // zero for DefaultXSaveLayout

	Attributes   isa.AttributeFlags // that ECREATE accepts; zero for DefaultAttributes
	MiscSelect   isa.MiscSelect     // that ECREATE accepts; zero for DefaultMiscSelect
	LEPubKeyHash [32]byte           // IA32_SGXLEPUBKEYHASH

	Rand io.Reader // nil for crypto/rand

	// Trace, if set, is called after every leaf, by the goroutine that
	// executed it and with no lock held.
	Trace func(Event)
	// EPCMChanged, if set, is called with no lock held after the EPCM entry
	// of an enclave's page changed: the page and its linear address. It is
	// not called for EADD. The entry may have changed again since: ask
	// Processor.EPCM what it is now.
	EPCMChanged func(pa PA, linear uint64)
}

// Processor is one SGX processor package with its EPC. It is safe for
// concurrent use.
type Processor struct {
	mu       sync.RWMutex
	epcm     epcm
	enclaves map[uint32]*enclave      // by page number of the SECS
	threads  map[uint32]*thread       // by page number of the TCS
	building map[uint64]*measure.Hash // of evicted enclaves before EINIT, by EID
	nextEID  uint64
	nextVer  uint64 // CR_BASE version of the next page that EWB evicts
	lePubKey [32]byte
	change   change

	mem        Memory
	base       PA
	pages      uint64
	keys       keys
	xfrm       isa.XFRM
	xsave      XSaveLayout
	attributes isa.AttributeFlags
	misc       isa.MiscSelect
	trace      func(Event)
	hook       func(PA, uint64)
}

// change is a change of an EPCM entry that unlock tells of.
type change struct {
	pa     PA
	linear uint64
	told   bool
}

// New powers on a processor: its EPC is empty, and the keys that live as long
// as power does (the paging key, the key of REPORT2 and CR_REPORT_KEYID) are
// drawn from c.Rand.
func New(c Config) (*Processor, error) {
	if c.EPCSize == 0 && c.Memory != nil {
		c.EPCSize = c.Memory.Size()
	}
	if c.EPCSize == 0 {
		c.EPCSize = DefaultEPCSize
	}
	if c.EPCBase == 0 {
		c.EPCBase = DefaultEPCBase
	}
	pages := c.EPCSize / isa.PageSize
	if pages == 0 || pages >= 1<<32 {
		return nil, fmt.Errorf("cpu: an EPC of %d bytes is not between a page and 16 TiB", c.EPCSize)
	}
	if c.EPCBase%isa.PageSize != 0 || uint64(c.EPCBase)+pages*isa.PageSize < uint64(c.EPCBase) {
		return nil, fmt.Errorf("cpu: no EPC can begin at %#x", uint64(c.EPCBase))
	}
	if c.Memory == nil {
		c.Memory = NewHeapMemory(c.EPCSize)
	}
	if c.Memory.Size() < pages*isa.PageSize {
		return nil, fmt.Errorf("cpu: an EPC of %d bytes does not fit in %d bytes of memory", c.EPCSize, c.Memory.Size())
	}
	if c.XFRM == 0 {
		c.XFRM = isa.XFRMLegacy
	}
	if !legalXFRM(c.XFRM, c.XFRM) {
		return nil, fmt.Errorf("cpu: XCR0 cannot be %#x", uint64(c.XFRM))
	}
	if c.XSave == (XSaveLayout{}) {
		c.XSave = DefaultXSaveLayout
	}
	if c.Attributes == 0 {
		c.Attributes = DefaultAttributes
	}
	if c.MiscSelect == 0 {
		c.MiscSelect = DefaultMiscSelect
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	p := &Processor{
		epcm:     newEPCM(pages),
		enclaves: map[uint32]*enclave{},
		threads:  map[uint32]*thread{},
		building: map[uint64]*measure.Hash{},
		nextEID:  1,
		nextVer:  firstVersion,
		lePubKey: c.LEPubKeyHash,
		mem:      c.Memory, base: c.EPCBase, pages: pages,
		xfrm: c.XFRM, xsave: c.XSave,
		attributes: c.Attributes &^ (isa.AttrInit | isa.AttrCET), misc: c.MiscSelect &^ isa.MiscCPINFO,
		trace: c.Trace, hook: c.EPCMChanged,
	}
	return p, p.keys.powerOn(&c)
}

// EPCBase returns the physical address of the first EPC page.
func (p *Processor) EPCBase() PA { return p.base }

// EPCSize returns the size of the EPC in bytes.
func (p *Processor) EPCSize() uint64 { return p.pages * isa.PageSize }

// XFRM returns what XCR0 enables.
func (p *Processor) XFRM() isa.XFRM { return p.xfrm }

// XSave returns the layout of the XSAVE area.
func (p *Processor) XSave() XSaveLayout { return p.xsave }

// Attributes returns the attributes that ECREATE accepts (CPUID leaf 12H,
// subleaf 1).
func (p *Processor) Attributes() isa.AttributeFlags { return p.attributes }

// MiscSelect returns the MISCSELECT bits that ECREATE accepts (CPUID leaf
// 12H, subleaf 0).
func (p *Processor) MiscSelect() isa.MiscSelect { return p.misc }

// SetLEPubKeyHash writes IA32_SGXLEPUBKEYHASH: the MRSIGNER whose enclaves
// EINIT accepts without a token.
func (p *Processor) SetLEPubKeyHash(h [sha256.Size]byte) {
	p.mu.Lock()
	p.lePubKey = h
	p.mu.Unlock()
}

// page returns the number of the EPC page that contains pa.
func (p *Processor) page(pa PA) (uint64, bool) {
	n := uint64(pa-p.base) / isa.PageSize
	return n, pa >= p.base && n < p.pages
}

func (p *Processor) pa(n uint64) PA { return p.base + PA(n*isa.PageSize) }

// unlock ends a leaf that may have changed an EPCM entry, and tells of it.
func (p *Processor) unlock() {
	c := p.change
	p.change = change{}
	p.mu.Unlock()
	if c.told && p.hook != nil {
		p.hook(c.pa, c.linear)
	}
}

// changed notes that the EPCM entry of page n, which belongs to enclave e at
// linear, changed: whatever LPs have cached about e is void.
func (p *Processor) changed(e *enclave, n uint64, linear uint64) {
	e.version.Add(1)
	p.change = change{pa: p.pa(n), linear: linear, told: true}
}

// epcPage resolves an operand that must be a page-aligned EPC address.
func (p *Processor) epcPage(leaf string, pa PA) (uint64, error) {
	if pa%isa.PageSize != 0 {
		return 0, gp(leaf, "EPC page is not 4-KByte aligned")
	}
	n, ok := p.page(pa)
	if !ok {
		return 0, pf(leaf, uint64(pa), "address is not in the EPC")
	}
	return n, nil
}
