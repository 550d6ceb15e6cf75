package pccs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/dbtest"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// filled starts a service in OFFLINE mode that has a fleet.
func filled(t *testing.T, f *fleet.Fleet, s site) (*site, *daemon) {
	t.Helper()
	s.Mode, s.Root = pccs.Offline, f.PKI.RootPEM()
	if s.Settings == nil {
		s.Settings = []string{"tls.off = true"}
	}
	home := newSite(t, s)
	d := home.start()
	d.must(200, "", send("PUT", "v4/platformcollateral", string(f.Body(4)), asAdmin))
	return home, d
}

// Somebody else holds the lock of the SQLite file. Who reads does not mind, however
// many wait to write; those are told that it is the database, and when it is free
// all is well.
func TestDatabaseLocked(t *testing.T) {
	t.Parallel()
	f := fleet.New()
	s := &deeds{pki: f.PKI}
	home, d := filled(t, f, site{})
	db := home.sqlite()
	defer db.Close()
	other, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var writing sync.WaitGroup
	var refused, slowest atomic.Int64
	var free atomic.Bool
	const writers = 300
	began := time.Now()
	for i := range writers {
		writing.Go(func() {
			start := time.Now()
			got, err := d.ask(send("POST", "v4/platforms", registration(fmt.Sprintf("%032X", i), f.Multi.Seen[0], f.Multi.PPID()), asUser))
			if err != nil {
				t.Error(err)
				return
			}
			switch {
			case got.is(503, pccs.NoDatabase):
				refused.Add(1)
			case got.is(503, pccs.Busy): // so many wait already
			case got.status != 200 || !free.Load():
				t.Errorf("a registration: %s", got)
			}
			slowest.Store(max(slowest.Load(), int64(time.Since(start))))
		})
	}
	time.Sleep(200 * time.Millisecond)
	reads, worst := 0, time.Duration(0)
	for refused.Load() == 0 && time.Since(began) < patienceToStart && !t.Failed() {
		for _, target := range []string{"v4/tcb?fmspc=" + f.Multi.FMSPC(), fmt.Sprintf("v4/tcb?n=%d&fmspc=%s", reads, f.Multi.FMSPC()), "v4/pckcert?" + f.Single.Query(f.Single.Seen[1]), "v4/rootcacrl"} {
			start := time.Now()
			d.must(200, "", get(target))
			worst = max(worst, time.Since(start))
			reads++
		}
		time.Sleep(5 * time.Millisecond)
	}
	free.Store(true)
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	writing.Wait()
	t.Logf("%d reads beside %d registrations that wait, the slowest %v; %d of those were refused, the slowest after %v", reads, writers, worst, refused.Load(), time.Duration(slowest.Load()))
	if refused.Load() == 0 {
		t.Error("nobody was told that it is the database")
	}
	a := s.policy()
	d.must(200, "", a.ask)
	a.done = true
	a.check(d)
}

// The disk is full. What is here is served, what is brought is refused, and taken
// when there is room again.
func TestDatabaseFull(t *testing.T) {
	t.Parallel()
	f := fleet.New()
	dir := small(t)
	s := &deeds{pki: f.PKI}
	home, d := filled(t, f, site{database: "sqlite:" + filepath.Join(dir, "pccs.db")})
	filler := filepath.Join(dir, "filler")
	fill(t, filler)
	full := 0
	var all []*deed
	try := func() {
		a := []func() *deed{s.policy, s.collateral}[len(all)%2]()
		got, err := d.ask(a.ask)
		switch {
		case err != nil:
			t.Fatal(err)
		case got.status == 200:
			a.done = true
		case got.is(503, pccs.NoDatabase):
			full++
		default:
			t.Errorf("%s: %s", a.what, got)
		}
		all = append(all, a)
	}
	for full < 5 && len(all) < 1000 {
		try()
	}
	served := func() {
		t.Helper()
		for n, target := range []string{"v4/tcb?fmspc=" + f.Multi.FMSPC(), fmt.Sprintf("v4/tcb?n=%d&fmspc=%s", len(all), f.Multi.FMSPC()), "v4/pckcert?" + f.Single.Query(f.Single.Seen[1])} {
			if got := d.must(200, "", get(target)); n < 2 && !bytes.Equal(got.body, f.Documents["sgx/tcb "+f.Multi.FMSPC()]) {
				t.Errorf("%s: %.200q", target, got.body)
			}
		}
	}
	served()
	if full < 5 {
		t.Fatalf("it never was full: %d deeds", len(all))
	}
	// It is killed, and started while there is no room still.
	d.kill()
	d = home.start()
	served()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	before := full
	for range 4 {
		try()
	}
	if full != before {
		t.Error("it is refused still")
	}
	for _, a := range all {
		a.check(d)
	}
	d.stop()
	home.sound()
	t.Logf("%d of %d deeds found no room", full, len(all))
}

