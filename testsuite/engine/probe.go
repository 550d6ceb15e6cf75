package engine

import (
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

// Layout of a probe, in pages from its base.
const (
	probePages = 512 // ELRANGE

	codePage   = 0 // readable and executable
	codePages  = 8
	dataPage   = 8 // readable and writable
	dataPages  = 16
	onlyR      = 25 // pages with other permissions
	onlyRWX    = 27
	tcsPage    = 32 // first thread
	tcsStride  = 32 // pages of each thread: TCS, SSA, thread data
	tdPage     = 31 // within a thread: FS and GS base
	sparePage  = 400
	sparePages = 64
)

// Offsets in the data pages, which code reaches by the label "data".
const (
	dataIn      = 0    // words that a test hands in
	dataOut     = 1024 // words that the code hands out
	dataHandler = 2048 // where entries with CSSA above zero go; zero to drop the frame
	dataLeaf    = 2056 // the leaf EEXIT, for code that hides it
	dataXSaveIn = 1 * isa.PageSize
	dataXSave   = 5 * isa.PageSize
	dataScratch = 10 * isa.PageSize // operands of leaves
)

// A probe describes an enclave for tests. It is a debug enclave, so that the
// test can look into it.
type probe struct {
	threads    int // TCSs; zero for one
	frames     uint32
	attributes isa.AttributeFlags // in addition
	noMisc     bool               // without EXINFO
	xfrm       isa.XFRM           // zero for all that the processor has
	tcsFlags   isa.TCSFlags
	entry      string // label of TCS.OENTRY; empty for the dispatcher
	noSymbols  bool   // the engine is not told of functions
	noRWX      bool   // no page is writable and executable at the start
	salt       byte

	routines []routine
}

// A routine is code that the dispatcher enters: RBX is where EEXIT goes, RSI,
// RDX and R8 are arguments. It ends by a jump to "exit" or "trap_exit".
type routine struct {
	name string
	emit func(a *asm.Assembler)
}

// code assembles the probe. The dispatcher enters routine RDI if CSSA is
// zero, and otherwise what dataHandler says.
func (pr *probe) code(t *testing.T) *asm.Program {
	t.Helper()
	a := asm.New()
	a.Define("data", dataPage*isa.PageSize)
	a.Define("scratch", dataPage*isa.PageSize+dataScratch)
	a.Func("dispatch")
	a.Test(asm.RAX, asm.RAX)
	a.Jcc(asm.NZ, "again")
	a.Mov(asm.RBX, asm.RCX)
	a.Lea(asm.RAX, asm.At("table"))
	a.Movsxd(asm.R11, asm.PtrIndex(asm.RAX, asm.RDI, 4, 0))
	a.Add(asm.R11, asm.RAX)
	a.JmpTo(asm.R11)
	a.Func("again")
	a.Mov(asm.RBX, asm.RCX)
	a.Cmp(data(dataHandler), asm.Imm(0))
	a.Jcc(asm.Z, "drop")
	a.JmpTo(data(dataHandler))
	a.Func("drop")
	a.Mov(asm.EAX, asm.Imm(isa.EDECCSSA))
	a.Enclu()
	a.Func("exit")
	a.Mov(asm.EAX, asm.Imm(isa.EEXIT))
	a.Enclu()
	a.Ud2()
	a.Func("trap_exit") // no engine can tell the leaf from the code
	a.Mov(asm.RAX, data(dataLeaf))
	a.Enclu()
	a.Ud2()
	for _, r := range pr.routines {
		a.Func(r.name)
		r.emit(a)
	}
	a.EndFunc()
	a.Align(8, 0xCC)
	a.Label("table")
	for _, r := range pr.routines {
		a.DataDiff(r.name, "table")
	}
	p, err := a.Assemble(0)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Code) > codePages*isa.PageSize {
		t.Fatalf("a probe of %d bytes", len(p.Code))
	}
	return p
}

// data is a word of the data pages.
func data(off int32) asm.Mem { return asm.Mem{Label: "data", Disp: off} }

// An enclave is a loaded probe.
type enclave struct {
	m     *machine
	probe *probe
	prog  *asm.Program
	rng   cpu.Range
	base  uint64
	secs  cpu.PA
	frame uint64 // SSA frame size in bytes
	tcs   []uint64
	index map[string]uint64 // of routines
}

