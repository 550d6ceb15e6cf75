package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/isa"
)

// Page flags as numbers, so that the tests do not share the code's constants.
const (
	pageR   isa.SecInfoFlags = 0x201
	pageRW  isa.SecInfoFlags = 0x203
	pageRX  isa.SecInfoFlags = 0x205
	pageRWX isa.SecInfoFlags = 0x207
	pageTCS isa.SecInfoFlags = 0x100
)

// page is one page of an image, for comparison.
type page struct {
	offset   uint64
	flags    isa.SecInfoFlags
	measured bool
	content  string // without trailing zeros
}

func flatten(m *Image) []page {
	var out []page
	buf := make([]byte, isa.PageSize)
	for i := range m.Runs {
		r := &m.Runs[i]
		for n := range r.Pages {
			r.Page(n, buf)
			out = append(out, page{r.Offset + n*isa.PageSize, r.Flags, r.Measured, strings.TrimRight(string(buf), "\x00")})
		}
	}
	return out
}

func comparePages(t *testing.T, got, want []page) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Fatalf("page %d missing: %#x flags %#x", i, want[i].offset, want[i].flags)
		case i >= len(want):
			t.Fatalf("page %d too many: %#x flags %#x", i, got[i].offset, got[i].flags)
		case got[i] != want[i]:
			t.Fatalf("page %d is %#x flags %#x measured %v, %d bytes; want %#x flags %#x measured %v, %d bytes; equal contents: %v", i,
				got[i].offset, got[i].flags, got[i].measured, len(got[i].content),
				want[i].offset, want[i].flags, want[i].measured, len(want[i].content), got[i].content == want[i].content)
		}
	}
}

// tcsTemplate is a TCS as the signing tool leaves it: OSSA, OFSBASGX and
// OGSBASGX relative to the page, OENTRY relative to the image.
func tcsTemplate() []byte {
	b := make([]byte, 72)
	le := binary.LittleEndian
	le.PutUint64(b[16:], 0x1000)
	le.PutUint32(b[28:], 2)
	le.PutUint64(b[32:], 0x234)
	le.PutUint64(b[48:], 0x3000)
	le.PutUint64(b[56:], 0x3010)
	le.PutUint64(b[64:], math.MaxUint64)
	return b
}

func tcsAt(offset uint64) string {
	b := tcsTemplate()
	le := binary.LittleEndian
	le.PutUint64(b[16:], 0x1000+offset)
	le.PutUint64(b[48:], 0x3000+offset)
	le.PutUint64(b[56:], 0x3010+offset)
	return string(b)
}

// baseMetadata has one of each kind of layout entry.
func baseMetadata(version uint64) *Metadata {
	m := &Metadata{
		Version: version, SSAFrameSize: 1, EnclaveSize: 1 << 20, TCSPolicy: PolicyUnbind, TCSMinPool: 1,
		Attributes:        isa.Attributes{Flags: isa.AttrMode64Bit, XFRM: 0xE7},
		DesiredMiscSelect: isa.MiscEXINFO,
		Layout: []LayoutEntry{
			{ID: LayoutHeapMin, Attributes: LayoutEADD, Pages: 16, RVA: 0x20000, Flags: pageRW},
			{ID: LayoutGuard, Pages: 16, RVA: 0x30000},
			{ID: LayoutStackMax, Attributes: LayoutEADD | LayoutEEXTEND, Pages: 2, RVA: 0x40000, Fill: 0xCCCCCCCC, Flags: pageRW},
			{ID: LayoutTCS, Attributes: LayoutEADD | LayoutEEXTEND, Pages: 1, RVA: 0x42000, Content: tcsTemplate(), Flags: pageTCS},
			{ID: LayoutSSA, Attributes: LayoutEADD | LayoutEEXTEND, Pages: 2, RVA: 0x43000, Flags: pageRW},
			{ID: LayoutTD, Attributes: LayoutEADD, Pages: 2, RVA: 0x45000, Content: pattern(9, 5000), Flags: pageRW},
			{ID: LayoutThreadGroup, Entries: 4, Times: 2, Step: 0x10000},
			{ID: LayoutTCS, Attributes: LayoutEADD | LayoutEEXTEND | LayoutEREMOVE, Pages: 1, RVA: 0x80000, Content: tcsTemplate(), Flags: pageTCS},
			{ID: LayoutUserRegion, Attributes: LayoutPostAdd, Pages: 4, RVA: 0x90000, Flags: pageRW},
		},
	}
	m.SigStruct.Signature[0] = 1 // signed, for what the parser cares
	m.SigStruct.MiscSelect = 4
	return m
}

