package world

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
)

// PCK is the certificate of a provisioning certification key: one of a platform,
// at a TCB, for a PCE.
type PCK struct {
	Cert  []byte // PEM; PCKCAChain(CA) has its issuers
	CA    verify.CA
	FMSPC [6]byte

	// The TCB that it is for, TCBm: what a PCE derives the key at. The SGX
	// TCB components are the bytes of the CPUSVN.
	CPUSVN [16]byte
	PCESVN uint16
}

// named is what a PPID names: a platform, as a PCE sees it.
type named struct {
	platform *platform
	pce      *pceFile
}

// indexOf returns the PPIDs of all platforms: each has one for each PCE.
func indexOf(f *factory) map[[16]byte]named {
	index := make(map[[16]byte]named, len(f.Platforms)*len(f.PCEs))
	for i := range f.Platforms {
		for j := range f.PCEs {
			n := named{&f.Platforms[i], &f.PCEs[j]}
			index[n.ppid()] = n
		}
	}
	return index
}

// provisioningKey is what EGETKEY gives the PCE on the platform.
func (n named) provisioningKey(cpuSVN [16]byte, pceSVN uint16) [isa.KeySize]byte {
	r := derive.ProvisioningRequest(cpuSVN, pceSVN)
	return cpu.ProvisioningKey([16]byte(n.platform.RootProvisioningKey), n.pce.secs(), &r)
}

func (n named) ppid() [16]byte { return derive.PPID(n.provisioningKey([16]byte{}, 0)) }

// key is the PCK at a level.
func (n named) key(l *level) *ecdsa.PrivateKey {
	return derive.PCK(n.provisioningKey([16]byte(l.CPUSVN), l.PCESVN))
}

// DecryptPPID decrypts what a PCE gives out of a platform: its PPID, encrypted
// with RSA-3072 OAEP and SHA-256, 384 bytes. The error is ErrPPID.
func (w *World) DecryptPPID(encrypted []byte) (ppid [16]byte, err error) {
	b, err := rsa.DecryptOAEP(sha256.New(), nil, w.keys.ppid, encrypted, nil)
	if err != nil || len(b) != len(ppid) {
		return ppid, ErrPPID
	}
	return [16]byte(b), nil
}

// PCK returns the PCK certificate of a platform for the highest TCB that is at
// most the given one, its raw TCB. pceID is a number, which the interfaces write
// in little endian. A revoked platform gets its certificates, too: the revocation
// lists say that they are worth nothing.
//
// Errors: ErrUnknownPlatform, ErrNoCertificate, and those of a world that is gone
// or damaged.
func (w *World) PCK(ppid [16]byte, pceID uint16, cpuSVN [16]byte, pceSVN uint16) (*PCK, error) {
	n, family, err := w.platform(ppid, pceID)
	if err != nil {
		return nil, err
	}
	for i := len(family.Levels) - 1; i >= 0; i-- {
		if l := &family.Levels[i]; atMost(l.CPUSVN, cpuSVN[:]) && l.PCESVN <= pceSVN {
			return w.certify(ppid, n, l)
		}
	}
	return nil, fmt.Errorf("CPUSVN %x, PCESVN %d: %w", cpuSVN, pceSVN, ErrNoCertificate)
}

// PCKs returns the PCK certificates of a platform at all levels of TCB, the
// highest first. Errors are those of PCK.
func (w *World) PCKs(ppid [16]byte, pceID uint16) ([]PCK, error) {
	n, family, err := w.platform(ppid, pceID)
	if err != nil {
		return nil, err
	}
	var list []PCK
	for i := len(family.Levels) - 1; i >= 0; i-- {
		c, err := w.certify(ppid, n, &family.Levels[i])
		if err != nil {
			return nil, err
		}
		list = append(list, *c)
	}
	return list, nil
}

// platform finds a platform and its family.
func (w *World) platform(ppid [16]byte, pceID uint16) (named, *family, error) {
	s, err := w.state()
	if err != nil {
		return named{}, nil, err
	}
	n, ok := s.index[ppid]
	if !ok || n.platform.PCEID != pceID {
		return named{}, nil, fmt.Errorf("PPID %x, PCE ID %d: %w", ppid, pceID, ErrUnknownPlatform)
	}
	return n, s.family(n.platform.FMSPC), nil
}

