package testpki

import (
	"crypto/ecdsa"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/dcap"
)

// DefaultFMSPC is that of platforms that are not given another. It is not one
// of Intel's.
var DefaultFMSPC = [6]byte{0x00, 0xfe, 0x1d, 0x10, 0x00, 0x00}

// Platform is a machine with SGX and TDX. Its edits set the fields before its
// PCK certificate is issued.
type Platform struct {
	PKI *PKI

	// SGX is what the PCK certificate says, as soon as Reissue was called
	// after a change.
	SGX dcap.PCKExtension

	// TEETCBSVN is what the TDX module and the processor report in quotes
	// of TDs: minor and major version of the module, then the other
	// components.
	TEETCBSVN [16]uint8

	QEID          [16]byte  // in the user data of quotes
	EncryptedPPID [384]byte // what the provisioning service knows it by; random bytes here

	PCK            *Cert
	AttestationKey *ecdsa.PrivateKey // of the quoting enclaves
}

// Platform returns a new platform whose TCB is up to date, with a certificate
// of the Platform CA, FMSPC DefaultFMSPC and PCE ID 0. The first of an FMSPC
// makes the TCB info of it. It costs two keys and a signature.
func (p *PKI) Platform(edits ...func(*Platform)) *Platform {
	p.mu.Lock()
	defer p.mu.Unlock()
	label := fmt.Sprintf("platform %d", len(p.platforms))
	m := &Platform{PKI: p, AttestationKey: p.Key(label + " attestation")}
	m.SGX = dcap.PCKExtension{
		FMSPC: DefaultFMSPC, SGXType: dcap.SGXScalable, HasPlatform: true,
		Configuration: dcap.PCKConfiguration{DynamicPlatform: dcap.True, CachedKeys: dcap.True, SMTEnabled: dcap.True},
	}
	p.fill(m.SGX.PPID[:], label+" PPID")
	p.fill(m.SGX.PlatformInstanceID[:], label+" instance")
	p.fill(m.QEID[:], label+" QE ID")
	p.fill(m.EncryptedPPID[:], label+" encrypted PPID")
	Status(dcap.UpToDate)(m)
	for _, e := range edits {
		e(m)
	}
	sgx := m.SGX
	m.PCK = p.leaf(NamePCK, label, m.CA(), p.api+"/sgx/certification/v4/pckcrl?ca="+m.caType()+"&encoding=der", &sgx)
	p.platforms = append(p.platforms, m)
	for _, tee := range []dcap.TEEType{dcap.TEESGX, dcap.TEETDX} {
		if key := (tcbKey{tee, m.SGX.FMSPC}); p.tcb[key] == nil {
			p.tcb[key] = DefaultTCBInfo(tee, m.SGX.FMSPC, m.SGX.PCEID, p.Now)
		}
	}
	return m
}

// Status puts a platform at the level of the default TCB info that has this
// status, UpToDate to Revoked.
func Status(s dcap.TCBStatus) func(*Platform) {
	i := slices.IndexFunc(ladder, func(r rung) bool { return r.status == s })
	if i < 0 {
		panic("testpki: no TCB level has that status")
	}
	return func(m *Platform) {
		level := ladder[i]
		for i, c := range level.components(dcap.TEESGX) {
			m.SGX.TCB[i] = c.SVN
		}
		m.SGX.CPUSVN, m.SGX.PCESVN = m.SGX.TCB, level.pcesvn
		for i, c := range level.components(dcap.TEETDX) {
			m.TEETCBSVN[i] = c.SVN
		}
		m.TEETCBSVN[0], m.TEETCBSVN[1] = moduleSVN, moduleMajor
	}
}

// FMSPC gives a platform that FMSPC.
func FMSPC(fmspc [6]byte) func(*Platform) { return func(m *Platform) { m.SGX.FMSPC = fmspc } }

// SinglePackage gives a platform a certificate of the Processor CA, which says
// nothing of platform instance and configuration.
func SinglePackage(m *Platform) {
	m.SGX.SGXType, m.SGX.HasPlatform = dcap.SGXStandard, false
	m.SGX.PlatformInstanceID, m.SGX.Configuration = [16]byte{}, dcap.PCKConfiguration{}
}

// CA returns the authority behind the PCK certificate.
func (m *Platform) CA() *Cert {
	if m.SGX.HasPlatform {
		return m.PKI.PlatformCA
	}
	return m.PKI.ProcessorCA
}

// caType is what the provisioning service calls the authority.
func (m *Platform) caType() string {
	if m.SGX.HasPlatform {
		return "platform"
	}
	return "processor"
}

// Reissue gives the platform a PCK certificate with what SGX says now and the
// edits do. The key stays.
func (m *Platform) Reissue(edits ...func(*Template)) {
	now := func(t *Template) { sgx := m.SGX; t.SGX = &sgx }
	m.PCK = m.PCK.Reissue(slices.Insert(slices.Clone(edits), 0, now)...)
}

// ChainPEM returns the PCK certificate, its authority's and the root.
func (m *Platform) ChainPEM() []byte { return chainPEM(m.PCK, m.CA(), m.PKI.Root) }

// TCBInfo returns the TCB info for this platform. Changes to it show in
// collateral that is made afterwards, for all platforms of the FMSPC.
func (m *Platform) TCBInfo(tee dcap.TEEType) *dcap.TCBInfo { return m.PKI.TCBInfo(tee, m.SGX.FMSPC) }

// TCBInfo returns the TCB info for an FMSPC, or nil if no platform has it.
func (p *PKI) TCBInfo(tee dcap.TEEType, fmspc [6]byte) *dcap.TCBInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tcb[tcbKey{tee, fmspc}]
}

// Collateral returns all that a verifier needs for a quote of the platform. Its
// fields may be replaced. It costs four signatures.
func (m *Platform) Collateral(tee dcap.TEEType) *dcap.Collateral {
	p := m.PKI
	return &dcap.Collateral{
		PCKChain:        m.ChainPEM(),
		RootCRL:         p.Root.CRL(),
		PCKCRL:          m.CA().CRL(),
		PCKCRLChain:     chainPEM(m.CA(), p.Root),
		TCBInfo:         p.TCBInfoJSON(m.TCBInfo(tee)),
		TCBInfoChain:    p.TCBChainPEM(),
		QEIdentity:      p.IdentityJSON(p.identity(tee)),
		QEIdentityChain: p.TCBChainPEM(),
	}
}

// identity returns that of the quoting enclave for quotes of tee.
func (p *PKI) identity(tee dcap.TEEType) *dcap.EnclaveIdentity {
	if tee == dcap.TEETDX {
		return p.TDQE
	}
	return p.QE
}
