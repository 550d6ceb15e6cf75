package pcs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/atomicfile"
)

// cached is a client with a cache and a clock that the test sets.
func cached(t *testing.T, f *fake, cfg Config) (c *Client, now *time.Time) {
	at := testTime
	cfg.Now = func() time.Time { return at }
	if cfg.CacheDir == "" {
		cfg.CacheDir = t.TempDir()
	}
	return f.client(t, cfg), &at
}

func TestCacheExpiry(t *testing.T) {
	f := newFake(t)
	dir := t.TempDir()
	for _, c := range []struct {
		name    string
		control string // header Cache-Control
		next    time.Duration
		maxAge  time.Duration
		good    time.Duration // how long a copy is used
	}{
		{"a day", "", 30 * 24 * time.Hour, 0, 24 * time.Hour},
		{"as the caller says", "", 30 * 24 * time.Hour, time.Hour, time.Hour},
		{"as the service says", "public, max-age=600", 30 * 24 * time.Hour, 0, 10 * time.Minute},
		{"no longer than the caller says", "max-age=999999", 30 * 24 * time.Hour, time.Hour, time.Hour},
		{"until the next update", "max-age=86400", 5 * time.Hour, 0, 5 * time.Hour},
		{"never", "no-store", 30 * 24 * time.Hour, 0, 0},
		{"nonsense", "max-age=x", 30 * 24 * time.Hour, 0, 0},
		{"an expired document", "", -time.Hour, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.serve("/sgx/certification/v4/qe/identity", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Cache-Control", c.control)
				w.Header().Set("SGX-Enclave-Identity-Issuer-Chain", strings.ReplaceAll(string(f.certPEM), "\n", "%0A"))
				fmt.Fprint(w, identity("QE", testTime.Add(c.next)))
			})
			client, now := cached(t, f, Config{MaxAge: c.maxAge, CacheDir: filepath.Join(dir, c.name)})
			get := func() *Document {
				d, err := client.QEIdentity(t.Context(), dcap.TEESGX)
				if err != nil {
					t.Fatal(err)
				}
				return d
			}
			f.requests()
			first := get()
			if first.Source.Cached || len(f.requests()) != 1 || first.Source.NotKept != nil {
				t.Fatalf("first %+v", first.Source)
			}
			if c.good > 0 {
				*now = testTime.Add(c.good - time.Second)
				again := get()
				if !again.Source.Cached || len(f.requests()) != 0 || !again.Source.Fetched.Equal(testTime) {
					t.Errorf("just before the end: %+v", again.Source)
				}
				if !bytes.Equal(again.Body, first.Body) || !bytes.Equal(again.Chain, first.Chain) || again.Source.URL != first.Source.URL || again.Source.Sandbox != first.Source.Sandbox {
					t.Error("the copy differs")
				}
			}
			*now = testTime.Add(c.good)
			if get().Source.Cached || len(f.requests()) != 1 {
				t.Error("used at its end")
			}
		})
	}
}

