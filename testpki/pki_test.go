package testpki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// parseChain reads a PEM chain with nothing but Go's library.
func parseChain(t *testing.T, chain []byte) []*x509.Certificate {
	t.Helper()
	var certs []*x509.Certificate
	for {
		var b *pem.Block
		if b, chain = pem.Decode(chain); b == nil {
			return certs
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
}

// verifyChain verifies a chain, leaf first and root last, under the root of p.
func verifyChain(p *PKI, chain []*x509.Certificate) error {
	opts := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: p.Now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	opts.Roots.AddCert(p.Root.X509())
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(opts)
	return err
}

func TestChains(t *testing.T) {
	p := New(Seed("chains"))
	platform, processor := p.Platform(), p.Platform(SinglePackage)
	for _, c := range []struct {
		name  string
		chain []byte
		names []string
	}{
		{"platform", platform.ChainPEM(), []string{NamePCK, NamePlatformCA, NameRoot}},
		{"processor", processor.ChainPEM(), []string{NamePCK, NameProcessorCA, NameRoot}},
		{"TCB", p.TCBChainPEM(), []string{NameTCBSigning, NameRoot}},
		{"PCK CRL", platform.Collateral(dcap.TEESGX).PCKCRLChain, []string{NamePlatformCA, NameRoot}},
		{"root", p.RootPEM(), []string{NameRoot}},
	} {
		chain := parseChain(t, c.chain)
		if len(chain) != len(c.names) {
			t.Fatalf("%s: %d certificates", c.name, len(chain))
		}
		for i, cert := range chain {
			if want := "CN=" + c.names[i] + ",O=Intel Corporation,L=Santa Clara,ST=CA,C=US"; cert.Subject.String() != want {
				t.Errorf("%s: subject %s, want %s", c.name, cert.Subject, want)
			}
			if len(cert.CRLDistributionPoints) != 1 || len(cert.SubjectKeyId) != 20 || len(cert.AuthorityKeyId) != 20 || !cert.BasicConstraintsValid || cert.KeyUsage == 0 {
				t.Errorf("%s: %s lacks one of the five extensions", c.name, cert.Subject)
			}
			if i+1 < len(chain) && !bytes.Equal(cert.AuthorityKeyId, chain[i+1].SubjectKeyId) {
				t.Errorf("%s: key IDs of %d and %d differ", c.name, i, i+1)
			}
		}
		if err := verifyChain(p, chain); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := verifyChain(New(Seed("other")), parseChain(t, platform.ChainPEM())); err == nil {
		t.Error("another PKI's root vouches for the platform")
	}
}

func TestDeterminism(t *testing.T) {
	all := func(p *PKI) []byte {
		q := p.Platform().TDXQuote()
		c := q.Collateral()
		return join(q.Bytes(), c.PCKChain, c.RootCRL, c.PCKCRL, c.PCKCRLChain, c.TCBInfo, c.TCBInfoChain, c.QEIdentity, c.QEIdentityChain)
	}
	a, b := all(New(Seed("a"))), all(New(Seed("b")))
	if !bytes.Equal(a, all(New(Seed("a")))) {
		t.Error("the same seed gives other bytes")
	}
	if bytes.Equal(a, b) || bytes.Equal(a, all(New(Seed("a"), At(Epoch.AddDate(0, 0, 1))))) {
		t.Error("seed or date do not matter")
	}
	p, q := New(), New()
	if p.Root.Template.Serial.Cmp(q.Root.Template.Serial) == 0 {
		t.Error("two PKIs without a seed have one key")
	}
	if d := time.Since(p.Now); d < 0 || d > time.Minute {
		t.Errorf("now is %v ago", d)
	}
}

// Each way to be wrong is seen by crypto/x509, or made on purpose as it says.
func TestReissue(t *testing.T) {
	p := New(Seed("reissue"))
	m := p.Platform()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	unknown := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}
	verify := func(c *x509.Certificate) error {
		return verifyChain(p, []*x509.Certificate{c, p.PlatformCA.X509(), p.Root.X509()})
	}
	for _, c := range []struct {
		name  string
		edit  func(*Template)
		valid bool // for crypto/x509, which knows no profile
		check func(*x509.Certificate) bool
	}{
		{"nothing", func(*Template) {}, true, func(c *x509.Certificate) bool { return bytes.Equal(c.Raw, m.PCK.DER) }},
		{"expired", func(t *Template) { t.NotAfter = p.Now.Add(-time.Second) }, false, nil},
		{"future", func(t *Template) { t.NotBefore = p.Now.Add(time.Second) }, false, nil},
		{"far future", func(t *Template) { t.NotAfter = day(2150, 1, 1) }, true, func(c *x509.Certificate) bool { return c.NotAfter.Equal(day(2150, 1, 1)) }},
		{"issuer", func(t *Template) { t.Issuer.CommonName = "Somebody" }, false, nil},
		{"subject", func(t *Template) { t.Subject.CommonName = "Somebody" }, true, func(c *x509.Certificate) bool { return c.Subject.CommonName == "Somebody" }},
		{"no country", func(t *Template) { t.Subject.Country = "" }, true, func(c *x509.Certificate) bool { return len(c.Subject.Country) == 0 }},
		{"signer", func(t *Template) { t.Signer = p.Key("wrong") }, false, nil},
		{"critical unknown", func(t *Template) { t.Set(unknown) }, false, func(c *x509.Certificate) bool { return len(c.UnhandledCriticalExtensions) == 1 }},
		{"critical SGX", func(t *Template) {
			value := EncodeSGX(SGXFields(t.SGX))
			t.SGX = nil
			t.Set(pkix.Extension{Id: OIDSGX, Critical: true, Value: value})
		}, false, func(c *x509.Certificate) bool { return c.UnhandledCriticalExtensions[0].Equal(OIDSGX) }},
		{"no key ID", func(t *Template) { t.Remove(OIDSubjectKeyID) }, true, func(c *x509.Certificate) bool { return c.SubjectKeyId == nil && len(c.Extensions) == 5 }},
		{"no SGX", func(t *Template) { t.SGX = nil }, true, func(c *x509.Certificate) bool { return len(c.Extensions) == 5 }},
		{"no extension", func(t *Template) { t.Extensions, t.SGX = nil, nil }, true, func(c *x509.Certificate) bool { return len(c.Extensions) == 0 }},
		{"a CA", func(t *Template) { t.Get(OIDBasicConstraints).Value = BasicConstraints(true, 3).Value }, true, func(c *x509.Certificate) bool { return c.IsCA && c.MaxPathLen == 3 }},
		{"usage", func(t *Template) { t.Set(KeyUsage(dcap.KeyUsageCRLSign)) }, true, func(c *x509.Certificate) bool { return c.KeyUsage == x509.KeyUsageCRLSign }},
		{"serial", func(t *Template) { t.Serial.SetInt64(300) }, true, func(c *x509.Certificate) bool { return c.SerialNumber.Cmp(big.NewInt(300)) == 0 }},
		{"P-384 key", func(t *Template) { t.Key = p384 }, true, func(c *x509.Certificate) bool { return c.PublicKey.(*ecdsa.PublicKey).Curve == elliptic.P384() }},
		{"RSA key", func(t *Template) { t.Key = rsaKey }, true, func(c *x509.Certificate) bool { return c.PublicKeyAlgorithm == x509.RSA }},
		{"RSA signer", func(t *Template) { t.Signer = rsaKey }, false, func(c *x509.Certificate) bool { return c.SignatureAlgorithm == x509.SHA256WithRSA }},
		{"P-384 signer", func(t *Template) { t.Signer = p384 }, false, func(c *x509.Certificate) bool { return c.SignatureAlgorithm == x509.ECDSAWithSHA384 }},
		{"version 1", func(t *Template) { t.Version, t.Extensions, t.SGX = 1, nil, nil }, true, func(c *x509.Certificate) bool { return c.Version == 1 }},
		{"signature", func(t *Template) { t.EditSignature = flip(20) }, false, nil},
		{"TBS", func(t *Template) {
			t.EditTBS = func(b []byte) []byte {
				return bytes.Replace(b, []byte("Santa Clara"), []byte("Santa Klara"), 1)
			}
		}, false, func(c *x509.Certificate) bool {
			return c.Issuer.Locality[0] == "Santa Klara" && c.Subject.Locality[0] == "Santa Clara"
		}},
		{"DER", func(t *Template) {
			t.EditDER = func(b []byte) []byte {
				return bytes.Replace(b, []byte(NamePCK), []byte("Intel SGX PCK Xertificate"), 1)
			}
		}, false, nil},
	} {
		cert := m.PCK.Reissue(c.edit).X509()
		if err := verify(cert); (err == nil) != c.valid {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.check != nil && !c.check(cert) {
			t.Errorf("%s: not as made", c.name)
		}
	}
	if verify(m.PCK.X509()) != nil {
		t.Error("an edit changed what it was a copy of")
	}
}

// flip returns an edit that changes one bit of byte i.
func flip(i int) func([]byte) []byte {
	return func(b []byte) []byte { b = bytes.Clone(b); b[i] ^= 1; return b }
}

func TestReissuedAuthority(t *testing.T) {
	p := New(Seed("authority"))
	m := p.Platform()
	p.PlatformCA = p.PlatformCA.Reissue(func(t *Template) { t.NotAfter = p.Now.Add(-time.Hour) })
	if err := verifyChain(p, parseChain(t, m.ChainPEM())); err == nil {
		t.Error("a chain with an expired authority is valid")
	}
	m.SGX.PCESVN = 1
	m.Reissue()
	if m.PCK.Template.SGX.PCESVN != 1 {
		t.Error("the certificate does not follow the platform")
	}
	base := New(BaseURL("http://127.0.0.1:1"))
	for _, c := range []*Cert{base.Root, base.Platform().PCK} {
		if u := c.X509().CRLDistributionPoints[0]; u[:18] != "http://127.0.0.1:1" {
			t.Errorf("CRL distribution point %s", u)
		}
	}
	if late := New(At(day(2060, 1, 1))); verifyChain(late, parseChain(t, late.Platform().ChainPEM())) != nil {
		t.Error("no valid chain in 2060")
	}
}

func TestCRL(t *testing.T) {
	p := New(Seed("crl"))
	a, b := p.Platform(), p.Platform()
	p.PlatformCA.Revoke(a.PCK)
	p.Root.Revoke(p.ProcessorCA)

	parse := func(der []byte, issuer *Cert) *x509.RevocationList {
		t.Helper()
		l, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.CheckSignatureFrom(issuer.X509()); err != nil {
			t.Fatal(err)
		}
		if p.Now.Before(l.ThisUpdate) || p.Now.After(l.NextUpdate) || l.Number.Int64() != 1 || !bytes.Equal(l.AuthorityKeyId, issuer.X509().SubjectKeyId) {
			t.Errorf("CRL of %s: %+v", issuer.Template.Subject.CommonName, l)
		}
		return l
	}
	has := func(l *x509.RevocationList, c *Cert) bool {
		for _, e := range l.RevokedCertificateEntries {
			if e.SerialNumber.Cmp(c.Template.Serial) == 0 {
				return e.ReasonCode == 1
			}
		}
		return false
	}
	if l := parse(p.PlatformCA.CRL(), p.PlatformCA); !has(l, a.PCK) || has(l, b.PCK) {
		t.Errorf("PCK CRL: %v", l.RevokedCertificateEntries)
	}
	if l := parse(p.Root.CRL(), p.Root); !has(l, p.ProcessorCA) || has(l, p.PlatformCA) {
		t.Errorf("root CRL: %v", l.RevokedCertificateEntries)
	}
	if l := parse(p.ProcessorCA.CRL(), p.ProcessorCA); len(l.RevokedCertificateEntries) != 0 {
		t.Errorf("processor CRL: %v", l.RevokedCertificateEntries)
	}
	if l := parse(p.ProcessorCA.CRL(func(t *CRLTemplate) { t.Fill(20000) }), p.ProcessorCA); len(l.RevokedCertificateEntries) != 20000 {
		t.Errorf("filled CRL has %d entries", len(l.RevokedCertificateEntries))
	}

	for _, c := range []struct {
		name string
		edit func(*CRLTemplate)
		ok   func(*x509.RevocationList) bool
	}{
		{"old", func(t *CRLTemplate) { t.NextUpdate = p.Now.Add(-time.Second) }, func(l *x509.RevocationList) bool { return l.NextUpdate.Before(p.Now) }},
		{"no next update", func(t *CRLTemplate) { t.NextUpdate = time.Time{} }, func(l *x509.RevocationList) bool { return l.NextUpdate.IsZero() }},
		{"no number", func(t *CRLTemplate) { t.Extensions = t.Extensions[1:] }, func(l *x509.RevocationList) bool { return l.Number == nil }},
		{"issuer", func(t *CRLTemplate) { t.Issuer.CommonName = NameRoot }, func(l *x509.RevocationList) bool { return l.Issuer.CommonName == NameRoot }},
		{"signer", func(t *CRLTemplate) { t.Signer = p.Key("wrong") }, func(l *x509.RevocationList) bool { return l.CheckSignatureFrom(p.PlatformCA.X509()) != nil }},
		{"signature", func(t *CRLTemplate) { t.EditSignature = flip(20) }, func(l *x509.RevocationList) bool { return l.CheckSignatureFrom(p.PlatformCA.X509()) != nil }},
	} {
		l, err := x509.ParseRevocationList(p.PlatformCA.CRL(c.edit))
		if err != nil || !c.ok(l) {
			t.Errorf("%s: %v %+v", c.name, err, l)
		}
	}
}

func TestRawSignature(t *testing.T) {
	p := New(Seed("raw"))
	key := p.Key("k")
	for i := range 300 { // some have a short R or S
		m := []byte{byte(i), byte(i >> 8)}
		sig := signRaw(key, m)
		if !verifyRaw(&key.PublicKey, m, sig) {
			t.Fatalf("signature %d", i)
		}
	}
}
