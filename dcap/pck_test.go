package dcap_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"math/rand/v2"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

// pckPair is an element of the extension as encoding/asn1 reads it.
type pckPair struct {
	ID    asn1.ObjectIdentifier
	Value asn1.RawValue
}

// sameExtension compares an extension with what encoding/asn1 reads.
func sameExtension(t *testing.T, e *dcap.PCKExtension, value []byte) {
	t.Helper()
	unmarshal := func(b []byte, to any) {
		t.Helper()
		if rest, err := asn1.Unmarshal(b, to); err != nil || len(rest) > 0 {
			t.Fatal(err, rest)
		}
	}
	var pairs, inner []pckPair
	unmarshal(value, &pairs)
	want := dcap.PCKExtension{HasPlatform: len(pairs) == 7}
	for _, p := range pairs {
		switch p.ID[len(p.ID)-1] {
		case 1:
			copy(want.PPID[:], p.Value.Bytes)
		case 2:
			unmarshal(p.Value.FullBytes, &inner)
			for _, p := range inner {
				n := 0
				switch arc := p.ID[len(p.ID)-1]; arc {
				case 17:
					unmarshal(p.Value.FullBytes, &n)
					want.PCESVN = uint16(n)
				case 18:
					copy(want.CPUSVN[:], p.Value.Bytes)
				default:
					unmarshal(p.Value.FullBytes, &n)
					want.TCB[arc-1] = uint8(n)
				}
			}
		case 3:
			copy(want.PCEID[:], p.Value.Bytes)
		case 4:
			copy(want.FMSPC[:], p.Value.Bytes)
		case 5:
			var n asn1.Enumerated
			unmarshal(p.Value.FullBytes, &n)
			want.SGXType = dcap.SGXType(n)
		case 6:
			copy(want.PlatformInstanceID[:], p.Value.Bytes)
		case 7:
			unmarshal(p.Value.FullBytes, &inner)
			for _, p := range inner {
				var v bool
				unmarshal(p.Value.FullBytes, &v)
				state := dcap.False
				if v {
					state = dcap.True
				}
				switch p.ID[len(p.ID)-1] {
				case 1:
					want.Configuration.DynamicPlatform = state
				case 2:
					want.Configuration.CachedKeys = state
				case 3:
					want.Configuration.SMTEnabled = state
				}
			}
		}
	}
	if *e != want {
		t.Errorf("the SGX extension is\n%+v, want\n%+v", *e, want)
	}
}

// sgxValue is the extension of a certificate as crypto/x509 finds it.
func sgxValue(t testing.TB, der []byte) []byte {
	t.Helper()
	x, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range x.Extensions {
		if e.Id.Equal(sgxOID) {
			return e.Value
		}
	}
	return nil
}

// TestRealPCKExtensions reads those of the real sets, and writes them again,
// byte for byte.
func TestRealPCKExtensions(t *testing.T) {
	processors, platforms := 0, 0
	for _, der := range vectorCertificates(t) {
		value := sgxValue(t, der)
		if value == nil {
			continue
		}
		c, err := dcap.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		sameExtension(t, c.SGX, value)
		if got := c.SGX.Append([]byte("before")); !bytes.Equal(got, append([]byte("before"), value...)) {
			t.Errorf("written as\n%x, want\n%x", got, value)
		}
		if c.SGX.HasPlatform {
			platforms++
		} else {
			processors++
		}
	}
	t.Logf("%d of the Processor CA, %d of the Platform CA", processors, platforms)
	if processors == 0 || platforms == 0 {
		t.Error("one kind is missing")
	}
}

// TestPCKExtensionRoundTrip writes extensions of all values, which
// encoding/asn1 and ParseCertificate read as the same.
func TestPCKExtensionRoundTrip(t *testing.T) {
	p := newPKI(t)
	base := parseTree(p.platform)
	random := rand.New(rand.NewPCG(1, 2))
	fill := func(b []byte) {
		for i := range b {
			b[i] = byte(random.Uint32())
		}
	}
	for range 500 {
		var e dcap.PCKExtension
		fill(e.PPID[:])
		fill(e.TCB[:])
		fill(e.CPUSVN[:])
		fill(e.PCEID[:])
		fill(e.FMSPC[:])
		e.PCESVN = uint16(random.Uint32() >> (random.Uint32() % 32))
		e.SGXType = dcap.SGXType(random.Uint32())
		if e.HasPlatform = random.Uint32()%2 == 0; e.HasPlatform {
			fill(e.PlatformInstanceID[:])
			c := &e.Configuration
			for _, state := range []*dcap.Tristate{&c.DynamicPlatform, &c.CachedKeys, &c.SMTEnabled} {
				*state = dcap.Tristate(random.Uint32() % 3)
			}
		}
		value := e.Append(nil)
		sameExtension(t, &e, value)
		extension := base.extension("\x2A\x86\x48\x86\xF8\x4D\x01\x0D\x01")
		extension.children[len(extension.children)-1] = &node{tag: 0x04, content: value}
		c, err := dcap.ParseCertificate(base.bytes())
		if err != nil {
			t.Fatal(err)
		}
		if *c.SGX != e {
			t.Fatalf("%+v was written, %+v read", e, *c.SGX)
		}
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		dcap.SGXStandard.String(): "Standard", dcap.SGXScalable.String(): "Scalable", dcap.SGXScalableWithIntegrity.String(): "Scalable with Integrity", dcap.SGXType(9).String(): "SGX type 9",
		dcap.Undefined.String(): "undefined", dcap.False.String(): "false", dcap.True.String(): "true",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