// small returns a folder in which there is little room.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if os.Geteuid() != 0 {
		t.Skip("only root mounts a small file system")
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=3m", "none", dir).CombinedOutput(); err != nil {
		t.Skipf("no small file system: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v %s", err, out)
		}
	})
	return dir
}

// fill takes what room there is.
func fill(t *testing.T, path string) {
	t.Helper()
	w, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for err == nil {
		_, err = w.Write(make([]byte, 4096))
	}
}

// The database server is stopped and started again, and killed, under load. Warm
// answers go on; what is not warm is refused with the reason; nobody has to do
// anything for it to be well again.
func testDatabaseServer(t *testing.T, address string, server *dbtest.Server) {
	f := fleet.New()
	s := &deeds{pki: f.PKI}
	_, d := filled(t, f, site{database: address})
	warm := []string{"v4/tcb?fmspc=" + f.Multi.FMSPC(), "tdx/tcb?fmspc=" + f.Multi.FMSPC(), "v4/qe/identity", "v4/rootcacrl", "v4/pckcrl?ca=platform", "v4/pckcert?" + f.Multi.Query(f.Multi.Seen[0])}
	bodies := map[string][]byte{}
	for _, target := range warm {
		bodies[target] = d.must(200, "", get(target)).body
	}
	var load sync.WaitGroup
	var reads, stale, cold, refused, acknowledged atomic.Int64
	var mu sync.Mutex
	var all []*deed
	done := make(chan struct{})
	each := func(f func(n int)) {
		load.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				case <-time.After(5 * time.Millisecond):
					f(n)
				}
			}
		})
	}
	for range 2 {
		each(func(n int) { // who wants what others wanted a moment ago
			target := warm[n%len(warm)]
			got := d.must(200, "", get(target))
			if !bytes.Equal(got.body, bodies[target]) {
				t.Errorf("%s: %.200q", target, got.body)
			}
			if reads.Add(1); got.header.Get("Warning") != "" {
				stale.Add(1)
			}
		})
	}
	each(func(n int) { // who wants what nobody wanted
		got, err := d.ask(get(fmt.Sprintf("v4/tcb?n=%d&fmspc=%s", n, f.Single.FMSPC())))
		switch {
		case err != nil:
			t.Error(err)
		case got.is(503, pccs.NoDatabase):
			cold.Add(1)
		case got.status != 200:
			t.Errorf("TCB info: %s", got)
		}
	})
	each(func(int) { // who brings something
		a := s.policy()
		got, err := d.ask(a.ask)
		switch {
		case err != nil:
			t.Error(err)
		case got.status == 200:
			a.done = true
			acknowledged.Add(1)
		case got.is(503, pccs.NoDatabase):
			refused.Add(1)
		default:
			t.Errorf("%s: %s", a.what, got)
		}
		mu.Lock()
		all = append(all, a)
		mu.Unlock()
	})
	moment := func(what string, c *atomic.Int64) { // until some more of it have happened
		for n, end := c.Load(), time.Now().Add(patienceToStart); c.Load() < n+20; time.Sleep(10 * time.Millisecond) {
			if t.Failed() || time.Now().After(end) {
				t.Errorf("%s: %d", what, c.Load()-n)
				return
			}
		}
	}
	rounds := 1
	if thorough {
		rounds = 5
	}
	for range rounds {
		for _, end := range []func(testing.TB){server.Stop, server.Kill} {
			moment("acknowledged", &acknowledged)
			end(t)
			moment("cold reads that are refused", &cold)
			moment("writes that are refused", &refused)
			moment("stale answers", &stale)
			ready := d.must(503, "", get("/healthz/ready"))
			d.must(200, "", get("/healthz"))
			if len(ready.body) == 0 {
				t.Error("it does not say why it is not ready")
			}
			server.Start(t)
		}
	}
	moment("acknowledged afterwards", &acknowledged)
	close(done)
	load.Wait()
	for _, a := range all {
		a.check(d)
	}
	t.Logf("%d warm reads, %d of them stale; %d cold reads and %d writes refused, %d writes acknowledged", reads.Load(), stale.Load(), cold.Load(), refused.Load(), acknowledged.Load())
}

func TestPostgresRestart(t *testing.T) {
	t.Parallel()
	address, server := dbtest.Postgres(t)
	testDatabaseServer(t, address, server)
}

func TestMariaDBRestart(t *testing.T) {
	t.Parallel()
	address, server := dbtest.MariaDB(t)
	testDatabaseServer(t, address, server)
}