// A caller to whom copies are good for less time does not take older ones.
func TestCacheShorterAge(t *testing.T) {
	f := newFake(t)
	long, _ := cached(t, f, Config{MaxAge: 10 * time.Hour})
	short, now := cached(t, f, Config{MaxAge: time.Hour, CacheDir: long.cfg.CacheDir})
	for _, c := range []*Client{long, short} {
		*now = testTime.Add(2 * time.Hour)
		if _, err := c.RootCRL(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(f.requests()); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// Where no service answers, an old copy may stand in, but none past its next
// update; and not for what the service says about the request.
func TestCacheStale(t *testing.T) {
	f := newFake(t)
	c, now := cached(t, f, Config{Stale: true})
	if _, _, err := c.Collateral(t.Context(), sgxRequest); err != nil {
		t.Fatal(err)
	}
	*now = testTime.Add(48 * time.Hour)
	f.serve(tcbPath, answer(503, "", "maintenance"))
	_, report, err := c.Collateral(t.Context(), sgxRequest)
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(report.Stale(), ErrBusy) || report[1].Stale != nil || !report[0].Cached || report[1].Cached {
		t.Errorf("report %+v", report)
	}
	f.serve(tcbPath, answer(404, "", ""))
	if _, _, err = c.Collateral(t.Context(), sgxRequest); !errors.Is(err, ErrNoCacheData) {
		t.Errorf("got %v", err)
	}
	f.serve(tcbPath, answer(503, "", ""))
	*now = nextTime
	if _, _, err = c.Collateral(t.Context(), sgxRequest); !errors.Is(err, ErrBusy) {
		t.Errorf("past the next update: %v", err)
	}
	// It is to be asked for.
	strict, now := cached(t, f, Config{CacheDir: c.cfg.CacheDir})
	*now = testTime.Add(48 * time.Hour)
	if _, _, err = strict.Collateral(t.Context(), sgxRequest); !errors.Is(err, ErrBusy) {
		t.Errorf("unasked: %v", err)
	}
}

func TestCacheOfflineAndRefresh(t *testing.T) {
	f := newFake(t)
	c, _ := cached(t, f, Config{})
	if _, err := c.RootCRL(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.requests()
	offline, now := cached(t, f, Config{Offline: true, CacheDir: c.cfg.CacheDir})
	*now = nextTime.Add(-time.Second) // older than MaxAge
	if d, err := offline.RootCRL(t.Context()); err != nil || !bytes.Equal(d.Body, f.crl) {
		t.Error(err)
	}
	if _, err := offline.QEIdentity(t.Context(), dcap.TEESGX); asError(t, err).Kind != ErrNotCached {
		t.Error(err)
	}
	*now = nextTime
	if _, err := offline.RootCRL(t.Context()); !errors.Is(err, ErrNotCached) {
		t.Error(err)
	}
	*now = testTime.Add(-time.Hour) // the clock went back
	if _, err := offline.RootCRL(t.Context()); !errors.Is(err, ErrNotCached) {
		t.Error(err)
	}
	if n := len(f.requests()); n != 0 {
		t.Errorf("offline, it asked %d times", n)
	}
	refresh, _ := cached(t, f, Config{Refresh: true, CacheDir: c.cfg.CacheDir})
	if d, err := refresh.RootCRL(t.Context()); err != nil || d.Source.Cached || len(f.requests()) != 1 {
		t.Error("not asked again", err)
	}
}

// Every damage to a file, a bit at a time or its end missing, is noticed: the
// copy is dropped and asked for again.
func TestCacheDamage(t *testing.T) {
	f := newFake(t)
	c, _ := cached(t, f, Config{})
	get := func() *Document {
		d, err := c.QEIdentity(t.Context(), dcap.TEESGX)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	want := get()
	files, err := filepath.Glob(filepath.Join(c.cfg.CacheDir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	good = bytes.Clone(good)
	bad := [][]byte{nil, []byte("{}"), append(bytes.Clone(good), '{'), bytes.Replace(good, []byte(`"version":1`), []byte(`"version":2`), 1), bytes.Repeat([]byte("["), 1<<16)}
	for i := 0; i < len(good); i += 7 {
		bad = append(bad, good[:i])
	}
	for i := range bad {
		if e, err := parseEntry(bad[i]); err == nil {
			t.Errorf("damage %d: %+v", i, e)
		}
	}
	// A flipped bit may leave the meaning as it is (the case of a key, a
	// fraction of a second), but never another one.
	for i := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			if e, err := parseEntry(b); err == nil && (!bytes.Equal(e.Body, want.Body) || e.Header[headerChain] != string(want.Chain) || e.NextUpdate.Unix() != nextTime.Unix()) {
				t.Fatalf("bit %d of byte %d: %+v", bit, i, e)
			}
		}
	}
	f.requests()
	if err := os.WriteFile(files[0], bad[2], 0o644); err != nil {
		t.Fatal(err)
	}
	if d := get(); d.Source.Cached || !bytes.Equal(d.Body, want.Body) || len(f.requests()) != 1 {
		t.Error("damage used")
	}
	if d := get(); !d.Source.Cached {
		t.Error("not written anew")
	}
	// A copy of another document under this name.
	var e entry
	if err := json.Unmarshal(good, &e); err != nil {
		t.Fatal(err)
	}
	e.URL += "x"
	other, err := e.marshal()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], other, 0o644); err != nil {
		t.Fatal(err)
	}
	if d := get(); d.Source.Cached {
		t.Error("a copy of another URL used")
	}
}

func TestCacheSize(t *testing.T) {
	f := newFake(t)
	dir := t.TempDir()
	note := filepath.Join(dir, "note.txt")
	left := filepath.Join(dir, atomicfile.Temporary+"AAAAAAAA")
	for _, name := range []string{note, left} {
		if err := os.WriteFile(name, make([]byte, 100<<10), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	c, _ := cached(t, f, Config{CacheDir: dir, CacheSize: 6000})
	for i := range 10 { // of about 1 KiB each
		if _, err := c.get(t.Context(), &request{
			what: "n", url: fmt.Sprintf("%s/sgx/certification/v4/rootcacrl?ca=%d", f.URL, i), most: 1 << 20, maxAge: time.Hour, read: readCRL,
		}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > 6000 || len(files) < 3 {
		t.Errorf("%d files, %d bytes", len(files), size)
	}
	if _, err := os.Stat(note); err != nil {
		t.Error("another's file is gone")
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what a writer left is still there")
	}
}

// A cache that cannot be written to is reported, and costs nothing else.
func TestCacheUnwritable(t *testing.T) {
	f := newFake(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c, _ := cached(t, f, Config{CacheDir: file})
	d, err := c.RootCRL(t.Context())
	if err != nil || d.Source.NotKept == nil {
		t.Errorf("%v, %v", err, d.Source.NotKept)
	}
}

// Readers and writers of the same copies at the same time, as of several
// processes: nobody sees half a file.
func TestCacheConcurrent(t *testing.T) {
	f := newFake(t)
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 8 {
		c, _ := cached(t, f, Config{CacheDir: dir, Refresh: i%2 == 0})
		wg.Go(func() {
			for range 20 {
				got, report, err := c.Collateral(t.Context(), sgxRequest)
				if err != nil {
					t.Error(err)
					return
				}
				if !bytes.Equal(got.RootCRL, f.crl) || report[0].NotKept != nil {
					t.Error("damaged", report[0].NotKept)
				}
			}
		})
	}
	wg.Wait()
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 4 {
		t.Errorf("%q", files)
	}
}

func FuzzCacheEntry(f *testing.F) {
	e := &entry{URL: "https://h/x", Fetched: testTime, Expires: nextTime, NextUpdate: nextTime, Header: map[string]string{headerChain: "x"}, Body: []byte("{}")}
	b, err := e.marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version":1,"url":"","fetched":"0001-01-01T00:00:00Z","expires":"9999-12-31T23:59:59.999Z","headers":null,"body":"","sha256":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parseEntry(b)
		if err != nil {
			return
		}
		again, err := e.marshal()
		if err != nil {
			t.Fatal(err)
		}
		twin, err := parseEntry(again)
		if err != nil || twin.URL != e.URL || !bytes.Equal(twin.Body, e.Body) || !twin.NextUpdate.Equal(e.NextUpdate) {
			t.Fatalf("%v: %+v became %+v", err, e, twin)
		}
		usable, fresh := e.usable(testTime, time.Hour)
		if fresh && !usable || usable && !e.NextUpdate.IsZero() && !testTime.Before(e.NextUpdate) {
			t.Fatalf("%+v is used", e)
		}
	})
}
