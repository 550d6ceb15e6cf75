package server

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/testpki"
)

// The tokens of all fixtures.
const (
	theUser  = "open sesame"
	theAdmin = "abracadabra"
)

func hash(token string) string {
	sum := sha512.Sum512([]byte(token))
	return hex.EncodeToString(sum[:])
}

// fixture is a service before a fake Intel, with a platform that Intel knows.
type fixture struct {
	*Server
	pki      *testpki.PKI
	pcs      *testpki.PCS
	platform *testpki.Platform
	db       *store.Store
	asked    atomic.Int64 // requests that Intel got
	log      *logs

	mu    sync.Mutex
	clock time.Time
	sent  map[string]bool // bodies that Intel sent
	ids   map[string]bool // Request-IDs that Intel got
}

// logs may be read while it is written.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (f *fixture) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock
}

func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock = f.clock.Add(d)
}

// intel is a way to the fake Intel, whatever the host.
type intel struct{ *fixture }

func (i intel) RoundTrip(r *http.Request) (*http.Response, error) {
	i.asked.Add(1)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	i.pcs.ServeHTTP(w, r)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sent[w.Body.String()], i.ids[r.Header.Get("Request-ID")] = true, true
	return w.Result(), nil
}

func newFixture(t testing.TB, edits ...func(*pccs.Options, *Options)) *fixture {
	t.Helper()
	pki := testpki.New(testpki.Seed("pccs/server"))
	f := &fixture{pki: pki, pcs: pki.PCS(), platform: pki.Platform(), clock: pki.Now, log: &logs{}, sent: map[string]bool{}, ids: map[string]bool{}}
	check, err := collateral.NewChecker(pki.Root.DER)
	if err != nil {
		t.Fatal(err)
	}
	client, err := pcs.New(pcs.Config{HTTP: &http.Client{Transport: intel{f}}, Attempts: 1, SubscriptionKey: "key", Now: f.now})
	if err != nil {
		t.Fatal(err)
	}
	if f.db, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "pccs.db")); err != nil {
		t.Fatal(err)
	}
	service := pccs.Options{Store: f.db, Upstream: collateral.NewClient(client, check), Checker: check, Now: f.now}
	o := Options{
		UserTokenHash: hash(theUser), AdminTokenHash: strings.ToUpper(hash(theAdmin)), Store: f.db, Now: f.now, Version: "v1.2.3",
		Log: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, edit := range edits {
		edit(&service, &o)
	}
	s, err := pccs.New(service)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		_ = f.db.Close()
	})
	if f.Server, err = New(s, o); err != nil {
		t.Fatal(err)
	}
	return f
}

// got is an answer as a client reads it.
type got struct {
	status int
	header http.Header // names as written
	body   string
}

// first returns the first line of a name, as it is written.
func (g *got) first(name string) string {
	if v := g.header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// ask asks a server; header has names and values.
func ask(t testing.TB, s http.Handler, method, target, body string, header ...string) *got {
	t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, in).WithContext(context.Background())
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := &recorder{header: http.Header{}}
	s.ServeHTTP(w, r)
	return &got{w.status, w.header, w.body.String()}
}

// recorder keeps what is written, with names as they are written.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// pckQuery asks for the certificate of the platform.
func (f *fixture) pckQuery() url.Values {
	e := f.platform.SGX
	return url.Values{
		"qeid": {fmt.Sprintf("%x", f.platform.QEID)}, "encrypted_ppid": {fmt.Sprintf("%x", f.platform.EncryptedPPID)},
		"cpusvn": {fmt.Sprintf("%x", e.CPUSVN)}, "pcesvn": {fmt.Sprintf("%02x%02x", byte(e.PCESVN), byte(e.PCESVN>>8))}, "pceid": {fmt.Sprintf("%x", e.PCEID)},
	}
}

func (f *fixture) fmspc() string { return fmt.Sprintf("%X", f.platform.SGX.FMSPC) }

// basic is the header Authorization of HTTP Basic.
func basic(password string) string {
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth("anybody", password)
	return r.Header.Get("Authorization")
}
