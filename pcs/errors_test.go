package pcs

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

const tcbPath = "/sgx/certification/v4/tcb"

func answer(status int, header, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Request-ID", "cafe")
		w.Header().Set("Content-Type", "text/html; charset=utf-8") // of a PCCS, also for text
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// asError returns err, which must be an *Error in one line.
func asError(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("no *Error: %v", err)
	}
	if strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("not one line: %q", err)
	}
	return e
}

// TestStatuses is the table of what statuses mean, and how often it is tried.
func TestStatuses(t *testing.T) {
	const pccs, intel, v3 = 0, 1, 2
	for _, c := range []struct {
		name           string
		of             int
		status         int
		header, body   string
		kind           error
		attempts       int
		reason, advice string
	}{
		{"PCCS without data", pccs, 404, "", "No cache data for this platform.", ErrNoCacheData, 1, "No cache data for this platform.", "register it"},
		{"path", pccs, 404, "", "<html><pre>Cannot GET /x</pre>", ErrNotServed, 1, "Cannot GET /x", "path"},
		{"platform", pccs, 461, "", "The platform was not found in the cache.", ErrPlatformUnknown, 1, "was not found", "register"},
		{"TCB", pccs, 462, "", "Certificates are not available for certain TCBs.", ErrCertsUnavailable, 1, "not available", "microcode"},
		{"integrity", pccs, 460, "", "", ErrUpstream, 1, "", "Intel"},
		{"upstream", pccs, 502, "", "Unable to retrieve the collateral from the Intel SGX PCS.", ErrUpstream, 4, "Unable to retrieve", "API key"},
		{"offline", pccs, 503, "", "Server is currently unable to process the request.", ErrBusy, 4, "unable", "OFFLINE"},
		{"gateway", pccs, 504, "", "<html><head><title>504 Gateway Time-out</title>", ErrBusy, 4, "504 Gateway Time-out", "later"},
		{"token", pccs, 401, "", "Authentication failed.", ErrUnauthorized, 1, "Authentication failed.", "proxy"},
		{"forbidden", pccs, 403, "", "<html>", ErrUnauthorized, 1, "a page of HTML", "proxy"},
		{"parameters", pccs, 400, "", "Invalid request parameters.", ErrBadRequest, 1, "Invalid", "parameters"},
		{"failure", pccs, 500, "", "Internal server error occurred.", ErrServer, 1, "Internal", "log"},
		{"teapot", pccs, 418, "", "a\x1b[31mb\r\nc", ErrServer, 1, "a?[31mb", "log"},
		{"PCCS v3", v3, 410, "", "The Intel PCS API version 3 reached planned EOL.", ErrRetired, 1, "EOL", "version 4"},
		{"Intel", intel, 404, "", "", ErrNotFound, 1, "", "registered nowhere"},
		{"Intel's number", intel, 410, "", "", ErrRetired, 1, "", "newer"},
		{"Intel's code", intel, 400, "Error-Code: InvalidRequestSyntax", "", ErrBadRequest, 1, "InvalidRequestSyntax", "parameters"},
		{"rate", intel, 429, "Retry-After: 7", "", ErrBusy, 4, "", "7s"},
		{"key", intel, 401, "", "", ErrUnauthorized, 1, "", "subscription key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.serve(tcbPath, answer(c.status, c.header, c.body))
			f.serve("/sgx/certification/v3/tcb", answer(c.status, c.header, c.body))
			cfg := Config{}
			switch c.of {
			case intel:
				cfg = Config{URL: IntelURL, HTTP: f.asIntel()}
			case v3:
				cfg.APIVersion = 3
			}
			_, err := f.client(t, cfg).TCBInfo(t.Context(), dcap.TEESGX, testFMSPC)
			e := asError(t, err)
			if !errors.Is(err, c.kind) || e.Status != c.status || e.RequestID != "cafe" {
				t.Errorf("kind %v, status %d, request %q", e.Kind, e.Status, e.RequestID)
			}
			if n := len(f.requests()); n != c.attempts || e.Attempts != c.attempts {
				t.Errorf("%d requests, says %d", n, e.Attempts)
			}
			if !strings.Contains(e.Reason, c.reason) || !strings.Contains(e.Advice, c.advice) {
				t.Errorf("reason %q, advice %q", e.Reason, e.Advice)
			}
			for _, part := range []string{"TCB info (SGX) of FMSPC 00906ED50000", c.kind.Error(), fmt.Sprint("HTTP ", c.status), "tcb?fmspc=00906ED50000", "request cafe", e.Advice} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in %s", part, err)
				}
			}
		})
	}
}

