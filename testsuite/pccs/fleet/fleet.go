// Package fleet is a small data centre for tests of caching services: two
// machines of a fake Intel, the PCK certificates that were issued to them at
// several TCB levels, and the collateral, in the form in which an administrator
// brings it to a PCCS (the body of PUT platformcollateral).
//
// It shares no code with package pccs and its packages: what they serve is
// compared with what is here, to the byte.
package fleet

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
)

// Fleet is what there is to know of the machines. Nothing of it changes after
// New, and each fleet has machines, FMSPCs and keys of its own.
type Fleet struct {
	PKI    *testpki.PKI
	Multi  *Machine // several packages: certificates by the Platform CA
	Single *Machine // one package: by the Processor CA

	// Documents have the collateral as it is to be served, by the name of
	// the route and its parameters: see the keys in In.
	Documents map[string][]byte
	PCKCRL    map[string][]byte // DER, by "processor" and "platform"
	RootCRL   []byte            // DER
	RootCDP   string            // where the root's certificate says that its CRL is
	TCBChain  []byte            // PEM: the issuers of TCB infos and identities
}

// Machine is a platform and its PCK certificates.
type Machine struct {
	*testpki.Platform
	Certs []Cert   // the highest TCB first
	Seen  []RawTCB // the raw TCBs that the administrator brings
}

// Cert is a PCK certificate for a TCB.
type Cert struct {
	Components [16]byte
	PCESVN     uint16
	PEM        []byte
}

// TCBm returns CPUSVN and PCESVN as the header of that name says them: 36 digits.
func (c *Cert) TCBm() string {
	return upper(binary.LittleEndian.AppendUint16(c.Components[:], c.PCESVN))
}

// RawTCB is what a machine reports of itself.
type RawTCB struct{ CPUSVN, PCESVN string } // 32 digits, and 4, little endian

// Raw returns the raw TCB of a machine that is just at a certificate's.
func (c *Cert) Raw() RawTCB { t := c.TCBm(); return RawTCB{t[:32], t[32:]} }

// levels are those that the machines have certificates for.
var levels = []dcap.TCBStatus{dcap.UpToDate, dcap.SWHardeningNeeded, dcap.OutOfDate}

// New makes a fleet and the Intel behind it. Its documents are valid at the
// PKI's Now.
func New(options ...testpki.Option) *Fleet { return In(testpki.New(options...)) }

// In makes another fleet below a root that is there. The machines have those
// FMSPCs, or else random ones.
func In(p *testpki.PKI, fmspcs ...[6]byte) *Fleet {
	for len(fmspcs) < 2 {
		var fmspc [6]byte
		_, _ = rand.Read(fmspc[1:]) // it never fails
		fmspcs = append(fmspcs, fmspc)
	}
	f := &Fleet{PKI: p, Multi: machine(p, fmspcs[0]), Single: machine(p, fmspcs[1], testpki.SinglePackage)}
	f.TCBChain = p.TCBChainPEM()
	f.RootCRL = p.Root.CRL()
	f.PCKCRL = map[string][]byte{"processor": p.ProcessorCA.CRL(), "platform": p.PlatformCA.CRL()}
	f.RootCDP = p.Root.X509().CRLDistributionPoints[0]
	f.Documents = map[string][]byte{
		"sgx/qe early": identity(p, p.QE, 1), "sgx/qe": identity(p, p.QE, 0),
		"tdx/qe early": identity(p, p.TDQE, 1), "tdx/qe": identity(p, p.TDQE, 0),
		"sgx/qve early": identity(p, p.QVE, 1), "sgx/qve": identity(p, p.QVE, 0),
	}
	for _, m := range []*Machine{f.Multi, f.Single} {
		for tee, name := range map[dcap.TEEType]string{dcap.TEESGX: "sgx/tcb ", dcap.TEETDX: "tdx/tcb "} {
			info := *m.TCBInfo(tee)
			f.Documents[name+m.FMSPC()] = p.TCBInfoJSON(&info)
			info.EvaluationDataNumber++
			f.Documents[name+m.FMSPC()+" early"] = p.TCBInfoJSON(&info)
		}
		old := *m.TCBInfo(dcap.TEESGX)
		old.Version = 2
		f.Documents["v3/tcb "+m.FMSPC()] = p.TCBInfoJSON(&old)
	}
	return f
}

func identity(p *testpki.PKI, id *dcap.EnclaveIdentity, early uint32) []byte {
	e := *id
	e.EvaluationDataNumber += early
	return p.IdentityJSON(&e)
}

func machine(p *testpki.PKI, fmspc [6]byte, edits ...func(*testpki.Platform)) *Machine {
	m := &Machine{Platform: p.Platform(append(edits, testpki.FMSPC(fmspc))...)}
	for _, s := range levels {
		testpki.Status(s)(m.Platform)
		m.Reissue()
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.PCK.DER})
		m.Certs = append(m.Certs, Cert{m.SGX.TCB, m.SGX.PCESVN, block})
	}
	testpki.Status(levels[0])(m.Platform)
	m.Reissue()
	for i := range m.Certs {
		m.Seen = append(m.Seen, m.Certs[i].Raw())
	}
	return m
}

// FMSPC returns the machine's, 12 digits.
func (m *Machine) FMSPC() string { return upper(m.SGX.FMSPC[:]) }

// ID returns the machine's QEID and PCEID.
func (m *Machine) ID() (qeid, pceid string) { return upper(m.QEID[:]), upper(m.SGX.PCEID[:]) }

// PPID returns the encrypted PPID, 768 digits.
func (m *Machine) PPID() string { return upper(m.EncryptedPPID[:]) }

// Issuers returns the issuers of the machine's PCK certificates, PEM.
func (m *Machine) Issuers() []byte { return m.chain(m.CA()) }

func (m *Machine) chain(ca *testpki.Cert) []byte {
	return append(ca.PEM(), m.PKI.RootPEM()...)
}

// Query returns the query string of a request for the machine's certificate, as
// Intel's client writes it.
func (m *Machine) Query(t RawTCB) string {
	qeid, pceid := m.ID()
	return fmt.Sprintf("qeid=%s&encrypted_ppid=%s&cpusvn=%s&pcesvn=%s&pceid=%s", qeid, m.PPID(), t.CPUSVN, t.PCESVN, pceid)
}

func upper(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
