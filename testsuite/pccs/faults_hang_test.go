package pccs

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/testpki"
)

// The service behind hangs, whatever it is asked, and more clients wait for
// something new than requests may be worked at. What is here is served at once, also
// to those who register what is known; afterwards what is new is had again.
func TestUpstreamHangs(t *testing.T) {
	t.Parallel()
	s := &deeds{pki: testpki.New()}
	fresh := s.pki.Platform(testpki.FMSPC([6]byte{0x30}))
	u := &ill{honest: s.pki.PCS(), well: true, wrong: map[string]ailment{}, asked: map[string]int{}}
	upstream := httptest.NewServer(u)
	defer upstream.Close()
	home := newSite(t, site{Mode: pccs.Lazy, Upstream: upstream.URL, Root: s.pki.RootPEM(), Settings: []string{
		"tls.off = true", "upstream.timeout = \"2s\"", "upstream.attempts = 1", "limits.requests = 64", "log.level = \"error\"",
	}})
	d := home.start()
	known := s.registration(true)
	d.must(200, "", known.ask)

	u.fall()
	u.mu.Lock()
	u.all = hangs
	u.mu.Unlock()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var waiting sync.WaitGroup
	var busy atomic.Int64
	for i := range 400 {
		waiting.Go(func() {
			r, err := http.NewRequestWithContext(ctx, "GET", d.Address+path(fmt.Sprintf("v4/tcb?fmspc=40%010X", i)), nil)
			if err != nil {
				t.Error(err)
				return
			}
			res, err := d.client.Do(r)
			if err != nil {
				return // who waits leaves at last
			}
			_ = res.Body.Close()
			if c := pccs.Reason(res.Header.Get("Error-Code")); c == pccs.Busy {
				busy.Add(1)
			} else if c != pccs.UpstreamDown {
				t.Errorf("what is not here: %d %s", res.StatusCode, c)
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	began, worst, n := time.Now(), time.Duration(0), 0
	for time.Since(began) < 2*time.Second && !t.Failed() {
		for i := range known.found {
			start := time.Now()
			d.must(200, "", get(fmt.Sprintf("%s&n=%d", known.found[i].ask.target, n)))
			worst = max(worst, time.Since(start))
			n++
		}
		d.must(200, "", known.ask)
	}
	if n := u.total(); n > 8*(2+int(time.Since(began)/(2*time.Second))) {
		t.Errorf("the service behind was asked %d times", n)
	}
	u.recover()
	leave()
	waiting.Wait()
	d.until("it is well again", get(fmt.Sprintf("v4/tcb?fmspc=%X", fresh.SGX.FMSPC)), func(r *reply) bool { return r.status == 200 })
	known.check(d)
	t.Logf("%d reads beside 400 clients that wait, the slowest %v; %d of those were turned away", n, worst, busy.Load())
}

// Nothing but the root's CRL cannot be had when the service starts, and hangs. The
// one that is here is good for the rest.
func TestRootCRLHangs(t *testing.T) {
	t.Parallel()
	p := testpki.New()
	m := p.Platform()
	u := &ill{honest: p.PCS(), well: true, wrong: map[string]ailment{"/sgx/certification/v4/rootcacrl": hangs}, asked: map[string]int{}}
	upstream := httptest.NewServer(u)
	defer upstream.Close()
	home := newSite(t, site{Mode: pccs.Lazy, Upstream: upstream.URL, Root: p.RootPEM(), Settings: []string{"tls.off = true", "upstream.timeout = \"2s\"", "upstream.attempts = 1"}})
	d := home.start()
	others := []string{"v4/qe/identity", "tdx/qe/identity", "v4/pckcrl?ca=processor", fmt.Sprintf("v4/tcb?fmspc=%X", m.SGX.FMSPC)}
	for _, target := range append(others, "v4/rootcacrl") {
		d.must(200, "", get(target))
	}
	d.stop()
	home.sql("UPDATE pccs_documents SET fetched = fetched - ?", 48*time.Hour/time.Microsecond)
	u.fall()
	d = home.start()
	for _, target := range others {
		d.until("is refreshed", get(target), func(r *reply) bool { return r.status == 200 && age(r) < time.Hour && r.header.Get("Warning") == "" })
	}
	d.until("is told", get("v4/rootcacrl"), func(r *reply) bool { return r.status == 200 && age(r) > time.Hour && r.header.Get("Warning") != "" })
}
