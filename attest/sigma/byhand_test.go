package sigma_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/attest/sigma"
	"github.com/feidi-dev/feidi/internal/cmac"
)

// hand is a peer that is written down from sgx_key_exchange.h and the package
// comment alone: offsets, byte order and derivation of keys are its own.
type hand struct {
	key *ecdh.PrivateKey
	pub []byte
}

func newHand(t testing.TB) *hand {
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := k.PublicKey().Bytes()
	return &hand{key: k, pub: append(turned(b[1:33]), turned(b[33:65])...)}
}

// turned is b in the other byte order.
func turned(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}

// derive derives a key of what the peer's public key gives.
func (h *hand) derive(t testing.TB, peer []byte, label string) []byte {
	pub, err := ecdh.P256().NewPublicKey(slices.Concat([]byte{4}, turned(peer[:32]), turned(peer[32:64])))
	if err != nil {
		t.Fatal(err)
	}
	shared, err := h.key.ECDH(pub)
	if err != nil {
		t.Fatal(err)
	}
	k := cmac.Sum(cmac.Sum([16]byte{}, turned(shared)), []byte("\x01"+label+"\x00\x80\x00"))
	return k[:]
}

// signature is of ASN.1, as the rest of the world has it.
type signature struct{ R, S *big.Int }

func sum(key []byte, msg ...[]byte) []byte {
	m := cmac.Sum([16]byte(key), bytes.Join(msg, nil))
	return m[:]
}

// data are the report data.
func (h *hand) data(t testing.TB, ga, gb, peer []byte) (d [64]byte) {
	s := sha256.Sum256(slices.Concat(ga, gb, h.derive(t, peer, "VK")))
	copy(d[:], s[:])
	return d
}

func TestProviderByHand(t *testing.T) {
	for _, epid := range []bool{false, true} {
		x, h := newExchange(t, epid, 432), newHand(t)
		gid := make([]byte, 4)
		if epid {
			gid = group[:]
		}
		m2, err := x.p.ProcMsg1(slices.Concat(h.pub, gid))
		if err != nil {
			t.Fatal(err)
		}
		gb := m2[:64]
		middle := make([]byte, 16, 20)
		middle = append(middle, 0, 0, 1, 0) // unlinkable, KDF 1
		tail := []byte{0, 0, 0, 0}
		if epid {
			copy(middle, spid[:])
			middle[16] = 1
			tail = append([]byte{byte(len(sigRL)), 0, 0, 0}, sigRL...)
		}
		if !bytes.Equal(m2[64:84], middle) || !bytes.Equal(m2[164:], tail) {
			t.Errorf("message 2: %x ... %x", m2[64:84], m2[164:])
		}
		der, err := asn1.Marshal(signature{new(big.Int).SetBytes(turned(m2[84:116])), new(big.Int).SetBytes(turned(m2[116:148]))})
		if err != nil {
			t.Fatal(err)
		}
		if d := sha256.Sum256(slices.Concat(gb, h.pub)); !ecdsa.VerifyASN1(&x.config.Key.PublicKey, d[:], der) {
			t.Error("the signature is not good")
		}
		smk := h.derive(t, gb, "SMK")
		if mac := sum(smk, m2[:148]); !bytes.Equal(m2[148:164], mac) {
			t.Errorf("CMAC %x, want %x", m2[148:164], mac)
		}

		body := slices.Concat(h.pub, make([]byte, 256), x.quote(h.data(t, h.pub, gb, gb)))
		keys, err := x.p.ProcMsg3(slices.Concat(sum(smk, body), body))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(keys.SK[:], h.derive(t, gb, "SK")) || !bytes.Equal(keys.MK[:], h.derive(t, gb, "MK")) {
			t.Errorf("keys %x", *keys)
		}
	}
}

