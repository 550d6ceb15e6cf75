package pcs

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

var (
	testTime  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	nextTime  = testTime.Add(30 * 24 * time.Hour)
	testFMSPC = [6]byte{0x00, 0x90, 0x6e, 0xd5, 0x00, 0x00}
)

// fake is a service with documents of its own, made with crypto/x509. Tests
// change what it serves.
type fake struct {
	*httptest.Server
	mu     sync.Mutex
	served map[string]http.HandlerFunc // by path
	asked  []*http.Request

	certPEM []byte // a certificate of Intel's profile
	crl     []byte // DER
}

func newFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{served: map[string]http.HandlerFunc{}}
	f.certPEM, f.crl = newPKI(t)
	chain := url.PathEscape(string(f.certPEM) + string(f.certPEM))
	serve := func(path, header, body string) {
		f.served[path] = func(w http.ResponseWriter, _ *http.Request) {
			if header != "" {
				w.Header().Set(header, chain)
			}
			w.Header().Set("Request-ID", "0123456789abcdef")
			fmt.Fprint(w, body)
		}
	}
	for _, v := range []string{"3", "4"} {
		tcbHeader := "TCB-Info-Issuer-Chain"
		if v == "3" {
			tcbHeader = "SGX-TCB-Info-Issuer-Chain"
		}
		sgx, tdx := "/sgx/certification/v"+v, "/tdx/certification/v"+v
		serve(sgx+"/tcb", tcbHeader, tcbInfo("SGX", "00906ED50000", nextTime))
		serve(sgx+"/qe/identity", "SGX-Enclave-Identity-Issuer-Chain", identity("QE", nextTime))
		serve(sgx+"/qve/identity", "SGX-Enclave-Identity-Issuer-Chain", identity("QVE", nextTime))
		serve(sgx+"/pckcrl", "SGX-PCK-CRL-Issuer-Chain", string(f.crl))
		serve(sgx+"/rootcacrl", "", hex.EncodeToString(f.crl)+"\n")
		if v == "4" {
			serve(tdx+"/tcb", tcbHeader, tcbInfo("TDX", "00906ed50000", nextTime))
			serve(tdx+"/qe/identity", "SGX-Enclave-Identity-Issuer-Chain", identity("TD_QE", nextTime))
		}
	}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func tcbInfo(id, fmspc string, next time.Time) string {
	return fmt.Sprintf(`{"tcbInfo":{"id":%q,"version":3,"nextUpdate":%q,"fmspc":%q},"signature":"00"}`, id, next.Format(time.RFC3339), fmspc)
}

func identity(id string, next time.Time) string {
	return fmt.Sprintf(`{"enclaveIdentity":{"id":%q,"version":2,"nextUpdate":%q},"signature":"00"}`, id, next.Format(time.RFC3339))
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r)
	h := f.served[r.URL.Path]
	f.mu.Unlock()
	if h == nil {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, "<!DOCTYPE html>\n<html><body>\n<pre>Cannot GET %s</pre>\n</body></html>", r.URL.Path)
		return
	}
	h(w, r)
}

// serve replaces what stands at a path.
func (f *fake) serve(path string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.served[path] = h
}

// requests is how often it was asked, and forgets it.
func (f *fake) requests() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	return asked
}

// client returns a client of the fake whose clock stands and which does not
// sleep.
func (f *fake) client(t testing.TB, cfg Config) *Client {
	t.Helper()
	if cfg.URL == "" {
		cfg.URL = f.URL
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return testTime }
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return c
}

// asIntel sends what is asked of Intel to the fake.
func (f *fake) asIntel() *http.Client {
	host := strings.TrimPrefix(f.URL, "http://")
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("X-Host", r.URL.Host)
		r.URL.Scheme, r.URL.Host = "http", host
		return http.DefaultTransport.RoundTrip(r)
	})}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newPKI makes a CA of the profile that package dcap takes, and its CRL.
func newPKI(t testing.TB) (certPEM, crl []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Test Root"},
		NotBefore: testTime.Add(-time.Hour), NotAfter: testTime.Add(365 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		SubjectKeyId: []byte{1, 2, 3}, AuthorityKeyId: []byte{1, 2, 3},
		CRLDistributionPoints: []string{"https://sbx-certificates.trustedservices.intel.com/IntelSGXRootCA.der"},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	crl, err = x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: testTime.Add(-time.Hour), NextUpdate: nextTime,
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(99), RevocationTime: testTime}},
	}, cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), crl
}

var sgxRequest = Request{TEE: dcap.TEESGX, FMSPC: testFMSPC, CA: Processor}

// quiet is where a server logs what tests provoke.
var quiet = log.New(io.Discard, "", 0)
