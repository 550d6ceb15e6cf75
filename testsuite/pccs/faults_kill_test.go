package pccs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// deed is something that a service is asked to do for good.
type deed struct {
	what  string
	ask   request
	found []finding // what there is then, in the order in which it gets there
	whole bool      // all of it gets there at once
	done  bool      // the service has said so
}

// finding is a request and what is answered, if anything is.
type finding struct {
	ask    request
	body   []byte
	chain  string // the name of a header, and
	issuer []byte // what is in it
}

// there reports whether a service has it. What it has is right.
func (f *finding) there(d *daemon) bool {
	d.Helper()
	got, err := d.ask(f.ask)
	if err != nil {
		d.Fatal(err)
	}
	if got.status != 200 {
		if c := pccs.Reason(got.header.Get("Error-Code")); c != pccs.NotCached && c != pccs.NotRegistered {
			d.Errorf("%s: %s", shown(f.ask), got)
		}
		return false
	}
	if !bytes.Equal(got.body, f.body) {
		d.Errorf("%s: %.300q, want %.300q", shown(f.ask), got.body, f.body)
	}
	if f.chain != "" && got.header.Get(f.chain) != fleet.Escape(f.issuer) {
		d.Errorf("%s: issuers %.300q", shown(f.ask), got.header.Get(f.chain))
	}
	return true
}

// check looks for what was done.
func (a *deed) check(d *daemon) {
	d.Helper()
	var have []bool
	n := 0
	for i := range a.found {
		have = append(have, a.found[i].there(d))
		if have[i] {
			n++
		}
	}
	last := len(have) - 1
	switch {
	case a.done && n <= last:
		d.Errorf("%s was acknowledged, and of it is there: %v", a.what, have)
	case a.whole && n > 0 && n <= last, have[last] && n <= last:
		d.Errorf("%s is there by halves: %v", a.what, have)
	}
}

// deeds makes deeds below a root.
type deeds struct {
	pki    *testpki.PKI
	serial atomic.Uint32
}

// any returns one of some kind.
func (s *deeds) any() *deed {
	switch rand.IntN(8) {
	case 0, 1:
		return s.collateral()
	case 2:
		return s.policy()
	}
	return s.registration(rand.IntN(3) == 0)
}

