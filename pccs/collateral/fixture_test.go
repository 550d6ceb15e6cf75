package collateral_test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/testpki"
)

const fmspc = "00FE1D100000" // testpki.DefaultFMSPC

// TCB evaluation data numbers of testpki: that of the standard, and the newest.
const standard, early = 19, 20

// Items that tests have often.
var (
	rootCRL   = collateral.Item{Kind: collateral.RootCRL, API: 4}
	platform  = collateral.Item{Kind: collateral.PCKCRL, API: 4, CA: "platform"}
	processor = collateral.Item{Kind: collateral.PCKCRL, API: 4, CA: "processor"}
	sgxInfo   = collateral.Item{Kind: collateral.TCBInfo, API: 4, FMSPC: fmspc, Update: collateral.Standard}
	tdxInfo   = collateral.Item{Kind: collateral.TCBInfo, API: 4, TEE: dcap.TEETDX, FMSPC: fmspc, Update: collateral.Standard}
	earlyInfo = collateral.Item{Kind: collateral.TCBInfo, API: 4, FMSPC: fmspc, Update: collateral.Early}
	oldInfo   = collateral.Item{Kind: collateral.TCBInfo, API: 3, FMSPC: fmspc, Update: collateral.Standard}
	qe        = collateral.Item{Kind: collateral.QEIdentity, API: 4, Update: collateral.Standard}
	tdqe      = collateral.Item{Kind: collateral.QEIdentity, API: 4, TEE: dcap.TEETDX, Update: collateral.Standard}
	qve       = collateral.Item{Kind: collateral.QVEIdentity, API: 4, Update: collateral.Standard}
	fmspcs    = collateral.Item{Kind: collateral.FMSPCs, API: 4, Platform: "all"}
	numbers   = collateral.Item{Kind: collateral.Evaluations, API: 4}
	tdxNumber = collateral.Item{Kind: collateral.Evaluations, API: 4, TEE: dcap.TEETDX}
	rootByURI = collateral.Item{Kind: collateral.CRL, API: 4, URI: "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"}
	byURI     = collateral.Item{Kind: collateral.CRL, API: 4, URI: "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der"}
)

// numbered is an item by a TCB evaluation data number.
func numbered(i collateral.Item, n uint32) collateral.Item {
	i.Update, i.Evaluation = "", n
	return i
}

// served are all items that a service has, but the retired ones.
func served() []collateral.Item {
	return []collateral.Item{
		rootCRL, platform, processor, sgxInfo, tdxInfo, earlyInfo, qe, tdqe, qve, fmspcs, numbers, tdxNumber, rootByURI, byURI,
		numbered(sgxInfo, standard), numbered(tdqe, early),
	}
}

// service is a fake Intel whose answers a test can change, and a client of it.
type service struct {
	*testpki.PCS
	pki *testpki.PKI
	m   *testpki.Platform
	now time.Time

	mu    sync.Mutex
	asked []string
}

func newService(edits ...func(*testpki.Platform)) *service {
	pki := testpki.New(testpki.Seed("pccs"))
	s := &service{PCS: pki.PCS(), pki: pki, m: pki.Platform(edits...), now: pki.Now}
	pki.Platform(testpki.FMSPC([6]byte{1, 2, 3}))
	return s
}

// RoundTrip answers without a socket.
func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.String())
	s.mu.Unlock()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// requests are the addresses that were asked since the last call.
func (s *service) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

func (s *service) checker(t testing.TB) *collateral.Checker {
	t.Helper()
	c, err := collateral.NewChecker(s.pki.Root.DER)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// client is of a service that is Intel's by its address.
func (s *service) client(t testing.TB, edits ...func(*pcs.Config)) *collateral.Client {
	t.Helper()
	cfg := pcs.Config{HTTP: &http.Client{Transport: s}, Attempts: 1, Now: func() time.Time { return s.now }}
	for _, e := range edits {
		e(&cfg)
	}
	c, err := pcs.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return collateral.NewClient(c, s.checker(t))
}

// at is a configuration of a service with another address.
func at(url string) func(*pcs.Config) { return func(c *pcs.Config) { c.URL = url } }

// document is what an item has in a fake Intel, made without its service.
func document(pki *testpki.PKI, i collateral.Item) (body, chain []byte) {
	signer := pki.TCBChainPEM()
	number := map[string]uint32{collateral.Standard: standard, collateral.Early: early, "": i.Evaluation}[i.Update]
	switch i.Kind {
	case collateral.TCBInfo:
		b, _ := hex.DecodeString(i.FMSPC)
		info := *pki.TCBInfo(i.TEE, [6]byte(b))
		info.EvaluationDataNumber = number
		if i.API == 3 {
			info.Version = 2
		}
		return pki.TCBInfoJSON(&info), signer
	case collateral.QEIdentity, collateral.QVEIdentity:
		id := *pki.QE
		switch {
		case i.Kind == collateral.QVEIdentity:
			id = *pki.QVE
		case i.TEE == dcap.TEETDX:
			id = *pki.TDQE
		}
		id.EvaluationDataNumber = number
		return pki.IdentityJSON(&id), signer
	case collateral.PCKCRL:
		ca := pki.PlatformCA
		if i.CA == "processor" {
			ca = pki.ProcessorCA
		}
		return ca.CRL(), slices.Concat(ca.PEM(), pki.RootPEM())
	case collateral.CRL:
		if i == rootByURI {
			return document(pki, rootCRL)
		}
		return document(pki, platform)
	case collateral.RootCRL:
		return pki.Root.CRL(), nil
	case collateral.FMSPCs:
		return []byte(`[{"fmspc":"00FE1D100000","platform":"E5"},{"fmspc":"010203000000","platform":"E5"}]`), nil
	case collateral.Evaluations:
		body := fmt.Sprintf(`{"id":"%v","version":1,"issueDate":"2026-05-20T12:00:00Z","nextUpdate":"2026-06-19T12:00:00Z","tcbEvalNumbers":[{"tcbEvaluationDataNumber":19}]}`, i.TEE)
		return pki.IdentityJSON(pki.QE, func(d *testpki.Document) { d.Name, d.Body = "tcbEvaluationDataNumbers", []byte(body) }), signer
	}
	panic(i.String())
}

// answer lets the service answer requests for a path so.
func (s *service) answer(path string, status int, body []byte) {
	s.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
		return true
	}
}

// substitute lets the service answer for one item with another's document.
func (s *service) substitute(path string, of *testpki.PKI, i collateral.Item) {
	body, chain := document(of, i)
	s.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		for _, name := range []string{"TCB-Info-Issuer-Chain", "SGX-Enclave-Identity-Issuer-Chain", "SGX-PCK-CRL-Issuer-Chain", "TCB-Evaluation-Data-Numbers-Issuer-Chain"} {
			w.Header().Set(name, escape(chain))
		}
		_, _ = w.Write(body)
		return true
	}
}

func escape(chain []byte) string {
	var b []byte
	for _, c := range chain {
		b = fmt.Appendf(b, "%%%02X", c)
	}
	return string(b)
}
