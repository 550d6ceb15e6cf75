package testpki

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// Common names of Intel's certificates.
const (
	NameRoot        = "Intel SGX Root CA"
	NameProcessorCA = "Intel SGX PCK Processor CA"
	NamePlatformCA  = "Intel SGX PCK Platform CA"
	NameTCBSigning  = "Intel SGX TCB Signing"
	NamePCK         = "Intel SGX PCK Certificate"
)

// Where Intel serves from; see BaseURL.
const (
	intelCertificates = "https://certificates.trustedservices.intel.com"
	intelAPI          = "https://api.trustedservices.intel.com"
	pathRootCRL       = "/IntelSGXRootCA.der"
)

// Epoch is the Now of a PKI that has a seed and no other date.
var Epoch = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// PKI is one fake Intel. Its certificates and identities may be replaced: what
// is made afterwards follows them.
type PKI struct {
	// Now is when everything is valid: the time to give a verifier. It is
	// to be read; At sets it.
	Now time.Time

	Root        *Cert
	ProcessorCA *Cert // issues the PCK certificates of platforms with one package
	PlatformCA  *Cert // and those of the others
	TCBSigning  *Cert // signs TCB info and identities

	// What Intel says of its enclaves: DefaultQE and the like.
	QE, QVE, TDQE *dcap.EnclaveIdentity

	// Evaluations are the TCB evaluation data numbers that are served,
	// newest first. The first is what update=early gets, the second is the
	// standard.
	Evaluations []Evaluation

	seed              [32]byte
	certificates, api string // base URLs in CRL distribution points

	mu        sync.Mutex
	platforms []*Platform
	tcb       map[tcbKey]*dcap.TCBInfo
}

type tcbKey struct {
	tee   dcap.TEEType
	fmspc [6]byte
}

// Option is an option of New.
type Option func(*PKI)

// Seed makes every byte of the PKI a function of the seed and the date. The
// date is Epoch unless At says another.
func Seed(seed string) Option {
	return func(p *PKI) { p.seed = sha256.Sum256([]byte(seed)); p.Now = Epoch }
}

// At makes everything valid at t, which is cut to seconds; else it is the
// present. It comes after Seed.
func At(t time.Time) Option {
	return func(p *PKI) { p.Now = t.UTC().Truncate(time.Second) }
}

// BaseURL puts a server, such as "http://127.0.0.1:8080", in the place of
// Intel's two in the CRL distribution points.
func BaseURL(url string) Option {
	return func(p *PKI) { p.certificates, p.api = url, url }
}

// New returns a PKI with its own keys: a root, two PCK authorities, and a
// signer of TCB information. It costs four keys and four signatures.
func New(options ...Option) *PKI {
	p := &PKI{
		Now:          time.Now().UTC().Truncate(time.Second),
		certificates: intelCertificates, api: intelAPI,
		tcb: map[tcbKey]*dcap.TCBInfo{},
	}
	rand.Read(p.seed[:])
	for _, o := range options {
		o(p)
	}

	begin := p.Now.AddDate(-5, 0, 0)
	end := time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC) // Intel's
	if !p.Now.Before(end) {
		end = p.Now.AddDate(20, 0, 0)
	}
	p.Root = p.authority(NameRoot, nil, 1, begin, end)
	p.ProcessorCA = p.authority(NameProcessorCA, p.Root, 0, begin, begin.AddDate(15, 0, 0))
	p.PlatformCA = p.authority(NamePlatformCA, p.Root, 0, begin, begin.AddDate(15, 0, 0))
	p.TCBSigning = p.leaf(NameTCBSigning, NameTCBSigning, p.Root, p.certificates+pathRootCRL, nil)

	p.QE, p.QVE, p.TDQE = DefaultQE(p.Now), DefaultQVE(p.Now), DefaultTDQE(p.Now)
	p.Evaluations = defaultEvaluations()
	return p
}

// RootPEM returns the root certificate in PEM.
func (p *PKI) RootPEM() []byte { return p.Root.PEM() }

// TCBChainPEM returns the certificates of TCBSigning and the root: the chain
// behind TCB info and identities.
func (p *PKI) TCBChainPEM() []byte { return chainPEM(p.TCBSigning, p.Root) }

// authority makes a certificate authority. The root has no issuer.
func (p *PKI) authority(name string, issuer *Cert, pathLen int, begin, end time.Time) *Cert {
	t := p.template(name, name, issuer, p.certificates+pathRootCRL, begin, end)
	t.Set(KeyUsage(dcap.KeyUsageCertSign | dcap.KeyUsageCRLSign))
	t.Set(BasicConstraints(true, pathLen))
	return t.sign(p.Now)
}

// leaf makes a certificate of a signer of something else than certificates.
// Intel's are valid for seven years; this began one year ago.
func (p *PKI) leaf(name, keyName string, issuer *Cert, crl string, sgx *dcap.PCKExtension) *Cert {
	begin := p.Now.AddDate(-1, 0, 0)
	t := p.template(name, keyName, issuer, crl, begin, begin.AddDate(7, 0, 0))
	t.Set(KeyUsage(dcap.KeyUsageDigitalSignature | dcap.KeyUsageNonRepudiation))
	t.Set(BasicConstraints(false, -1))
	t.SGX = sgx
	return t.sign(p.Now)
}

// template begins a certificate with what all of Intel's have, in Intel's
// order. Serial numbers are the IDs of keys, as those of Intel's authorities.
func (p *PKI) template(commonName, keyName string, issuer *Cert, crl string, begin, end time.Time) *Template {
	key := p.Key(keyName)
	id := keyID(key)
	t := &Template{
		Version: 3, Serial: bigInt(id), Subject: intelName(commonName), Key: key,
		NotBefore: begin, NotAfter: end,
	}
	t.Issuer, t.Signer = t.Subject, t.Key
	authorityID := id
	if issuer != nil {
		t.Issuer, t.Signer = issuer.Template.Subject, issuer.Key()
		authorityID = keyID(issuer.Key())
	}
	t.Set(AuthorityKeyID(authorityID))
	t.Set(CRLDistributionPoint(crl))
	t.Set(SubjectKeyID(id))
	return t
}

func intelName(commonName string) dcap.Name {
	return dcap.Name{CommonName: commonName, Organization: "Intel Corporation", Locality: "Santa Clara", State: "CA", Country: "US"}
}
