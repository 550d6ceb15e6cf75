package cpu

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"

	"github.com/feidi-dev/feidi/isa"
)

// EvictedPage is an EPC page in ordinary memory: what EWB writes and ELDU and
// ELDB read.
type EvictedPage struct {
	LinAddr uint64             // PAGEINFO.LINADDR
	Data    [isa.PageSize]byte // the encrypted page
	PCMD    isa.PCMD
}

// vaSlotSize is the size of a slot of a version array.
const vaSlotSize = 8

// vaSlot resolves the version array slot of EWB and ELDU/ELDB: the slot's
// page, and its offset there.
func (p *Processor) vaSlot(leaf string, slot PA) (n, off uint64, err error) {
	if slot%vaSlotSize != 0 {
		return 0, 0, gp(leaf, "VA slot is not 8-Byte aligned")
	}
	n, ok := p.page(slot)
	if !ok {
		return 0, 0, pf(leaf, uint64(slot), "VA slot is not in the EPC")
	}
	return n, uint64(slot) % isa.PageSize, nil
}

// EWB moves an EPC page to ordinary memory, encrypted, and leaves its version
// in vaSlot (SDM Vol. 3D, "EWB"). It returns SGX_PAGE_NOT_BLOCKED,
// SGX_NOT_TRACKED or SGX_CHILD_PRESENT if the page cannot go; with
// SGX_VA_SLOT_OCCUPIED, which hardware reports in CF rather than in ZF, it
// went, and what the slot held is lost.
func (p *Processor) EWB(pa PA, out *EvictedPage, vaSlot PA) error {
	p.mu.Lock()
	err := p.ewb(pa, out, vaSlot)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(isa.EWB, err, Operand{"EPCPAGE", uint64(pa)}, Operand{"VASLOT", uint64(vaSlot)})
	}
	return err
}

func (p *Processor) ewb(pa PA, out *EvictedPage, vaSlot PA) error {
	const leaf = "EWB"
	n, err := p.epcPage(leaf, pa)
	if err != nil {
		return err
	}
	va, off, err := p.vaSlot(leaf, vaSlot)
	if err != nil {
		return err
	}
	if va == n {
		return gp(leaf, "page and VA slot are in one EPC page")
	}
	e := p.epcm.get(n)
	if !e.valid() {
		return pf(leaf, uint64(pa), "EPC page is not valid")
	}
	if !p.epcm.get(va).hasType(isa.PTVA) {
		return pf(leaf, uint64(vaSlot), "VA slot is not in a version array")
	}
	h := pageHeader{secInfo: isa.SecInfo{Flags: isa.SecInfoFlags(e.state & epcmSecInfo)}, linear: e.linear()}
	pcmd := isa.PCMD{SecInfo: h.secInfo}
	plain := p.mem.Page(n)
	switch {
	case e.child():
		s := p.enclaves[e.secs]
		if !e.is(epcmBlocked) {
			return isa.ErrPageNotBlocked
		}
		if !s.tracked(e.epoch) {
			return isa.ErrNotTracked
		}
		h.eid, pcmd.EnclaveID = s.eid, s.eid
		if t := p.threads[uint32(n)]; t != nil {
			t.sync(plain)
		}
	case e.pt() == isa.PTSECS:
		s := p.enclaves[uint32(n)]
		if s.children > 0 {
			return isa.ErrChildPresent
		}
		pcmd.EnclaveID = s.eid
		plain = s.encode()
		if s.measure != nil {
			p.building[s.eid] = s.measure
		}
		s.version.Add(1)
		delete(p.enclaves, uint32(n))
	}
	version := p.nextVer
	p.nextVer++
	p.keys.seal(out.Data[:], &pcmd.MAC, plain, version, &h)
	out.LinAddr, out.PCMD = e.linear(), pcmd

	slot := p.mem.Page(va)[off : off+vaSlotSize]
	occupied := binary.LittleEndian.Uint64(slot) != 0
	binary.LittleEndian.PutUint64(slot, version)
	p.free(n, e)
	if occupied {
		return isa.ErrVASlotOccupied
	}
	return nil
}

// ELDU brings a page back that EWB evicted, in page dst of the EPC
// (SDM Vol. 3D, "ELDB/ELDU"). secs is the SECS of the page's enclave, zero for
// a PT_SECS or PT_VA page. It returns SGX_MAC_COMPARE_FAIL if the page is not
// what was evicted under the version in vaSlot.
func (p *Processor) ELDU(dst PA, page *EvictedPage, secs, vaSlot PA) error {
	return p.loadPage(isa.ELDU, dst, page, secs, vaSlot)
}

// ELDB is ELDU, but leaves the page blocked.
func (p *Processor) ELDB(dst PA, page *EvictedPage, secs, vaSlot PA) error {
	return p.loadPage(isa.ELDB, dst, page, secs, vaSlot)
}

