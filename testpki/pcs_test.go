package testpki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

// Every route that serves something: its type, its headers, and a body that is
// what the PKI gives directly.
func TestPCS(t *testing.T) {
	p := New(Seed("pcs"))
	m, single := p.Platform(), p.Platform(SinglePackage)
	s := p.PCS()
	tcb := string(p.TCBChainPEM())
	who := func(m *Platform) string {
		return fmt.Sprintf("encrypted_ppid=%x&cpusvn=%x&pcesvn=%02x%02x&pceid=0000", m.EncryptedPPID, m.SGX.CPUSVN, m.SGX.PCESVN&0xff, m.SGX.PCESVN>>8)
	}
	early := *m.TCBInfo(dcap.TEESGX)
	early.EvaluationDataNumber++
	v2 := *m.TCBInfo(dcap.TEESGX)
	v2.Version = 2
	for _, c := range []struct {
		path, contentType string
		body              []byte
		chainHeader       string
		chain             string
	}{
		{"/sgx/certification/v4/tcb?fmspc=00fe1D100000", "application/json", m.Collateral(dcap.TEESGX).TCBInfo, "TCB-Info-Issuer-Chain", tcb},
		{"/sgx/certification/v4/tcb?fmspc=00FE1D100000&update=standard", "application/json", m.Collateral(dcap.TEESGX).TCBInfo, "TCB-Info-Issuer-Chain", tcb},
		{"/sgx/certification/v4/tcb?fmspc=00FE1D100000&update=early", "application/json", p.TCBInfoJSON(&early), "TCB-Info-Issuer-Chain", tcb},
		{"/sgx/certification/v4/tcb?fmspc=00FE1D100000&tcbEvaluationDataNumber=20", "application/json", p.TCBInfoJSON(&early), "TCB-Info-Issuer-Chain", tcb},
		{"/sgx/certification/v3/tcb?fmspc=00FE1D100000", "application/json", p.TCBInfoJSON(&v2), "SGX-TCB-Info-Issuer-Chain", tcb},
		{"/tdx/certification/v4/tcb?fmspc=00FE1D100000", "application/json", m.Collateral(dcap.TEETDX).TCBInfo, "TCB-Info-Issuer-Chain", tcb},
		{"/sgx/certification/v4/qe/identity", "application/json", p.IdentityJSON(p.QE), "SGX-Enclave-Identity-Issuer-Chain", tcb},
		{"/sgx/certification/v3/qe/identity", "application/json", p.IdentityJSON(p.QE), "SGX-Enclave-Identity-Issuer-Chain", tcb},
		{"/sgx/certification/v4/qve/identity", "application/json", p.IdentityJSON(p.QVE), "SGX-Enclave-Identity-Issuer-Chain", tcb},
		{"/tdx/certification/v4/qe/identity", "application/json", p.IdentityJSON(p.TDQE), "SGX-Enclave-Identity-Issuer-Chain", tcb},
		{"/sgx/certification/v4/pckcrl?ca=platform&encoding=der", "application/pkix-crl", p.PlatformCA.CRL(), "SGX-PCK-CRL-Issuer-Chain", string(chainPEM(p.PlatformCA, p.Root))},
		{"/sgx/certification/v4/pckcrl?ca=processor&encoding=der", "application/pkix-crl", p.ProcessorCA.CRL(), "SGX-PCK-CRL-Issuer-Chain", string(chainPEM(p.ProcessorCA, p.Root))},
		{"/sgx/certification/v4/pckcert?" + who(m), "application/x-pem-file", m.PCK.PEM(), "SGX-PCK-Certificate-Issuer-Chain", string(chainPEM(p.PlatformCA, p.Root))},
		{"/sgx/certification/v4/pckcert?" + who(single), "application/x-pem-file", single.PCK.PEM(), "SGX-PCK-Certificate-Issuer-Chain", string(chainPEM(p.ProcessorCA, p.Root))},
		{"/IntelSGXRootCA.der", "application/pkix-crl", p.Root.CRL(), "", ""},
		{"/sgx/certification/v4/rootcacrl", "application/pkix-crl; charset=utf-8", []byte(hex.EncodeToString(p.Root.CRL())), "", ""},
		{"/sgx/certification/v4/crl?uri=" + p.Root.X509().CRLDistributionPoints[0], "application/pkix-crl", p.Root.CRL(), "", ""},
		{"/sgx/certification/v4/fmspcs", "application/json", []byte(`[{"fmspc":"00FE1D100000","platform":"E5"}]`), "", ""},
	} {
		w := get(s, c.path)
		if w.Code != 200 || w.Header().Get("Content-Type") != c.contentType || len(w.Header().Get("Request-ID")) != 32 {
			t.Errorf("%.80s: status %d, headers %v", c.path, w.Code, w.Header())
		}
		if !bytes.Equal(w.Body.Bytes(), c.body) {
			t.Errorf("%.80s: body\n%s\nwant\n%s", c.path, w.Body, c.body)
		}
		if c.chainHeader == "" {
			continue
		}
		chain, err := url.PathUnescape(w.Header().Get(c.chainHeader)) // a plus is a plus
		if err != nil || chain != c.chain {
			t.Errorf("%.80s: %s is %q, %v", c.path, c.chainHeader, w.Header().Get(c.chainHeader), err)
		}
	}

	w := get(s, "/sgx/certification/v4/pckcert?"+who(m))
	want := fmt.Sprintf("%X%02X%02X", m.SGX.CPUSVN, m.SGX.PCESVN&0xff, m.SGX.PCESVN>>8)
	if h := w.Header(); h.Get("SGX-TCBm") != want || h.Get("SGX-FMSPC") != "00FE1D100000" || h.Get("SGX-PCK-Certificate-CA-Type") != "platform" {
		t.Errorf("headers of a PCK certificate: %v", h)
	}
	block, _ := pem.Decode(get(s, "/sgx/certification/v4/pckcrl?ca=platform").Body.Bytes())
	if block == nil || block.Type != "X509 CRL" {
		t.Fatal("the CRL is no PEM")
	}
	if _, err := x509.ParseRevocationList(block.Bytes); err != nil {
		t.Error(err)
	}
}

