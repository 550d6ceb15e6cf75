package cmac

import (
	"encoding/hex"
	"testing"
)

// vectors are the four of RFC 4493, section 4.
var vectors = []struct{ msg, mac string }{
	{"", "bb1d6929e95937287fa37d129b756746"},
	{"6bc1bee22e409f96e93d7e117393172a", "070a16b46b4d4144f79bdd9dd04a287c"},
	{"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411", "dfa66747de9ae63030ca32611497c827"},
	{"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710", "51f0bebf7e3b9d92fc49741779363cfe"},
}

func rfcKey() (k [Size]byte) {
	copy(k[:], unhex("2b7e151628aed2a6abf7158809cf4f3c"))
	return k
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestRFC4493(t *testing.T) {
	m := New(rfcKey())
	if got := hex.EncodeToString(m.k1[:]); got != "fbeed618357133667c85e08f7236a8de" {
		t.Errorf("K1 = %s", got)
	}
	if got := hex.EncodeToString(m.k2[:]); got != "f7ddac306ae266ccf90bc11ee46d513b" {
		t.Errorf("K2 = %s", got)
	}
	for _, v := range vectors {
		msg := unhex(v.msg)
		got := m.Sum(msg)
		if hex.EncodeToString(got[:]) != v.mac {
			t.Errorf("CMAC of %d bytes = %x, want %s", len(msg), got, v.mac)
		}
		if !Equal(got, Sum(rfcKey(), msg)) {
			t.Errorf("Sum and New().Sum disagree on %d bytes", len(msg))
		}
	}
}

func TestEqual(t *testing.T) {
	a := Sum(rfcKey(), []byte("a"))
	b := a
	b[15] ^= 1
	if !Equal(a, a) || Equal(a, b) {
		t.Error("Equal is wrong")
	}
}

func BenchmarkSum(b *testing.B) {
	m, msg := New(rfcKey()), make([]byte, 384)
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		m.Sum(msg)
	}
}
