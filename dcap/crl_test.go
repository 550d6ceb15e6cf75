package dcap_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// newCRL makes a CRL of n entries with crypto/x509. Serial numbers are of
// all lengths.
func newCRL(t testing.TB, n int) []byte {
	t.Helper()
	p := newPKI(t)
	issuer, err := x509.ParseCertificate(p.ca)
	if err != nil {
		t.Fatal(err)
	}
	list := &x509.RevocationList{
		SignatureAlgorithm: x509.ECDSAWithSHA256,
		Number:             big.NewInt(0x80),
		ThisUpdate:         time.Date(2025, 6, 19, 10, 0, 35, 0, time.UTC),
		NextUpdate:         time.Date(2050, 7, 19, 10, 0, 35, 0, time.UTC),
	}
	for i := range n {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber:   new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), uint(8*(i%20))), big.NewInt(int64(i))),
			RevocationTime: list.ThisUpdate.AddDate(0, 0, -i%100),
			ReasonCode:     []int{1, 0, 2, 1, 1, 4}[i%6],
		})
	}
	b, err := x509.CreateRevocationList(rand.Reader, list, issuer, p.caKey)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// equalX509CRL compares every field with what crypto/x509 reads.
func equalX509CRL(t *testing.T, c *dcap.CRL, x *x509.RevocationList) {
	t.Helper()
	if !bytes.Equal(c.Raw, x.Raw) || !bytes.Equal(c.RawTBS, x.RawTBSRevocationList) || !bytes.Equal(c.RawIssuer, x.RawIssuer) {
		t.Error("raw parts differ")
	}
	if got, want := c.Issuer, nameOf(x.Issuer); got != want {
		t.Errorf("Issuer is %+v, want %+v", got, want)
	}
	if !c.ThisUpdate.Equal(x.ThisUpdate) || !c.NextUpdate.Equal(x.NextUpdate) {
		t.Errorf("updates %v and %v, want %v and %v", c.ThisUpdate, c.NextUpdate, x.ThisUpdate, x.NextUpdate)
	}
	if (c.Number != nil) != (x.Number != nil) || c.Number != nil && new(big.Int).SetBytes(c.Number).Cmp(x.Number) != 0 {
		t.Errorf("number %x, want %v", c.Number, x.Number)
	}
	if !bytes.Equal(c.AuthorityKeyID, x.AuthorityKeyId) {
		t.Errorf("authority key identifier %x, want %x", c.AuthorityKeyID, x.AuthorityKeyId)
	}
	if !bytes.Equal(c.Signature[:], rawSignature(t, x.Signature)) {
		t.Error("signatures differ")
	}
	if c.Len() != len(x.RevokedCertificateEntries) {
		t.Fatalf("%d entries, want %d", c.Len(), len(x.RevokedCertificateEntries))
	}
	i := 0
	for got := range c.Revoked() {
		want := x.RevokedCertificateEntries[i]
		reason := -1
		for _, e := range want.Extensions {
			if e.Id.String() == "2.5.29.21" {
				reason = want.ReasonCode
			}
		}
		if !bytes.Equal(got.SerialNumber, want.SerialNumber.Bytes()) || !got.Date.Equal(want.RevocationTime) || got.Reason != reason {
			t.Errorf("entry %d is %+v, want %v %v %d", i, got, want.SerialNumber, want.RevocationTime, reason)
		}
		if !c.Contains(got.SerialNumber) || !c.Contains(append([]byte{0}, got.SerialNumber...)) {
			t.Errorf("entry %d is not found", i)
		}
		i++
	}
	if i != c.Len() {
		t.Errorf("%d entries are given, want %d", i, c.Len())
	}
}

func TestRealCRLs(t *testing.T) {
	entries := 0
	for name, der := range vectorFiles(t, "*crl.der") {
		c, err := dcap.ParseCRL(der)
		if err != nil {
			t.Fatal(name, err)
		}
		x, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(name, err)
		}
		equalX509CRL(t, c, x)
		entries = max(entries, c.Len())
	}
	t.Logf("at most %d entries", entries)
	if entries < 30 {
		t.Error("no list has many entries")
	}
}

