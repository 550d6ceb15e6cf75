package pcs

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

func TestCollateral(t *testing.T) {
	f := newFake(t)
	for _, c := range []struct {
		name string
		cfg  Config
		tee  dcap.TEEType
		want []string // requests, in any order
	}{
		{"PCCS v4 SGX", Config{}, dcap.TEESGX, []string{
			"/sgx/certification/v4/pckcrl?ca=processor&encoding=der", "/sgx/certification/v4/qe/identity",
			"/sgx/certification/v4/rootcacrl", "/sgx/certification/v4/tcb?fmspc=00906ED50000",
		}},
		{"PCCS v4 TDX, as in a file of QCNL", Config{URL: f.URL + "/sgx/certification/v4/", Update: Early}, dcap.TEETDX, []string{
			"/sgx/certification/v4/pckcrl?ca=processor&encoding=der", "/sgx/certification/v4/rootcacrl",
			"/tdx/certification/v4/qe/identity?update=early", "/tdx/certification/v4/tcb?fmspc=00906ED50000&update=early",
		}},
		{"PCCS v3", Config{APIVersion: 3}, dcap.TEESGX, []string{
			"/sgx/certification/v3/pckcrl?ca=processor&encoding=der", "/sgx/certification/v3/qe/identity",
			"/sgx/certification/v3/rootcacrl", "/sgx/certification/v3/tcb?fmspc=00906ED50000",
		}},
		{"Intel", Config{URL: IntelURL, HTTP: f.asIntel(), EvaluationDataNumber: 17}, dcap.TEETDX, []string{
			"/IntelSGXRootCA.der", "/sgx/certification/v4/pckcrl?ca=processor&encoding=der",
			"/tdx/certification/v4/qe/identity?tcbEvaluationDataNumber=17", "/tdx/certification/v4/tcb?fmspc=00906ED50000&tcbEvaluationDataNumber=17",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.serve("/IntelSGXRootCA.der", func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Host") != "certificates.trustedservices.intel.com" {
					t.Errorf("root CRL from %s", r.Header.Get("X-Host"))
				}
				_, _ = w.Write(f.crl)
			})
			f.requests()
			got, report, err := f.client(t, c.cfg).Collateral(t.Context(), Request{TEE: c.tee, FMSPC: testFMSPC, CA: Processor})
			if err != nil {
				t.Fatal(err)
			}
			var asked []string
			for _, r := range f.requests() {
				asked = append(asked, r.URL.String())
				if r.Header.Get("User-Agent") != "feidi" {
					t.Errorf("user agent %q", r.Header.Get("User-Agent"))
				}
			}
			slices.Sort(asked)
			if !slices.Equal(asked, c.want) {
				t.Errorf("asked %q", asked)
			}
			id := map[dcap.TEEType]string{dcap.TEESGX: "QE", dcap.TEETDX: "TD_QE"}[c.tee]
			if !bytes.Contains(got.QEIdentity, []byte(`"id":"`+id+`"`)) || !bytes.Contains(got.TCBInfo, []byte(`"id":"`+c.tee.String()+`"`)) {
				t.Errorf("got %s and %s", got.TCBInfo, got.QEIdentity)
			}
			if !bytes.Equal(got.PCKCRL, f.crl) || !bytes.Equal(got.RootCRL, f.crl) {
				t.Error("another CRL")
			}
			twice := slices.Concat(f.certPEM, f.certPEM)
			for _, chain := range [][]byte{got.PCKCRLChain, got.TCBInfoChain, got.QEIdentityChain} {
				if !bytes.Equal(chain, twice) {
					t.Errorf("chain\n%s", chain)
				}
				if certs, err := dcap.ParseChain(chain); err != nil || len(certs) != 2 {
					t.Error(err)
				}
			}
			if len(report) != 4 || report.Stale() != nil {
				t.Fatalf("report %+v", report)
			}
			if s := report[0]; !s.Sandbox || s.Cached || !s.NextUpdate.Equal(nextTime) || !s.Fetched.Equal(testTime) || s.RequestID != "0123456789abcdef" {
				t.Errorf("source %+v", s)
			}
			if report[0].Expired(nextTime.Add(-1)) || !report[0].Expired(nextTime) {
				t.Error("expiry")
			}
		})
	}
}