// load builds a probe and maps it, with page tables that allow everything
// that SECINFO does.
func (m *machine) load(t *testing.T, pr *probe) *enclave {
	t.Helper()
	if pr.threads == 0 {
		pr.threads = 1
	}
	if pr.frames == 0 {
		pr.frames = 2
	}
	if pr.xfrm == 0 {
		pr.xfrm = m.p.XFRM()
	}
	e := &enclave{m: m, probe: pr, prog: pr.code(t), index: map[string]uint64{}}
	for i, r := range pr.routines {
		e.index[r.name] = uint64(i)
	}
	var err error
	e.rng, err = m.e.Reserve(probePages*isa.PageSize, 0)
	must(t, err)
	t.Cleanup(func() { e.unload(t) })
	e.base = e.rng.Base()

	layout := m.p.XSave()
	frame := (layout.Size(pr.xfrm) + isa.GPRSGXSize + isa.ExInfoSize + isa.PageSize - 1) / isa.PageSize
	e.frame = uint64(frame) * isa.PageSize
	secs := &isa.SECS{
		Size: probePages * isa.PageSize, BaseAddr: e.base, SSAFrameSize: frame, MiscSelect: isa.MiscEXINFO,
		Attributes: isa.Attributes{Flags: isa.AttrDebug | isa.AttrMode64Bit | pr.attributes, XFRM: pr.xfrm},
	}
	if pr.noMisc {
		secs.MiscSelect = 0
	}
	e.secs = m.page(t)
	must(t, m.p.ECREATE(e.secs, cpu.CreateInfo{SECS: secs, SecInfo: secInfo(isa.PTSECS, 0)}))
	b := &builder{t: t, e: e, hash: measure.New(secs.Size, frame)}
	b.pages()

	sig := &isa.SigStruct{
		Date: 0x20260101, MiscSelect: secs.MiscSelect, MiscMask: ^isa.MiscSelect(0), Attributes: secs.Attributes,
		AttributeMask: isa.Attributes{Flags: ^isa.AttributeFlags(0), XFRM: ^isa.XFRM(0)},
		EnclaveHash:   b.hash.Sum(), ISVProdID: 3, ISVSVN: 4,
	}
	key, err := signer()
	must(t, err)
	must(t, sign.Sign(sig, key))
	m.p.SetLEPubKeyHash(sign.MRSigner(sig))
	must(t, m.p.EINIT(e.secs, sig, nil))
	for _, run := range b.mapped {
		must(t, e.rng.Map(run.Linear, run.PA, run.Pages, run.Perm))
	}
	must(t, e.rng.Initialized(e.functions()))
	e.poke(t, dataPage*isa.PageSize+dataLeaf, uint64(isa.EEXIT))
	return e
}

// functions are the symbols of the probe.
func (e *enclave) functions() (all []cpu.Function) {
	if e.probe.noSymbols {
		return nil
	}
	for _, f := range e.prog.Funcs {
		all = append(all, cpu.Function{Start: e.base + f.Start, End: e.base + f.Start + f.Size})
	}
	return all
}

// unload removes what is left of the enclave.
func (e *enclave) unload(t *testing.T) {
	for _, run := range e.rng.Space().Mappings() {
		if err := e.rng.Unmap(run.Linear, run.Pages); err != nil {
			t.Error(err)
		}
	}
	if err := e.rng.Close(); err != nil {
		t.Error(err)
	}
}

// A builder adds and measures the pages of a probe.
type builder struct {
	t      *testing.T
	e      *enclave
	hash   *measure.Hash
	mapped []cpu.Mapping
}

