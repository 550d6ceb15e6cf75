package testpki

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
)

// What the service says of platforms, and of the TCB they are to have.

func (s *PCS) pckCert(a *reply) {
	m := a.platform(s)
	if m == nil {
		return
	}
	cpusvn, ok := a.hex("cpusvn", 16)
	pcesvn, ok2 := a.hex("pcesvn", 2)
	if !ok || !ok2 {
		a.badRequest()
		return
	}
	// A platform below what its certificate says gets none: here each has
	// one certificate, at Intel one for each TCB level.
	if binary.LittleEndian.Uint16(pcesvn) < m.SGX.PCESVN || !covers(cpusvn, m.SGX.CPUSVN[:]) {
		a.status(http.StatusNotFound)
		return
	}
	a.w.Header().Set("SGX-TCBm", tcbm(m))
	a.certificate(s, m)
	a.body("application/x-pem-file", m.PCK.pem)
}

// certificate sets the headers that both forms of the answer have.
func (a *reply) certificate(s *PCS, m *Platform) {
	a.w.Header().Set("SGX-FMSPC", upper(m.SGX.FMSPC[:]))
	a.w.Header().Set("SGX-PCK-Certificate-CA-Type", m.caType())
	a.chain("SGX-PCK-Certificate-Issuer-Chain", m.CA(), s.PKI.Root)
}

// tcbm is CPUSVN and PCESVN, which is little endian.
func tcbm(m *Platform) string {
	return upper(binary.LittleEndian.AppendUint16(m.SGX.CPUSVN[:], m.SGX.PCESVN))
}

// pckCerts lists the platform's certificate, after the TCB levels that it does
// not reach, for which there is none.
func (s *PCS) pckCerts(a *reply) {
	m := a.platform(s)
	if m == nil {
		return
	}
	var list []string
	for _, l := range m.TCBInfo(dcap.TEESGX).Levels {
		var svn [16]uint8
		for i, c := range l.SGX {
			svn[i] = c.SVN
		}
		if !covers(m.SGX.TCB[:], svn[:]) || m.SGX.PCESVN < l.PCESVN {
			cpusvn := upper(binary.LittleEndian.AppendUint16(svn[:], l.PCESVN))
			list = append(list, fmt.Sprintf(`{"tcb":%s,"tcbm":"%s","cert":"Not available"}`, componentMembers(&l), cpusvn))
		}
	}
	own := dcap.TCBLevel{PCESVN: m.SGX.PCESVN}
	for i, svn := range m.SGX.TCB {
		own.SGX[i].SVN = svn
	}
	cert := strings.ReplaceAll(url.QueryEscape(string(m.PCK.pem)), "+", "%20")
	list = append(list, fmt.Sprintf(`{"tcb":%s,"tcbm":"%s","cert":"%s"}`, componentMembers(&own), tcbm(m), cert))
	a.certificate(s, m)
	a.body("application/json", []byte("["+strings.Join(list, ",")+"]"))
}

// covers reports whether each SVN of a is at least that of b.
func covers(a, b []byte) bool {
	for i := range b {
		if a[i] < b[i] {
			return false
		}
	}
	return true
}

func (s *PCS) tcb(a *reply) {
	fmspc, ok := a.hex("fmspc", 6)
	if !ok {
		a.status(http.StatusBadRequest)
		return
	}
	number, ok := a.evaluation(s)
	if !ok {
		return
	}
	info := s.PKI.TCBInfo(a.teeType(), [6]byte(fmspc))
	if info == nil {
		a.status(http.StatusNotFound)
		return
	}
	numbered := *info
	if number != s.PKI.standard() {
		numbered.EvaluationDataNumber = number
	}
	header := "TCB-Info-Issuer-Chain"
	if a.version == "v3" {
		header, numbered.Version = "SGX-TCB-Info-Issuer-Chain", 2
	}
	a.chain(header, s.PKI.TCBSigning, s.PKI.Root)
	a.body("application/json", s.PKI.TCBInfoJSON(&numbered))
}

// standard is the number of update=standard. What is served for it is what the
// PKI has, unchanged.
func (p *PKI) standard() uint32 { return p.Evaluations[min(1, len(p.Evaluations)-1)].Number }

func (s *PCS) qeIdentity(a *reply) { s.identity(a, s.PKI.identity(a.teeType())) }

func (s *PCS) qveIdentity(a *reply) {
	if a.tee != "sgx" {
		a.status(http.StatusNotFound)
		return
	}
	s.identity(a, s.PKI.QVE)
}

func (s *PCS) identity(a *reply, id *dcap.EnclaveIdentity) {
	number, ok := a.evaluation(s)
	if !ok {
		return
	}
	numbered := *id
	if number != s.PKI.standard() {
		numbered.EvaluationDataNumber = number
	}
	a.chain("SGX-Enclave-Identity-Issuer-Chain", s.PKI.TCBSigning, s.PKI.Root)
	a.body("application/json", s.PKI.IdentityJSON(&numbered))
}

// fmspcs lists the FMSPCs that there is a TCB info for. All are servers.
func (s *PCS) fmspcs(a *reply) {
	switch a.query.Get("platform") {
	case "", "all", "E5":
	case "client", "E3":
		a.body("application/json", []byte("[]"))
		return
	default:
		a.status(http.StatusBadRequest)
		return
	}
	s.PKI.mu.Lock()
	defer s.PKI.mu.Unlock()
	var list []string
	for k := range s.PKI.tcb {
		if k.tee == dcap.TEESGX {
			list = append(list, fmt.Sprintf(`{"fmspc":"%s","platform":"E5"}`, upper(k.fmspc[:])))
		}
	}
	slices.Sort(list)
	a.body("application/json", []byte("["+strings.Join(list, ",")+"]"))
}
