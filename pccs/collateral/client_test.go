package collateral_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/testpki"
)

const pccs = "https://pccs.test:8081/sgx/certification/v4/"

// TestFetch gets every item from Intel's, and from a PCCS.
func TestFetch(t *testing.T) {
	for _, url := range []string{pcs.IntelURL, pccs} {
		s := newService()
		c := s.client(t, at(url))
		for _, i := range served() {
			d, err := c.Fetch(t.Context(), i)
			if err != nil {
				t.Errorf("%s: %v: %v", url, i, err)
				continue
			}
			body, chain := document(s.pki, i)
			if i.Kind == collateral.Evaluations {
				body = d.Body // signed by the service
			}
			if d.Item != i || !bytes.Equal(d.Body, body) || !bytes.Equal(d.Chain, chain) || d.RequestID == "" {
				t.Errorf("%s: %v: another item, body or chain, or no request ID: %q", url, i, d.RequestID)
			}
			asked := s.requests()
			if len(asked) != 1 { // the first was the root CRL
				t.Errorf("%s: %v: asked %q", url, i, asked)
			}
			for _, a := range asked {
				if !strings.HasPrefix(a, strings.TrimSuffix(url, "sgx/certification/v4/")) && a != "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der" {
					t.Errorf("%v: asked %s", i, a)
				}
			}
		}
		if _, err := c.Fetch(t.Context(), oldInfo); !errors.Is(err, pcs.ErrRetired) || len(s.requests()) != 0 {
			t.Errorf("version 3: %v", err)
		}
	}
}

// TestFetchCanonical: it is for the service to spell an item, and for nobody to
// choose an address.
func TestFetchCanonical(t *testing.T) {
	s := newService()
	c := s.client(t)
	asked := collateral.Item{Kind: collateral.TCBInfo, API: 4, FMSPC: strings.ToLower(fmspc)}
	if d, err := c.Fetch(t.Context(), asked); err != nil || d.Item != asked {
		t.Errorf("%v, %v", d, err)
	}
	s.requests()
	for _, uri := range []string{"http://169.254.169.254/latest/meta-data", "https://pccs.test:8081/admin", "https://sbx-certificates.trustedservices.intel.com/IntelSGXRootCA.der", ""} {
		if _, err := c.Fetch(t.Context(), collateral.Item{Kind: collateral.CRL, URI: uri}); err == nil {
			t.Errorf("%q: fetched", uri)
		}
	}
	if asked := s.requests(); asked != nil {
		t.Errorf("asked %q", asked)
	}
}

// TestFetchLies has a service lie where its client can see it only in what comes.
func TestFetchLies(t *testing.T) {
	other := testpki.New(testpki.Seed("another world"))
	other.Platform()
	otherFMSPC := sgxInfo
	otherFMSPC.FMSPC = "010203000000"
	const sgx, tdx = "/sgx/certification/v4/", "/tdx/certification/v4/"
	for _, l := range []struct {
		name string
		item collateral.Item
		path string
		want error
		of   *testpki.PKI // nil: the service's own
		sent collateral.Item
	}{
		{"FMSPC", sgxInfo, sgx + "tcb", collateral.ErrForged, nil, otherFMSPC},
		{"TEE", sgxInfo, sgx + "tcb", collateral.ErrForged, nil, tdxInfo},
		{"number", numbered(sgxInfo, early), sgx + "tcb", collateral.ErrForged, nil, sgxInfo},
		{"enclave", tdqe, tdx + "qe/identity", collateral.ErrForged, nil, qe},
		{"CA", platform, sgx + "pckcrl", collateral.ErrForged, nil, processor},
		{"root", qe, sgx + "qe/identity", collateral.ErrUntrusted, other, qe},
		{"root of a CRL", platform, sgx + "pckcrl", collateral.ErrUntrusted, other, platform},
		{"root of numbers", numbers, sgx + "tcbevaluationdatanumbers", collateral.ErrUntrusted, other, numbers},
	} {
		s := newService()
		of := l.of
		if of == nil {
			of = s.pki
		}
		s.substitute(l.path, of, l.sent)
		d, err := s.client(t).Fetch(t.Context(), l.item)
		if d != nil || !errors.Is(err, l.want) {
			t.Errorf("%s: %v, %v, want %v", l.name, d, err, l.want)
			continue
		}
		var e *collateral.Error
		if !errors.As(err, &e) || len(e.RequestID) != 32 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %#v", l.name, err)
		}
	}
}

// TestFetchExpired: what has expired is not got.
func TestFetchExpired(t *testing.T) {
	s := newService()
	s.now = s.now.AddDate(0, 0, 19)
	c := s.client(t)
	for _, i := range []collateral.Item{sgxInfo, qe, platform, numbers, byURI} {
		if d, err := c.Fetch(t.Context(), i); d != nil || !errors.Is(err, collateral.ErrExpired) {
			t.Errorf("%v: %v, %v", i, d, err)
		}
	}
	s.now = s.now.AddDate(1, 0, 0)
	s.pki.QE.NextUpdate = s.now.AddDate(0, 0, 1)
	if d, err := c.Fetch(t.Context(), rootCRL); d != nil || !errors.Is(err, collateral.ErrExpired) {
		t.Errorf("root CRL: %v, %v", d, err)
	}
	if _, err := c.Fetch(t.Context(), qe); err != nil {
		t.Errorf("because the root CRL has expired: %v", err)
	}
}