// layoutPages are the pages of baseMetadata's layout.
func layoutPages() []page {
	var out []page
	for i := range uint64(16) {
		out = append(out, page{0x20000 + i*4096, pageRW, false, ""})
	}
	for k := range uint64(3) {
		s := k * 0x10000
		cc := strings.Repeat("\xCC", 4096)
		out = append(out, page{0x40000 + s, pageRW, true, cc}, page{0x41000 + s, pageRW, true, cc},
			page{0x42000 + s, pageTCS, true, tcsAt(0x42000 + s)},
			page{0x43000 + s, pageRW, true, ""}, page{0x44000 + s, pageRW, true, ""},
			page{0x45000 + s, pageRW, true, string(pattern(9, 4096))},
			page{0x46000 + s, pageRW, true, string(pattern(9, 5000)[4096:])})
	}
	return append(out, page{0x80000, pageTCS, true, tcsAt(0x80000)})
}

func baseSpec() elfSpec {
	return elfSpec{
		segments: []testSegment{
			{vaddr: 0x1000, flags: elf64.PermR | elf64.PermX, data: pattern(1, 5000)},
			{vaddr: 0x4234, flags: elf64.PermR | elf64.PermW, data: pattern(2, 4096), memsz: 0x3000},
		},
		dynsym: []string{"enclave_entry", "g_global_data"},
	}
}

// segmentPages are the pages of baseSpec's segments.
func segmentPages() []page {
	d := string(pattern(2, 4096))
	return []page{
		{0x1000, pageRX, true, string(pattern(1, 4096))},
		{0x2000, pageRX, true, string(pattern(1, 5000)[4096:])},
		{0x4000, pageRW, true, strings.Repeat("\x00", 0x234) + d[:0x1000-0x234]},
		{0x5000, pageRW, true, d[0x1000-0x234:]},
		{0x6000, pageRW, true, ""},
		{0x7000, pageRW, true, ""},
	}
}

func encode(t testing.TB, blocks ...*Metadata) []byte {
	var raw [][]byte
	for _, m := range blocks {
		b, err := m.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, b)
	}
	return AppendNote(nil, raw...)
}

func TestEveryVersion(t *testing.T) {
	for _, v := range []uint64{Version1_3, Version1_4, Version1_5, MakeVersion(2, 1), Version2_4, MakeVersion(3, 1), Version3_3, MakeVersion(11, 5), MakeVersion(13, 3)} {
		t.Run(fmt.Sprintf("%d.%d", v>>32, uint32(v)), func(t *testing.T) {
			meta := baseMetadata(v)
			var delta uint64
			wantSize := meta.EnclaveSize
			if v>>32 > 10 {
				meta.ELRange = &ELRange{Image: 0x7000_0040_0000, Start: 0x7000_0000_0000, Size: 1 << 24}
				delta, wantSize = 0x40_0000, 1<<24
			}
			spec := baseSpec()
			spec.note = encode(t, meta)
			m, err := Parse(spec.build().file)
			if err != nil {
				t.Fatal(err)
			}
			want := segmentPages()
			want = append(want, layoutPages()...)
			for i := range want {
				want[i].offset += delta
			}
			comparePages(t, flatten(m), want)
			if m.Version != v || m.Size != wantSize || m.SSAFrameSize != 1 || m.ThreadPolicy != PolicyUnbind || m.TCSMinPool != 1 {
				t.Errorf("header: %+v", m)
			}
			if delta != 0 && m.Base != 0x7000_0000_0000 || delta == 0 && m.Base != 0 {
				t.Errorf("base %#x", m.Base)
			}
			if m.MiscSelect != 5 || m.Attributes != meta.Attributes || m.SigStruct == nil || m.Mode != ModeHardware || m.Format != FormatIntel {
				t.Errorf("identity: %+v", m)
			}
			if m.HeapSize != 16*4096 {
				t.Errorf("heap of %#x bytes", m.HeapSize)
			}
			threads := []Thread{{0x42000 + delta, true}, {0x52000 + delta, true}, {0x62000 + delta, true}, {0x80000 + delta, false}}
			if !slices.Equal(m.Threads, threads) {
				t.Errorf("threads %+v", m.Threads)
			}
		})
	}
}

