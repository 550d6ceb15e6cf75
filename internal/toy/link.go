package toy

import (
	"fmt"

	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

// linked is an enclave whose segments are laid out and assembled.
type linked struct {
	rodata, text, data *asm.Program
	dynsym, dynstr     []byte
	rela, dynamic      []byte
	bss, bssSize       uint64
	entry, global      uint64
	plan               plan
	at                 addresses
}

// addresses are those of the sections; the file has them at equal offsets.
type addresses struct {
	dynsym, dynstr, rela, rodata uint64 // segment R, from 0
	text                         uint64 // segment RX
	dynamic, data                uint64 // segment RW
}

func align(n, to uint64) uint64 { return (n + to - 1) &^ (to - 1) }

// link assembles the sections and resolves what they know of each other.
func link(o *Options) (*linked, error) {
	rt := newRuntime(o)
	rt.entry()
	rt.ecalls()
	rt.EndFunc()
	rt.Align(16, 0xCC)
	rt.Label("text_word") // what TextRel relocates
	rt.Data64(0)

	ro, roNames := rodata(o)
	data, dataNames := globals()

	l := &linked{}
	global := "g_global_data"
	if o.Simulation {
		global = "g_global_data_sim"
	}
	strs := newStrings()
	names := []uint32{strs.add("enclave_entry"), strs.add(global)}
	l.dynstr = strs.b
	if o.TextRel {
		l.rela = make([]byte, relaSize)
	}

	l.at.dynsym = ehdrSize + phdrCount*phdrSize
	l.at.dynstr = l.at.dynsym + 3*symSize
	l.at.rela = align(l.at.dynstr+uint64(len(l.dynstr)), 8)
	l.at.rodata = align(l.at.rela+uint64(len(l.rela)), 64)
	l.at.text = roundUp(l.at.rodata + uint64(ro.Len()))
	l.at.dynamic = roundUp(l.at.text + uint64(rt.Len()))
	l.at.data = align(l.at.dynamic+dynCount*dynSize, 64)
	l.bss = roundUp(l.at.data + uint64(data.Len()))
	l.bssSize = ScratchSize

	for _, n := range roNames {
		off, _ := ro.Position(n)
		rt.Define(n, l.at.rodata+uint64(off))
	}
	for _, n := range dataNames {
		off, _ := data.Position(n)
		rt.Define(n, l.at.data+uint64(off))
	}
	rt.Define("g_scratch", l.bss)
	rt.Define("image_base", 0)

	var err error
	if l.text, err = rt.Assemble(l.at.text); err != nil {
		return nil, fmt.Errorf("toy: text: %w", err)
	}
	for _, n := range tableNames() {
		a, ok := l.text.Address(n)
		if !ok {
			return nil, fmt.Errorf("toy: no function %s", n)
		}
		ro.Define(n, a)
	}
	if l.rodata, err = ro.Assemble(l.at.rodata); err != nil {
		return nil, fmt.Errorf("toy: rodata: %w", err)
	}
	if l.data, err = data.Assemble(l.at.data); err != nil {
		return nil, fmt.Errorf("toy: data: %w", err)
	}
	l.entry, _ = l.text.Address("enclave_entry")
	l.global, _ = l.data.Address("g_global_data")
	l.dynsym = append(make([]byte, symSize), symbol(names[0], symFunc, secText, l.entry, l.text.Funcs[0].Size)...)
	l.dynsym = append(l.dynsym, symbol(names[1], symObject, secData, l.global, globalSize)...)
	l.makeDynamic(o)
	l.plan = newPlan(o, l.bss+l.bssSize)
	return l, nil
}

// tableNames are the functions that tables in .rodata point to.
func tableNames() (names []string) {
	for i := range ECALL(ecallCount) {
		names = append(names, i.String())
	}
	for i := range FaultKind(faultCount) {
		names = append(names, FaultSymbol(i))
	}
	return names
}

// rodata emits the constants and returns the names that code uses.
func rodata(o *Options) (a *asm.Assembler, names []string) {
	a = asm.New()
	label := func(name string, alignment int) {
		a.Align(alignment, 0)
		a.Label(name)
		names = append(names, name)
	}
	label("vector_pattern", 32)
	for i := range 16 {
		p := vectorPattern(i)
		a.Data(p[:]...)
	}
	label("gpr_pattern", 8)
	a.Data64(gprPattern()...)
	label("one", 16)
	a.Data64(0x3FF0000000000000, 0) // 1.0
	label("ecall_table", 8)
	for i := range ECALL(ecallCount) {
		a.DataDiff(i.String(), "ecall_table")
	}
	label("fault_table", 8)
	for i := range FaultKind(faultCount) {
		a.DataDiff(FaultSymbol(i), "fault_table")
	}
	label("mxcsr_default", 8)
	a.Data64(mxcsrDefault)
	label("mxcsr_zm", 8)
	a.Data64(mxcsrZM)
	label("leaf_eexit", 8)
	a.Data64(uint64(isa.EEXIT))
	label("salt", 8)
	a.Data64(o.Salt)
	if o.SDKVersion != "" {
		a.Data(append([]byte("SGX_TRTS_VERSION_"+o.SDKVersion), 0)...)
	}
	return a, names
}

// globals emits .data.
func globals() (a *asm.Assembler, names []string) {
	a = asm.New()
	for _, g := range []struct {
		name string
		size int
	}{{"g_crashed", 8}, {"g_init", 8}, {"g_global_data", globalSize}} {
		a.Align(16, 0)
		a.Label(g.name)
		content := make([]byte, g.size)
		if g.size == globalSize {
			le.PutUint64(content, globalSDK)
		}
		a.Data(content...)
		names = append(names, g.name)
	}
	return a, names
}