func (p *Processor) loadPage(leaf isa.ENCLS, dst PA, page *EvictedPage, secs, vaSlot PA) error {
	p.mu.Lock()
	err := p.eld(leaf, dst, page, secs, vaSlot)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(leaf, err, Operand{"LINADDR", page.LinAddr}, Operand{"SECS", uint64(secs)},
			Operand{"EPCPAGE", uint64(dst)}, Operand{"VASLOT", uint64(vaSlot)})
	}
	return err
}

func (p *Processor) eld(op isa.ENCLS, dst PA, page *EvictedPage, secs, vaSlot PA) error {
	leaf := op.String()
	n, err := p.epcPage(leaf, dst)
	if err != nil {
		return err
	}
	va, off, err := p.vaSlot(leaf, vaSlot)
	if err != nil {
		return err
	}
	if p.epcm.get(n).valid() {
		return pf(leaf, uint64(dst), "EPC page is already valid")
	}
	if !p.epcm.get(va).hasType(isa.PTVA) {
		return pf(leaf, uint64(vaSlot), "VA slot is not in a version array")
	}
	flags := page.PCMD.SecInfo.Flags
	h := pageHeader{secInfo: page.PCMD.SecInfo, linear: page.LinAddr, reserved: page.PCMD.Reserved}
	var s *enclave
	switch flags.PageType() {
	case isa.PTREG, isa.PTTCS, isa.PTTRIM:
		if s, err = p.secsOperand(leaf, secs); err != nil {
			return err
		}
		h.eid = s.eid
	default:
		if secs != 0 {
			return gp(leaf, "SECS given for a page that belongs to no enclave")
		}
	}
	slot := p.mem.Page(va)[off : off+vaSlotSize]
	version := binary.LittleEndian.Uint64(slot)
	plain := make([]byte, isa.PageSize)
	if version == 0 || !p.keys.open(plain, page, version, &h) {
		return isa.ErrMACCompareFail
	}
	clear(slot)

	entry := epcmEntry{state: page.LinAddr | epcmValid | uint64(flags)&epcmSecInfo}
	switch {
	case s != nil:
		copy(p.mem.Page(n), plain)
		entry.secs = s.page // and epoch zero: no translation can be left
		if op == isa.ELDB {
			entry.state |= epcmBlocked
		}
		s.children++
		if entry.hasType(isa.PTTCS) && !entry.is(epcmModified) {
			p.addThread(plain, s, n, page.LinAddr)
		}
		p.changed(s, n, page.LinAddr)
	case flags.PageType() == isa.PTSECS:
		s := decodeSECS(plain, uint32(n))
		if !s.init {
			s.measure = p.building[s.eid]
			delete(p.building, s.eid)
		}
		p.enclaves[s.page] = s
	default:
		copy(p.mem.Page(n), plain)
	}
	*p.epcm.at(n) = entry
	return nil
}

// pageHeader is what the MAC of an evicted page covers beside its content.
type pageHeader struct {
	secInfo  isa.SecInfo
	eid      uint64
	linear   uint64
	reserved [40]byte
}

// encode returns the 128 bytes of the header.
func (h *pageHeader) encode() []byte {
	b, _ := h.secInfo.AppendBinary(make([]byte, 0, 128))
	b = binary.LittleEndian.AppendUint64(b, h.eid)
	b = binary.LittleEndian.AppendUint64(b, h.linear)
	b = append(b, h.reserved[:]...)
	return append(b, make([]byte, 8)...)
}

// gcm returns AES-128-GCM under the paging key, and the nonce of a version:
// the version shifted left by 32 bits, which is never used twice.
func (k *keys) gcm(version uint64) (cipher.AEAD, []byte) {
	block, err := aes.NewCipher(k.paging[:])
	if err != nil {
		panic(err) // unreachable: the key has the right size
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // unreachable: AES has 16-byte blocks
	}
	nonce := make([]byte, g.NonceSize())
	binary.LittleEndian.PutUint64(nonce[4:], version)
	return g, nonce
}

// seal encrypts a page to dst.
func (k *keys) seal(dst []byte, mac *[16]byte, plain []byte, version uint64, h *pageHeader) {
	g, nonce := k.gcm(version)
	b := g.Seal(nil, nonce, plain, h.encode())
	copy(mac[:], b[copy(dst, b):])
}

// open decrypts a page to dst, and reports whether its MAC is right.
func (k *keys) open(dst []byte, page *EvictedPage, version uint64, h *pageHeader) bool {
	g, nonce := k.gcm(version)
	b := append(append(make([]byte, 0, isa.PageSize+16), page.Data[:]...), page.PCMD.MAC[:]...)
	_, err := g.Open(dst[:0], nonce, b, h.encode())
	return err == nil
}
