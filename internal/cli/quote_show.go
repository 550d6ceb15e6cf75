package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
)

// shownQuote is the JSON object of quote show.
type shownQuote struct {
	File     string `json:"file"`
	Verified bool   `json:"verified"` // false: nothing is, here
	Size     int    `json:"size"`     // bytes, without padding
	Padding  int    `json:"padding"`  // zero bytes behind it

	Version            uint16  `json:"version"`
	TEE                string  `json:"tee"`
	AttestationKeyType uint16  `json:"attestation_key_type"`
	QESVN              *uint16 `json:"qe_svn,omitempty"` // version 3 only
	PCESVN             *uint16 `json:"pce_svn,omitempty"`
	QEVendorID         string  `json:"qe_vendor_id"`
	UserData           string  `json:"user_data"`

	BodyType string        `json:"body_type"`
	Enclave  *shownEnclave `json:"enclave,omitempty"`
	TD       *shownTD      `json:"td,omitempty"`

	Signature         string             `json:"signature"`
	AttestationKey    string             `json:"attestation_key"`
	QEReport          *shownEnclave      `json:"qe_report"`
	QEReportSignature string             `json:"qe_report_signature"`
	QEAuthData        string             `json:"qe_auth_data"`
	Certification     shownCertification `json:"certification"`
}

// shownEnclave is the report of an enclave.
type shownEnclave struct {
	MREnclave     string     `json:"mrenclave"`
	MRSigner      string     `json:"mrsigner"`
	ISVProdID     uint16     `json:"isvprodid"`
	ISVSVN        uint16     `json:"isvsvn"`
	Attributes    attributes `json:"attributes"`
	Debug         bool       `json:"debug"`
	MiscSelect    string     `json:"misc_select"`
	CETAttributes string     `json:"cet_attributes"`
	CPUSVN        string     `json:"cpusvn"`
	ISVExtProdID  string     `json:"isv_ext_prod_id"`
	ISVFamilyID   string     `json:"isv_family_id"`
	ConfigID      string     `json:"config_id"`
	ConfigSVN     uint16     `json:"config_svn"`
	ReportData    string     `json:"report_data"`
	Reserved      string     `json:"reserved,omitempty"` // those in a row, if one is not zero

	xfrm isa.XFRM
	misc isa.MiscSelect
}

// shownCertification is the certification data.
type shownCertification struct {
	Type         uint16      `json:"type"`
	Name         string      `json:"name"`
	Certificates []shownCert `json:"certificates,omitempty"`
	Error        string      `json:"error,omitempty"` // why certificates cannot be read

	// What a PCK certificate is asked for with.
	PPID   string  `json:"ppid,omitempty"`
	CPUSVN string  `json:"cpusvn,omitempty"`
	PCESVN *uint16 `json:"pcesvn,omitempty"`
	PCEID  string  `json:"pceid,omitempty"`

	Manifest string `json:"manifest,omitempty"`
}

// shownCert is a certificate.
type shownCert struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	CA        bool      `json:"ca"`
	PublicKey string    `json:"public_key"`
	SHA256    string    `json:"sha256"` // of the certificate
	CRL       string    `json:"crl"`
	SGX       *shownPCK `json:"sgx,omitempty"`
}

// shownPCK is what a PCK certificate says of the platform.
type shownPCK struct {
	FMSPC              string `json:"fmspc"`
	PPID               string `json:"ppid"`
	PCEID              string `json:"pceid"`
	PCESVN             uint16 `json:"pcesvn"`
	CPUSVN             string `json:"cpusvn"`
	TCBComponents      []int  `json:"tcb_components"`
	SGXType            string `json:"sgx_type"`
	PlatformInstanceID string `json:"platform_instance_id,omitempty"`
	DynamicPlatform    *bool  `json:"dynamic_platform,omitempty"`
	CachedKeys         *bool  `json:"cached_keys,omitempty"`
	SMTEnabled         *bool  `json:"smt_enabled,omitempty"`
}

func showQuote(file string, q *dcap.Quote) *shownQuote {
	h := &q.Header
	s := &shownQuote{
		File: file, Size: len(q.Raw), Padding: q.Padding,
		Version: h.Version, TEE: h.TEEType.String(), AttestationKeyType: uint16(h.AttestationKeyType),
		QEVendorID: hex.EncodeToString(h.QEVendorID[:]), UserData: hex.EncodeToString(h.UserData[:]),
		BodyType: q.Body.Type().String(), TD: showTD(q),
		Signature: hex.EncodeToString(q.Signature[:]), AttestationKey: hex.EncodeToString(q.AttestationKey[:]),
		QEReport: showEnclave(&q.QEReport), QEReportSignature: hex.EncodeToString(q.QEReportSignature[:]),
		QEAuthData: hex.EncodeToString(q.QEAuthData), Certification: showCertification(q.Certification),
	}
	if h.Version == dcap.QuoteV3 {
		s.QESVN, s.PCESVN = ptr(h.QESVN), ptr(h.PCESVN)
	}
	if e := q.EnclaveReport(); e != nil {
		s.Enclave = showEnclave(&e.ReportBody)
	}
	return s
}