// What is left of Intel's retired interface, and of a retired number.
func TestRetiredAtIntel(t *testing.T) {
	f := newFake(t)
	gone := func(cfg Config) *Error {
		cfg.HTTP = f.asIntel()
		_, err := f.client(t, cfg).TCBInfo(t.Context(), dcap.TEESGX, testFMSPC)
		return asError(t, err)
	}
	f.serve("/sgx/certification/v3/tcb", answer(404, "", "Resource not found"))
	if e := gone(Config{URL: IntelURL, APIVersion: 3}); e.Kind != ErrRetired || !strings.Contains(e.Advice, "May 2026") {
		t.Error(e)
	}
	f.serve(tcbPath, answer(410, "", ""))
	if e := gone(Config{URL: IntelURL, EvaluationDataNumber: 3}); e.Kind != ErrRetired || !strings.Contains(e.Advice, "list of those that are") {
		t.Error(e)
	}
	f.serve(tcbPath, answer(404, "", ""))
	if e := gone(Config{URL: IntelSandboxURL}); e.Kind != ErrNotFound || !strings.Contains(e.Advice, "sandbox") {
		t.Error(e)
	}
}

func TestRetries(t *testing.T) {
	f := newFake(t)
	good := f.served[tcbPath]
	var n atomic.Int32
	flaky := func(failures int32, header string) {
		n.Store(0)
		f.serve(tcbPath, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) <= failures {
				answer(503, header, "")(w, r)
				return
			}
			good(w, r)
		})
	}
	var slept []time.Duration
	c := f.client(t, Config{Attempts: 5, FirstDelay: time.Second, MaxDelay: 3 * time.Second})
	c.sleep = func(ctx context.Context, d time.Duration) error { slept = append(slept, d); return ctx.Err() }
	get := func() error {
		slept = nil
		_, err := c.TCBInfo(t.Context(), dcap.TEESGX, testFMSPC)
		return err
	}
	flaky(4, "")
	if err := get(); err != nil {
		t.Error(err)
	}
	for i, most := range []time.Duration{1, 2, 3, 3} {
		most *= time.Second
		if len(slept) != 4 || slept[i] < most/2 || slept[i] > most {
			t.Fatalf("slept %v", slept)
		}
	}
	flaky(5, "")
	if e := asError(t, get()); e.Attempts != 5 || e.Kind != ErrBusy {
		t.Error(e)
	}
	// A wish to be left alone is respected, but nobody waits for hours.
	flaky(1, "Retry-After: 3")
	if err := get(); err != nil || len(slept) != 1 || slept[0] != 3*time.Second {
		t.Errorf("slept %v, %v", slept, err)
	}
	flaky(1, "Retry-After: "+testTime.Add(2500*time.Millisecond).Format(http.TimeFormat)) // whole seconds
	if err := get(); err != nil || len(slept) != 1 || slept[0] != 2*time.Second {
		t.Errorf("slept %v, %v", slept, err)
	}
	flaky(1, "Retry-After: 3600")
	if e := asError(t, get()); e.Attempts != 1 || e.RetryAfter != time.Hour || slept != nil || !strings.Contains(e.Advice, "1h0m0s") {
		t.Errorf("slept %v, %v", slept, e)
	}
	// Whoever will have left before the next attempt is told at once.
	flaky(1, "")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	slept = nil
	if _, err := c.TCBInfo(ctx, dcap.TEESGX, testFMSPC); asError(t, err).Kind != ErrBusy || slept != nil {
		t.Errorf("slept %v, %v", slept, err)
	}
}