// TestFetchFailures has what services answer besides documents.
func TestFetchFailures(t *testing.T) {
	const path = "/sgx/certification/v4/qe/identity"
	page := []byte("<!DOCTYPE html><html><title>Please sign in</title></html>")
	for _, c := range []struct {
		name   string
		url    string
		status int
		body   []byte
		want   error
	}{
		{"unknown to Intel", pcs.IntelURL, 404, nil, pcs.ErrNotFound},
		{"unknown to a PCCS", pccs, 404, nil, pcs.ErrNoCacheData},
		{"not registered", pccs, 461, nil, pcs.ErrPlatformUnknown},
		{"no key", pcs.IntelURL, 401, nil, pcs.ErrUnauthorized},
		{"wrong key", pcs.IntelURL, 403, nil, pcs.ErrUnauthorized},
		{"retired", pcs.IntelURL, 410, nil, pcs.ErrRetired},
		{"too many requests", pcs.IntelURL, 429, nil, pcs.ErrBusy},
		{"failure", pcs.IntelURL, 500, nil, pcs.ErrServer},
		{"behind it", pccs, 502, nil, pcs.ErrUpstream},
		{"a page", pcs.IntelURL, 200, page, collateral.ErrForged},
		{"nothing", pcs.IntelURL, 200, nil, collateral.ErrForged},
		{"oversized", pcs.IntelURL, 200, bytes.Repeat([]byte("x"), 2<<20), pcs.ErrTooLarge},
	} {
		s := newService()
		s.answer(path, c.status, c.body)
		d, err := s.client(t, at(c.url)).Fetch(t.Context(), qe)
		if d != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		// Other items are not concerned.
		if _, err := s.client(t, at(c.url)).Fetch(t.Context(), tdqe); err != nil {
			t.Errorf("%s: another item: %v", c.name, err)
		}
	}

	s := newService()
	s.Fault = func(w http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
	c := s.client(t, func(c *pcs.Config) { c.Timeout = time.Millisecond })
	if _, err := c.Fetch(t.Context(), qe); !errors.Is(err, pcs.ErrUnreachable) {
		t.Errorf("a service that hangs: %v", err)
	}
	s.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		return true
	}
	if _, err := c.Fetch(t.Context(), qe); !errors.Is(err, pcs.ErrBadReply) || slices.ContainsFunc(s.requests(), func(u string) bool { return strings.Contains(u, "169.254") }) {
		t.Errorf("a service that sends elsewhere: %v", err)
	}
}

// TestRootCRL: signers are judged by the newest root CRL.
func TestRootCRL(t *testing.T) {
	const path = "/sgx/certification/v4/rootcacrl"
	s := newService()
	c := s.client(t, at(pccs))
	asked := func() (n int) {
		for _, u := range s.requests() {
			if strings.HasSuffix(u, path) {
				n++
			}
		}
		return n
	}
	fetch := func(what string, i collateral.Item, want error, times int) {
		t.Helper()
		_, err := c.Fetch(t.Context(), i)
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		if n := asked(); n != times {
			t.Errorf("%s: the root CRL was asked for %d times, not %d", what, n, times)
		}
	}
	s.answer(path, 500, nil)
	fetch("without any", qe, pcs.ErrServer, 1)
	s.answer(path, 200, []byte(hex.EncodeToString(flip(rootCRL, s.pki.Root.CRL()))))
	fetch("with a forged one", qe, collateral.ErrForged, 1)
	other := testpki.New(testpki.Seed("another world"))
	s.answer(path, 200, []byte(hex.EncodeToString(other.Root.CRL())))
	fetch("with another's", qe, collateral.ErrUntrusted, 1)
	s.Fault = nil
	fetch("unsigned", fmspcs, nil, 0)
	fetch("at last", qe, nil, 1)
	fetch("again", tdqe, nil, 0)

	s.pki.Root.Revoke(s.pki.TCBSigning)
	fetch("revoked, but who knows", qe, nil, 0)
	s.now = s.now.Add(2 * time.Hour)
	fetch("revoked", qe, collateral.ErrForged, 1)
	fetch("still revoked", tdqe, collateral.ErrForged, 0)
	s.pki.Root.Revoked = nil
	older := s.pki.Root.CRL(func(t *testpki.CRLTemplate) { t.ThisUpdate = t.ThisUpdate.AddDate(0, 0, -1) })
	s.answer(path, 200, []byte(hex.EncodeToString(older)))
	fetch("an older list itself", rootCRL, nil, 1)
	fetch("revoked by the newer of two", qe, collateral.ErrForged, 0)

	s.now = s.now.Add(2 * time.Hour)
	s.answer(path, 500, nil)
	fetch("by the last that there was", qe, collateral.ErrForged, 1)
	fetch("which is not asked for at once", qe, collateral.ErrForged, 0)
	s.now = s.now.Add(2 * time.Minute)
	s.Fault = nil
	fetch("withdrawn", qe, nil, 1)
	s.now = s.now.Add(-24 * time.Hour)
	fetch("after the clock went back", qe, nil, 1)
	s.now = s.now.Add(24 * time.Hour)
	fetch("and forth", qe, nil, 1)
}

