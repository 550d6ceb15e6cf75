package kex

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"testing"
)

// The points are the published multiples of P-256's base point. The keys were
// computed by another program, from the formulas, with the x coordinate of 6G.
const (
	x2 = "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"
	y2 = "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1"
	x3 = "5ecbe4d1a6330a44c8f7ef951d4bf165e6c6b721efada985fb41661bc6e7fd6c"
	y3 = "8734640c4998ff7e374b06ce1a64a2ecd82ab036384fb83d9a79b127a27d5032"
)

var derived = map[string]string{
	"SMK": "ddc91699510f7b948eed2a1f49ef7a36",
	"AEK": "a6f02b31282104e33b3a1e9e3e4c1c2b",
	"SK":  "2b51e9e6497f94ba83dd5cd85a1ff03a",
	"MK":  "260260ece8bc58e25c76ef87647e1ea2",
	"VK":  "57351e2791ee419aa5849e80a54db560",
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// littleEndian turns one coordinate.
func littleEndian(b []byte) []byte {
	r := make([]byte, len(b))
	for i, v := range b {
		r[len(b)-1-i] = v
	}
	return r
}

func scalar(t testing.TB, n byte) *ecdh.PrivateKey {
	t.Helper()
	b := make([]byte, 32)
	b[31] = n
	k, err := ecdh.P256().NewPrivateKey(b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestPublic(t *testing.T) {
	want := append(littleEndian(unhex(t, x2)), littleEndian(unhex(t, y2))...)
	got := PublicOf(scalar(t, 2))
	if !bytes.Equal(got[:], want) {
		t.Errorf("2G is\n%x, want\n%x", got, want)
	}
	if u := got.Uncompressed(); !bytes.Equal(u, unhex(t, "04"+x2+y2)) {
		t.Errorf("2G uncompressed is %x", u)
	}
	if again := PublicOf(scalar(t, 2)); got != again {
		t.Error("Uncompressed changed the key")
	}
	k, err := got.Key()
	if err != nil || !k.Equal(scalar(t, 2).PublicKey()) {
		t.Errorf("2G is read as %v, %v", k, err)
	}
}

func TestDerive(t *testing.T) {
	p2, p3 := PublicOf(scalar(t, 2)), PublicOf(scalar(t, 3))
	if want := append(littleEndian(unhex(t, x3)), littleEndian(unhex(t, y3))...); !bytes.Equal(p3[:], want) {
		t.Fatalf("3G is %x", p3)
	}
	a, err := Agree(scalar(t, 2), p3)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Agree(scalar(t, 3), p2)
	if err != nil {
		t.Fatal(err)
	}
	if a != b || hex.EncodeToString(a[:]) != "c385626aae60c6c31000f84fc092bc7f" {
		t.Errorf("secrets %x and %x", a, b)
	}
	for label, want := range derived {
		if got := a.Derive(label); hex.EncodeToString(got[:]) != want {
			t.Errorf("%s = %x, want %s", label, got, want)
		}
	}
}

func TestNoPoint(t *testing.T) {
	good := PublicOf(scalar(t, 2))
	swapped := good
	copy(swapped[:], good[32:])
	copy(swapped[32:], good[:32])
	turned := good
	turned.swap() // big-endian, as the rest of the world has it
	var p Public  // x = p, not reduced
	copy(p[:], littleEndian(unhex(t, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")))
	for name, bad := range map[string]Public{"zero": {}, "coordinates swapped": swapped, "big-endian": turned, "x is p": p} {
		if _, err := bad.Key(); err == nil {
			t.Errorf("%s: taken for a point", name)
		}
		if s, err := Agree(scalar(t, 3), bad); err == nil || s != (Secret{}) {
			t.Errorf("%s: %x, %v", name, s, err)
		}
	}
}

func TestStep(t *testing.T) {
	var s Step
	if !s.Enter(Fresh) {
		t.Fatal("the first call is refused")
	}
	if s.Enter(Fresh) || s.Enter(Waiting) || s.Enter(Over) && s != Over {
		t.Error("a call is admitted after one that failed")
	}
	s = Waiting
	if s.Enter(Fresh) || s.Enter(Waiting) {
		t.Error("a call is admitted after one out of order")
	}
}
