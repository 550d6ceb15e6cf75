package image

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/isa"
)

// TestBadFiles changes one thing of a good file at a time.
func TestBadFiles(t *testing.T) {
	le := binary.LittleEndian
	for _, c := range []struct {
		name string
		spec func(*elfSpec)
		meta func(*Metadata)
		raw  func(block []byte)
		kind error
		text string
	}{
		{name: "32-bit", spec: func(s *elfSpec) { s.edit = func(b []byte) { b[4] = 1 } }, kind: ErrUnsupported, text: "class 1"},
		{name: "ARM", spec: func(s *elfSpec) { s.edit = func(b []byte) { b[18] = 183 } }, kind: ErrUnsupported, text: "x86-64"},
		{name: "executable", spec: func(s *elfSpec) { s.edit = func(b []byte) { b[16] = 2 } }, kind: ErrNotEnclave, text: "not a shared object"},
		{name: "program headers outside", spec: func(s *elfSpec) { s.edit = func(b []byte) { le.PutUint64(b[32:], 1<<63) } }, kind: ErrMalformed, text: "program headers"},
		{name: "program header size", spec: func(s *elfSpec) { s.edit = func(b []byte) { b[54] = 32 } }, kind: ErrMalformed, text: "32 bytes"},
		{name: "sections outside", spec: func(s *elfSpec) { s.edit = func(b []byte) { le.PutUint64(b[40:], 1<<40) } }, kind: ErrMalformed, text: "section headers"},
		{name: "segment outside file", spec: func(s *elfSpec) { s.edit = func(b []byte) { le.PutUint64(b[64+8:], 1<<62) } }, kind: ErrMalformed, text: "segment 0"},
		{name: "segment size 2^63", spec: func(s *elfSpec) { s.segments[1].memsz = 1 << 63 }, kind: ErrMalformed, text: "exceeds the enclave"},
		{name: "segment wraps", spec: func(s *elfSpec) { s.segments[1].vaddr = 1<<64 - 4096 }, kind: ErrMalformed, text: "exceeds the enclave"},
		{name: "filesz > memsz", spec: func(s *elfSpec) { s.edit = func(b []byte) { le.PutUint64(b[64+40:], 8) } }, kind: ErrMalformed, text: "exceeds"},
		{name: "segments overlap", spec: func(s *elfSpec) { s.segments[1].vaddr = 0x2234 }, kind: ErrMalformed, text: "added twice"},
		{name: "segment on layout", spec: func(s *elfSpec) { s.segments[1].memsz = 0x20000 }, kind: ErrMalformed, text: "added twice"},
		{name: "no permissions", spec: func(s *elfSpec) { s.segments[0].flags = 0 }, kind: ErrMalformed, text: "no permissions"},
		{name: "unaligned zero segment", spec: func(s *elfSpec) { s.segments[1].data, s.segments[1].memsz = nil, 100 }, kind: ErrMalformed, text: "not page-aligned"},

		{name: "note name", raw: func(b []byte) { b[12] = 'x' }, kind: ErrMalformed, text: "no note named"},
		{name: "unknown version", raw: func(b []byte) { b[25+12] = 4 }, kind: ErrUnsupported, text: "version 4.4"},
		{name: "size 0", raw: func(b []byte) { le.PutUint32(b[25+16:], 0) }, kind: ErrMalformed, text: "0x0 bytes"},
		{name: "size beyond section", raw: func(b []byte) { le.PutUint32(b[25+16:], 1<<31) }, kind: ErrMalformed, text: "available"},
		{name: "layout outside", raw: func(b []byte) { le.PutUint32(b[25+1880:], 1<<30) }, kind: ErrMalformed, text: "outside the metadata"},
		{name: "layout fraction", raw: func(b []byte) { b[25+1884]++ }, kind: ErrMalformed, text: "no multiple of 32"},
		{name: "patch wraps", raw: func(b []byte) { le.PutUint32(b[25+1872:], ^uint32(15)); le.PutUint32(b[25+1876:], 32) }, kind: ErrMalformed, text: "outside the metadata"},

		{name: "policy", meta: func(m *Metadata) { m.TCSPolicy = 2 }, kind: ErrMalformed, text: "policy 2"},
		{name: "SSA 0", meta: func(m *Metadata) { m.SSAFrameSize = 0 }, kind: ErrMalformed, text: "SSA frame"},
		{name: "SSA 5", meta: func(m *Metadata) { m.SSAFrameSize = 5 }, kind: ErrMalformed, text: "SSA frame"},
		{name: "size not power of two", meta: func(m *Metadata) { m.EnclaveSize = 3 << 20 }, kind: ErrMalformed, text: "power of two"},
		{name: "size 2^48", meta: func(m *Metadata) { m.EnclaveSize = 1 << 48 }, kind: ErrMalformed, text: "power of two"},
		{name: "size 2^63", meta: func(m *Metadata) { m.EnclaveSize = 1 << 63 }, kind: ErrMalformed, text: "power of two"},
		{name: "size one page", meta: func(m *Metadata) { m.EnclaveSize = 4096 }, kind: ErrMalformed, text: "exceeds the enclave"},
		{name: "patch outside file", meta: func(m *Metadata) { m.Patches = []Patch{{1 << 63, []byte{1}}} }, kind: ErrMalformed, text: "patch 0"},
		{name: "entry outside", meta: func(m *Metadata) { m.Layout[0].RVA = 1<<64 - 4096 }, kind: ErrMalformed, text: "exceeds the enclave"},
		{name: "entry huge", meta: func(m *Metadata) { m.Layout[0].Pages = 1<<32 - 1 }, kind: ErrMalformed, text: "exceeds the enclave"},
		{name: "entry unaligned", meta: func(m *Metadata) { m.Layout[0].RVA++ }, kind: ErrMalformed, text: "not aligned"},
		{name: "page twice", meta: func(m *Metadata) { m.Layout[4].RVA = 0x42000 }, kind: ErrMalformed, text: "added twice"},
		{name: "group step 0", meta: func(m *Metadata) { m.Layout[6].Step = 0 }, kind: ErrMalformed, text: "added twice"},
		{name: "group too long", meta: func(m *Metadata) { m.Layout[6].Entries = 7 }, kind: ErrMalformed, text: "repeats 7 entries of 6"},
		{name: "group leaves", meta: func(m *Metadata) { m.Layout[6].Times = 1 << 31 }, kind: ErrMalformed, text: "exceeds the enclave"},
		{name: "group step wraps", meta: func(m *Metadata) { m.Layout[6].Step = 1 << 63 }, kind: ErrMalformed, text: "leaves the enclave"},
		{name: "group of guards", meta: func(m *Metadata) {
			m.Layout[6] = LayoutEntry{ID: LayoutGroup, Entries: 5, Times: 1<<32 - 1}
			for i := 1; i < 6; i++ {
				m.Layout[i] = LayoutEntry{ID: LayoutGuard}
			}
		}, kind: ErrMalformed, text: "expand to more"},
		{name: "group in group", meta: func(m *Metadata) { m.Layout[5] = LayoutEntry{ID: LayoutGroup} }, kind: ErrMalformed, text: "repeats group"},
		{name: "SECS page", meta: func(m *Metadata) { m.Layout[4].Flags = 3 }, kind: ErrMalformed, text: "PT_SECS"},
		{name: "reserved flag", meta: func(m *Metadata) { m.Layout[4].Flags |= 1 << 40 }, kind: ErrMalformed, text: "EADD refuses"},
		{name: "pending page", meta: func(m *Metadata) { m.Layout[4].Flags |= isa.SecInfoPending }, kind: ErrMalformed, text: "EADD refuses"},
		{name: "TCS of two pages", meta: func(m *Metadata) { m.Layout[3].Pages = 2 }, kind: ErrMalformed, text: "TCS of 2 pages"},
		{name: "content too long", meta: func(m *Metadata) { m.Layout[5].Pages = 1 }, kind: ErrMalformed, text: "for 0x1 pages"},
	} {
		spec, meta := baseSpec(), baseMetadata(Version1_4)
		if c.meta != nil {
			c.meta(meta)
		}
		spec.note = encode(t, meta)
		if c.raw != nil {
			c.raw(spec.note)
		}
		if c.spec != nil {
			c.spec(&spec)
		}
		file := spec.build().file
		start := time.Now()
		m, err := Parse(file)
		if m != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) || !oneLine(err) {
			t.Errorf("%s: %v, want %v with %q", c.name, err, c.kind, c.text)
			continue
		}
		var fe *FormatError
		if !errors.As(err, &fe) || fe.Offset < 0 || fe.Offset > int64(len(file)) {
			t.Errorf("%s: offset outside the file: %+v", c.name, fe)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("%s: took %v", c.name, d)
		}
	}
}