func TestContext(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	left := errors.New("the caller left")
	f.serve(tcbPath, func(_ http.ResponseWriter, r *http.Request) {
		cancel(left)
		<-r.Context().Done()
	})
	_, err := f.client(t, Config{}).TCBInfo(ctx, dcap.TEESGX, testFMSPC)
	if asError(t, err); !errors.Is(err, left) || len(f.requests()) != 1 {
		t.Errorf("got %v", err)
	}
	// While it waits, too, with the real sleep.
	ctx, cancel2 := context.WithCancel(t.Context())
	f.serve(tcbPath, func(w http.ResponseWriter, r *http.Request) {
		time.AfterFunc(20*time.Millisecond, cancel2)
		answer(503, "", "")(w, r)
	})
	c := f.client(t, Config{FirstDelay: time.Hour, MaxDelay: time.Hour})
	c.sleep = sleep
	if _, err = c.TCBInfo(ctx, dcap.TEESGX, testFMSPC); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	f := newFake(t)
	tlsServer := httptest.NewUnstartedServer(f)
	tlsServer.Config.ErrorLog = quiet
	tlsServer.StartTLS()
	defer tlsServer.Close()
	closed := httptest.NewServer(f)
	closed.Close()
	dns := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "pccs.example", IsNotFound: true}
	}}}
	for _, c := range []struct {
		name           string
		cfg            Config
		handler        http.HandlerFunc
		attempts       int
		reason, advice string
	}{
		{"refused", Config{URL: closed.URL}, nil, 4, "refused", "running"},
		{"unknown authority", Config{URL: tlsServer.URL}, nil, 1, "vouches", "Config.RootCAs"},
		{"no TLS there", Config{URL: strings.Replace(f.URL, "http:", "https:", 1)}, nil, 1, "does not speak TLS", "port"},
		{"no such name", Config{HTTP: dns}, nil, 1, `"pccs.example"`, "name server"},
		{"slow", Config{Timeout: 30 * time.Millisecond}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 4, "30ms", "firewall"},
		{"slow in the middle", Config{Timeout: 30 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("{"))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, 4, "30ms", "firewall"},
		{"cut off", Config{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("{"))
			panic(http.ErrAbortHandler)
		}, 4, "EOF", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.handler != nil {
				f.serve(tcbPath, c.handler)
			}
			_, err := f.client(t, c.cfg).TCBInfo(t.Context(), dcap.TEESGX, testFMSPC)
			e := asError(t, err)
			if e.Kind != ErrUnreachable || e.Status != 0 || e.Attempts != c.attempts || !strings.Contains(e.Reason, c.reason) || !strings.Contains(e.Advice, c.advice) {
				t.Errorf("%d attempts: %v", e.Attempts, e)
			}
		})
	}
	// The advice about TLS works.
	g := newFake(t)
	served := httptest.NewTLSServer(g)
	defer served.Close()
	pool := x509.NewCertPool()
	pool.AddCert(served.Certificate())
	for _, cfg := range []Config{{URL: served.URL, RootCAs: pool}, {URL: served.URL, InsecureTLS: true}} {
		if _, err := g.client(t, cfg).TCBInfo(t.Context(), dcap.TEESGX, testFMSPC); err != nil {
			t.Error(err)
		}
	}
}

func TestRedirects(t *testing.T) {
	f := newFake(t)
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer other.Close()
	good := f.served[tcbPath]
	f.serve("/moved", good)
	redirect := func(to string) { f.serve(tcbPath, http.RedirectHandler(to, http.StatusFound).ServeHTTP) }
	c := f.client(t, Config{})
	redirect("/moved")
	if _, err := c.TCBInfo(t.Context(), dcap.TEESGX, testFMSPC); err != nil {
		t.Error(err)
	}
	f.requests()
	for _, to := range []string{other.URL, tcbPath, "file:///etc/passwd"} {
		redirect(to)
		_, err := c.TCBInfo(t.Context(), dcap.TEESGX, testFMSPC)
		if e := asError(t, err); e.Kind != ErrBadReply || !strings.Contains(e.Reason, "redirects to") || e.Attempts != 1 {
			t.Errorf("to %s: %v", to, err)
		}
		if n := len(f.requests()); n > 4 {
			t.Errorf("%d requests", n)
		}
	}
}

func TestTooLarge(t *testing.T) {
	f := newFake(t)
	zeros := func(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }
	f.serve(tcbPath, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, zeros(1<<40)) // until the client leaves
	})
	f.serve("/sgx/certification/v4/qe/identity", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip") // a bomb
		z := gzip.NewWriter(w)
		_, _ = io.Copy(z, zeros(1<<40))
	})
	f.serve("/sgx/certification/v4/rootcacrl", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, zeros(1<<40)) })
	c := f.client(t, Config{})
	for name, get := range map[string]func() (*Document, error){
		"TCB info": func() (*Document, error) { return c.TCBInfo(t.Context(), dcap.TEESGX, testFMSPC) },
		"identity": func() (*Document, error) { return c.QEIdentity(t.Context(), dcap.TEESGX) },
		"root CRL": func() (*Document, error) { return c.RootCRL(t.Context()) },
	} {
		if _, err := get(); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Headers without end.
	f.serve(tcbPath, func(w http.ResponseWriter, r *http.Request) {
		for i := range 100 {
			w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 8<<10))
		}
	})
	if _, err := c.TCBInfo(t.Context(), dcap.TEESGX, testFMSPC); !errors.Is(err, ErrUnreachable) {
		t.Errorf("headers: %v", err)
	}
}

