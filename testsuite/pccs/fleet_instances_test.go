package pccs

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/feidi-dev/feidi/internal/dbtest"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/testpki"
)

// Two instances on one PostgreSQL, each with clients of its own that read and
// register, and an administrator who refreshes. One of them is killed again and
// again: the clients of the other notice nothing, nothing that was acknowledged is
// lost, and both say the same.
func TestInstances(t *testing.T) {
	t.Parallel()
	address, _ := dbtest.Postgres(t)
	s := &deeds{pki: testpki.New()}
	u := &ill{honest: s.pki.PCS(), well: true, asked: map[string]int{}}
	upstream := httptest.NewServer(u)
	defer upstream.Close()
	instance := func() *site {
		return newSite(t, site{database: address, Mode: pccs.Lazy, Upstream: upstream.URL, Root: s.pki.RootPEM(), Settings: []string{"tls.off = true", "upstream.timeout = \"10s\""}})
	}
	one, two := instance(), instance()
	a, b := one.start(), two.start()

	targets := []string{"v4/qe/identity", "v4/qve/identity", "tdx/qe/identity", "v4/pckcrl?ca=platform", "v4/pckcrl?ca=processor", "v4/rootcacrl"}
	for range 5 {
		first := s.registration(true)
		a.must(200, "", first.ask)
		for i := range first.found {
			targets = append(targets, first.found[i].ask.target)
		}
	}
	bodies := map[string][]byte{}
	for _, target := range targets {
		bodies[target] = b.must(200, "", get(target)).body
	}

	const clients = 8 // of each
	kills := 2
	if thorough {
		kills = 25
	}
	var mu sync.Mutex
	var all []*deed
	var reads, acknowledged, gone atomic.Int64
	// client does one thing after the other until it is to end. For the clients
	// of the one that is killed it is no error that nobody is there.
	client := func(which func() *daemon, mortal bool, end <-chan struct{}) {
		for n := 0; ; n++ {
			select {
			case <-end:
				return
			default:
			}
			d := which()
			target := targets[rand.IntN(len(targets))]
			r, what := get(target), target
			var act *deed
			if n%8 == 0 {
				act = s.registration(rand.IntN(4) == 0)
				r, what = act.ask, act.what
			}
			got, err := d.ask(r)
			switch {
			case err != nil && mortal && d.dead():
				gone.Add(1)
				time.Sleep(10 * time.Millisecond)
			case err != nil && mortal:
				select {
				case <-d.dying:
				case <-time.After(10 * time.Second):
					t.Errorf("%s: %v, though nobody has killed it", what, err)
				}
			case err != nil:
				t.Errorf("%s: %v", what, err)
			case got.status != 200:
				t.Errorf("%s: %s", what, got)
			case act != nil:
				act.done = true
				acknowledged.Add(1)
			default:
				if reads.Add(1); !bytes.Equal(got.body, bodies[target]) {
					t.Errorf("%s: %.200q", target, got.body)
				}
			}
			if act != nil {
				mu.Lock()
				all = append(all, act)
				mu.Unlock()
			}
		}
	}
	var now atomic.Pointer[daemon]
	now.Store(a)
	end := make(chan struct{})
	var load sync.WaitGroup
	for range clients {
		load.Go(func() { client(now.Load, true, end) })
		load.Go(func() { client(func() *daemon { return b }, false, end) })
	}
	load.Go(func() { // the administrator
		for {
			select {
			case <-end:
				return
			case <-time.After(300 * time.Millisecond):
				b.must(200, "", request{method: "POST", target: path("v4/refresh"), header: []string{asAdmin}})
			}
		}
	})
	some := func(n int64) { // until so many more requests have been answered
		for from := reads.Load() + acknowledged.Load(); reads.Load()+acknowledged.Load() < from+n && !t.Failed(); {
			time.Sleep(time.Millisecond)
		}
	}
	for range kills {
		some(50 + rand.Int64N(100))
		a.kill()
		some(rand.Int64N(50))
		a = one.start()
		now.Store(a)
	}
	some(100)
	close(end)
	load.Wait()

	for _, act := range all {
		act.check(b)
	}
	for _, act := range all[max(0, len(all)-100):] {
		act.check(a)
	}
	t.Logf("%d kills, %d reads, %d registrations acknowledged of %d, %d requests while nobody was there", kills, reads.Load(), acknowledged.Load(), len(all), gone.Load())
	same(t, a, b, targets)
	a.stop()
	b.stop()

	// All is a day older. Each document is fetched again once, by one of them; each
	// asks for the root's CRL besides.
	query(t, address, "UPDATE pccs_documents SET fetched = fetched - 90000000000")
	query(t, address, "UPDATE pccs_platforms SET updated = updated - 8 * 86400000000")
	query(t, address, "DELETE FROM pccs_claims")
	u.fall()
	u.recover()
	a, b = one.launch(), two.launch()
	for _, d := range []*daemon{a, b} {
		if err := <-d.ready; err != nil {
			t.Fatalf("%v\n%s", err, d.log.String())
		}
	}
	for _, target := range targets {
		for _, d := range []*daemon{a, b} {
			if bytes.Contains([]byte(target), []byte("pckcert")) {
				continue // by and by
			}
			d.until("is refreshed", get(target), func(r *reply) bool { return r.status == 200 && age(r) < time.Hour })
		}
	}
	same(t, a, b, targets)
	for _, path := range []string{"/sgx/certification/v4/qe/identity", "/sgx/certification/v4/qve/identity", "/tdx/certification/v4/qe/identity"} {
		if n := u.times(path); n != 1 {
			t.Errorf("%s was asked for %d times", path, n)
		}
	}
	if n := u.times("/sgx/certification/v4/pckcrl"); n != 2 { // of two CAs
		t.Errorf("PCK CRLs were asked for %d times", n)
	}
	if n := u.times("/sgx/certification/v4/rootcacrl"); n > 3 {
		t.Errorf("the root's CRL was asked for %d times", n)
	}
}

// same checks that two instances say the same, once what they remember is over.
func same(t *testing.T, a, b *daemon, targets []string) {
	t.Helper()
	time.Sleep(1100 * time.Millisecond)
	for _, target := range targets {
		x, y := a.must(200, "", get(target)), b.must(200, "", get(target))
		for _, r := range []*reply{x, y} {
			for _, varies := range []string{"Date", "Request-Id", "Age"} {
				r.header.Del(varies)
			}
		}
		if !bytes.Equal(x.body, y.body) {
			t.Errorf("%s: %.200q and %.200q", target, x.body, y.body)
		}
		for name := range x.header {
			if !slices.Equal(x.header[name], y.header[name]) {
				t.Errorf("%s: %s is %.200q and %.200q", target, name, x.header[name], y.header[name])
			}
		}
		if len(x.header) != len(y.header) {
			t.Errorf("%s: %v and %v", target, x.header, y.header)
		}
	}
}

// query changes the database beside the instances.
func query(t *testing.T, address, text string) {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", text, err))
	}
}
