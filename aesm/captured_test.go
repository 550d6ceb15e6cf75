package aesm_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
)

// What Intel's own client libraries (release build) sent to a server that wrote
// it down; of the last three that is the beginning and the size. "k" stands for the 256 bytes of an attestation key ID and "r" for the
// 432 of a report; the rest are hexadecimal digits.
var captured = []struct {
	hex  string
	size int // of the message, as it was captured
	want aesm.Request
}{
	{"aa0103 489875", 6, &aesm.GetSupportedAttKeyIDNumRequest{Timeout: 15000}},
	{"9a0103 109875", 6, &aesm.SelectAttKeyIDRequest{Timeout: 15000}},
	{"0a03 489875", 5, &aesm.InitQuoteRequest{Timeout: 15000}},
	{"7a8802 0a8002 k 1800 489875", 267, &aesm.InitQuoteExRequest{AttKeyID: key(), Timeout: 15000}},
	{"82018602 0a8002 k 489875", 266, &aesm.GetQuoteSizeExRequest{AttKeyID: key(), Timeout: 15000}},
	{"8a01bc05 0ab003 r 128002 k 20bc24 489875", 704, &aesm.GetQuoteExRequest{Report: bytes.Repeat([]byte{0x5A}, 432), AttKeyID: key(), BufSize: 4668, Timeout: 15000}},
}

func key() []byte {
	k := aesm.DefaultECDSAKeyID()
	b, _ := k.AppendBinary(nil)
	return b
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	s = strings.ReplaceAll(s, " ", "")
	s = strings.ReplaceAll(s, "k", hex.EncodeToString(key()))
	s = strings.ReplaceAll(s, "r", strings.Repeat("5a", 432))
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCaptured(t *testing.T) {
	for _, c := range captured {
		b := unhex(t, c.hex)
		if len(b) != c.size {
			t.Fatalf("%v: test has %d bytes, captured were %d", c.want.Kind(), len(b), c.size)
		}
		if got := aesm.AppendRequest(nil, c.want); !bytes.Equal(got, b) {
			t.Errorf("%v:\n got %x\nwant %x", c.want.Kind(), got, b)
		}
		r, err := aesm.ParseRequest(b)
		if err != nil {
			t.Errorf("%v: %v", c.want.Kind(), err)
			continue
		}
		if r.Kind() != c.want.Kind() || !bytes.Equal(aesm.AppendRequest(nil, r), b) {
			t.Errorf("%v was read as %v", c.want.Kind(), r)
		}
		var frame bytes.Buffer
		if err := aesm.WriteFrame(&frame, b); err != nil {
			t.Fatal(err)
		}
		if n := binary.LittleEndian.Uint32(frame.Bytes()); int(n) != c.size || !bytes.Equal(frame.Bytes()[4:], b) {
			t.Errorf("%v: frame %x", c.want.Kind(), frame.Bytes())
		}
		if back, err := aesm.ReadFrame(&frame); err != nil || !bytes.Equal(back, b) {
			t.Errorf("%v: read %x, %v", c.want.Kind(), back, err)
		}
	}
}

// The offsets are those of the C structures, which are packed.
func TestDefaultKeyID(t *testing.T) {
	b := key()
	want := make([]byte, 256)
	want[4] = 32
	copy(want[6:], unhex(t, "8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff"))
	want[6+48] = 1              // product
	want[2*3+48+4+16+64+16] = 2 // ECDSA P-256
	if !bytes.Equal(b, want) {
		t.Errorf("got %x", b)
	}
}
