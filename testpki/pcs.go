package testpki

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/feidi-dev/feidi/dcap"
)

// PCS is Intel's provisioning certification service for a PKI, over HTTP: API
// v4 and, for SGX, v3; GET only, so without platform manifests. It follows
// what the PKI has at the time of a request, and signs anew. Besides Intel's
// routes it has the two for the root CRL that a PCCS adds, finds PCK certificates
// by QE ID as a PCCS does, and serves the file of the root CRL.
type PCS struct {
	PKI *PKI

	// V3Gone makes v3 answer 410, as a PCCS does since Intel retired it.
	V3Gone bool

	// Fault sees each request first. If it returns true it has answered.
	Fault func(http.ResponseWriter, *http.Request) bool

	requests atomic.Uint64
	mux      http.ServeMux
}

// PCS returns a handler that serves what the PKI has.
func (p *PKI) PCS() *PCS {
	s := &PCS{PKI: p}
	route := func(pattern string, f func(*PCS, *reply)) {
		s.mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
			f(s, &reply{w, r, r.URL.Query(), r.PathValue("tee"), r.PathValue("v")})
		})
	}
	route("/{tee}/certification/{v}/pckcert", (*PCS).pckCert)
	route("/{tee}/certification/{v}/pckcerts", (*PCS).pckCerts)
	route("/{tee}/certification/{v}/pckcrl", (*PCS).pckCRL)
	route("/{tee}/certification/{v}/tcb", (*PCS).tcb)
	route("/{tee}/certification/{v}/qe/identity", (*PCS).qeIdentity)
	route("/{tee}/certification/{v}/qve/identity", (*PCS).qveIdentity)
	route("/{tee}/certification/{v}/fmspcs", (*PCS).fmspcs)
	route("/{tee}/certification/{v}/tcbevaluationdatanumbers", (*PCS).evaluations)
	route("/{tee}/certification/{v}/rootcacrl", (*PCS).rootCRLHex)
	route("/{tee}/certification/{v}/crl", (*PCS).crlByURI)
	route(pathRootCRL, (*PCS).rootCRL)
	return s
}