func TestMadeCRLs(t *testing.T) {
	for _, n := range []int{0, 1, 2, 44, 300} {
		der := newCRL(t, n)
		c, err := dcap.ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		x, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		equalX509CRL(t, c, x)
		for _, serial := range [][]byte{nil, {}, {0}, bytes.Repeat([]byte{0xFF}, 20), bytes.Repeat([]byte{1}, 100)} {
			if c.Contains(serial) {
				t.Errorf("%d entries contain %x", n, serial)
			}
		}
		for range c.Revoked() {
			break // a loop may end early
		}
	}
	if empty := new(dcap.CRL); empty.Len() != 0 || empty.Contains([]byte{1}) {
		t.Error("the zero value has entries")
	}
}

func TestCRLChanges(t *testing.T) {
	original := newCRL(t, 7)
	was, err := dcap.ParseCRL(original)
	if err != nil {
		t.Fatal(err)
	}
	for n := range original {
		if _, err := dcap.ParseCRL(original[:n]); err == nil {
			t.Fatalf("the first %d bytes are accepted", n)
		}
	}
	accepted := 0
	for bit := range 8 * len(original) {
		b := bytes.Clone(original)
		b[bit/8] ^= 1 << (bit % 8)
		c, err := dcap.ParseCRL(b)
		if err != nil {
			wantParseError(t, err, len(b))
			continue
		}
		if accepted++; bytes.Equal(c.RawTBS, was.RawTBS) && c.Signature == was.Signature {
			t.Errorf("a change of bit %d of byte %d is not seen", bit%8, bit/8)
		}
	}
	t.Logf("%d changes, %d are lists with something else signed", 8*len(original), accepted)
}

func TestRefusedCRLs(t *testing.T) {
	original := newCRL(t, 3)
	extension := func(oid string, critical bool) *node {
		e := &node{tag: 0x30, children: []*node{{tag: 6, content: []byte(oid)}}}
		if critical {
			e.insert(1, &node{tag: 1, content: []byte{255}})
		}
		e.insert(len(e.children), &node{tag: 4, content: []byte{0x0A, 1, 1}})
		return e
	}
	for _, c := range []struct {
		name   string
		change func(n *node)
		kind   error
		path   string
		reason string
	}{
		{"version 1", func(n *node) { n.at(0).remove(0) }, dcap.ErrVersion, "version", "version 1"},
		{"version 3", func(n *node) { n.at(0, 0).content = []byte{2} }, dcap.ErrVersion, "version", ""},
		{"algorithm", func(n *node) { n.at(0, 1, 0).content[7] = 4 }, dcap.ErrKind, "signature", "ecdsa-with-SHA512"},
		{"no next update", func(n *node) { n.at(0).remove(4) }, dcap.ErrFormat, "nextUpdate", "time"},
		{"no entries in a list", func(n *node) { n.at(0, 5).children = nil }, dcap.ErrFormat, "revokedCertificates", ""},
		{"entry with serial 0", func(n *node) { n.at(0, 5, 1, 0).content = []byte{0} }, dcap.ErrFormat, "revokedCertificates[1].userCertificate", ""},
		{"entry of 30 February", func(n *node) { n.at(0, 5, 1, 1).content = []byte("250230000000Z") }, dcap.ErrFormat, "revokedCertificates[1].revocationDate", "exist"},
		{"entry with a critical extension", func(n *node) { n.at(0, 5, 0, 2).insert(0, extension("\x55\x1D\x1D", true)) }, dcap.ErrInvalid, "revokedCertificates[0].extensions", "2.5.29.29"},
		{"entry with two reasons", func(n *node) { n.at(0, 5, 0, 2).insert(0, n.at(0, 5, 0, 2, 0)) }, dcap.ErrDuplicate, "revokedCertificates[0].extensions", ""},
		{"reason 7", func(n *node) { n.at(0, 5, 2, 2, 0, 1).content[2] = 7 }, dcap.ErrInvalid, "revokedCertificates[2].extensions.reasonCode", ""},
		{"reason 11", func(n *node) { n.at(0, 5, 2, 2, 0, 1).content[2] = 11 }, dcap.ErrInvalid, "revokedCertificates[2].extensions.reasonCode", ""},
		{"delta CRL", func(n *node) { n.at(0, 6, 0).insert(0, extension("\x55\x1D\x1B", true)) }, dcap.ErrInvalid, "extensions", "2.5.29.27"},
		{"CRL number twice", func(n *node) {
			l := n.at(0, 6, 0)
			l.children = append(l.children, l.children...)
		}, dcap.ErrDuplicate, "extensions", ""},
		{"CRL number critical", func(n *node) {
			for _, e := range n.at(0, 6, 0).children {
				if string(e.children[0].content) == "\x55\x1D\x14" {
					e.insert(1, &node{tag: 1, content: []byte{255}})
				}
			}
		}, dcap.ErrInvalid, "extensions.cRLNumber", "critical"},
		{"something after the extensions", func(n *node) { n.at(0).insert(7, &node{tag: 5}) }, dcap.ErrTrailing, "tbsCertList", ""},
		{"no signature", func(n *node) { n.remove(2) }, dcap.ErrFormat, "signature", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := parseTree(original)
			c.change(n)
			b := n.bytes()
			_, err := dcap.ParseCRL(b)
			if err == nil {
				t.Fatal("accepted")
			}
			if e := wantParseError(t, err, len(b)); !errors.Is(err, c.kind) || e.Path != c.path || !strings.Contains(e.Reason, c.reason) {
				t.Errorf("%v\nwant %v at %q because of %q", err, c.kind, c.path, c.reason)
			}
		})
	}
	if _, err := dcap.ParseCRL(append(bytes.Clone(original), 0)); !errors.Is(err, dcap.ErrTrailing) {
		t.Error(err)
	}
	if _, err := dcap.ParseCRL(make([]byte, dcap.MaxCRLSize+1)); !errors.Is(err, dcap.ErrTooLarge) {
		t.Error(err)
	}
	// Without extensions: for who verifies. An unknown one is passed over.
	n := parseTree(original)
	n.at(0).remove(6)
	if c, err := dcap.ParseCRL(n.bytes()); err != nil || c.Number != nil || c.AuthorityKeyID != nil || c.Len() != 3 {
		t.Error(c, err)
	}
	n = parseTree(original)
	n.at(0, 6, 0).insert(0, extension("\x2A\x03", false))
	n.at(0, 5, 0, 2).insert(0, extension("\x55\x1D\x18", false))
	if c, err := dcap.ParseCRL(n.bytes()); err != nil || len(c.Number) != 1 || c.Number[0] != 0x80 {
		t.Error(c, err)
	}
}

