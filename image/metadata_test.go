package image

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

func TestMetadataRoundTrip(t *testing.T) {
	for _, v := range []uint64{Version1_3, Version1_4, Version1_5, Version2_4, Version3_3, MakeVersion(11, 5), MakeVersion(13, 3)} {
		m := baseMetadata(v)
		m.MaxSaveBufferSize, m.Size = 0xA80, 0x6000
		m.SigStruct.ISVSVN = 12
		m.Patches = []Patch{{0x1234, []byte("abc")}, {60, make([]byte, 6)}}
		if hasELRange(v) {
			m.ELRange = &ELRange{1, 2, 3}
		}
		if hasExtend(v) {
			m.Extends = []Extend{{ExtendFIPSSignature, pattern(3, 40)}, {ExtendSharedObject, pattern(4, 32)}}
		}
		b, err := m.AppendBinary([]byte("prefix"))
		if err != nil {
			t.Fatal(err)
		}
		if b = b[6:]; len(b) != 0x6000 {
			t.Errorf("version %#x: %#x bytes", v, len(b))
		}
		got, err := ParseMetadata(append(bytes.Clone(b), "what follows"...))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, m) {
			t.Errorf("version %#x: read back\n%+v, want\n%+v", v, got, m)
		}
	}
}

// TestMetadataLayout checks the encoding against the documented offsets.
func TestMetadataLayout(t *testing.T) {
	m := &Metadata{
		Version: Version1_5, TCSPolicy: 1, SSAFrameSize: 2, MaxSaveBufferSize: 3, DesiredMiscSelect: 4, TCSMinPool: 5,
		EnclaveSize: 1 << 30, Attributes: isa.Attributes{Flags: 6, XFRM: 7},
		Patches: []Patch{{0x11, []byte("abcde")}},
		Layout: []LayoutEntry{
			{ID: LayoutTCS, Attributes: 3, Pages: 1, RVA: 0x5000, Content: []byte("abcde"), Flags: pageTCS},
			{ID: LayoutStackMin, Attributes: 3, Pages: 2, RVA: 0x6000, Fill: 0xCCCCCCCC, Flags: pageRW},
			{ID: LayoutThreadGroup, Entries: 2, Times: 9, Step: 0x10000},
		},
		Extends: []Extend{{ExtendFIPSSignature, []byte("sig")}},
	}
	m.SigStruct.Q2[383] = 0x5A
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	for _, c := range []struct {
		name      string
		got, want uint64
	}{
		{"magic", le.Uint64(b), 0x86A80294635D0E4C},
		{"version", le.Uint64(b[8:]), 0x1_00000005},
		{"size", uint64(le.Uint32(b[16:])), uint64(len(b))},
		{"tcs_policy", uint64(le.Uint32(b[20:])), 1},
		{"ssa_frame_size", uint64(le.Uint32(b[24:])), 2},
		{"max_save_buffer_size", uint64(le.Uint32(b[28:])), 3},
		{"desired_misc_select", uint64(le.Uint32(b[32:])), 4},
		{"tcs_min_pool", uint64(le.Uint32(b[36:])), 5},
		{"enclave_size", le.Uint64(b[40:]), 1 << 30},
		{"flags", le.Uint64(b[48:]), 6},
		{"xfrm", le.Uint64(b[56:]), 7},
		{"last byte of SIGSTRUCT", uint64(b[1871]), 0x5A},
		{"data of four directories", uint64(b[1904]), 'a'},
	} {
		if c.got != c.want {
			t.Errorf("%s = %#x, want %#x", c.name, c.got, c.want)
		}
	}
	dir := func(n int) []byte {
		off, size := le.Uint32(b[1872+8*n:]), le.Uint32(b[1876+8*n:])
		return b[off : off+size]
	}
	patch, layout, ext := dir(0), dir(1), dir(3)
	if len(patch) != 32 || le.Uint64(patch) != 0x11 || le.Uint32(patch[12:]) != 5 || string(b[le.Uint32(patch[8:]):][:5]) != "abcde" {
		t.Errorf("patch table %x", patch)
	}
	if len(layout) != 96 || le.Uint16(layout) != 4 || le.Uint16(layout[2:]) != 3 || le.Uint32(layout[4:]) != 1 || le.Uint64(layout[8:]) != 0x5000 ||
		le.Uint32(layout[16:]) != 5 || le.Uint32(layout[20:]) != le.Uint32(patch[8:]) || le.Uint64(layout[24:]) != 0x100 {
		t.Errorf("layout entry %x", layout[:32])
	}
	if e := layout[32:]; le.Uint32(e[16:]) != 0xCCCCCCCC || le.Uint32(e[20:]) != 0 {
		t.Errorf("filled entry %x", e[:32])
	}
	if g := layout[64:]; le.Uint16(g) != 0x1009 || le.Uint16(g[2:]) != 2 || le.Uint32(g[4:]) != 9 || le.Uint64(g[8:]) != 0x10000 {
		t.Errorf("group %x", g)
	}
	if len(ext) != 16 || le.Uint32(ext) != 0x1001 || le.Uint32(ext[4:]) != 3 || string(b[le.Uint32(ext[8:]):][:3]) != "sig" {
		t.Errorf("extend table %x", ext)
	}
	if len(dir(2)) != 0 {
		t.Error("ELRANGE directory is not empty")
	}
}

// TestOldDirectories: versions before the ELRANGE and EXTEND directories use
// their place for data, which must not be read as directories.
func TestOldDirectories(t *testing.T) {
	m := baseMetadata(Version1_4)
	m.Patches = []Patch{{0, bytes.Repeat([]byte{0xFF}, 64)}}
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if b[1888] != 0xFF {
		t.Fatalf("data does not begin after two directories: %x", b[1880:1896])
	}
	if _, err := ParseMetadata(b); err != nil {
		t.Error(err)
	}
	if le := binary.LittleEndian; true {
		le.PutUint64(b[8:], Version1_5)
	}
	if _, err := ParseMetadata(b); err == nil {
		t.Error("directory 3 of a version that has it is not read")
	}
}

func TestMetadataRefusesToEncode(t *testing.T) {
	for name, edit := range map[string]func(*Metadata){
		"version":         func(m *Metadata) { m.Version = MakeVersion(4, 1) },
		"ELRANGE missing": func(m *Metadata) { m.Version = MakeVersion(11, 5) },
		"ELRANGE present": func(m *Metadata) { m.ELRange = &ELRange{} },
		"EXTEND":          func(m *Metadata) { m.Extends = []Extend{{}} },
		"size too small":  func(m *Metadata) { m.Size = 2000 },
		"too large":       func(m *Metadata) { m.Patches = []Patch{{0, make([]byte, MaxMetadataSize)}} },
		"size too large":  func(m *Metadata) { m.Size = MaxMetadataSize + 1 },
	} {
		m := baseMetadata(Version1_4)
		edit(m)
		if _, err := m.AppendBinary(nil); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
}
