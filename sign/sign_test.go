package sign_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"math/big"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// testKey is drawn once: it is the slow part of these tests.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

func signed(t testing.TB) *isa.SigStruct {
	s := &isa.SigStruct{
		Vendor: isa.VendorIntel, Date: 0x20250102, SWDefined: 7, MiscMask: ^isa.MiscSelect(0),
		Attributes:    isa.Attributes{Flags: isa.AttrMode64Bit, XFRM: isa.XFRMLegacy},
		AttributeMask: isa.Attributes{Flags: ^isa.AttrDebug, XFRM: ^isa.XFRM(0)},
		ISVProdID:     3, ISVSVN: 4,
	}
	copy(s.EnclaveHash[:], "thirty-two bytes of a measurement")
	if err := sign.Sign(s, testKey()); err != nil {
		t.Fatal(err)
	}
	return s
}

func le(b []byte) *big.Int {
	v := new(big.Int)
	for i := len(b) - 1; i >= 0; i-- {
		v.Or(v.Lsh(v, 8), big.NewInt(int64(b[i])))
	}
	return v
}

func TestSignAgainstDefinition(t *testing.T) {
	s, key := signed(t), testKey()
	if err := sign.Verify(s); err != nil {
		t.Fatal(err)
	}
	raw, _ := s.AppendBinary(nil)

	// The signature, by modular exponentiation over the bytes of the encoding.
	n, sig := le(raw[128:512]), le(raw[516:900])
	if n.Cmp(key.N) != 0 {
		t.Error("MODULUS is not the key's")
	}
	digest := sha256.Sum256(append(append([]byte{}, raw[:128]...), raw[900:1028]...))
	em := new(big.Int).SetBytes(append(append([]byte{0, 1}, []byte(strings.Repeat("\xFF", 330))...),
		append([]byte("\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), digest[:]...)...))
	if got := new(big.Int).Exp(sig, big.NewInt(3), n); got.Cmp(em) != 0 {
		t.Errorf("SIGNATURE^3 mod MODULUS = %x", got)
	}

	// The quotients, by the manual's formulas, which divide only once.
	s2 := new(big.Int).Mul(sig, sig)
	q1 := new(big.Int).Div(s2, n)
	s3 := new(big.Int).Mul(s2, sig)
	q2 := s3.Sub(s3, new(big.Int).Mul(q1, new(big.Int).Mul(sig, n)))
	q2.Div(q2, n)
	if le(raw[1040:1424]).Cmp(q1) != 0 {
		t.Error("Q1 differs")
	}
	if le(raw[1424:1808]).Cmp(q2) != 0 {
		t.Error("Q2 differs")
	}
	if got, want := sign.MRSigner(s), sha256.Sum256(raw[128:512]); got != want {
		t.Errorf("MRSIGNER %x, want %x", got, want)
	}
}

// TestVerifyEveryByte changes each byte of a valid SIGSTRUCT. The error tells
// whether the byte is a constant, or covered by the arithmetic.
func TestVerifyEveryByte(t *testing.T) {
	good, _ := signed(t).AppendBinary(nil)
	constant := func(i int) bool {
		switch {
		case i < 20, // HEADER, type, VENDOR
			i >= 24 && i < 40,     // HEADER2
			i >= 44 && i < 128,    // reserved
			i >= 512 && i < 516,   // EXPONENT
			i >= 910 && i < 912,   // reserved
			i >= 992 && i < 1008,  // reserved
			i >= 1028 && i < 1040: // reserved
			return true
		}
		return false
	}
	for i := range good {
		b := append([]byte{}, good...)
		b[i] ^= 0x40
		var s isa.SigStruct
		if err := s.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		err := sign.Verify(&s)
		want := error(isa.ErrInvalidSignature)
		if constant(i) {
			want = isa.ErrInvalidSigStruct
		}
		if !errors.Is(err, want) {
			t.Errorf("byte %d changed: %v, want %v", i, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("byte %d: error of several lines", i)
		}
	}
}

func TestVerifyOrderAndBounds(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*isa.SigStruct)
		want error
		text string
	}{
		{"vendor 1", func(s *isa.SigStruct) { s.Vendor = 1 }, isa.ErrInvalidSigStruct, "VENDOR"},
		{"header before signature", func(s *isa.SigStruct) { s.Header[0] = 7; s.Signature[0]++ }, isa.ErrInvalidSigStruct, "HEADER is"},
		{"debug type", func(s *isa.SigStruct) { s.Type = isa.SigStructDebug }, isa.ErrInvalidSigStruct, "type word"},
		{"exponent 65537", func(s *isa.SigStruct) { s.Exponent = 65537 }, isa.ErrInvalidSigStruct, "EXPONENT"},
		{"reserved", func(s *isa.SigStruct) { s.Reserved3[15] = 1 }, isa.ErrInvalidSigStruct, "offset 1007"},
		{"modulus 0", func(s *isa.SigStruct) { s.Modulus = [384]byte{} }, isa.ErrInvalidSignature, "MODULUS"},
		{"modulus short", func(s *isa.SigStruct) { s.Modulus[383] &= 0x7F }, isa.ErrInvalidSignature, "MODULUS"},
		{"modulus even", func(s *isa.SigStruct) { s.Modulus[0] &^= 1 }, isa.ErrInvalidSignature, "even"},
		{"signature = modulus", func(s *isa.SigStruct) { s.Signature = s.Modulus }, isa.ErrInvalidSignature, "not below"},
		{"signature 0", func(s *isa.SigStruct) {
			s.Signature, s.Q1, s.Q2 = [384]byte{}, [384]byte{}, [384]byte{}
		}, isa.ErrInvalidSignature, "not one of these fields"},
		{"q1+1", func(s *isa.SigStruct) { s.Q1[0]++ }, isa.ErrInvalidSignature, "Q1"},
		{"q2-1", func(s *isa.SigStruct) { dec(s.Q2[:]) }, isa.ErrInvalidSignature, "Q2"},
		{"q1 huge", func(s *isa.SigStruct) { fill(s.Q1[:]) }, isa.ErrInvalidSignature, "Q1"},
		{"body", func(s *isa.SigStruct) { s.ISVSVN++ }, isa.ErrInvalidSignature, "not one of these fields"},
	} {
		s := signed(t)
		c.edit(s)
		if err := sign.Verify(s); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %v with %q", c.name, err, c.want, c.text)
		}
	}
}

func dec(b []byte) {
	for i := range b {
		if b[i]--; b[i] != 0xFF {
			return
		}
	}
}

func fill(b []byte) {
	for i := range b {
		b[i] = 0xFF
	}
}

func TestSignRefusesOtherKeys(t *testing.T) {
	for _, c := range []struct{ bits, e int }{{3072, 65537}, {2048, 3}} {
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), uint(c.bits-1)), E: c.e}}
		var s isa.SigStruct
		err := sign.Sign(&s, key)
		if !errors.Is(err, sign.ErrKey) || !strings.Contains(err.Error(), "openssl genrsa -3 3072") {
			t.Errorf("%d bits, exponent %d: %v", c.bits, c.e, err)
		}
		if s != (isa.SigStruct{}) {
			t.Error("a failed Sign changed the structure")
		}
	}
}

