package dcap_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// optionalVectors returns files of the real sets by name, if they are here.
func optionalVectors(pattern string) map[string][]byte {
	names, _ := filepath.Glob(filepath.Join(vectors.Dir(), "*", pattern))
	files := map[string][]byte{}
	for _, name := range names {
		if b, err := os.ReadFile(name); err == nil {
			files[filepath.Join(filepath.Base(filepath.Dir(name)), filepath.Base(name))] = b
		}
	}
	return files
}

// vectorFiles returns the same, or skips.
func vectorFiles(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	files := optionalVectors(pattern)
	if len(files) == 0 {
		t.Skip("the real quote sets are not here")
	}
	return files
}

// vectorCertificates returns every certificate of the real sets in DER, as
// encoding/pem reads them.
func vectorCertificates(t testing.TB) [][]byte {
	t.Helper()
	seen := map[string]bool{}
	var all [][]byte
	for _, text := range vectorFiles(t, "*.pem") {
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			if !seen[string(block.Bytes)] {
				seen[string(block.Bytes)] = true
				all = append(all, block.Bytes)
			}
		}
	}
	return all
}

// equalX509 compares every field with what crypto/x509 reads.
func equalX509(t *testing.T, c *dcap.Certificate, x *x509.Certificate) {
	t.Helper()
	same := func(what string, got, want []byte) {
		t.Helper()
		if !bytes.Equal(got, want) {
			t.Errorf("%s is %x, want %x", what, got, want)
		}
	}
	same("Raw", c.Raw, x.Raw)
	same("RawTBS", c.RawTBS, x.RawTBSCertificate)
	same("RawSubject", c.RawSubject, x.RawSubject)
	same("RawIssuer", c.RawIssuer, x.RawIssuer)
	same("SerialNumber", c.SerialNumber, x.SerialNumber.Bytes())
	same("SubjectKeyID", c.SubjectKeyID, x.SubjectKeyId)
	same("AuthorityKeyID", c.AuthorityKeyID, x.AuthorityKeyId)
	same("Signature", c.Signature[:], rawSignature(t, x.Signature))
	if got, want := c.Subject, nameOf(x.Subject); got != want {
		t.Errorf("Subject is %+v, want %+v", got, want)
	}
	if got, want := c.Issuer, nameOf(x.Issuer); got != want {
		t.Errorf("Issuer is %+v, want %+v", got, want)
	}
	if !c.NotBefore.Equal(x.NotBefore) || !c.NotAfter.Equal(x.NotAfter) || c.NotBefore.Location() != x.NotBefore.Location() {
		t.Errorf("valid from %v to %v, want from %v to %v", c.NotBefore, c.NotAfter, x.NotBefore, x.NotAfter)
	}
	if point, err := x.PublicKey.(*ecdsa.PublicKey).Bytes(); err != nil {
		t.Error(err)
	} else {
		same("PublicKey", c.PublicKey[:], point[1:])
	}
	maxPathLen := x.MaxPathLen
	if !x.BasicConstraintsValid {
		t.Error("no basic constraints")
	}
	if c.IsCA != x.IsCA || c.MaxPathLen != maxPathLen || c.KeyUsage != dcap.KeyUsage(x.KeyUsage) {
		t.Errorf("CA %v, path %d, key usage %x, want %v, %d, %x", c.IsCA, c.MaxPathLen, c.KeyUsage, x.IsCA, maxPathLen, x.KeyUsage)
	}
	var sgx []byte
	for _, e := range x.Extensions {
		switch e.Id.String() {
		case "1.2.840.113741.1.13.1":
			sgx = e.Value
		case "2.5.29.31":
			if want := firstURI(e.Value); want == "" || c.CRLDistributionPoint != want {
				t.Errorf("CRL at %q, want %q", c.CRLDistributionPoint, want)
			}
		}
	}
	if (sgx != nil) != (c.SGX != nil) {
		t.Errorf("SGX extension: %v, want %v", c.SGX != nil, sgx != nil)
	}
}

// firstURI finds the first URI of CRL distribution points. (crypto/x509 passes
// over those after a name of another kind.)
func firstURI(value []byte) string {
	for _, point := range elements(elements(value)[0].Bytes) {
		name := elements(point.Bytes)[0]
		full := elements(name.Bytes)[0]
		for _, name := range elements(full.Bytes) {
			if name.FullBytes[0] == 0x86 {
				return string(name.Bytes)
			}
		}
	}
	return ""
}

// elements lists elements that follow each other.
func elements(b []byte) (list []asn1.RawValue) {
	for len(b) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(b, &v)
		if err != nil {
			panic(err)
		}
		list = append(list, v)
		b = rest
	}
	return list
}

func nameOf(n pkix.Name) dcap.Name {
	first := func(of []string) string {
		if len(of) > 0 {
			return of[0]
		}
		return ""
	}
	name := dcap.Name{Organization: first(n.Organization), Locality: first(n.Locality), State: first(n.Province), Country: first(n.Country)}
	// pkix keeps the last common name, and we the first.
	for _, attribute := range n.Names {
		if attribute.Type.String() == "2.5.4.3" {
			name.CommonName = attribute.Value.(string)
			break
		}
	}
	return name
}

// rawSignature is R||S of a DER signature, by encoding/asn1.
func rawSignature(t *testing.T, sig []byte) []byte {
	t.Helper()
	var rs struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(sig, &rs); err != nil || len(rest) > 0 {
		t.Fatal(err, rest)
	}
	return append(rs.R.FillBytes(make([]byte, 32)), rs.S.FillBytes(make([]byte, 32))...)
}