// registration is that of a platform, whose FMSPC may be new.
func (s *deeds) registration(news bool) *deed {
	n := s.serial.Add(1)
	fmspc := testpki.DefaultFMSPC
	if news {
		fmspc = [6]byte{1, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
	m := s.pki.Platform(testpki.FMSPC(fmspc))
	id := fmt.Sprintf("%X", fmspc)
	c := fleet.Cert{Components: m.SGX.TCB, PCESVN: m.SGX.PCESVN}
	return &deed{
		what: fmt.Sprintf("registration %d", n), ask: register(m),
		found: []finding{
			{get("v4/tcb?fmspc=" + id), s.pki.TCBInfoJSON(m.TCBInfo(dcap.TEESGX)), tcbIssuers, s.pki.TCBChainPEM()},
			{get(fmt.Sprintf("v4/pckcert?qeid=%X&cpusvn=%s&pcesvn=%s&pceid=0000", m.QEID, c.Raw().CPUSVN, c.Raw().PCESVN)), m.PCK.PEM(), "SGX-PCK-Certificate-Issuer-Chain", append(m.CA().PEM(), s.pki.RootPEM()...)},
		},
	}
}

// collateral is what an administrator brings of two machines.
func (s *deeds) collateral() *deed {
	n := s.serial.Add(1)
	f := fleet.In(s.pki)
	a := &deed{what: fmt.Sprintf("collateral %d", n), ask: send("PUT", "v4/platformcollateral", string(f.Body(4)), asAdmin), whole: true}
	for _, m := range []*fleet.Machine{f.Multi, f.Single} {
		id := m.FMSPC()
		for _, d := range []struct{ target, name string }{
			{"v4/tcb?fmspc=" + id, "sgx/tcb " + id}, {"v4/tcb?update=early&fmspc=" + id, "sgx/tcb " + id + " early"}, {"tdx/tcb?fmspc=" + id, "tdx/tcb " + id},
		} {
			a.found = append(a.found, finding{get(d.target), f.Documents[d.name], tcbIssuers, f.TCBChain})
		}
		for i := range m.Certs {
			a.found = append(a.found, finding{get("v4/pckcert?" + m.Query(m.Certs[i].Raw())), m.Certs[i].PEM, "SGX-PCK-Certificate-Issuer-Chain", m.Issuers()})
		}
	}
	return a
}

// policy is one of an administrator.
func (s *deeds) policy() *deed {
	n := s.serial.Add(1)
	text, id := token(fmt.Sprintf("%08d", n), classSGX), fmt.Sprintf("02%010X", n)
	return &deed{
		what: fmt.Sprintf("policy %d", n), ask: send("PUT", "v4/appraisalpolicy", fmt.Sprintf(`{"is_default":true,"fmspc":"%s","policy":"%s"}`, id, text), asAdmin),
		found: []finding{{ask: get("v4/appraisalpolicy?fmspc=" + id), body: []byte(text)}},
	}
}

// work has clients do deeds until the service is dead, and returns them.
func (s *deeds) work(d *daemon, clients int) (all []*deed) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for !d.dead() {
				a := s.any()
				got, err := d.ask(a.ask)
				switch {
				case err == nil && got.status == 200:
					a.done = true
				case err == nil:
					d.Errorf("%s: %s", a.what, got)
				case !d.dead():
					select {
					case <-d.dying:
					case <-time.After(10 * time.Second):
						d.Errorf("%s: %v, though nobody has killed it", a.what, err)
						d.strike()
					}
				}
				mu.Lock()
				all = append(all, a)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return all
}

// The service is killed at any moment while platforms register and administrators
// bring what they have. What it has acknowledged the next one has, and nothing by
// halves.
func TestKill(t *testing.T) {
	t.Parallel()
	kills, most := 20, 400*time.Millisecond
	if thorough {
		kills = 200
	}
	s := &deeds{pki: testpki.New()}
	upstream := httptest.NewServer(s.pki.PCS())
	defer upstream.Close()
	home := newSite(t, site{Mode: pccs.Req, Upstream: upstream.URL, Root: s.pki.RootPEM(), Settings: []string{"tls.off = true"}})
	var all, last []*deed
	starting, acknowledged, underWay := 0, 0, 0
	for n := range kills {
		d := home.launch()
		if n == 0 || rand.IntN(6) == 0 { // while it starts: the first has no database yet
			time.Sleep(rand.N(100 * time.Millisecond))
			d.kill()
			starting++
			continue
		}
		if err := <-d.ready; err != nil {
			t.Fatalf("%v\n%s", err, d.log.String())
		}
		start := time.Now()
		for _, a := range last {
			a.check(d)
		}
		if acknowledged == 0 { // see how long things take
			for range 3 {
				a := s.any()
				d.must(200, "", a.ask)
				a.done = true
				all = append(all, a)
			}
			most = min(max(most, 2*time.Since(start)), time.Second)
		}
		d.killAfter(rand.N(most))
		last = s.work(d, 3)
		d.kill()
		all = append(all, last...)
		for _, a := range last {
			if a.done {
				acknowledged++
			} else {
				underWay++
			}
		}
		if rand.IntN(4) == 0 || thorough { // who looks first may be another than the next service
			home.sound()
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	d := home.start()
	for _, a := range all {
		a.check(d)
	}
	left := 0 // of those that were under way
	for _, a := range all {
		if !a.done && a.found[len(a.found)-1].there(d) {
			left++
		}
	}
	d.must(200, "", get("v4/platforms?source=[]", asAdmin))
	d.stop()
	home.sound()
	t.Logf("%d kills, %d of them while it started; %d deeds acknowledged, %d were under way, of which %d are there", kills, starting, acknowledged, underWay, left)
	if acknowledged < kills {
		t.Error("too few to mean anything")
	}
}

// sound checks the file without the service: it is a good database, and nothing in
// it is without what belongs to it.
func (s *site) sound() {
	s.Helper()
	db := s.sqlite()
	defer db.Close()
	for _, c := range []struct{ what, query, want string }{
		{"integrity", "PRAGMA integrity_check", "ok"},
		{"dangling references", "SELECT COUNT(*) FROM pragma_foreign_key_check", "0"},
		{"platforms without certificates", "SELECT COUNT(*) FROM pccs_platforms WHERE id NOT IN (SELECT platform FROM pccs_certs)", "0"},
		{"platforms without issuers", "SELECT COUNT(*) FROM pccs_platforms WHERE issuers IS NULL OR issuers NOT IN (SELECT sha256 FROM pccs_chains)", "0"},
		{"TCBs without a certificate", "SELECT COUNT(*) FROM pccs_tcbs t WHERE NOT EXISTS (SELECT 1 FROM pccs_certs c WHERE c.platform = t.platform AND c.tcbm = t.tcbm)", "0"},
		{"platforms without a TCB", "SELECT COUNT(*) FROM pccs_platforms WHERE id NOT IN (SELECT platform FROM pccs_tcbs)", "0"},
		{"platforms without a TCB info", "SELECT COUNT(*) FROM pccs_platforms WHERE 'sgx/v4/tcb?fmspc=' || fmspc || '&update=standard' NOT IN (SELECT name FROM pccs_documents)", "0"},
		{"documents without issuers", "SELECT COUNT(*) FROM pccs_documents WHERE name <> 'sgx/v4/rootcacrl' AND (chain IS NULL OR chain NOT IN (SELECT sha256 FROM pccs_chains))", "0"},
		{"empty documents", "SELECT COUNT(*) FROM pccs_documents WHERE length(body) < 100", "0"},
		{"defaults of no policy", "SELECT COUNT(*) FROM pccs_policy_defaults d WHERE NOT EXISTS (SELECT 1 FROM pccs_policies p WHERE p.fmspc = d.fmspc AND p.kind = d.kind AND p.id = d.id)", "0"},
	} {
		var got string
		if err := db.QueryRowContext(s.Context(), c.query).Scan(&got); err != nil {
			if strings.Contains(err.Error(), "no such table") {
				return // it was killed before there were tables
			}
			s.Fatalf("%s: %v", c.what, err)
		}
		if got != c.want {
			s.Errorf("%s: %s", c.what, got)
		}
	}
}