func TestPCSErrors(t *testing.T) {
	p := New(Seed("pcs"))
	m := p.Platform()
	who := fmt.Sprintf("qeid=%x&cpusvn=%x&pceid=0000&pcesvn=", m.QEID, m.SGX.CPUSVN)
	s := p.PCS()
	for path, want := range map[string]int{
		"/": 404, "/sgx/certification/v4": 404, "/sgx/certification/v4/nothing": 404,
		"/sgx/certification/v2/tcb?fmspc=00FE1D100000": 404, "/tdx/certification/v3/tcb?fmspc=00FE1D100000": 404, "/tdx/certification/v4/pckcrl?ca=platform": 404,
		"/sgx/certification/v4/tcb": 400, "/sgx/certification/v4/tcb?fmspc=00FE1D1000": 400, "/sgx/certification/v4/tcb?fmspc=zzFE1D100000": 400,
		"/sgx/certification/v4/tcb?fmspc=00FE1D100001":                                         404,
		"/sgx/certification/v4/tcb?fmspc=00FE1D100000&update=never":                            400,
		"/sgx/certification/v4/tcb?fmspc=00FE1D100000&tcbEvaluationDataNumber=7":               410,
		"/sgx/certification/v4/tcb?fmspc=00FE1D100000&tcbEvaluationDataNumber=99":              404,
		"/sgx/certification/v4/tcb?fmspc=00FE1D100000&tcbEvaluationDataNumber=x":               400,
		"/sgx/certification/v4/tcb?fmspc=00FE1D100000&tcbEvaluationDataNumber=19&update=early": 400,
		"/tdx/certification/v4/qe/identity?tcbEvaluationDataNumber=7":                          410,
		"/tdx/certification/v4/qve/identity":                                                   404,
		"/sgx/certification/v4/pckcrl":                                                         400,
		"/sgx/certification/v4/pckcrl?ca=platform&encoding=xml":                                400,
		"/sgx/certification/v4/pckcert?" + who + "0f00":                                        200,
		"/sgx/certification/v4/pckcert?" + who + "0e00":                                        404,
		"/sgx/certification/v4/pckcert?" + who + "0f":                                          400,
		"/sgx/certification/v4/pckcert?qeid=" + fmt.Sprintf("%032x", 1) + "&pceid=0000":        404,
		"/sgx/certification/v4/pckcert?pceid=0000":                                             400,
		"/sgx/certification/v4/fmspcs?platform=E7":                                             400,
		"/sgx/certification/v4/crl?uri=https://example.com/x.der":                              400,
		"/sgx/certification/v3/tcbevaluationdatanumbers":                                       404,
	} {
		if w := get(s, path); w.Code != want || want != 200 && w.Body.Len() != 0 || w.Header().Get("Request-ID") == "" {
			t.Errorf("%s: status %d, want %d, body %q", path, w.Code, want, w.Body)
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("POST", "/sgx/certification/v4/tcb?fmspc=00FE1D100000", nil))
	if w.Code == 200 {
		t.Error("POST works")
	}

	s.V3Gone = true
	if w := get(s, "/sgx/certification/v3/qe/identity"); w.Code != 410 {
		t.Errorf("v3 when it is gone: %d", w.Code)
	}
	s.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return r.URL.Path != ""
	}
	if w := get(s, "/sgx/certification/v4/qe/identity"); w.Code != 429 || w.Header().Get("Retry-After") != "1" {
		t.Errorf("fault: %d", w.Code)
	}
}