// TestRealCertificates compares every certificate of the real sets with
// crypto/x509.
func TestRealCertificates(t *testing.T) {
	pcks := 0
	all := vectorCertificates(t)
	for _, der := range all {
		c, err := dcap.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		x, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		equalX509(t, c, x)
		if c.SGX != nil {
			pcks++
		}
	}
	t.Logf("%d certificates, of which %d PCK certificates", len(all), pcks)
	if pcks < 5 {
		t.Errorf("only %d PCK certificates", pcks)
	}
}

func TestMadeCertificates(t *testing.T) {
	pki := newPKI(t)
	for name, der := range pki.all() {
		t.Run(name, func(t *testing.T) {
			c, err := dcap.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			x, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			equalX509(t, c, x)
		})
	}
	root, err := dcap.ParseCertificate(pki.root)
	if err != nil || !root.SelfIssued() {
		t.Error("the root is not self-issued")
	}
	leaf, err := dcap.ParseCertificate(pki.processor)
	if err != nil || leaf.SelfIssued() {
		t.Error("the PCK certificate is self-issued")
	}
}

// TestCertificateChanges: every bit of a certificate is read, signed, or both.
// What is accepted after a change differs in the signed part or the signature,
// and truncated nothing is.
func TestCertificateChanges(t *testing.T) {
	pki := newPKI(t)
	for name, original := range pki.all() {
		was, err := dcap.ParseCertificate(original)
		if err != nil {
			t.Fatal(err)
		}
		for n := range original {
			if _, err := dcap.ParseCertificate(original[:n]); err == nil {
				t.Fatalf("%s: the first %d bytes are accepted", name, n)
			}
		}
		accepted := 0
		for bit := range 8 * len(original) {
			b := bytes.Clone(original)
			b[bit/8] ^= 1 << (bit % 8)
			c, err := dcap.ParseCertificate(b)
			if err != nil {
				wantParseError(t, err, len(b))
				continue
			}
			if accepted++; bytes.Equal(c.RawTBS, was.RawTBS) && c.Signature == was.Signature {
				t.Errorf("%s: a change of bit %d of byte %d is not seen", name, bit%8, bit/8)
			}
		}
		t.Logf("%s: %d changes, %d are certificates with something else signed", name, 8*len(original), accepted)
		if _, err := dcap.ParseCertificate(append(bytes.Clone(original), 0)); !errors.Is(err, dcap.ErrTrailing) {
			t.Errorf("%s: with a byte more: %v", name, err)
		}
	}
}

// wantParseError checks the form of an error.
func wantParseError(t *testing.T, err error, size int) *dcap.ParseError {
	t.Helper()
	e, ok := errors.AsType[*dcap.ParseError](err)
	if !ok {
		t.Fatalf("%v is no *ParseError", err)
	}
	if e.Offset < 0 || e.Offset > size || e.Document == "" || e.Kind == nil || e.Reason == "" || strings.Contains(err.Error(), "\n") {
		t.Fatalf("%+v is not an error as it should be", e)
	}
	return e
}

// onCurve reports whether a point is one of P-256.
func onCurve(xy [64]byte) bool {
	_, err := ecdh.P256().NewPublicKey(append([]byte{4}, xy[:]...))
	return err == nil
}

func FuzzCertificate(f *testing.F) {
	pki := newPKI(f)
	for _, der := range pki.all() {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkCertificate(t, b) })
}

// checkCertificate compares with crypto/x509, if a certificate is accepted.
func checkCertificate(t *testing.T, b []byte) (accepted bool) {
	t.Helper()
	c, err := dcap.ParseCertificate(b)
	if err != nil {
		wantParseError(t, err, len(b))
		return false
	}
	x, err := x509.ParseCertificate(b)
	if err != nil {
		// crypto/x509 looks at the curve, and at extensions that are passed
		// over here.
		if onCurve(c.PublicKey) && !hasOther(t, c) {
			t.Fatalf("crypto/x509 does not take %x: %v", b, err)
		}
		return true
	}
	equalX509(t, c, x)
	if c.SGX != nil {
		for _, e := range x.Extensions {
			if e.Id.Equal(sgxOID) {
				sameExtension(t, c.SGX, e.Value)
			}
		}
	}
	return true
}

// TestCertificateTrees changes the structure of certificates at random, with
// the right lengths, which a fuzzer hardly ever does.
func TestCertificateTrees(t *testing.T) {
	p := newPKI(t)
	random := rand.New(rand.NewPCG(5, 6))
	accepted, tried := 0, 0
	for _, original := range p.all() {
		for range 1000 {
			n := parseTree(original)
			for range 1 + random.IntN(2) {
				n.mutate(random)
			}
			tried++
			if checkCertificate(t, n.bytes()) {
				accepted++
			}
		}
	}
	t.Logf("%d tried, %d accepted by crypto/x509 too", tried, accepted)
	if accepted < tried/100 {
		t.Error("hardly any is accepted: the changes are too wild to find something")
	}
}

// hasOther reports whether a certificate has an extension that is not known,
// as encoding/asn1 reads it.
func hasOther(t *testing.T, c *dcap.Certificate) bool {
	t.Helper()
	known := map[string]bool{"2.5.29.14": true, "2.5.29.15": true, "2.5.29.19": true, "2.5.29.31": true, "2.5.29.35": true, "1.2.840.113741.1.13.1": true}
	var tbs struct {
		Version                                   int `asn1:"optional,explicit,tag:0"`
		Serial                                    *big.Int
		Algorithm, Issuer, Validity, Subject, Key asn1.RawValue
		Extensions                                []pkix.Extension `asn1:"explicit,tag:3"`
	}
	if _, err := asn1.Unmarshal(c.RawTBS, &tbs); err != nil {
		t.Fatalf("encoding/asn1 does not take it: %v", err)
	}
	for _, e := range tbs.Extensions {
		if !known[e.Id.String()] {
			return true
		}
	}
	return false
}