func TestGenerateKey(t *testing.T) {
	k := testKey()
	if k.N.BitLen() != 3072 || k.E != 3 || len(k.Primes) != 2 || k.Primes[0].BitLen() != 1536 || k.Primes[1].BitLen() != 1536 {
		t.Fatalf("key of %d bits, exponent %d, %d primes", k.N.BitLen(), k.E, len(k.Primes))
	}
	if err := k.Validate(); err != nil {
		t.Error(err)
	}
	for _, p := range k.Primes {
		if !p.ProbablyPrime(20) {
			t.Error("a factor is not prime")
		}
		p1 := new(big.Int).Sub(p, big.NewInt(1))
		if r := new(big.Int).Mul(k.D, big.NewInt(3)); r.Mod(r, p1).Cmp(big.NewInt(1)) != 0 {
			t.Error("D is not the inverse of 3")
		}
	}
}

func TestGenerateKeyIsAFunctionOfItsBytes(t *testing.T) {
	draw := func(seed byte) *big.Int {
		k, err := sign.GenerateKey(mathrand.NewChaCha8([32]byte{seed}))
		if err != nil {
			t.Fatal(err)
		}
		return k.N
	}
	if draw(1).Cmp(draw(1)) != 0 {
		t.Error("the same bytes gave two keys")
	}
	if draw(1).Cmp(draw(2)) == 0 {
		t.Error("other bytes gave the same key")
	}
	if _, err := sign.GenerateKey(strings.NewReader("too few")); err == nil {
		t.Error("a key from seven bytes")
	}
}