func TestPCSLists(t *testing.T) {
	p := New(Seed("pcs"))
	m := p.Platform(Status(dcap.ConfigurationNeeded))
	s := p.PCS()
	w := get(s, fmt.Sprintf("/sgx/certification/v4/pckcerts?encrypted_ppid=%x&pceid=0000", m.EncryptedPPID))
	var certs []struct {
		TCB  map[string]int
		TCBm string
		Cert string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &certs); err != nil {
		t.Fatal(err)
	}
	if len(certs) != 3 || certs[0].Cert != "Not available" || certs[1].Cert != "Not available" { // two levels are above the third
		t.Fatalf("%d certificates: %s", len(certs), w.Body)
	}
	last := certs[2]
	cert, err := url.PathUnescape(last.Cert)
	if err != nil || cert != string(m.PCK.PEM()) || last.TCB["sgxtcbcomp01svn"] != 7 || last.TCB["sgxtcbcomp16svn"] != 0 || last.TCB["pcesvn"] != 13 || len(last.TCB) != 17 {
		t.Errorf("last: %+v", last)
	}
	if last.TCBm != "07070202FF01000500000000000000000D00" {
		t.Errorf("TCBm %s", last.TCBm)
	}

	for _, tee := range []string{"sgx", "tdx"} {
		w = get(s, "/"+tee+"/certification/v4/tcbevaluationdatanumbers")
		body, valid := openDocument(t, w.Body.Bytes(), "tcbEvaluationDataNumbers", p.TCBSigning.X509().PublicKey.(*ecdsa.PublicKey))
		var d struct {
			ID      string
			Numbers []struct{ TCBEvaluationDataNumber int } `json:"tcbEvalNumbers"`
		}
		if err := json.Unmarshal(body, &d); err != nil || !valid {
			t.Fatal(err, valid)
		}
		if len(d.Numbers) != 3 || d.Numbers[0].TCBEvaluationDataNumber != 20 || !bytes.EqualFold([]byte(d.ID), []byte(tee)) {
			t.Errorf("%s: %s", tee, body)
		}
	}
}

// Requests may come from everywhere at once, while platforms are added.
func TestPCSParallel(t *testing.T) {
	p := New(Seed("pcs"))
	p.Platform()
	s := p.PCS()
	done := make(chan bool)
	for range 4 {
		go func() {
			for range 20 {
				get(s, "/sgx/certification/v4/fmspcs")
				get(s, "/sgx/certification/v4/tcb?fmspc=00FE1D100000")
			}
			done <- true
		}()
	}
	for range 20 {
		p.Platform().SGXQuote().Bytes()
	}
	for range 4 {
		<-done
	}
}