func TestClientByHand(t *testing.T) {
	for _, epid := range []bool{false, true} {
		x, h := newExchange(t, epid, 432), newHand(t)
		m1, err := x.c.Msg1()
		if err != nil {
			t.Fatal(err)
		}
		ga, gid, tail := m1[:64], make([]byte, 4), make([]byte, 4)
		if epid {
			gid = group[:]
			tail = []byte{3, 0, 0, 0, 'r', 'l', '!'}
		}
		if !bytes.Equal(m1[64:], gid) {
			t.Errorf("message 1: group %x", m1[64:])
		}
		d := sha256.Sum256(slices.Concat(h.pub, ga))
		der, err := ecdsa.SignASN1(rand.Reader, x.config.Key, d[:])
		if err != nil {
			t.Fatal(err)
		}
		var s signature
		if _, err := asn1.Unmarshal(der, &s); err != nil {
			t.Fatal(err)
		}
		head := slices.Concat(h.pub, spid[:], []byte{1, 0, 1, 0}, turned(s.R.FillBytes(make([]byte, 32))), turned(s.S.FillBytes(make([]byte, 32))))
		smk := h.derive(t, ga, "SMK")
		m3, keys, err := x.c.ProcMsg2(slices.Concat(head, sum(smk, head), tail))
		if err != nil {
			t.Fatal(err)
		}
		if epid && (x.ask.SPID != spid || x.ask.Type != 1 || string(x.ask.SigRL) != "rl!") {
			t.Errorf("asked for %+v", x.ask)
		}
		want := slices.Concat(ga, make([]byte, 256), x.quote(h.data(t, ga, h.pub, ga)))
		if !bytes.Equal(m3[16:], want) || !bytes.Equal(m3[:16], sum(smk, want)) {
			t.Errorf("message 3\n%x, want\n%x", m3, want)
		}
		if !bytes.Equal(keys.SK[:], h.derive(t, ga, "SK")) || !bytes.Equal(keys.MK[:], h.derive(t, ga, "MK")) {
			t.Errorf("keys %x", *keys)
		}
	}
}

// What a provider may not say, signed and authenticated as it should be.
func TestHostileProvider(t *testing.T) {
	x, h := newExchange(t, false, 432), newHand(t)
	for name, c := range map[string]struct {
		middle [4]byte
		mac    string // label of the key of the CMAC
		good   bool
	}{
		"good":             {[4]byte{0, 0, 1, 0}, "SMK", true},
		"another KDF":      {[4]byte{0, 0, 2, 0}, "SMK", false},
		"no KDF":           {[4]byte{0, 0, 0, 0}, "SMK", false},
		"CMAC under MK":    {[4]byte{0, 0, 1, 0}, "MK", false},
		"some quote type":  {[4]byte{0xff, 0xff, 1, 0}, "SMK", true},
		"KDF, big-endian":  {[4]byte{0, 0, 0, 1}, "SMK", false},
		"CMAC under VK":    {[4]byte{0, 0, 1, 0}, "VK", false},
		"CMAC under a SMK": {[4]byte{0, 0, 1, 0}, "smk", false},
	} {
		x.begin(t)
		m1, err := x.c.Msg1()
		if err != nil {
			t.Fatal(err)
		}
		d := sha256.Sum256(slices.Concat(h.pub, m1[:64]))
		r, s, err := ecdsa.Sign(rand.Reader, x.config.Key, d[:])
		if err != nil {
			t.Fatal(err)
		}
		head := slices.Concat(h.pub, spid[:], c.middle[:], turned(r.FillBytes(make([]byte, 32))), turned(s.FillBytes(make([]byte, 32))))
		m2 := slices.Concat(head, sum(h.derive(t, m1, c.mac), head), make([]byte, 4))
		if _, _, err := x.c.ProcMsg2(m2); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A client that reports platform services has no place here.
func TestPlatformServices(t *testing.T) {
	for _, at := range []int{0, 100, 255} {
		x, h := newExchange(t, false, 432), newHand(t)
		m2, err := x.p.ProcMsg1(slices.Concat(h.pub, make([]byte, 4)))
		if err != nil {
			t.Fatal(err)
		}
		gb := m2[:64]
		services := make([]byte, 256)
		services[at] = 1
		body := slices.Concat(h.pub, services, x.quote(h.data(t, h.pub, gb, gb)))
		_, err = x.p.ProcMsg3(slices.Concat(sum(h.derive(t, gb, "SMK"), body), body))
		if me, ok := err.(*sigma.MessageError); !ok || me.Kind != sigma.ErrFormat || me.Offset != 80+at {
			t.Errorf("%v", err)
		}
	}
}

// Message 3 must say the key of message 1, also if its CMAC is good.
func TestOtherKeyInMessage3(t *testing.T) {
	x, h := newExchange(t, false, 432), newHand(t)
	m2, err := x.p.ProcMsg1(slices.Concat(h.pub, make([]byte, 4)))
	if err != nil {
		t.Fatal(err)
	}
	gb := m2[:64]
	body := slices.Concat(newHand(t).pub, make([]byte, 256), x.quote(h.data(t, h.pub, gb, gb)))
	_, err = x.p.ProcMsg3(slices.Concat(sum(h.derive(t, gb, "SMK"), body), body))
	if me, ok := err.(*sigma.MessageError); !ok || me.Kind != sigma.ErrAuth || me.Offset != 16 {
		t.Errorf("%v", err)
	}
}
