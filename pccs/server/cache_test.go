package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
)

// counts are what the metrics say of the cache.
func (f *fixture) counts() string {
	return fmt.Sprintf("%d from memory, %d made, %d old", f.metrics.hits.Load(), f.metrics.misses.Load(), f.metrics.stale.Load())
}

// An answer is made once in CacheTime, and anew after a change; its age grows
// meanwhile.
func TestCache(t *testing.T) {
	f := newFixture(t)
	const path = sgx4 + "qe/identity"
	expect := func(step, age, counts string) {
		t.Helper()
		g := ask(t, f, "GET", path, "")
		if g.status != 200 || g.first("Age") != age || f.counts() != counts {
			t.Errorf("%s: %d, age %s, %s; want age %s, %s", step, g.status, g.first("Age"), f.counts(), age, counts)
		}
	}
	ask(t, f, "GET", path, "")
	expect("what was fetched meanwhile is a change", "0", "0 from memory, 2 made, 0 old")
	f.pass(999 * time.Millisecond)
	expect("within the time", "0", "1 from memory, 2 made, 0 old")
	f.pass(time.Millisecond)
	expect("after it", "1", "1 from memory, 3 made, 0 old")
	ask(t, f, "HEAD", path, "")
	expect("HEAD is the same", "1", "3 from memory, 3 made, 0 old")
	if g := ask(t, f, "POST", sgx4+"refresh", "", adminToken, theAdmin); g.status != 200 {
		t.Fatalf("%d %v", g.status, g.header)
	}
	expect("after a change", "0", "3 from memory, 4 made, 0 old")
	ask(t, f, "GET", path+"?", "")
	ask(t, f, "GET", sgx4+"tcb?fmspc=xx", "")
	ask(t, f, "GET", sgx4+"tcb?fmspc=xx", "")
	expect("others, and errors, are each for itself", "0", "4 from memory, 7 made, 0 old")
	f.pass(-time.Hour) // the clock is set back
	expect("of the future", "0", "5 from memory, 7 made, 0 old")

	none := newFixture(t, func(_ *pccs.Options, o *Options) { o.CacheTime = -1 })
	ask(t, none, "GET", path, "")
	ask(t, none, "GET", path, "")
	if got := none.counts(); got != "0 from memory, 2 made, 0 old" {
		t.Errorf("without a cache: %s", got)
	}
}

// While the database does not answer, what it said within the last minute stands
// in, and says so; health and metrics tell the truth.
func TestDatabaseGone(t *testing.T) {
	f := newFixture(t)
	const path = sgx4 + "qe/identity"
	good := ask(t, f, "GET", path, "")
	if g := ask(t, f, "GET", "/healthz/ready", ""); g.status != 200 || g.body != "ok\n" {
		t.Errorf("ready: %d %q", g.status, g.body)
	}
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
	f.pass(DefaultCacheTime + time.Second)
	for _, age := range []string{"2", "2", "61"} {
		g := ask(t, f, "GET", path, "")
		if g.status != 200 || g.body != good.body || g.first("Age") != age || len(g.header["Warning"]) != 1 || !strings.HasPrefix(g.first("Warning"), "110 - ") {
			t.Errorf("at age %s: %d %v", age, g.status, g.header)
		}
		if g.first("Age") == "2" && age == "2" && f.metrics.hits.Load() > 0 {
			f.pass(59 * time.Second)
		}
	}
	if got := f.counts(); got != "1 from memory, 3 made, 2 old" {
		t.Error(got)
	}
	f.pass(time.Minute)
	if g := ask(t, f, "GET", path, ""); g.status != 503 || g.first("Error-Code") != "DatabaseUnavailable" || g.first("Retry-After") != "1" {
		t.Errorf("after a minute: %d %v", g.status, g.header)
	}
	if g := ask(t, f, "GET", sgx4+"rootcacrl", ""); g.status != 503 {
		t.Errorf("what was not asked for before: %d", g.status)
	}
	if g := ask(t, f, "GET", "/healthz/ready", ""); g.status != 503 {
		t.Errorf("it is ready: %d", g.status)
	}
	if g := ask(t, f, "GET", "/healthz", ""); g.status != 200 {
		t.Errorf("it does not live: %d", g.status)
	}
	if g := ask(t, f, "GET", "/metrics", ""); g.status != 200 || !strings.Contains(g.body, "\nfeidi_pccs_up 0\n") || !strings.Contains(g.body, "feidi_pccs_cache_total{from=\"old\"} 2\n") {
		t.Errorf("metrics: %d %s", g.status, g.body)
	}
}

// Many who ask for what is not there cause it to be made once, and the first of
// them may go away.
func TestFlight(t *testing.T) {
	f := newFixture(t)
	asked, goOn := make(chan struct{}, 100), make(chan struct{})
	f.pcs.Fault = func(http.ResponseWriter, *http.Request) bool {
		asked <- struct{}{}
		<-goOn
		return false
	}
	const path = sgx4 + "qe/identity"
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan int)
	go func() {
		w := &recorder{header: http.Header{}}
		f.ServeHTTP(w, httptest.NewRequest("GET", path, nil).WithContext(ctx))
		first <- w.status
	}()
	<-asked
	cancel() // the first is gone
	var wg sync.WaitGroup
	gone, stop := context.WithCancel(t.Context())
	for i := range 20 {
		wg.Go(func() {
			if i%2 == 0 {
				if g := ask(t, f, "GET", path, ""); g.status != 200 {
					t.Errorf("%d %v", g.status, g.header)
				}
				return
			}
			w := &recorder{header: http.Header{}}
			f.ServeHTTP(w, httptest.NewRequest("GET", path, nil).WithContext(gone))
			if w.status != 503 && w.status != 200 {
				t.Errorf("who is gone: %d", w.status)
			}
		})
	}
	stop()
	close(goOn)
	wg.Wait()
	if status := <-first; status != 200 {
		t.Errorf("the first: %d", status)
	}
	// The service may have asked for other documents, too.
	if n := f.metrics.misses.Load(); n > 2 { // a second may begin when the first has ended
		t.Errorf("made %d times", n)
	}
}