// The four documents are asked for at the same time: none is answered before
// all are asked for.
func TestCollateralConcurrent(t *testing.T) {
	f := newFake(t)
	var all sync.WaitGroup
	all.Add(4)
	for path, h := range f.served {
		f.served[path] = func(w http.ResponseWriter, r *http.Request) {
			all.Done()
			all.Wait()
			h(w, r)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, _, err := f.client(t, Config{}).Collateral(ctx, sgxRequest); err != nil {
		t.Fatal(err)
	}
}

func TestPCKCert(t *testing.T) {
	f := newFake(t)
	header := func(tcbm, fmspc, ca string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("sgx-tcbm", tcbm)
			w.Header().Set("SGX-FMSPC", fmspc)
			w.Header().Set("SGX-PCK-Certificate-CA-Type", ca)
			w.Header().Set("SGX-PCK-Certificate-Issuer-Chain", strings.ReplaceAll(strings.ReplaceAll(string(f.certPEM), "\n", "%0A"), "+", "%2B"))
			_, _ = w.Write(bytes.TrimSpace(f.certPEM))
		}
	}
	const path = "/sgx/certification/v4/pckcert"
	tcbm := strings.Repeat("0a", 16) + "0d00"
	f.serve(path, header(tcbm, "00906ed50000", "Processor"))
	r := PCKRequest{QEID: []byte{0xab, 0xcd}, EncryptedPPID: bytes.Repeat([]byte{0x5e}, 384), CPUSVN: [16]byte{15: 9}, PCESVN: 0x0102}
	c := f.client(t, Config{CacheDir: t.TempDir(), PCKHeader: http.Header{"Metadata": {"true"}}, PCKParams: map[string][]string{"api-version": {"1"}}, SubscriptionKey: "geheim"})
	for range 2 { // the second is a copy
		got, err := c.PCKCert(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if got.PCESVN != 13 || got.CPUSVN[0] != 10 || got.FMSPC != testFMSPC || got.CA != Processor {
			t.Errorf("got %+v", got)
		}
		if chain, err := dcap.ParseChain(got.Chain); err != nil || len(chain) != 2 || !got.Source.NextUpdate.Equal(chain[0].NotAfter) {
			t.Errorf("chain of %d, %v", len(chain), err)
		}
		if strings.Contains(got.Source.URL, "5e5e") {
			t.Error("the report shows the PPID")
		}
	}
	asked := f.requests()
	if len(asked) != 1 {
		t.Fatalf("asked %d times", len(asked))
	}
	q := asked[0].URL.Query()
	for name, want := range map[string]string{
		"qeid": "abcd", "cpusvn": "00000000000000000000000000000009", "pcesvn": "0201", "pceid": "0000",
		"encrypted_ppid": strings.Repeat("5e", 384), "api-version": "1",
	} {
		if q.Get(name) != want {
			t.Errorf("%s=%s, want %s", name, q.Get(name), want)
		}
	}
	if asked[0].Header.Get("Metadata") != "true" || asked[0].Header.Get("Ocp-Apim-Subscription-Key") != "" {
		t.Errorf("header %v", asked[0].Header)
	}

	// Intel gets the key, and no QE ID.
	intel := f.client(t, Config{URL: IntelURL, HTTP: f.asIntel(), SubscriptionKey: "geheim", PCKHeader: http.Header{"Metadata": {"true"}}})
	if _, err := intel.PCKCert(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	asked = f.requests()
	if asked[0].Header.Get("Ocp-Apim-Subscription-Key") != "geheim" || asked[0].URL.Query().Has("qeid") || asked[0].Header.Get("Metadata") != "" {
		t.Errorf("asked Intel with %v %v", asked[0].URL, asked[0].Header)
	}
	if _, err := intel.PCKCert(t.Context(), PCKRequest{}); !errors.Is(err, ErrBadRequest) {
		t.Errorf("without a PPID: %v", err)
	}

	// A second service where the first has none.
	two := f.client(t, Config{PCKURLs: []string{f.URL + "/nowhere/", f.URL}})
	if _, err := two.PCKCert(t.Context(), r); err != nil {
		t.Error(err)
	}
	for _, bad := range []http.HandlerFunc{
		header(tcbm[2:], "00906ed50000", "processor"), header(tcbm, "00906ed500", "processor"), header(tcbm, "00906ed50000", "other"),
		func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
	} {
		f.serve(path, bad)
		if _, err := f.client(t, Config{}).PCKCert(t.Context(), r); !errors.Is(err, ErrBadReply) {
			t.Errorf("got %v", err)
		}
	}
	for _, bad := range []PCKRequest{{EncryptedPPID: make([]byte, 383)}, {QEID: make([]byte, 131)}} {
		if _, err := c.PCKCert(t.Context(), bad); !errors.Is(err, ErrBadRequest) {
			t.Errorf("got %v", err)
		}
	}
}

// A quote without a certificate: it is fetched first, and says what else.
func TestCollateralWithPCK(t *testing.T) {
	f := newFake(t)
	f.serve("/sgx/certification/v4/pckcert", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("SGX-TCBm", strings.Repeat("00", 18))
		w.Header().Set("SGX-FMSPC", hex.EncodeToString(testFMSPC[:]))
		w.Header().Set("SGX-PCK-Certificate-CA-Type", "platform")
		w.Header().Set("SGX-PCK-Certificate-Issuer-Chain", strings.ReplaceAll(string(f.certPEM), "\n", "%0A"))
		_, _ = w.Write(f.certPEM)
	})
	q := &dcap.Quote{Certification: &dcap.PPID{Encryption: dcap.CertPPIDRSA3072, PPID: make([]byte, 384)}}
	r, err := RequestFor(q)
	if err != nil {
		t.Fatal(err)
	}
	got, report, err := f.client(t, Config{}).Collateral(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(report) != 5 || !bytes.Equal(got.PCKChain, slices.Concat(f.certPEM, f.certPEM)) {
		t.Errorf("%d documents, chain\n%s", len(report), got.PCKChain)
	}
	for _, asked := range f.requests() {
		if strings.Contains(asked.URL.Path, "pckcrl") && asked.URL.Query().Get("ca") != "platform" {
			t.Errorf("asked %s", asked.URL)
		}
	}
	leaf := &dcap.Quote{Certification: &dcap.PCKLeaf{PEM: f.certPEM}}
	if _, err := RequestFor(leaf); err == nil || !strings.Contains(err.Error(), "no SGX extension") {
		t.Errorf("got %v", err)
	}
	if _, err := RequestFor(&dcap.Quote{Certification: &dcap.PlatformManifest{}}); err == nil {
		t.Error("a manifest is taken for a certificate")
	}
}

func TestLists(t *testing.T) {
	f := newFake(t)
	f.serve("/sgx/certification/v4/fmspcs", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`[{"fmspc":"00906ED50000","platform":"client"},{"platform":"E5","fmspc":"00a067110000"}]`))
	})
	c := f.client(t, Config{CacheDir: t.TempDir()})
	for range 2 {
		list, _, err := c.FMSPCs(t.Context())
		want := []KnownPlatform{{testFMSPC, "client"}, {[6]byte{0, 0xa0, 0x67, 0x11}, "E5"}}
		if err != nil || !slices.Equal(list, want) {
			t.Errorf("got %v, %v", list, err)
		}
	}
	if n := len(f.requests()); n != 1 {
		t.Errorf("asked %d times", n)
	}
	f.serve("/tdx/certification/v4/tcbevaluationdatanumbers", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("TCB-Evaluation-Data-Numbers-Issuer-Chain", strings.ReplaceAll(string(f.certPEM), "\n", "%0A"))
		_, _ = w.Write([]byte(`{"tcbEvaluationDataNumbers":{"id":"TDX","version":1,"issueDate":"2026-02-20T00:00:00Z","nextUpdate":"2026-03-31T12:00:00Z",` +
			`"tcbEvalNumbers":[{"tcbEvaluationDataNumber":20,"tcbRecoveryEventDate":"2025-08-12T00:00:00Z","tcbDate":"2025-08-13T00:00:00Z"}]},"signature":"00"}`))
	})
	numbers, d, err := c.EvaluationDataNumbers(t.Context(), dcap.TEETDX)
	if err != nil {
		t.Fatal(err)
	}
	want := EvaluationData{20, time.Date(2025, 8, 12, 0, 0, 0, 0, time.UTC), time.Date(2025, 8, 13, 0, 0, 0, 0, time.UTC)}
	if len(numbers) != 1 || numbers[0] != want || d.Chain == nil || !d.Source.NextUpdate.Equal(nextTime) {
		t.Errorf("got %+v, %+v", numbers, d)
	}
	for _, body := range []string{`[{"fmspc":"0090","platform":"E3"}]`, `{}`, `<html>`, `null`, `[{"fmspc":7}]`} {
		if _, err := ParseFMSPCs([]byte(body)); err == nil {
			t.Errorf("%s is taken for a list", body)
		}
	}
}