// TestLargeCRL: one of the bound's size takes no memory besides itself.
func TestLargeCRL(t *testing.T) {
	n := parseTree(newCRL(t, 1))
	entry := n.at(0, 5, 0)
	size := len(entry.bytes())
	for range (dcap.MaxCRLSize - 1000) / size {
		n.at(0, 5).children = append(n.at(0, 5).children, entry)
	}
	b := n.bytes()
	var c *dcap.CRL
	allocs := testing.AllocsPerRun(1, func() {
		var err error
		if c, err = dcap.ParseCRL(b); err != nil {
			t.Fatal(err)
		}
	})
	if t.Logf("%d bytes, %d entries, %.0f allocations", len(b), c.Len(), allocs); allocs > 10 {
		t.Error("it takes memory for each entry")
	}
	if c.Contains([]byte{9, 9}) {
		t.Error("found what is not there")
	}
}

func FuzzCRL(f *testing.F) {
	f.Add(newCRL(f, 0))
	f.Add(newCRL(f, 3))
	f.Fuzz(func(t *testing.T, b []byte) { checkCRL(t, b) })
}

// checkCRL compares with crypto/x509, if a CRL is accepted.
func checkCRL(t *testing.T, b []byte) (accepted bool) {
	t.Helper()
	c, err := dcap.ParseCRL(b)
	if err != nil {
		wantParseError(t, err, len(b))
		return false
	}
	x, err := x509.ParseRevocationList(b)
	if err != nil {
		t.Fatalf("crypto/x509 does not take %x: %v", b, err)
	}
	equalX509CRL(t, c, x)
	return true
}

func TestCRLTrees(t *testing.T) {
	original := newCRL(t, 3)
	random := mathrand.New(mathrand.NewPCG(7, 8))
	accepted := 0
	const tries = 2000
	for range tries {
		n := parseTree(original)
		for range 1 + random.IntN(2) {
			n.mutate(random)
		}
		if checkCRL(t, n.bytes()) {
			accepted++
		}
	}
	t.Logf("%d tried, %d accepted by crypto/x509 too", tries, accepted)
	if accepted < tries/100 {
		t.Error("hardly any is accepted: the changes are too wild to find something")
	}
}