// FuzzSigStruct checks that Verify never panics, that its errors are EINIT's,
// and that what it accepts satisfies the plain RSA equation.
func FuzzSigStruct(f *testing.F) {
	good, _ := signed(f).AppendBinary(nil)
	f.Add(good)
	f.Add(make([]byte, isa.SigStructSize))
	f.Add([]byte{6})
	f.Fuzz(func(t *testing.T, b []byte) {
		var s isa.SigStruct
		if err := s.UnmarshalBinary(b); err != nil {
			return
		}
		err := sign.Verify(&s)
		if err == nil {
			n := le(s.Modulus[:])
			em := new(big.Int).Exp(le(s.Signature[:]), big.NewInt(3), n)
			d := sha256.Sum256(s.AppendSigned(nil))
			if tail := em.FillBytes(make([]byte, 384))[352:]; string(tail) != string(d[:]) {
				t.Fatal("accepted a wrong signature")
			}
			return
		}
		if !errors.Is(err, isa.ErrInvalidSigStruct) && !errors.Is(err, isa.ErrInvalidSignature) {
			t.Fatalf("unexpected error %v", err)
		}
	})
}

// TestAttach completes a SIGSTRUCT with a signature that was made elsewhere.
func TestAttach(t *testing.T) {
	want, key := signed(t), testKey()
	digest := sha256.Sum256(want.AppendSigned(nil))
	raw, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	bare := *want
	bare.Modulus, bare.Signature, bare.Q1, bare.Q2, bare.Exponent = [isa.RSAKeySize]byte{}, [isa.RSAKeySize]byte{}, [isa.RSAKeySize]byte{}, [isa.RSAKeySize]byte{}, 0
	s := bare
	if err := sign.Attach(&s, &key.PublicKey, raw); err != nil || s != *want {
		t.Errorf("error %v, equal to what Sign makes: %t", err, s == *want)
	}
	for _, c := range []struct {
		name string
		key  *rsa.PublicKey
		sig  []byte
		want error
	}{
		{"exponent", &rsa.PublicKey{N: key.N, E: 65537}, raw, sign.ErrKey},
		{"size", &rsa.PublicKey{N: new(big.Int).Rsh(key.N, 8), E: 3}, raw, sign.ErrKey},
		{"short", &key.PublicKey, raw[1:], isa.ErrInvalidSignature},
		{"above the modulus", &key.PublicKey, bytes.Repeat([]byte{0xFF}, len(raw)), isa.ErrInvalidSignature},
		{"another", &key.PublicKey, make([]byte, len(raw)), isa.ErrInvalidSignature},
	} {
		s := bare
		if err := sign.Attach(&s, c.key, c.sig); !errors.Is(err, c.want) || s != bare {
			t.Errorf("%s: %v, want %v; changed: %t", c.name, err, c.want, s != bare)
		}
	}
	s = bare
	s.ISVSVN++
	if err := sign.Attach(&s, &key.PublicKey, raw); !errors.Is(err, isa.ErrInvalidSignature) {
		t.Errorf("a signature of other fields: %v", err)
	}
}

// TestGenerateKeyWithExponent has exponents whose inverses exist for not every
// prime.
func TestGenerateKeyWithExponent(t *testing.T) {
	for _, e := range []int{5, 65537} {
		k, err := sign.GenerateKeyWithExponent(rand.Reader, e)
		if err != nil {
			t.Fatal(err)
		}
		if k.E != e || k.N.BitLen() != 3072 || k.Validate() != nil {
			t.Errorf("exponent %d of %d bits: %v", k.E, k.N.BitLen(), k.Validate())
		}
	}
}