// When as many requests as may be are worked at, others wait a moment and are told
// to come again; what is in memory is served, and what is about this server.
func TestBusy(t *testing.T) {
	f := newFixture(t, func(_ *pccs.Options, o *Options) { o.MaxRequests = 1 })
	f.patience = 10 * time.Millisecond
	kept := sgx4 + "qe/identity"
	ask(t, f, "GET", kept, "")
	if g := ask(t, f, "GET", kept, ""); g.status != 200 {
		t.Fatalf("%d", g.status)
	}
	f.slots <- struct{}{}
	f.alone <- struct{}{}
	for _, path := range []string{kept, "/healthz", "/metrics", "/openapi.json"} {
		if g := ask(t, f, "GET", path, ""); g.status != 200 {
			t.Errorf("%s: %d", path, g.status)
		}
	}
	if g := ask(t, f, "GET", sgx4+"rootcacrl", ""); g.status != 503 || g.first("Retry-After") != "1" || g.first("Error-Code") != "Busy" ||
		g.body != "Server is currently unable to process the request." {
		t.Errorf("%d %v %q", g.status, g.header, g.body)
	}
	<-f.slots
	if g := ask(t, f, "GET", sgx4+"rootcacrl", ""); g.status != 200 {
		t.Errorf("with a place: %d", g.status)
	}
	if g := ask(t, f, "POST", sgx4+"refresh", "", adminToken, theAdmin); g.status != 503 || g.first("Error-Code") != "Busy" {
		t.Errorf("two refreshes at a time: %d %v", g.status, g.header)
	}
	if len(f.slots) != 0 {
		t.Error("a place is not given back")
	}
}

// That a handler panics costs a request, not the process, and is in the log.
func TestPanic(t *testing.T) {
	f := newFixture(t)
	at := &route{path: "/panic", methods: []method{get(func(*Server, *request) (*answer, error) { panic("ouch") })}, index: nowhere.index}
	routes["/panic"] = at
	defer delete(routes, "/panic")
	for range 2 {
		if g := ask(t, f, "GET", "/panic", ""); g.status != 500 || g.body != "Internal server error occurred." || strings.Contains(fmt.Sprint(g.header), "ouch") {
			t.Errorf("%d %q %v", g.status, g.body, g.header)
		}
	}
	if !strings.Contains(f.log.String(), "ouch") || !strings.Contains(f.log.String(), "level=ERROR") {
		t.Error("the log does not tell")
	}
}

// The cache is bounded, keeps what is asked for often, and drops what nobody asks
// for.
func TestCacheBounds(t *testing.T) {
	var c cache
	c.init(1 << 20)
	now := time.Now()
	add := func(key string, size int) {
		c.put(key, &entry{at: nowhere, answer: ok(typeText, make([]byte, size)), made: now, until: now.Add(time.Second)})
	}
	total := func() (n int) {
		for _, m := range []map[string]*entry{c.young, c.old} {
			for key, e := range m {
				n += e.answer.size() + 2*len(key)
			}
		}
		return n
	}
	for i := range 1000 {
		add("often", 100)
		add(fmt.Sprint(i), 10_000)
		if n := total(); n > 1<<20 || n < 400_000 && i > 100 {
			t.Fatalf("after %d there are %d bytes", i, n)
		}
		if c.find("often") == nil {
			t.Fatalf("after %d what is asked for often is gone", i)
		}
	}
	if c.find("1") != nil || c.find("999") == nil {
		t.Error("it is not the oldest that go")
	}
	add("giant", 600_000)
	if c.find("giant") != nil {
		t.Error("a giant is kept")
	}
	for i := range 2 * maxEntries {
		c.put(fmt.Sprint("e", i), &entry{answer: &answer{}, made: now})
	}
	if n := len(c.young) + len(c.old); n > maxEntries {
		t.Errorf("%d entries", n)
	}
	for range 2 {
		now = now.Add(2*staleTime + 1)
		add("late", 1)
	}
	if n := len(c.young) + len(c.old); n != 2 { // of two generations
		t.Errorf("%d are left of long ago", n-2)
	}
}

// Issuers are escaped once, however many answers they are in, and are those that were
// asked for also where there were too many to remember.
func TestIssuers(t *testing.T) {
	var c issuers
	for i := range 3 * maxIssuers {
		pem := bytes.Repeat([]byte("+/=\n"), i)
		if got, want := c.escaped(pem), strings.Repeat("%2B%2F%3D%0A", i); got != want {
			t.Fatalf("%d: got %s, want %s", i, got, want)
		}
		if n := testing.AllocsPerRun(10, func() { c.escaped(pem) }); n != 0 {
			t.Fatalf("%d: %v allocations the second time", i, n)
		}
		if len(c.m) > maxIssuers {
			t.Fatalf("%d are remembered", len(c.m))
		}
	}
}

// The issuers do not count among what an answer takes.
func TestSharedIssuers(t *testing.T) {
	f := newFixture(t)
	with, without := ok(typePEM, []byte("body")), ok(typePEM, []byte("body"))
	f.chain(with, chainPCK, bytes.Repeat([]byte("A"), 5000))
	if d := with.size() - without.size(); d < 0 || d > 200 {
		t.Errorf("a chain takes %d bytes", d)
	}
}