// TestHeapIDs: what is heap depends on the version's identifiers.
func TestHeapIDs(t *testing.T) {
	for _, c := range []struct {
		version uint64
		want    uint64
	}{{Version1_3, 1}, {Version1_4, 1 + 2 + 8 + 16}} {
		meta := &Metadata{Version: c.version, SSAFrameSize: 1, EnclaveSize: 1 << 20}
		at := uint64(0x20000)
		for i, id := range []uint16{LayoutHeapMin, LayoutHeapInit, LayoutTD, LayoutRsrvMin, LayoutRsrvInit} {
			meta.Layout = append(meta.Layout, LayoutEntry{ID: id, Attributes: LayoutEADD, Pages: 1 << i, RVA: at, Flags: pageRW})
			at += 0x20000
		}
		spec := baseSpec()
		spec.note = encode(t, meta)
		m, err := Parse(spec.build().file)
		if err != nil {
			t.Fatal(err)
		}
		if m.HeapSize != c.want*4096 {
			t.Errorf("version %#x: heap of %d pages, want %d", c.version, m.HeapSize/4096, c.want)
		}
	}
}

func TestSelection(t *testing.T) {
	v := MakeVersion
	for _, c := range []struct {
		file         []uint64
		static, edmm uint64
	}{
		{[]uint64{v(2, 4), v(2, 1), v(1, 4)}, v(1, 4), v(1, 4)},
		{[]uint64{v(3, 3), v(1, 5)}, v(1, 5), v(3, 3)},
		{[]uint64{v(1, 5), v(3, 3)}, v(1, 5), v(3, 3)},
		{[]uint64{v(1, 4), v(1, 5), v(1, 3)}, v(1, 5), v(1, 5)},
		{[]uint64{v(2, 1), v(2, 4), v(2, 3)}, v(2, 4), v(2, 4)},
		{[]uint64{v(3, 3), v(2, 4)}, v(3, 3), v(3, 3)},
		{[]uint64{v(3, 3)}, v(3, 3), v(3, 3)},
		{[]uint64{v(7, 1), v(1, 4)}, v(1, 4), v(1, 4)},
		{[]uint64{v(13, 3), v(11, 5)}, v(11, 5), v(13, 3)},
	} {
		var blocks [][]byte
		for _, version := range c.file {
			meta := baseMetadata(version)
			if hasELRange(version) {
				meta.ELRange = &ELRange{Image: 1 << 20, Start: 1 << 20, Size: 1 << 20}
			}
			if !knownVersion(version) {
				meta.Version = Version1_4
			}
			b, err := meta.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			binary.LittleEndian.PutUint64(b[8:], version)
			blocks = append(blocks, b)
		}
		spec := baseSpec()
		spec.note = AppendNote(nil, blocks...)
		file := spec.build().file
		for _, o := range []struct {
			want uint64
			opts []Option
		}{{c.static, nil}, {c.edmm, []Option{WithEDMM()}}} {
			m, err := Parse(file, o.opts...)
			if err != nil {
				t.Fatal(err)
			}
			if m.Version != o.want || !slices.Equal(m.Versions, c.file) {
				t.Errorf("of %x chose %x, want %x (EDMM %v)", m.Versions, m.Version, o.want, o.opts != nil)
			}
		}
	}
}

