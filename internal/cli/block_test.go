package cli

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestParseHexBlock(t *testing.T) {
	for _, c := range []struct {
		in, bytes string // "" for an error
		pointers  []pointer
	}{
		{"", "", nil},
		{"00 ff\n", "00ff", nil},
		{"{4}", "0000000000000000", []pointer{{0, make([]byte, 4)}}},
		{"01{0x2}02 {=aabb}", "01000000000000000002" + "0000000000000000", []pointer{{1, make([]byte, 2)}, {10, []byte{0xAA, 0xBB}}}},
		{"{0}", "0000000000000000", []pointer{{0, nil}}},
	} {
		b, err := parseHexBlock(c.in)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if got := hex.EncodeToString(b.bytes); got != c.bytes {
			t.Errorf("%q: block %s, want %s", c.in, got, c.bytes)
		}
		if len(b.pointers) != len(c.pointers) {
			t.Errorf("%q: %d pointers, want %d", c.in, len(b.pointers), len(c.pointers))
			continue
		}
		for i, p := range b.pointers {
			if p.offset != c.pointers[i].offset || !bytes.Equal(p.content, c.pointers[i].content) {
				t.Errorf("%q: pointer %d is %+v, want %+v", c.in, i, p, c.pointers[i])
			}
		}
	}
	for _, in := range []string{"0", "xx", "{", "{}", "00}", "{4", "{-1}", "{=0}", "{=xx}", "{99999999}", "{9000000}{9000000}", "{@}", "{{4}}"} {
		if b, err := parseHexBlock(in); err == nil {
			t.Errorf("%q is accepted: %+v", in, b)
		}
	}
}

// FuzzBlock checks that what is accepted has its pointers inside the block,
// and means the same when it is written without spaces.
func FuzzBlock(f *testing.F) {
	for _, s := range []string{"", "00 01", "00{4}01", "{=0102} ff", "{", "}", "{=}{0}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "@") || len(s) > 1000 {
			return // no files, and not much memory
		}
		b, err := parseHexBlock(s)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		for _, p := range b.pointers {
			if p.offset < 0 || p.offset+8 > len(b.bytes) || len(p.content) > maxBuffers {
				t.Fatalf("%q: pointer at %d to %d bytes in a block of %d", s, p.offset, len(p.content), len(b.bytes))
			}
		}
		again, err := parseHexBlock(strings.Join(strings.Fields(s), ""))
		if err != nil || !bytes.Equal(again.bytes, b.bytes) || len(again.pointers) != len(b.pointers) {
			t.Fatalf("%q: %v without its spaces", s, err)
		}
	})
}