func TestBadELRange(t *testing.T) {
	for name, r := range map[string]ELRange{
		"image before start": {Image: 0, Start: 1 << 20, Size: 1 << 20},
		"image past the end": {Image: 1<<20 + 4096, Start: 1 << 20, Size: 1 << 20},
		"start not aligned":  {Image: 1 << 20, Start: 1<<20 - 4096, Size: 1 << 21},
		"image not aligned":  {Image: 1<<21 + 1, Start: 1 << 21, Size: 1 << 21},
		"not a power of two": {Image: 0, Start: 0, Size: 3 << 20},
		"size 0":             {},
		"beyond 2^47":        {Image: 1 << 47, Start: 1 << 47, Size: 1 << 20},
		"wraps":              {Image: 1<<64 - 1<<20, Start: 1<<64 - 1<<20, Size: 1 << 20},
	} {
		meta := baseMetadata(MakeVersion(11, 5))
		meta.ELRange = &r
		spec := baseSpec()
		spec.note = encode(t, meta)
		if _, err := Parse(spec.build().file); !errors.Is(err, ErrMalformed) || !oneLine(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTruncated cuts a good file and a good stream at every length.
func TestTruncated(t *testing.T) {
	spec := baseSpec()
	spec.note = encode(t, baseMetadata(Version1_5))
	for _, file := range [][]byte{spec.build().file, testStream()} {
		if _, err := Parse(file); err != nil {
			t.Fatal(err)
		}
		for n := range file {
			if _, err := Parse(file[:n]); err != nil && !oneLine(err) {
				t.Fatalf("%d bytes: error of several lines: %v", n, err)
			} else if err == nil && isELF(file) {
				t.Fatalf("%d bytes of %d accepted", n, len(file))
			}
		}
	}
	for _, b := range []string{"", "x", "\x7fELF", "ECREATE\x00"} {
		if _, err := Parse([]byte(b)); err == nil {
			t.Errorf("%q accepted", b)
		}
	}
}

func isELF(b []byte) bool { return b[0] == 0x7F }