// TestZeroPage: metadata 1.3 inserts a page after a segment whose rounded
// size, added to its unaligned start, reaches a further page.
func TestZeroPage(t *testing.T) {
	for _, c := range []struct {
		name     string
		version  uint64
		segments []testSegment
		want     []uint64 // page offsets
	}{
		{"last segment", Version1_3, []testSegment{{vaddr: 0x1800, flags: elf64.PermR, data: pattern(1, 16)}}, []uint64{0x1000, 0x2000}},
		{"other version", Version1_4, []testSegment{{vaddr: 0x1800, flags: elf64.PermR, data: pattern(1, 16)}}, []uint64{0x1000}},
		{"reaches by itself", Version1_3, []testSegment{{vaddr: 0x1800, flags: elf64.PermR, data: pattern(1, 0x900)}}, []uint64{0x1000, 0x2000}},
		{"aligned", Version1_3, []testSegment{{vaddr: 0x1000, flags: elf64.PermR, data: pattern(1, 16)}}, []uint64{0x1000}},
		{"at address zero", Version1_3, []testSegment{{vaddr: 0, flags: elf64.PermR, data: pattern(1, 16)}}, []uint64{0}},
		{"before the next", Version1_3, []testSegment{
			{vaddr: 0x1800, flags: elf64.PermR, data: pattern(1, 16)}, {vaddr: 0x5000, flags: elf64.PermR, data: pattern(2, 16)},
		}, []uint64{0x1000, 0x2000, 0x5000}},
		{"taken by the next", Version1_3, []testSegment{
			{vaddr: 0x1800, flags: elf64.PermR, data: pattern(1, 16)}, {vaddr: 0x2000, flags: elf64.PermR, data: pattern(2, 16)},
		}, []uint64{0x1000, 0x2000}},
	} {
		meta := &Metadata{Version: c.version, SSAFrameSize: 1, EnclaveSize: 1 << 16}
		m, err := Parse(elfSpec{segments: c.segments, note: encode(t, meta)}.build().file)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []uint64
		for _, p := range flatten(m) {
			got = append(got, p.offset)
			if !p.measured || p.flags != pageR {
				t.Errorf("%s: page %#x flags %#x measured %v", c.name, p.offset, p.flags, p.measured)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: pages %#x, want %#x", c.name, got, c.want)
		}
	}
}

func TestTextRelocations(t *testing.T) {
	tables := append(rela(0x1008, 0x2010, 0x2020, 0x3FF9, 0x8008), rela(0x1000, 0x6FF8)...)
	spec := elfSpec{
		segments: []testSegment{
			{vaddr: 0x1000, flags: elf64.PermR | elf64.PermX, data: pattern(1, 5*4096), memsz: 7 * 4096}, // pages 1-5 raw, 6-7 zero
			{vaddr: 0x8000, flags: elf64.PermR | elf64.PermW, data: tables},
		},
		dynamic: []uint64{
			elf64.DynTextRel, 0, elf64.DynRela, 0x8000, elf64.DynRelaSz, 5 * 24, elf64.DynJmpRel, 0x8000 + 5*24, elf64.DynPltRelSz, 2 * 24, 0, 0,
		},
		note: encode(t, &Metadata{Version: Version1_4, SSAFrameSize: 1, EnclaveSize: 1 << 16}),
	}
	flags := func(spec elfSpec) string {
		m, err := Parse(spec.build().file)
		if err != nil {
			return err.Error()
		}
		var out []string
		for _, p := range flatten(m) {
			out = append(out, fmt.Sprintf("%x:%x", p.offset>>12, p.flags))
		}
		return strings.Join(out, " ")
	}
	// 0x3FF9 spills into page 4; page 6 holds no file bytes; page 1 only NONE.
	if got, want := flags(spec), "1:205 2:207 3:207 4:207 5:205 6:205 7:205 8:203"; got != want {
		t.Errorf("with DT_TEXTREL: %s\nwant %s", got, want)
	}
	spec.dynamic = spec.dynamic[2:]
	if got, want := flags(spec), "1:205 2:205 3:205 4:205 5:205 6:205 7:205 8:203"; got != want {
		t.Errorf("without DT_TEXTREL: %s\nwant %s", got, want)
	}
	spec.dynamic = []uint64{elf64.DynTextRel, 0, elf64.DynRela, 0x8000, elf64.DynRelaSz, 1 << 40}
	if got := flags(spec); !strings.Contains(got, "relocation table") {
		t.Errorf("table outside: %s", got)
	}
}

func TestPatches(t *testing.T) {
	spec := baseSpec()
	spec.note = encode(t, baseMetadata(Version1_4)) // for the offsets only
	at := spec.build().segments[0]
	meta := baseMetadata(Version1_4)
	meta.Patches = []Patch{{at + 10, []byte("patched")}, {60, make([]byte, 4)}} // the latter: e_shnum, e_shstrndx
	spec.note = encode(t, meta)
	file := spec.build().file
	before := bytes.Clone(file)
	m, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, before) {
		t.Error("Parse changed its input")
	}
	want := pattern(1, 4096)
	copy(want[10:], "patched")
	if !bytes.Equal(m.Runs[0].Data[:4096], want) {
		t.Error("segment was not patched")
	}
	for i := range file { // and it must not share memory
		file[i] = 0xAA
	}
	if !bytes.Equal(m.Runs[0].Data[:4096], want) {
		t.Error("image shares the input's memory")
	}
}

