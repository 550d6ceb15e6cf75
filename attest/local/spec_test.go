package local

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

// reference makes a TARGETINFO in another way: it lays out the whole before it
// looks at a bound, in a buffer that holds all that 27 entries can ask for.
func reference(spec []byte, report []byte) ([]byte, bool) {
	if spec[7] != 0 || spec[8] != 0 || spec[9] > 27 {
		return nil, false
	}
	out := make([]byte, 30*32768)
	from := make([]byte, 2048+30*32768) // the REPORT, and bytes that must not matter
	copy(from, report)
	to, ok := 0, true
	for n := range int(spec[9]) {
		v := binary.LittleEndian.Uint16(spec[10+2*n:])
		size, offset := 1, int(v>>4)
		for range v & 15 {
			size *= 2
		}
		for to%size != 0 {
			to++
		}
		if offset >= 2048 { // negative
			ok = ok && offset == 4095
		} else {
			ok = ok && offset+size <= 432
			copy(out[to:to+size], from[offset:])
		}
		to += size
	}
	for i, v := range out[:512] {
		reserved := i == 49 || i >= 56 && i < 64 || i >= 128
		ok = ok && (v == 0 || !reserved)
	}
	return out[:512], ok && to <= 512
}

// FuzzSpec checks that no specification makes a responder panic or ask EREPORT
// for what faults, and that it gives the TARGETINFO that the rules say.
func FuzzSpec(f *testing.F) {
	own := ownSpec()
	f.Add(own[:])
	f.Add([]byte("SGX LA\x02\x00\x00\x02\xf6\xff\x06\x0c"))
	f.Add([]byte("SGX LA\x02\x00\x00\x1b"))
	var report [isa.ReportSize]byte
	for i := range report {
		report[i] = byte(i%251 + 1)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s spec
		copy(s[:], b)
		want, ok := reference(s[:], report[:])
		got, err := s.target(report[:])
		if (err == nil) != ok {
			t.Fatalf("%x: %v, want %v", s, err, ok)
		}
		if err != nil {
			return
		}
		if g, _ := got.AppendBinary(nil); !bytes.Equal(g, want) {
			t.Fatalf("%x:\n%x, want\n%x", s, g, want)
		}
	})
}