func showEnclave(r *isa.ReportBody) *shownEnclave {
	s := &shownEnclave{
		MREnclave: hex.EncodeToString(r.MREnclave[:]), MRSigner: hex.EncodeToString(r.MRSigner[:]),
		ISVProdID: r.ISVProdID, ISVSVN: r.ISVSVN,
		Attributes: showAttributes(r.Attributes), Debug: r.Attributes.Flags&isa.AttrDebug != 0,
		MiscSelect: fmt.Sprintf("%#x", uint32(r.MiscSelect)), CETAttributes: fmt.Sprintf("%#x", r.CETAttributes),
		CPUSVN: hex.EncodeToString(r.CPUSVN[:]), ISVExtProdID: hex.EncodeToString(r.ISVExtProdID[:]), ISVFamilyID: hex.EncodeToString(r.ISVFamilyID[:]),
		ConfigID: hex.EncodeToString(r.ConfigID[:]), ConfigSVN: r.ConfigSVN, ReportData: hex.EncodeToString(r.ReportData[:]),
		xfrm: r.Attributes.XFRM, misc: r.MiscSelect,
	}
	if r.Reserved1 != [11]byte{} || r.Reserved2 != [32]byte{} || r.Reserved3 != [32]byte{} || r.Reserved4 != [42]byte{} {
		s.Reserved = fmt.Sprintf("%x%x%x%x", r.Reserved1, r.Reserved2, r.Reserved3, r.Reserved4)
	}
	return s
}

func showCertification(c dcap.CertificationData) shownCertification {
	s := shownCertification{Type: uint16(c.Type()), Name: c.Type().String()}
	chain := func(pem []byte) {
		certs, err := dcap.ParseChain(pem)
		if err != nil {
			s.Error = err.Error()
		}
		for _, c := range certs {
			s.Certificates = append(s.Certificates, showCert(c))
		}
	}
	switch c := c.(type) {
	case *dcap.PPID:
		s.PPID, s.CPUSVN, s.PCESVN, s.PCEID = hex.EncodeToString(c.PPID), hex.EncodeToString(c.CPUSVN[:]), ptr(c.PCESVN), hex.EncodeToString(c.PCEID[:])
	case *dcap.PCKLeaf:
		chain(c.PEM)
	case *dcap.PCKChain:
		chain(c.PEM)
	case *dcap.PlatformManifest:
		s.Manifest = hex.EncodeToString(c.Manifest)
	}
	return s
}

func showCert(c *dcap.Certificate) shownCert {
	sum := sha256.Sum256(c.Raw)
	return shownCert{
		Subject: showName(&c.Subject), Issuer: showName(&c.Issuer), Serial: hex.EncodeToString(c.SerialNumber),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, CA: c.IsCA, PublicKey: hex.EncodeToString(c.PublicKey[:]),
		SHA256: hex.EncodeToString(sum[:]), CRL: c.CRLDistributionPoint, SGX: showPCK(c.SGX),
	}
}

// showName is a distinguished name, the most specific part first.
func showName(n *dcap.Name) string {
	s := ""
	for _, part := range [][2]string{{"CN", n.CommonName}, {"O", n.Organization}, {"L", n.Locality}, {"ST", n.State}, {"C", n.Country}} {
		if part[1] == "" {
			continue
		}
		if s != "" {
			s += ", "
		}
		s += part[0] + "=" + part[1]
	}
	return s
}

func showPCK(e *dcap.PCKExtension) *shownPCK {
	if e == nil {
		return nil
	}
	s := &shownPCK{
		FMSPC: fmt.Sprintf("%X", e.FMSPC), PPID: hex.EncodeToString(e.PPID[:]), PCEID: hex.EncodeToString(e.PCEID[:]),
		PCESVN: e.PCESVN, CPUSVN: hex.EncodeToString(e.CPUSVN[:]), SGXType: sgxType(e.SGXType),
	}
	for _, svn := range e.TCB {
		s.TCBComponents = append(s.TCBComponents, int(svn))
	}
	if e.HasPlatform {
		s.PlatformInstanceID = hex.EncodeToString(e.PlatformInstanceID[:])
		s.DynamicPlatform, s.CachedKeys, s.SMTEnabled = tristate(e.Configuration.DynamicPlatform), tristate(e.Configuration.CachedKeys), tristate(e.Configuration.SMTEnabled)
	}
	return s
}

func sgxType(t dcap.SGXType) string {
	switch t {
	case dcap.SGXStandard:
		return "standard"
	case dcap.SGXScalable:
		return "scalable"
	case dcap.SGXScalableWithIntegrity:
		return "scalable with integrity"
	}
	return fmt.Sprint(uint8(t))
}

func tristate(t dcap.Tristate) *bool {
	if t == dcap.Undefined {
		return nil
	}
	return ptr(t == dcap.True)
}
