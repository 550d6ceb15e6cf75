package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// The copies are there, each with the certificate of the machine it is a copy of.
func TestFill(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "pccs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	f := fleet.New(testpki.Seed("load"))
	const n = 20
	if err := fill(t.Context(), db, f, n); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		m := []*fleet.Machine{f.Multi, f.Single}[i%2]
		got, err := db.Match(t.Context(), store.PlatformID{QEID: qeID(i), PCEID: "0000"}, m.Seen[0].CPUSVN, m.Seen[0].PCESVN)
		if err != nil {
			t.Fatal(err)
		}
		if got.Cert != string(m.Certs[0].PEM) || got.FMSPC != m.FMSPC() {
			t.Errorf("platform %d has %+v", i, got)
		}
	}
}

// recorded is a service that remembers what it is asked.
type recorded struct {
	mu    sync.Mutex
	paths map[string]int
	body  string
}

func (r *recorded) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	r.paths[q.RequestURI]++
	r.mu.Unlock()
	if q.URL.Path == "/no" {
		http.NotFound(w, q)
		return
	}
	w.Header()["X-Same"] = []string{"a", "b"}
	w.Header().Set("Content-Length", fmt.Sprint(len(r.body)))
	_, _ = w.Write([]byte(r.body))
}

func recording(t *testing.T) (*recorded, *httptest.Server) {
	r := &recorded{paths: map[string]int{}, body: strings.Repeat("body", 2000)}
	s := httptest.NewTLSServer(r)
	t.Cleanup(s.Close)
	return r, s
}

func TestRun(t *testing.T) {
	one, first := recording(t)
	two, second := recording(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "targets")
	path := "/pckcert?qeid=" + strings.Repeat("0", qeidDigits) + "&x=1"
	if err := os.WriteFile(file, []byte("\na /one\nb "+path+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	ask := func(args ...string) error {
		out.Reset()
		args = append([]string{"run", "-targets", file, "-connections", "2", "-turn", "5ms", "-rounds", "2"}, args...)
		return do(t.Context(), args, &out)
	}
	if err := ask("x="+first.URL, "y="+second.URL); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^a +x +\d+ req/s +p50 \S+ +p99 \S+ *\n^a +y .*\n^a +x to y: \d+\.\d\d \[.*\] in requests a second$`).MatchString(out.String()) {
		t.Errorf("it says\n%s", out.String())
	}
	for _, r := range []*recorded{one, two} {
		if len(r.paths) != 2 || r.paths["/one"] < 4 || r.paths[path] < 4 {
			t.Errorf("asked for %v", r.paths)
		}
		clear(r.paths)
	}
	if err := ask("-platforms", "5", "-rate", "2000", "-only", "b", "x="+first.URL); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for i := range 5 {
		want["/pckcert?qeid="+qeID(i)+"&x=1"] = true
	}
	n := 0
	for p, times := range one.paths {
		if n += times; !want[p] {
			t.Errorf("asked for %s", p)
		}
	}
	// Two turns of ten, and one for each connection to begin with. It never sends more.
	if len(one.paths) < 2 || n < 6 || n > 22 {
		t.Errorf("asked %d times, for %d platforms", n, len(one.paths))
	}
	for _, bad := range []string{"x", "x=http://h", "x=https://h/p", "x=https://h,0", "x=https://"} {
		if err := ask(bad); err == nil {
			t.Errorf("%q is a service", bad)
		}
	}
	if err := os.WriteFile(file, []byte("a /no"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ask("x=" + first.URL); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("an answer 404: %v", err)
	}
}

// The bare server answers as the other does, header and body.
func TestBare(t *testing.T) {
	_, s := recording(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	free := httptest.NewUnstartedServer(nil)
	at := free.Listener.Addr().String()
	free.Close()
	go func() { ended <- bare(ctx, at, s.URL, []target{{name: "a", path: "/one?x=1"}}) }()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	want, err := get(t.Context(), client, s.URL+"/one?x=1")
	if err != nil {
		t.Fatal(err)
	}
	var got page
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if got, err = get(t.Context(), client, "https://"+at+"/one?x=1"); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if string(got.body) != string(want.body) || fmt.Sprint(got.header) != fmt.Sprint(want.header) {
		t.Errorf("got  %v, %d bytes\nwant %v, %d bytes", got.header, len(got.body), want.header, len(want.body))
	}
	if _, err = get(t.Context(), client, "https://"+at+"/other"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("what is not in memory: %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestQuantile(t *testing.T) {
	var list []float64
	for i := range 100 {
		list = append(list, float64((i*37)%100))
	}
	if got := spread(list); got != "50.00 [25.00-75.00]" {
		t.Errorf("got %s", got)
	}
	if quantile(list, 0.99) != 99 || quantile(list[:1], 0.99) != 0 || quantile([]float64{}, 0.5) != 0 {
		t.Error("a quantile is wrong")
	}
	for _, d := range []time.Duration{1234567, 98765, 123456789, 0} {
		if got := short(d); (got-d).Abs() > max(d/100, time.Microsecond) || len(got.String()) > 10 {
			t.Errorf("%v is shown as %v", d, got)
		}
	}
}
