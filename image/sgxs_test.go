package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

// stream assembles SGXS records.
type stream []byte

func newStream(size uint64) stream {
	b := binary.LittleEndian.AppendUint32([]byte("ECREATE\x00"), 1)
	return pad(binary.LittleEndian.AppendUint64(b, size))
}

func pad(b []byte) []byte { return append(b, make([]byte, (64-len(b)%64)%64)...) }

func (s stream) add(offset uint64, flags isa.SecInfoFlags) stream {
	le := binary.LittleEndian
	return append(s, pad(le.AppendUint64(le.AppendUint64([]byte("EADD\x00\x00\x00\x00"), offset), uint64(flags)))...)
}

func (s stream) chunk(tag string, offset uint64, data []byte) stream {
	s = append(s, pad(binary.LittleEndian.AppendUint64([]byte(tag), offset))...)
	return append(s, data[:256]...)
}

func (s stream) extend(offset uint64, data []byte) stream {
	return s.chunk("EEXTEND\x00", offset, data)
}
func (s stream) unmeasured(offset uint64, data []byte) stream {
	return s.chunk("UNMEASRD", offset, data)
}

// full adds a page with all its chunks measured in order.
func (s stream) full(offset uint64, flags isa.SecInfoFlags, data []byte) stream {
	s = s.add(offset, flags)
	for i := uint64(0); i < 4096; i += 256 {
		s = s.extend(offset+i, data[i:])
	}
	return s
}

// testStream has every kind of page.
func testStream() []byte {
	a, b := pattern(1, 8192), pattern(2, 4096)
	s := newStream(1<<20).
		full(0, pageRX, a).full(0x1000, pageRX, a[4096:]). // one run
		full(0x2000, pageRW, b).                           // other flags
		full(0x4000, pageRW, b).                           // a gap
		add(0x5000, pageRW).add(0x6000, pageRW).           // two zero pages
		full(0x8000, pageTCS, b).full(0x9000, pageTCS, b). // TCSs stay apart
		add(0xA000, pageRW).extend(0xA300, b).extend(0xA100, b[256:]).unmeasured(0xA200, b).
		add(0xB000, pageRW).unmeasured(0xB100, a).unmeasured(0xB000, b)
	return s
}

func TestSGXS(t *testing.T) {
	m, err := Parse(testStream())
	if err != nil {
		t.Fatal(err)
	}
	a, b := pattern(1, 8192), pattern(2, 4096)
	partial := make([]byte, 0x400)
	copy(partial[0x300:], b[:256])
	copy(partial[0x100:], b[256:512])
	copy(partial[0x200:], b[:256])
	want := []Run{
		{Offset: 0, Pages: 2, Flags: pageRX, Measured: true, Data: a},
		{Offset: 0x2000, Pages: 1, Flags: pageRW, Measured: true, Data: b},
		{Offset: 0x4000, Pages: 1, Flags: pageRW, Measured: true, Data: b},
		{Offset: 0x5000, Pages: 2, Flags: pageRW},
		{Offset: 0x8000, Pages: 1, Flags: pageTCS, Measured: true, Data: b},
		{Offset: 0x9000, Pages: 1, Flags: pageTCS, Measured: true, Data: b},
		{Offset: 0xA000, Pages: 1, Flags: pageRW, Chunks: []uint8{3, 1}, Data: partial},
		{Offset: 0xB000, Pages: 1, Flags: pageRW, Data: append(bytes.Clone(b[:256]), a[:256]...)},
	}
	if len(m.Runs) != len(want) {
		t.Fatalf("%d runs, want %d", len(m.Runs), len(want))
	}
	for i, r := range m.Runs {
		w := want[i]
		if r.Offset != w.Offset || r.Pages != w.Pages || r.Flags != w.Flags || r.Measured != w.Measured ||
			!slices.Equal(r.Chunks, w.Chunks) || !bytes.Equal(r.Data, w.Data) {
			t.Errorf("run %d: %#x+%d flags %#x measured %v chunks %v, %d bytes", i, r.Offset, r.Pages, r.Flags, r.Measured, r.Chunks, len(r.Data))
		}
	}
	if m.Mode != ModeUnsigned || m.SigStruct != nil || m.Size != 1<<20 || m.SSAFrameSize != 1 || m.Format != FormatSGXS {
		t.Errorf("header %+v", m)
	}
	if !slices.Equal(m.Threads, []Thread{{0x8000, true}, {0x9000, true}}) {
		t.Errorf("threads %+v", m.Threads)
	}

	s := isa.SigStruct{MiscSelect: 1, Attributes: isa.Attributes{Flags: isa.AttrMode64Bit | isa.AttrInit, XFRM: 7}}
	raw, _ := s.AppendBinary(nil)
	m, err = Parse(testStream(), WithSigStruct(raw))
	if err != nil {
		t.Fatal(err)
	}
	if m.Mode != ModeHardware || m.SigStruct == nil || m.MiscSelect != 1 || m.Attributes != (isa.Attributes{Flags: isa.AttrMode64Bit, XFRM: 7}) {
		t.Errorf("with SIGSTRUCT: %+v", m)
	}
}