func (b *builder) pages() {
	pr, e := b.e.probe, b.e
	for i := range uint64(codePages) {
		src := make([]byte, isa.PageSize)
		if from := i * isa.PageSize; from < uint64(len(e.prog.Code)) {
			copy(src, e.prog.Code[from:])
		}
		b.add(codePage+i, isa.PTREG, permRX, src)
	}
	first := make([]byte, isa.PageSize)
	first[isa.PageSize-1] = pr.salt
	for i := range uint64(dataPages) {
		b.add(dataPage+i, isa.PTREG, permRW, first)
		first = nil
	}
	ret := make([]byte, isa.PageSize) // jmp rbx at its start
	copy(ret, []byte{0xFF, 0xE3})
	b.add(onlyR, isa.PTREG, permR, ret)
	if !pr.noRWX {
		b.add(onlyRWX, isa.PTREG, permRWX, ret)
	}

	entry := pr.entry
	if entry == "" {
		entry = "dispatch"
	}
	oentry, ok := e.prog.Address(entry)
	if !ok {
		b.t.Fatalf("no label %s", entry)
	}
	for i := range uint64(pr.threads) {
		page := tcsPage + i*tcsStride
		tcs := isa.TCS{
			Flags: pr.tcsFlags, OSSA: (page + 1) * isa.PageSize, NSSA: pr.frames, OEntry: oentry,
			OFSBasGX: (page + tdPage) * isa.PageSize, OGSBasGX: (page + tdPage) * isa.PageSize, FSLimit: 0xFFF, GSLimit: 0xFFF,
		}
		src, _ := tcs.AppendBinary(nil)
		b.add(page, isa.PTTCS, 0, src)
		frames := uint64(pr.frames) * e.frame / isa.PageSize
		if frames > tdPage-1 {
			b.t.Fatalf("%d pages of SSA frames", frames)
		}
		for n := range frames {
			b.add(page+1+n, isa.PTREG, permRW, nil)
		}
		b.add(page+tdPage, isa.PTREG, permRW, nil)
		e.tcs = append(e.tcs, e.base+page*isa.PageSize)
	}
}

// add adds a page. Its content is not measured, which EINIT does not mind.
func (b *builder) add(page uint64, pt isa.PageType, perm isa.SecInfoFlags, src []byte) {
	b.t.Helper()
	pa, e := b.e.m.page(b.t), b.e
	linear := e.base + page*isa.PageSize
	si := secInfo(pt, perm)
	must(b.t, e.m.p.EADD(pa, cpu.AddInfo{LinAddr: linear, Src: src, SecInfo: si, SECS: e.secs}))
	b.hash.EADD(page*isa.PageSize, si)
	tables := cpu.Perm(perm)
	if pt == isa.PTTCS {
		tables = cpu.PermR | cpu.PermW
	}
	b.mapped = append(b.mapped, cpu.Mapping{Linear: linear, PA: pa, Pages: 1, Perm: tables})
}

// at returns the linear address of a label.
func (e *enclave) at(t *testing.T, label string) uint64 {
	t.Helper()
	off, ok := e.prog.Address(label)
	if !ok {
		t.Fatalf("no label %s", label)
	}
	return e.base + off
}

// page returns the linear address of a page.
func (e *enclave) page(n uint64) uint64 { return e.base + n*isa.PageSize }

// pa returns the EPC address behind an offset from the base.
func (e *enclave) pa(t *testing.T, off uint64) cpu.PA {
	t.Helper()
	pa, _, ok := e.rng.Space().Lookup(e.base + off)
	if !ok {
		t.Fatalf("nothing is mapped at %#x", off)
	}
	return pa
}

// peek and poke access a word of the enclave as a debugger does.
func (e *enclave) peek(t *testing.T, off uint64) uint64 {
	t.Helper()
	v, err := e.m.p.EDBGRD(e.pa(t, off))
	must(t, err)
	return v
}

func (e *enclave) poke(t *testing.T, off, v uint64) {
	t.Helper()
	must(t, e.m.p.EDBGWR(e.pa(t, off), v))
}

// bytes and write access n bytes of the enclave, a multiple of eight.
func (e *enclave) bytes(t *testing.T, off, n uint64) (b []byte) {
	t.Helper()
	for i := uint64(0); i < n; i += 8 {
		b = le.AppendUint64(b, e.peek(t, off+i))
	}
	return b
}

func (e *enclave) write(t *testing.T, off uint64, b []byte) {
	t.Helper()
	for ; len(b) > 0; off, b = off+8, b[8:] {
		e.poke(t, off, le.Uint64(b))
	}
}

// in writes the words that a routine reads at dataIn, out reads one that it
// left at dataOut.
func (e *enclave) in(t *testing.T, words ...uint64) {
	t.Helper()
	for i, w := range words {
		e.poke(t, dataPage*isa.PageSize+dataIn+8*uint64(i), w)
	}
}

func (e *enclave) out(t *testing.T, i int) uint64 {
	t.Helper()
	return e.peek(t, dataPage*isa.PageSize+dataOut+8*uint64(i))
}

// handle makes entries with CSSA above zero go to a label, or drop the frame
// if it is empty.
func (e *enclave) handle(t *testing.T, label string) {
	t.Helper()
	var to uint64
	if label != "" {
		to = e.at(t, label)
	}
	e.poke(t, dataPage*isa.PageSize+dataHandler, to)
}
