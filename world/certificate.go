package world

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/bits"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// Marked is what every name in a certificate of a world ends with.
const Marked = " (SOFTWARE - NOT HARDWARE)"

// Common names. Verifiers look for Intel's in them, without the company's.
const (
	nameRoot        = "SGX Root CA" + Marked
	nameProcessorCA = "SGX PCK Processor CA" + Marked
	namePlatformCA  = "SGX PCK Platform CA" + Marked
	nameTCBSigning  = "SGX TCB Signing" + Marked
	namePCK         = "SGX PCK Certificate" + Marked
)

// How many years certificates are valid.
const (
	yearsRoot         = 30
	yearsIntermediate = 15
	yearsLeaf         = 7
)

// RootCRLPath is where the CRL of the root is, DER, below the URL of a world.
const RootCRLPath = "/FeidiSGXRootCA.der"

// authorities are the certificates of a world besides PCK certificates.
type authorities struct{ root, processorCA, platformCA, tcbSigning *x509.Certificate }

// newAuthorities issues them, the same every time.
func newAuthorities(f *keyFile, k *keys) (*authorities, error) {
	crl := f.URL + RootCRLPath
	a := new(authorities)
	var err error
	for _, c := range []struct {
		to        **x509.Certificate
		name      string
		key       *ecdsa.PrivateKey
		ca        bool
		pathLen   int
		years     int
		issuerKey *ecdsa.PrivateKey
	}{
		{&a.root, nameRoot, k.root, true, 1, yearsRoot, k.root},
		{&a.processorCA, nameProcessorCA, k.processorCA, true, 0, yearsIntermediate, k.root},
		{&a.platformCA, namePlatformCA, k.platformCA, true, 0, yearsIntermediate, k.root},
		{&a.tcbSigning, nameTCBSigning, k.tcbSigning, false, 0, yearsLeaf, k.root},
	} {
		t := &certificate{
			world: f.Name, name: c.name, key: &c.key.PublicKey, crl: crl,
			begin: f.Created, years: c.years, ca: c.ca, pathLen: c.pathLen,
		}
		if *c.to, err = t.issue(a.root, c.issuerKey); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// certificate is a certificate before it is signed (Intel SGX PCK Certificate and
// CRL Profile Specification).
type certificate struct {
	world, name string
	key         *ecdsa.PublicKey
	crl         string // where the issuer's CRL is
	begin       time.Time
	years       int
	ca          bool
	pathLen     int
	sgx         *dcap.PCKExtension
}

// issue signs the certificate. The root has no issuer.
func (c *certificate) issue(issuer *x509.Certificate, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	usage := dcap.KeyUsageDigitalSignature | dcap.KeyUsageNonRepudiation
	constraints := basicConstraints{CA: c.ca, PathLen: -1}
	if c.ca {
		usage, constraints.PathLen = dcap.KeyUsageCertSign|dcap.KeyUsageCRLSign, c.pathLen
	}
	id, err := keyID(c.key)
	if err != nil {
		return nil, err
	}
	authority := id
	if issuer != nil {
		authority = issuer.SubjectKeyId
	}
	x := new(extensions)
	x.add(false, authorityKey{authority}, 2, 5, 29, 35)
	x.add(false, []distributionPoint{{distributionPointName{[]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(c.crl)}}}}}, 2, 5, 29, 31)
	x.add(false, id, 2, 5, 29, 14)
	x.add(true, usageBits(usage), 2, 5, 29, 15)
	x.add(true, constraints, 2, 5, 29, 19)
	if c.sgx != nil {
		x.list = append(x.list, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 840, 113741, 1, 13, 1}, Value: c.sgx.Append(nil)})
	}
	subject, err := asn1.Marshal(distinguishedName(c.world, c.name))
	if err = errors.Join(err, x.err); err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", c.name, err)
	}
	t := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial(id)), RawSubject: subject,
		NotBefore: c.begin, NotAfter: c.begin.AddDate(c.years, 0, 0),
		SignatureAlgorithm: x509.ECDSAWithSHA256, ExtraExtensions: x.list,
	}
	if issuer == nil {
		issuer = t
	}
	der, err := x509.CreateCertificate(nil, t, issuer, c.key, deterministic{key})
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", c.name, err)
	}
	return x509.ParseCertificate(der)
}

// distinguishedName has Intel's attributes in Intel's order. The country is
// one that ISO 3166 gives to nobody.
func distinguishedName(world, common string) pkix.RDNSequence {
	var name pkix.RDNSequence
	for _, a := range []struct {
		arc   int
		value string
	}{{3, common}, {10, "Feidi world " + world + Marked}, {7, "Nowhere"}, {8, "None"}, {6, "XX"}} {
		name = append(name, pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 5, 4, a.arc}, Value: a.value}})
	}
	return name
}

// deterministic signs by RFC 6979.
type deterministic struct{ *ecdsa.PrivateKey }

func (d deterministic) Sign(_ io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return d.PrivateKey.Sign(nil, digest, o)
}

// keyID is the usual identifier of a key: SHA-1 of its point (RFC 5280 §4.2.1.2).
func keyID(key *ecdsa.PublicKey) ([]byte, error) {
	point, err := key.Bytes()
	if err != nil {
		return nil, err
	}
	id := sha1.Sum(point)
	return id[:], nil
}

// serial is the serial number of the certificate of a key. As with Intel's
// authorities it is the key's identifier, but always positive and of 20 bytes.
// No key has two certificates.
func serial(id []byte) []byte {
	s := append([]byte{}, id...)
	s[0] = s[0]&0x3f | 0x40
	return s
}

// DER of extensions (RFC 5280 §4.2.1).
type (
	authorityKey struct {
		KeyID []byte `asn1:"tag:0"`
	}
	distributionPoint struct {
		Name distributionPointName `asn1:"tag:0"`
	}
	distributionPointName struct {
		FullName []asn1.RawValue `asn1:"tag:0"`
	}
	basicConstraints struct {
		CA      bool `asn1:"optional"`
		PathLen int  `asn1:"optional,default:-1"`
	}
)

// usageBits is the bit string of a key usage, of which the first bit is bit 0.
func usageBits(u dcap.KeyUsage) asn1.BitString {
	n := bits.Len16(uint16(u))
	reversed := bits.Reverse16(uint16(u))
	return asn1.BitString{Bytes: []byte{byte(reversed >> 8), byte(reversed)}[:(n+7)/8], BitLength: n}
}

// extensions are those of a certificate that is being made.
type extensions struct {
	list []pkix.Extension
	err  error
}

func (x *extensions) add(critical bool, value any, id ...int) {
	b, err := asn1.Marshal(value)
	if err != nil && x.err == nil {
		x.err = err
	}
	x.list = append(x.list, pkix.Extension{Id: id, Critical: critical, Value: b})
}

// pemOf returns certificates in PEM, one after the other.
func pemOf(certs ...*x509.Certificate) []byte {
	var b []byte
	for _, c := range certs {
		b = dcap.AppendPEM(b, c.Raw)
	}
	return b
}

// authority returns the certificate and the key of a CA.
func (w *World) authority(ca verify.CA) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	switch ca {
	case verify.ProcessorCA:
		return w.certs.processorCA, w.keys.processorCA, nil
	case verify.PlatformCA:
		return w.certs.platformCA, w.keys.platformCA, nil
	}
	return nil, nil, fmt.Errorf("%.40q: %w", string(ca), ErrUnknownCA)
}