func TestSharedObject(t *testing.T) {
	object := elfSpec{segments: []testSegment{{vaddr: 0, flags: elf64.PermR | elf64.PermX, data: pattern(5, 100)}, {vaddr: 0x2010, flags: elf64.PermR | elf64.PermW, data: pattern(6, 10)}}}.build()
	meta := baseMetadata(Version1_5)
	spec := baseSpec()
	spec.tail = object.file
	extends := func(off uint64) []Extend {
		le := binary.LittleEndian
		d := le.AppendUint64(le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, off), 0x10000), uint64(len(object.file))), 0)
		return []Extend{{ExtendFIPSSignature, pattern(0, 772)}, {ExtendSharedObject, d}, {ExtendSharedObject, []byte("only the first counts")}}
	}
	meta.Extends = extends(0)
	spec.note = encode(t, meta)
	tail := spec.build().tail
	meta.Extends = extends(tail)
	spec.note = encode(t, meta)
	m, err := Parse(spec.build().file)
	if err != nil {
		t.Fatal(err)
	}
	want := append(segmentPages(), page{0x10000, pageRX, true, string(pattern(5, 100))},
		page{0x12000, pageRW, true, strings.Repeat("\x00", 16) + string(pattern(6, 10))})
	comparePages(t, flatten(m), append(want, layoutPages()...))

	meta.Extends = extends(tail + 1)
	spec.note = encode(t, meta)
	if _, err := Parse(spec.build().file); !errors.Is(err, ErrMalformed) {
		t.Errorf("object out of the file: %v", err)
	}
}