// certify issues a PCK certificate.
func (w *World) certify(ppid [16]byte, n named, l *level) (*PCK, error) {
	p := n.platform
	c := &PCK{CA: p.ca(), FMSPC: [6]byte(p.FMSPC), CPUSVN: [16]byte(l.CPUSVN), PCESVN: l.PCESVN}
	issuer, signer, err := w.authority(c.CA)
	if err != nil {
		return nil, err
	}
	x := &dcap.PCKExtension{PPID: ppid, TCB: c.CPUSVN, PCESVN: c.PCESVN, CPUSVN: c.CPUSVN, FMSPC: c.FMSPC, SGXType: dcap.SGXStandard}
	binary.LittleEndian.PutUint16(x.PCEID[:], p.PCEID)
	if p.Instance != nil {
		x.HasPlatform, x.SGXType, x.PlatformInstanceID = true, dcap.SGXScalable, [16]byte(p.Instance)
		x.Configuration = dcap.PCKConfiguration{DynamicPlatform: dcap.True, CachedKeys: dcap.True, SMTEnabled: dcap.True}
	}
	cert, err := (&certificate{
		world: w.file.Name, name: namePCK, key: &n.key(l).PublicKey, begin: p.Created, years: yearsLeaf, sgx: x,
		crl: fmt.Sprintf("%s/sgx/certification/v4/pckcrl?ca=%s&encoding=der", w.file.URL, c.CA),
	}).issue(issuer, signer)
	if err != nil {
		return nil, err
	}
	c.Cert = pemOf(cert)
	return c, nil
}

// intelsPCE is the MRSIGNER of Intel's PCE (service_enclave_mrsigner.hh of Intel's
// SGX SDK), pceProduct the ISVPRODID of any.
var intelsPCE = [32]byte{
	0xc5, 0x4a, 0x62, 0xf2, 0xbe, 0x9e, 0xf7, 0x6e, 0xfb, 0x1f, 0x39, 0x30, 0xad, 0x81, 0xea, 0x7f,
	0x60, 0xde, 0xfc, 0x1f, 0x5f, 0x25, 0xe0, 0x9b, 0x7c, 0x06, 0x7a, 0x81, 0x5a, 0xe0, 0xc6, 0xcb,
}

const pceProduct = 1

// AddPCE makes a PCE known besides the world's own, by the SECS of the enclave:
// all platforms have PCK certificates for it from then on. Intel's signed PCE can
// so take the place of the world's. A PCE that is known is no error.
//
// The error is ErrOptions if the enclave is not Intel's PCE, by signer and product:
// whatever PCE is known here vouches for every machine of the world.
func (w *World) AddPCE(secs *isa.SECS) error {
	if own := w.LEPubKeyHash(); secs.MRSigner != intelsPCE && secs.MRSigner != own || secs.ISVProdID != pceProduct {
		return fmt.Errorf("%w: this PCE is signed by MRSIGNER %x, and neither by Intel nor by the world", ErrOptions, secs.MRSigner)
	}
	const need = isa.AttrInit | isa.AttrProvisionKey
	if secs.Attributes.Flags&(need|isa.AttrDebug) != need {
		return fmt.Errorf("%w: an enclave with ATTRIBUTES %#x is no PCE", ErrOptions, uint64(secs.Attributes.Flags))
	}
	added := pceOf(secs)
	return w.locked(func() error {
		return w.change(func(f *factory) error {
			switch {
			case slices.ContainsFunc(f.PCEs, func(p pceFile) bool { return p.equal(&added) }):
				return errUnchanged
			case len(f.PCEs) == maxPCEs:
				return fmt.Errorf("%w: there are %d PCEs already", ErrOptions, maxPCEs)
			}
			f.PCEs = append(f.PCEs, added)
			f.crlsChange(w.now()) // revoked platforms have more certificates
			return nil
		})
	})
}
