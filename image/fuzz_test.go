package image

import (
	"errors"
	"reflect"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

// FuzzParse checks that no file makes Parse panic, and that what it accepts
// keeps the promises of Image.
func FuzzParse(f *testing.F) {
	spec := baseSpec()
	spec.note = encode(f, baseMetadata(Version1_5))
	f.Add(spec.build().file)
	f.Add(testStream())
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, opts := range [][]Option{nil, {WithEDMM()}} {
			m, err := Parse(b, opts...)
			if err != nil {
				var fe *FormatError
				if !errors.As(err, &fe) || !oneLine(err) {
					t.Fatalf("error %q", err)
				}
				continue
			}
			checkImage(t, m)
		}
	})
}

func checkImage(t *testing.T, m *Image) {
	if m.Size == 0 || m.Size&(m.Size-1) != 0 || m.Size > MaxSize || len(m.Runs) > maxRuns {
		t.Fatalf("size %#x, %d runs", m.Size, len(m.Runs))
	}
	var pages uint64
	for _, r := range m.Runs {
		if r.Pages == 0 || r.Offset%isa.PageSize != 0 || r.Offset >= m.Size || r.Pages > (m.Size-r.Offset)/isa.PageSize {
			t.Fatalf("run %#x+%#x in %#x", r.Offset, r.Pages, m.Size)
		}
		if uint64(len(r.Data)) > r.Pages*isa.PageSize || len(r.Chunks) > 0 && (r.Pages != 1 || r.Measured) {
			t.Fatalf("run %#x+%#x has %d bytes, chunks %v", r.Offset, r.Pages, len(r.Data), r.Chunks)
		}
		pages += r.Pages
	}
	if pages > m.Size/isa.PageSize {
		t.Fatalf("%#x pages in %#x bytes", pages, m.Size)
	}
	for _, th := range m.Threads {
		if th.Offset >= m.Size {
			t.Fatalf("TCS at %#x", th.Offset)
		}
	}
	if pages < 64 {
		again, err := Parse(AppendSGXS(nil, m))
		if err != nil {
			t.Fatalf("as SGXS: %v", err)
		}
		comparePages(t, flatten(again), flatten(m))
	}
}

// FuzzMetadata checks that a block that can be read can be written, and reads
// back the same.
func FuzzMetadata(f *testing.F) {
	for _, v := range []uint64{Version1_3, Version1_5, MakeVersion(13, 3)} {
		m := baseMetadata(v)
		if hasELRange(v) {
			m.ELRange = &ELRange{1, 2, 3}
		}
		b, err := m.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseMetadata(b)
		if err != nil {
			if !oneLine(err) {
				t.Fatalf("error %q", err)
			}
			return
		}
		m.Size = 0
		out, err := m.AppendBinary(nil)
		if err != nil {
			return // contents that overlap may not fit when stored apart
		}
		again, err := ParseMetadata(out)
		if err != nil {
			t.Fatal(err)
		}
		again.Size = 0
		if !reflect.DeepEqual(again, m) {
			t.Fatalf("read back\n%+v, want\n%+v", again, m)
		}
	})
}