func TestModes(t *testing.T) {
	signed := encode(t, baseMetadata(Version1_4))
	unsignedMeta := baseMetadata(Version1_4)
	unsignedMeta.SigStruct = isa.SigStruct{}
	unsigned := encode(t, unsignedMeta)
	for _, c := range []struct {
		name   string
		dynsym []string
		note   []byte
		mode   Mode
		err    error
		text   string
	}{
		{"signed", []string{"g_global_data"}, signed, ModeHardware, nil, ""},
		{"simulation", []string{"g_global_data", "g_global_data_sim"}, signed, ModeSimulation, nil, ""},
		{"no signature", []string{"g_global_data"}, unsigned, ModeUnsigned, nil, ""},
		{"no signature, simulation", []string{"g_global_data_sim"}, unsigned, ModeSimulation, nil, ""},
		{"empty metadata", []string{"g_global_data"}, AppendNote(nil, make([]byte, 0x6000)), "", ErrUnsigned, "holds no metadata"},
		{"no section", []string{"enclave_entry"}, nil, "", ErrUnsigned, "sign the file first"},
		{"a library", []string{"printf"}, nil, "", ErrNotEnclave, "without section"},
		{"stripped library", nil, nil, "", ErrNotEnclave, "without section"},
	} {
		spec := baseSpec()
		spec.dynsym, spec.note = c.dynsym, c.note
		m, err := Parse(spec.build().file)
		if !errors.Is(err, c.err) || c.err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
			continue
		}
		if err == nil && (m.Mode != c.mode || (m.SigStruct == nil) != strings.HasPrefix(c.name, "no signature")) {
			t.Errorf("%s: mode %q, SIGSTRUCT %v", c.name, m.Mode, m.SigStruct != nil)
		}
	}
	spec := baseSpec()
	spec.note = unsigned
	s := isa.SigStruct{ISVSVN: 9}
	raw, _ := s.AppendBinary(nil)
	m, err := Parse(spec.build().file, WithSigStruct(raw))
	if err != nil || m.Mode != ModeHardware || m.SigStruct.ISVSVN != 9 {
		t.Errorf("separate SIGSTRUCT: %v, %+v", err, m)
	}
	if _, err := Parse(spec.build().file, WithSigStruct(raw[1:])); !errors.Is(err, ErrMalformed) {
		t.Errorf("short SIGSTRUCT: %v", err)
	}
}

func TestSymbolsAndCode(t *testing.T) {
	meta := baseMetadata(MakeVersion(11, 5))
	meta.ELRange = &ELRange{Image: 0x210000, Start: 0x200000, Size: 0x200000}
	spec := baseSpec()
	spec.symtab = []Symbol{{"late", 0x1800, 16}, {"early", 0x1100, 32}, {"outside", 1 << 40, 1}, {"", 0x1200, 1}}
	spec.text = []Range{{0x1400, 0x1900}, {0x1000, 0x1300}, {1 << 30, 1<<30 + 4}}
	spec.note = encode(t, meta)
	spec.segments[0].data = append(spec.segments[0].data, "SGX_TRTS_VERSION_2.13.100.4\x00"...)
	file := spec.build().file
	m, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Symbol{{"early", 0x11100, 32}, {"late", 0x11800, 16}}; !slices.Equal(m.Symbols, want) {
		t.Errorf("symbols %+v", m.Symbols)
	}
	if want := []Range{{0x11000, 0x11300}, {0x11400, 0x11900}}; !slices.Equal(m.Code, want) {
		t.Errorf("code %+v", m.Code)
	}
	if m.SDK != "2.13.100.4" {
		t.Errorf("SDK %q", m.SDK)
	}
	for _, c := range []struct {
		offset uint64
		name   string
		plus   uint64
		ok     bool
	}{{0x11104, "early", 4, true}, {0x11800, "late", 0, true}, {0x110FF, "", 0, false}, {0x20000, "late", 0xE800, true}} {
		if name, plus, ok := m.Symbol(c.offset); name != c.name || plus != c.plus || ok != c.ok {
			t.Errorf("Symbol(%#x) = %q+%#x %v", c.offset, name, plus, ok)
		}
	}
	spec.symtab = nil
	m, err = Parse(spec.build().file)
	if err != nil || len(m.Symbols) != 2 || m.Symbols[0].Name != "enclave_entry" {
		t.Errorf("stripped: %+v, %v", m, err)
	}
}
