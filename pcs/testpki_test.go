package pcs

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
)

// TestQuoteToCollateral goes the whole way, for quotes with each kind of
// certification data: what a quote says, what a service has for it.
func TestQuoteToCollateral(t *testing.T) {
	pki := testpki.New(testpki.Seed("pcs"))
	server := httptest.NewServer(pki.PCS())
	defer server.Close()
	client := func(cfg Config) *Client {
		cfg.Now = func() time.Time { return pki.Now }
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	intel := client(Config{URL: IntelURL, HTTP: (&fake{Server: server}).asIntel()})
	pccs := client(Config{URL: server.URL + "/sgx/certification/v4/", CacheDir: t.TempDir()})
	for _, single := range []bool{false, true} {
		var edits []func(*testpki.Platform)
		if single {
			edits = append(edits, testpki.SinglePackage)
		}
		plat := pki.Platform(edits...)
		quotes := map[string]*testpki.Quote{"SGX": plat.SGXQuote(), "TDX": plat.TDXQuote()}
		for kind := dcap.CertPPIDClear; kind <= dcap.CertPCKChain; kind++ {
			quotes[kind.String()] = plat.SGXQuote(func(q *testpki.Quote) { q.CertType = kind })
		}
		for name, q := range quotes {
			t.Run(fmt.Sprint(name, " ", single), func(t *testing.T) {
				quote, err := dcap.ParseQuote(q.Bytes())
				if err != nil {
					t.Fatal(err)
				}
				r, err := RequestFor(quote)
				if err != nil {
					t.Fatal(err)
				}
				clients := []*Client{pccs, pccs, intel} // from the service, a copy, and Intel's way
				if r.PCK != nil && r.PCK.EncryptedPPID == nil {
					if _, _, err := intel.Collateral(t.Context(), r); !errors.Is(err, ErrBadRequest) {
						t.Errorf("Intel without an encrypted PPID: %v", err)
					}
					clients = clients[:2]
				}
				for i, c := range clients {
					got, report, err := c.Collateral(t.Context(), r)
					if err != nil {
						t.Fatal(err)
					}
					sameCollateral(t, got, q.Collateral(), r.PCK != nil)
					for _, s := range report {
						if i == 1 && !s.Cached || s.Expired(pki.Now) || s.Sandbox {
							t.Errorf("source %+v", s)
						}
					}
				}
			})
		}
	}
}

// sameCollateral compares but for signatures, which are made anew each time.
func sameCollateral(t *testing.T, got, want *dcap.Collateral, pck bool) {
	t.Helper()
	info := func(c *dcap.Collateral) []byte {
		d, err := dcap.ParseTCBInfo(c.TCBInfo)
		if err != nil {
			t.Fatal(err)
		}
		return d.Body
	}
	identity := func(c *dcap.Collateral) []byte {
		d, err := dcap.ParseEnclaveIdentity(c.QEIdentity)
		if err != nil {
			t.Fatal(err)
		}
		return d.Body
	}
	crl := func(der []byte) []byte {
		d, err := dcap.ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		return d.RawTBS
	}
	for name, pair := range map[string][2][]byte{
		"TCB info": {info(got), info(want)}, "TCB info chain": {got.TCBInfoChain, want.TCBInfoChain},
		"QE identity": {identity(got), identity(want)}, "QE identity chain": {got.QEIdentityChain, want.QEIdentityChain},
		"PCK CRL": {crl(got.PCKCRL), crl(want.PCKCRL)}, "PCK CRL chain": {got.PCKCRLChain, want.PCKCRLChain},
		"root CRL": {crl(got.RootCRL), crl(want.RootCRL)},
	} {
		if !bytes.Equal(pair[0], pair[1]) {
			t.Errorf("%s: got\n%.300q\nwant\n%.300q", name, pair[0], pair[1])
		}
	}
	if pck && !bytes.Equal(got.PCKChain, want.PCKChain) {
		t.Errorf("PCK chain: got\n%s\nwant\n%s", got.PCKChain, want.PCKChain)
	}
}

// TestFakeIntel asks the fake Intel for the rest of what Intel has.
func TestFakeIntel(t *testing.T) {
	pki := testpki.New(testpki.Seed("pcs"))
	plat := pki.Platform()
	handler := pki.PCS()
	server := httptest.NewServer(handler)
	defer server.Close()
	cfg := Config{URL: IntelURL, HTTP: (&fake{Server: server}).asIntel(), Now: func() time.Time { return pki.Now }}
	ask := func(change func(*Config)) *Client {
		cfg := cfg
		change(&cfg)
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := ask(func(*Config) {})
	if _, err := c.QVEIdentity(t.Context()); err != nil {
		t.Error(err)
	}
	list, _, err := c.FMSPCs(t.Context())
	if err != nil || len(list) != 1 || list[0].FMSPC != plat.SGX.FMSPC {
		t.Errorf("FMSPCs %v, %v", list, err)
	}
	numbers, _, err := c.EvaluationDataNumbers(t.Context(), dcap.TEETDX)
	if err != nil || len(numbers) != len(pki.Evaluations) {
		t.Fatalf("numbers %v, %v", numbers, err)
	}
	for i, n := range numbers {
		want := pki.Evaluations[i]
		if n.Number != want.Number || !n.TCBDate.Equal(want.TCBDate) || !n.RecoveryEvent.Equal(want.RecoveryEventDate) {
			t.Errorf("got %+v, want %+v", n, want)
		}
		chosen := ask(func(cfg *Config) { cfg.EvaluationDataNumber = n.Number })
		d, err := chosen.TCBInfo(t.Context(), dcap.TEETDX, plat.SGX.FMSPC)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := dcap.ParseTCBInfo(d.Body); err != nil || info.EvaluationDataNumber != n.Number {
			t.Errorf("asked for %d: %v", n.Number, err)
		}
	}
	gone := ask(func(cfg *Config) { cfg.EvaluationDataNumber = 1 })
	if _, err := gone.QEIdentity(t.Context(), dcap.TEESGX); !errors.Is(err, ErrRetired) {
		t.Error(err)
	}
	if _, err := c.TCBInfo(t.Context(), dcap.TEESGX, [6]byte{1}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	v3 := ask(func(cfg *Config) { cfg.APIVersion = 3 })
	if _, _, err := v3.Collateral(t.Context(), Request{TEE: dcap.TEESGX, FMSPC: plat.SGX.FMSPC, CA: Platform}); err != nil {
		t.Error(err)
	}
	handler.V3Gone = true
	if _, err := v3.QEIdentity(t.Context(), dcap.TEESGX); !errors.Is(err, ErrRetired) {
		t.Error(err)
	}
	handler.Fault = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true }
	once := ask(func(cfg *Config) { cfg.Attempts = 1 })
	if _, err := once.RootCRL(t.Context()); !errors.Is(err, ErrUpstream) {
		t.Error(err)
	}
}