type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestBadReplies(t *testing.T) {
	f := newFake(t)
	chain := url.PathEscape(string(f.certPEM))
	const identityPath, crlPath = "/sgx/certification/v4/qe/identity", "/sgx/certification/v4/pckcrl"
	good := tcbInfo("SGX", "00906ED50000", nextTime)
	for _, c := range []struct{ name, path, chain, body, reason string }{
		{"no chain", tcbPath, "", good, "no header TCB-Info-Issuer-Chain"},
		{"chain", tcbPath, "-----BEGIN%20", good, "certificate 1 is not PEM"},
		{"escape", tcbPath, "%zz", good, "not percent-encoded"},
		{"page", tcbPath, chain, "\n <!DOCTYPE html><title>Login</title>", "a page of HTML"},
		{"text", tcbPath, chain, "OK", "no JSON object"},
		{"empty", tcbPath, chain, "", "no JSON object"},
		{"another document", tcbPath, chain, identity("QE", nextTime), "no tcbInfo with a signature"},
		{"without signature", tcbPath, chain, `{"tcbInfo":{}}`, "no tcbInfo with a signature"},
		{"no date", tcbPath, chain, `{"tcbInfo":{"id":"SGX","fmspc":"00906ED50000"},"signature":""}`, "no nextUpdate"},
		{"another FMSPC", tcbPath, chain, tcbInfo("SGX", "00906EA10000", nextTime), "of FMSPC 00906EA10000 in place of 00906ED50000"},
		{"another TEE", tcbPath, chain, tcbInfo("TDX", "00906ED50000", nextTime), "for TDX in place of SGX"},
		{"another enclave", identityPath, chain, identity("TD_QE", nextTime), "TD_QE in place of QE"},
		{"type", tcbPath, chain, `{"tcbInfo":{"id":7},"signature":""}`, "tcbInfo: "},
		{"no CRL", crlPath, chain, "No CRL", "neither DER, PEM nor hexadecimal"},
		{"CRL page", crlPath, chain, "<html>", "a page of HTML"},
		{"CRL cut off", crlPath, chain, string(f.crl[:len(f.crl)-1]), "no CRL"},
		{"CRL of nothing", crlPath, chain, "", "neither"},
		{"PEM of nothing", crlPath, chain, "-----BEGIN X509 CRL-----\n", "not PEM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.serve(c.path, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Request-ID", "cafe")
				if c.chain != "" {
					for _, name := range []string{"TCB-Info-Issuer-Chain", "SGX-Enclave-Identity-Issuer-Chain", "SGX-PCK-CRL-Issuer-Chain"} {
						w.Header().Set(name, c.chain)
					}
				}
				_, _ = io.WriteString(w, c.body)
			})
			client := f.client(t, Config{CacheDir: t.TempDir()})
			get := func() (err error) {
				switch c.path {
				case tcbPath:
					_, err = client.TCBInfo(t.Context(), dcap.TEESGX, testFMSPC)
				case identityPath:
					_, err = client.QEIdentity(t.Context(), dcap.TEESGX)
				default:
					_, err = client.PCKCRL(t.Context(), Processor)
				}
				return err
			}
			f.requests()
			for range 2 { // it is not kept
				if e := asError(t, get()); e.Kind != ErrBadReply || !strings.Contains(e.Reason, c.reason) || e.RequestID != "cafe" {
					t.Error(e)
				}
			}
			if n := len(f.requests()); n != 2 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// No error, report or file of a copy shows what identifies a platform or user.
func TestSecrets(t *testing.T) {
	f := newFake(t)
	f.serve("/sgx/certification/v4/pckcert", answer(500, "", ""))
	r := PCKRequest{QEID: []byte("platform"), EncryptedPPID: bytes.Repeat([]byte{0x5e}, 384)}
	closed := httptest.NewServer(f)
	closed.Close()
	withPassword := func(u string) string { return strings.Replace(u, "://", "://user:geheim@", 1) }
	for _, cfg := range []Config{
		{URL: withPassword(f.URL)}, {URL: withPassword(closed.URL)},
		{URL: f.URL, PCKParams: url.Values{"token": {"geheim"}}, SubscriptionKey: "geheim"},
	} {
		_, err := f.client(t, cfg).PCKCert(t.Context(), r)
		if err == nil {
			t.Fatal("no error")
		}
		for _, secret := range []string{"geheim", "5e5e5e", fmt.Sprintf("%x", "platform")} {
			if strings.Contains(fmt.Sprintf("%v %#v", err, err.(*Error).Err), secret) {
				t.Errorf("shows %q: %v", secret, err)
			}
		}
	}
}