// TestRemember: a root CRL of an earlier run is good for all that is not about
// itself, and no newer one is forgotten for it.
func TestRemember(t *testing.T) {
	const path = "/sgx/certification/v4/rootcacrl"
	s := newService()
	d, err := s.client(t, at(pccs)).Fetch(t.Context(), rootCRL)
	if err != nil {
		t.Fatal(err)
	}
	c := s.client(t, at(pccs))
	s.answer(path, 500, nil)
	if _, err := c.Fetch(t.Context(), qe); !errors.Is(err, pcs.ErrServer) || c.HasRootCRL() {
		t.Errorf("without one: %v", err)
	}
	c.Remember(d)
	if _, err := c.Fetch(t.Context(), qe); err != nil || !c.HasRootCRL() {
		t.Errorf("with that of before: %v", err)
	}
	if _, err := c.Fetch(t.Context(), rootCRL); !errors.Is(err, pcs.ErrServer) {
		t.Errorf("itself: %v", err)
	}
	s.Fault = nil
	s.now = s.now.Add(2 * time.Hour)
	s.pki.Root.Revoke(s.pki.TCBSigning)
	s.answer(path, 200, []byte(hex.EncodeToString(s.pki.Root.CRL(func(t *testpki.CRLTemplate) { t.ThisUpdate = t.ThisUpdate.Add(time.Hour) }))))
	if _, err := c.Fetch(t.Context(), qe); !errors.Is(err, collateral.ErrForged) {
		t.Errorf("with a newer one: %v", err)
	}
	c.Remember(d)
	if _, err := c.Fetch(t.Context(), tdqe); !errors.Is(err, collateral.ErrForged) {
		t.Errorf("reminded of the older: %v", err)
	}
}

// TestRootCRLOnce: many who come at once have it asked for once, and one who
// leaves takes it from nobody.
func TestRootCRLOnce(t *testing.T) {
	s := newService()
	c := s.client(t)
	waiting, open := make(chan bool), make(chan bool)
	var once sync.Once
	s.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, ".der") {
			once.Do(func() { waiting <- true; <-open })
		}
		return r.Context().Err() != nil
	}
	leaving, leave := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := c.Fetch(leaving, qe); !errors.Is(err, context.Canceled) {
			t.Errorf("who left: %v", err)
		}
	})
	<-waiting
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Fetch(gone, qe); !errors.Is(err, context.Canceled) {
		t.Errorf("who left while waiting: %v", err)
	}
	for range 8 {
		wg.Go(func() {
			if _, err := c.Fetch(t.Context(), tdqe); err != nil {
				t.Errorf("who stayed: %v", err)
			}
		})
	}
	leave()
	close(open)
	wg.Wait()
	n := 0
	for _, u := range s.requests() {
		if strings.HasSuffix(u, ".der") {
			n++
		}
	}
	if n != 2 {
		t.Errorf("asked %d times", n)
	}
}

func TestClientSays(t *testing.T) {
	s := newService()
	c := s.client(t, at("https://user:secret@pccs.test:8081/sgx/certification/v4/"))
	if c.HasKey() || strings.Contains(c.URL(), "secret") || !strings.Contains(c.URL(), "pccs.test:8081") {
		t.Errorf("%s, key %v", c.URL(), c.HasKey())
	}
	if c := s.client(t, func(c *pcs.Config) { c.SubscriptionKey = "k" }); !c.HasKey() || c.URL() != pcs.IntelURL {
		t.Errorf("%s, key %v", c.URL(), c.HasKey())
	}
	if c := s.client(t, at(pccs), func(c *pcs.Config) { c.PCKHeader = http.Header{"ocp-apim-subscription-key": {"k"}} }); !c.HasKey() {
		t.Error("a key among other headers")
	}
}

func ExampleClient_Fetch() {
	pki := testpki.New(testpki.Seed("example"))
	pki.Platform()
	service, _ := pcs.New(pcs.Config{HTTP: &http.Client{Transport: &service{PCS: pki.PCS()}}, Now: func() time.Time { return pki.Now }})
	check, _ := collateral.NewChecker(pki.Root.DER) // without a root: Intel's
	c := collateral.NewClient(service, check)

	d, err := c.Fetch(context.Background(), collateral.Item{Kind: collateral.QEIdentity, API: 4, Update: collateral.Early})
	fmt.Println(d.Item, d.Evaluation, d.NextUpdate.Format(time.DateOnly), err)
	// Output: sgx/v4/qe/identity?update=early 20 2026-06-19 <nil>
}