// TestAppendSGXS: writing is the inverse of reading, up to the order of
// unmeasured chunks, and reading of writing.
func TestAppendSGXS(t *testing.T) {
	m, err := Parse(testStream())
	if err != nil {
		t.Fatal(err)
	}
	first := AppendSGXS(nil, m)
	again, err := Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	comparePages(t, flatten(again), flatten(m))
	if !bytes.Equal(AppendSGXS(nil, again), first) {
		t.Error("second writing differs")
	}
	canonical := newStream(1<<36).full(0, pageRX, pattern(1, 4096)).add(0x1000, pageRW)
	m, err = Parse(canonical)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(AppendSGXS(nil, m), canonical) {
		t.Error("canonical stream is not reproduced")
	}
}

func TestBadSGXS(t *testing.T) {
	d := pattern(1, 4096)
	page := newStream(1<<16).add(0x1000, pageRW)
	edit := func(s stream, at int, v byte) stream {
		s = bytes.Clone(s)
		s[at] = v
		return s
	}
	for _, c := range []struct {
		name   string
		stream stream
		kind   error
		offset int64
		text   string
	}{
		{"unsized", append([]byte("UNSIZED\x00"), make([]byte, 56)...), ErrUnsupported, 0, "unsized"},
		{"size 3 pages", newStream(3 << 12), ErrMalformed, 12, "power of two"},
		{"size 2^63", newStream(1 << 63), ErrMalformed, 12, "power of two"},
		{"SSA frame 0", edit(newStream(1<<16), 8, 0), ErrMalformed, 8, "SSA frame"},
		{"ECREATE tail", edit(newStream(1<<16), 63, 1), ErrMalformed, 20, "zeros"},
		{"cut record", newStream(1<<16).add(0, pageRW)[:100], ErrMalformed, 64, "cut short"},
		{"cut chunk", page.extend(0x1000, d)[:300], ErrMalformed, 128, "cut short"},
		{"unknown tag", append(newStream(1<<16), make([]byte, 64)...), ErrMalformed, 64, "unknown record tag"},
		{"second ECREATE", append(newStream(1<<16), newStream(1<<16)...), ErrMalformed, 64, "unknown record tag"},
		{"SECINFO reserved", edit(page, 64+30, 1), ErrMalformed, 64 + 24, "reserved"},
		{"chunk tail", edit(page.extend(0x1000, d), 128+20, 1), ErrMalformed, 128 + 16, "zeros"},
		{"chunk without page", newStream(1<<16).extend(0, d), ErrMalformed, 64 + 8, "page added last"},
		{"chunk of another page", page.extend(0x2000, d), ErrMalformed, 128 + 8, "page added last"},
		{"chunk unaligned", page.extend(0x1010, d), ErrMalformed, 128 + 8, "page added last"},
		{"chunk contradicts", page.extend(0x1000, d).unmeasured(0x1000, d[1:]), ErrMalformed, 128 + 320, "given twice"},
		{"page unaligned", newStream(1<<16).add(0x1001, pageRW), ErrMalformed, 64, "not aligned"},
		{"page outside", newStream(1<<16).add(1<<16, pageRW), ErrMalformed, 64, "exceed"},
		{"page wraps", newStream(1<<16).add(1<<64-4096, pageRW), ErrMalformed, 64, "exceed"},
		{"last run outside", newStream(1<<16).add(0xF000, pageRW).add(0x10000, pageRW), ErrMalformed, 128, "exceed"},
		{"page twice", page.add(0x1000, pageRW), ErrMalformed, 128, "added twice"},
		{"SECS", newStream(1<<16).add(0, 3), ErrMalformed, 64, "PT_SECS"},
		{"flags", newStream(1<<16).add(0, pageRW|1<<20), ErrMalformed, 64, "EADD refuses"},
	} {
		_, err := Parse(c.stream)
		var fe *FormatError
		if !errors.As(err, &fe) || !errors.Is(err, c.kind) || fe.Offset != c.offset || !strings.Contains(fe.Reason, c.text) || !oneLine(err) {
			t.Errorf("%s: %v, want %v with %q at %#x", c.name, err, c.kind, c.text, c.offset)
		}
	}
	if _, err := Parse(page.extend(0x1000, d).extend(0x1000, d)); err != nil {
		t.Errorf("a chunk measured twice with the same bytes: %v", err)
	}
}
