package dcap

import (
	"encoding/binary"
	"fmt"
)

// CertificationType says how a quote names or carries the certificate of the
// key that signed the QE report.
type CertificationType uint16

// Certification data types (DCAP Quoting Library API, "QE Certification Data").
const (
	CertPPIDClear        CertificationType = 1
	CertPPIDRSA2048      CertificationType = 2
	CertPPIDRSA3072      CertificationType = 3
	CertPCKLeaf          CertificationType = 4
	CertPCKChain         CertificationType = 5
	CertQEReport         CertificationType = 6 // the wrapping of version 4 and later
	CertPlatformManifest CertificationType = 7
)

// String names the type.
func (t CertificationType) String() string {
	names := [...]string{
		CertPPIDClear: "PPID in clear text", CertPPIDRSA2048: "PPID encrypted with RSA-2048", CertPPIDRSA3072: "PPID encrypted with RSA-3072",
		CertPCKLeaf: "PCK certificate", CertPCKChain: "PCK certificate chain", CertQEReport: "QE report certification data", CertPlatformManifest: "platform manifest",
	}
	if t >= 1 && int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("certification data type %d", uint16(t))
}

// CertificationData is *PPID, *PCKLeaf, *PCKChain or *PlatformManifest.
type CertificationData interface {
	Type() CertificationType
	append(b []byte) []byte
}

// PPID is certification data of types 1 to 3: what a PCK certificate is asked
// for with.
type PPID struct {
	Encryption CertificationType // CertPPIDClear, CertPPIDRSA2048 or CertPPIDRSA3072
	PPID       []byte            // 16 bytes in the clear, 256 or 384 encrypted
	CPUSVN     [16]byte
	PCESVN     uint16
	PCEID      []byte // 2 bytes, little endian, as in a PCK certificate; older quotes leave it out
}

// PCKLeaf is certification data of type 4: a PCK certificate in PEM.
type PCKLeaf struct{ PEM []byte }

// PCKChain is certification data of type 5: a PCK certificate chain in PEM,
// often with a zero byte at its end.
type PCKChain struct{ PEM []byte }

// PlatformManifest is certification data of type 7, which no verifier takes.
type PlatformManifest struct{ Manifest []byte }

// Type returns the kind of encryption.
func (p *PPID) Type() CertificationType { return p.Encryption }

// Type returns CertPCKLeaf.
func (*PCKLeaf) Type() CertificationType { return CertPCKLeaf }

// Type returns CertPCKChain.
func (*PCKChain) Type() CertificationType { return CertPCKChain }

// Type returns CertPlatformManifest.
func (*PlatformManifest) Type() CertificationType { return CertPlatformManifest }

func (p *PPID) append(b []byte) []byte {
	b = append(append(b, p.PPID...), p.CPUSVN[:]...)
	return append(binary.LittleEndian.AppendUint16(b, p.PCESVN), p.PCEID...)
}

func (c *PCKLeaf) append(b []byte) []byte          { return append(b, c.PEM...) }
func (c *PCKChain) append(b []byte) []byte         { return append(b, c.PEM...) }
func (c *PlatformManifest) append(b []byte) []byte { return append(b, c.Manifest...) }

// certifications is room for what ParseQuote finds, so that it allocates once.
type certifications struct {
	ppid     PPID
	leaf     PCKLeaf
	chain    PCKChain
	manifest PlatformManifest
}

// decode reads certification data whose type is at offset at.
func (c *certifications) decode(kind CertificationType, data []byte, at int) (CertificationData, error) {
	encrypted := 0
	switch kind {
	case CertPPIDClear:
		encrypted = 16
	case CertPPIDRSA2048:
		encrypted = 256
	case CertPPIDRSA3072:
		encrypted = 384
	case CertPCKLeaf:
		c.leaf.PEM = data
		return &c.leaf, nil
	case CertPCKChain:
		c.chain.PEM = data
		return &c.chain, nil
	case CertPlatformManifest:
		c.manifest.Manifest = data
		return &c.manifest, nil
	default:
		return nil, quoteError(at, ErrKind, "certification data of type %d; types 1 to 5 and 7 are known here", kind)
	}
	if len(data) != encrypted+20 && len(data) != encrypted+18 {
		return nil, quoteError(at+2, ErrInvalid, "certification data of type %d (%s) has %d bytes, this has %d", kind, kind, encrypted+20, len(data))
	}
	c.ppid = PPID{Encryption: kind, PPID: data[:encrypted:encrypted]}
	data = data[encrypted:]
	c.ppid.CPUSVN = [16]byte(data)
	c.ppid.PCESVN = binary.LittleEndian.Uint16(data[16:])
	c.ppid.PCEID = data[18:]
	return &c.ppid, nil
}
