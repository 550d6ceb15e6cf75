package dcap_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// pki is a little PKI of the profile, made with crypto/x509.
type pki struct {
	rootKey, caKey, leafKey                   *ecdsa.PrivateKey
	root, ca, tcbSigning, processor, platform []byte // DER
}

func (p *pki) all() map[string][]byte {
	return map[string][]byte{"root": p.root, "ca": p.ca, "tcb signing": p.tcbSigning, "processor": p.processor, "platform": p.platform}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func intelName(common string) pkix.Name {
	return pkix.Name{CommonName: common, Organization: []string{"Intel Corporation"}, Locality: []string{"Santa Clara"}, Province: []string{"CA"}, Country: []string{"US"}}
}

// template is a certificate that has all that the profile requires.
func template(common string, ca bool) *x509.Certificate {
	id := sha256.Sum256([]byte(common))
	c := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(id[:20]),
		Subject:               intelName(common),
		NotBefore:             time.Date(2025, 2, 6, 23, 25, 51, 0, time.UTC),
		NotAfter:              time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC),
		SubjectKeyId:          id[:20],
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		CRLDistributionPoints: []string{"https://certificates.example/" + sanitized(common) + ".der", "https://other.example/"},
		SignatureAlgorithm:    x509.ECDSAWithSHA256,
		MaxPathLen:            -1,
	}
	if ca {
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	}
	return c
}

func sanitized(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == ' ' {
			b[i] = '-'
		}
	}
	return string(b)
}

// create signs a certificate with crypto/x509.
func create(t testing.TB, c, issuer *x509.Certificate, key, issuerKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	c.AuthorityKeyId = issuer.SubjectKeyId
	b, err := x509.CreateCertificate(rand.Reader, c, issuer, key.Public(), issuerKey)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newPKI(t testing.TB) *pki {
	t.Helper()
	p := &pki{rootKey: newKey(t), caKey: newKey(t), leafKey: newKey(t)}
	root := template("Intel SGX Root CA", true)
	root.MaxPathLen = 1
	root.NotAfter = time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC) // a GeneralizedTime
	p.root = create(t, root, root, p.rootKey, p.rootKey)
	ca := template("Intel SGX PCK Platform CA", true)
	ca.MaxPathLen, ca.MaxPathLenZero = 0, true
	p.ca = create(t, ca, root, p.caKey, p.rootKey)
	signing := template("Intel SGX TCB Signing", false)
	signing.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte("not looked at")}}
	p.tcbSigning = create(t, signing, root, p.leafKey, p.rootKey)

	e := samplePCK()
	leaf := template("Intel SGX PCK Certificate", false)
	leaf.ExtraExtensions = []pkix.Extension{{Id: sgxOID, Value: e.Append(nil)}}
	p.platform = create(t, leaf, ca, p.leafKey, p.caKey)
	e.HasPlatform = false
	leaf.ExtraExtensions[0].Value = e.Append(nil)
	p.processor = create(t, leaf, ca, p.leafKey, p.caKey)
	return p
}

var sgxOID = asn1.ObjectIdentifier{1, 2, 840, 113741, 1, 13, 1}

// samplePCK is an extension in which no two fields are the same.
func samplePCK() *dcap.PCKExtension {
	e := &dcap.PCKExtension{PCESVN: 0x8765, PCEID: [2]byte{0xA1, 0xA2}, FMSPC: [6]byte{0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6}, SGXType: dcap.SGXScalableWithIntegrity, HasPlatform: true,
		Configuration: dcap.PCKConfiguration{DynamicPlatform: dcap.True, CachedKeys: dcap.False, SMTEnabled: dcap.True}}
	for i := range 16 {
		e.PPID[i], e.CPUSVN[i], e.PlatformInstanceID[i], e.TCB[i] = byte(0x10+i), byte(0x20+i), byte(0x30+i), byte(17*i)
	}
	return e
}