// ServeHTTP answers a request. Errors have an empty body, as Intel's have.
func (s *PCS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Request-ID", fmt.Sprintf("%032x", s.requests.Add(1)))
	if s.Fault != nil && s.Fault(w, r) {
		return
	}
	tee, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/certification/")
	version, _, _ := strings.Cut(rest, "/")
	_, pattern := s.mux.Handler(r)
	switch {
	case pattern == "", rest != "" && !(version == "v4" && (tee == "sgx" || tee == "tdx") || version == "v3" && tee == "sgx"):
		w.WriteHeader(http.StatusNotFound)
	case version == "v3" && s.V3Gone:
		w.WriteHeader(http.StatusGone)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// reply is a request and the answer to it.
type reply struct {
	w       http.ResponseWriter
	r       *http.Request
	query   url.Values
	tee     string // "sgx" or "tdx"
	version string // "v3" or "v4"
}

func (a *reply) status(code int) { a.w.WriteHeader(code) }

func (a *reply) body(contentType string, b []byte) {
	a.w.Header().Set("Content-Type", contentType)
	_, _ = a.w.Write(b) // a client that went away is none of ours
}

// chain sets a header to a PEM chain, URL-encoded.
func (a *reply) chain(name string, certs ...*Cert) {
	a.w.Header().Set(name, strings.ReplaceAll(url.QueryEscape(string(chainPEM(certs...))), "+", "%20"))
}

// hex reads a parameter of n bytes in hexadecimal.
func (a *reply) hex(name string, n int) ([]byte, bool) {
	b, err := hex.DecodeString(a.query.Get(name))
	return b, err == nil && len(b) == n
}

// teeType is the TEE of the path.
func (a *reply) teeType() dcap.TEEType {
	if a.tee == "tdx" {
		return dcap.TEETDX
	}
	return dcap.TEESGX
}

// platform finds the platform that the parameters name, by encrypted PPID as
// at Intel or by QE ID as at a PCCS, and answers if there is none.
func (a *reply) platform(s *PCS) *Platform {
	ppid, okPPID := a.hex("encrypted_ppid", 384)
	qeID, okQEID := a.hex("qeid", 16)
	pceID, okPCEID := a.hex("pceid", 2)
	if a.tee != "sgx" || !okPCEID || !okPPID && !okQEID {
		a.badRequest()
		return nil
	}
	s.PKI.mu.Lock()
	defer s.PKI.mu.Unlock()
	for _, m := range s.PKI.platforms {
		known := okQEID && m.QEID == [16]byte(qeID) || okPPID && m.EncryptedPPID == [384]byte(ppid)
		if known && m.SGX.PCEID == [2]byte(pceID) {
			return m
		}
	}
	a.status(http.StatusNotFound)
	return nil
}

func (a *reply) badRequest() {
	a.w.Header().Set("Error-Code", "InvalidRequestSyntax")
	a.w.Header().Set("Error-Message", "A parameter is missing or has the wrong form.")
	a.status(http.StatusBadRequest)
}

// evaluation picks the evaluation data number that was asked for, and answers
// if there is none.
func (a *reply) evaluation(s *PCS) (uint32, bool) {
	update, number := a.query.Get("update"), a.query.Get("tcbEvaluationDataNumber")
	list := s.PKI.Evaluations
	n, err := strconv.ParseUint(number, 10, 32)
	switch {
	case number != "" && (err != nil || a.query.Has("update") || a.version == "v3"), update != "" && update != "early" && update != "standard":
		a.status(http.StatusBadRequest)
		return 0, false
	case number == "" && update == "early":
		return list[0].Number, true
	case number == "":
		return s.PKI.standard(), true
	}
	for _, e := range list {
		if uint64(e.Number) == n {
			return e.Number, true
		}
	}
	if n < uint64(list[0].Number) {
		a.status(http.StatusGone)
	} else {
		a.status(http.StatusNotFound)
	}
	return 0, false
}

func (s *PCS) pckCRL(a *reply) {
	ca := s.PKI.PlatformCA
	switch a.query.Get("ca") {
	case "processor":
		ca = s.PKI.ProcessorCA
	case "platform":
	default:
		a.badRequest()
		return
	}
	if a.tee != "sgx" {
		a.status(http.StatusNotFound)
		return
	}
	switch a.query.Get("encoding") {
	case "der":
		a.chain("SGX-PCK-CRL-Issuer-Chain", ca, s.PKI.Root)
		a.body("application/pkix-crl", ca.CRL())
	case "", "pem":
		a.chain("SGX-PCK-CRL-Issuer-Chain", ca, s.PKI.Root)
		a.body("application/x-pem-file", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: ca.CRL()}))
	default:
		a.badRequest()
	}
}

func (s *PCS) rootCRL(a *reply) { a.body("application/pkix-crl", s.PKI.Root.CRL()) }

// rootCRLHex is a PCCS's: hexadecimal, whatever its type says.
func (s *PCS) rootCRLHex(a *reply) {
	a.body("application/pkix-crl; charset=utf-8", []byte(hex.EncodeToString(s.PKI.Root.CRL())))
}

// crlByURI is a PCCS's: the CRL at a distribution point.
func (s *PCS) crlByURI(a *reply) {
	if uri := a.query.Get("uri"); uri == s.PKI.certificates+pathRootCRL {
		s.rootCRL(a)
		return
	}
	a.status(http.StatusBadRequest)
}

func (s *PCS) evaluations(a *reply) {
	if a.version != "v4" {
		a.status(http.StatusNotFound)
		return
	}
	now := s.PKI.Now
	b := fmt.Appendf(nil, `{"id":"%s","version":1,"issueDate":"%s","nextUpdate":"%s","tcbEvalNumbers":[`,
		strings.ToUpper(a.tee), date(now.AddDate(0, 0, -12)), date(now.AddDate(0, 0, 18)))
	for i, e := range s.PKI.Evaluations {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"tcbEvaluationDataNumber":%d,"tcbRecoveryEventDate":"%s","tcbDate":"%s"}`, e.Number, date(e.RecoveryEventDate), date(e.TCBDate))
	}
	a.chain("TCB-Evaluation-Data-Numbers-Issuer-Chain", s.PKI.TCBSigning, s.PKI.Root)
	a.body("application/json", s.PKI.document("tcbEvaluationDataNumbers", append(b, ']', '}'), nil))
}