// TestChoosing: one client asks for all that there is at a time.
func TestChoosing(t *testing.T) {
	f := newFake(t)
	c := f.client(t, Config{Update: Early})
	for _, get := range []func() (*Document, error){
		func() (*Document, error) { return c.QEIdentity(t.Context(), dcap.TEESGX) },
		func() (*Document, error) { return c.Choosing(Standard, 0).QEIdentity(t.Context(), dcap.TEESGX) },
		func() (*Document, error) { return c.Choosing("", 17).TCBInfo(t.Context(), dcap.TEESGX, testFMSPC) },
		func() (*Document, error) { return c.Choosing("", 0).QVEIdentity(t.Context()) },
		func() (*Document, error) { return c.QEIdentity(t.Context(), dcap.TEESGX) },
	} {
		if _, err := get(); err != nil {
			t.Error(err)
		}
	}
	want := []string{"update=early", "update=standard", "fmspc=00906ED50000&tcbEvaluationDataNumber=17", "", "update=early"}
	for i, r := range f.requests() {
		if r.URL.RawQuery != want[i] {
			t.Errorf("request %d: %s, want %s", i, r.URL.RawQuery, want[i])
		}
	}
}

func TestSingleDocuments(t *testing.T) {
	f := newFake(t)
	c := f.client(t, Config{})
	if d, err := c.QVEIdentity(t.Context()); err != nil || !bytes.Contains(d.Body, []byte("QVE")) {
		t.Error(err)
	}
	old := f.client(t, Config{APIVersion: 3})
	for name, get := range map[string]func() (*Document, error){
		"TDX in version 3": func() (*Document, error) { return old.TCBInfo(t.Context(), dcap.TEETDX, testFMSPC) },
		"another TEE":      func() (*Document, error) { return c.QEIdentity(t.Context(), 5) },
		"another CA":       func() (*Document, error) { return c.PCKCRL(t.Context(), "root") },
		"a number in version 3": func() (*Document, error) {
			return f.client(t, Config{APIVersion: 3, EvaluationDataNumber: 5}).QEIdentity(t.Context(), dcap.TEESGX)
		},
	} {
		if _, err := get(); !errors.Is(err, ErrBadRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Intel's default for CRLs is PEM.
	f.serve("/sgx/certification/v4/pckcrl", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("SGX-PCK-CRL-Issuer-Chain", strings.ReplaceAll(string(f.certPEM), "\n", "%0A"))
		_ = pem.Encode(w, &pem.Block{Type: "X509 CRL", Bytes: f.crl})
	})
	if d, err := c.PCKCRL(t.Context(), Platform); err != nil || !bytes.Equal(d.Body, f.crl) {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"version":            {Config{APIVersion: 2}, "no version 2"},
		"version in the URL": {Config{URL: "https://h/sgx/certification/v2/"}, "version 2"},
		"versions differ":    {Config{URL: "https://h/sgx/certification/v3/", APIVersion: 4}, "version 3 of the interface, and version 4"},
		"update":             {Config{Update: "late"}, "late"},
		"both":               {Config{Update: Early, EvaluationDataNumber: 1}, "exclude"},
		"no scheme":          {Config{URL: "localhost:8081"}, "is no URL"},
		"file":               {Config{URL: "file:///etc/passwd"}, "is no URL"},
		"parameters":         {Config{URL: "https://h/?a=b"}, "no parameters"},
		"root CRL":           {Config{RootCRLURL: "ftp://h/"}, "is no URL"},
		"PCK":                {Config{PCKURLs: []string{"x"}}, "is no URL"},
		"own client and TLS": {Config{HTTP: &http.Client{}, InsecureTLS: true}, "transport"},
		"offline":            {Config{Offline: true}, "CacheDir"},
		"contradiction":      {Config{Offline: true, Refresh: true, CacheDir: "d"}, "exclude"},
		"negative":           {Config{Attempts: -1}, "negative"},
		"password":           {Config{URL: "https://user:geheim@h/?a"}, "parameters"},
	} {
		_, err := New(c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for url, want := range map[string]service{
		"":              {IntelURL, 4, true, false},
		IntelSandboxURL: {IntelSandboxURL, 4, true, true},
		"https://localhost:8081/sgx/certification/v3/":                 {"https://localhost:8081", 3, false, false},
		"http://169.254.169.254/metadata/THIM/sgx/certification/v4":    {"http://169.254.169.254/metadata/THIM", 4, false, false},
		"https://api.trustedservices.intel.com/tdx/certification/v4/":  {IntelURL, 4, true, false},
		"https://api.trustedservices.intel.com.evil.example/certs/v1/": {"https://api.trustedservices.intel.com.evil.example/certs/v1", 4, false, false},
	} {
		c, err := New(Config{URL: url})
		if err != nil || c.service != want {
			t.Errorf("%s: %+v, %v", url, c.service, err)
		}
	}
}
