package server

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
)

// However many wait for a service behind that hangs, what is here is served; and
// those who would be too many are turned away.
func TestWaiting(t *testing.T) {
	f := newFixture(t, func(_ *pccs.Options, o *Options) { o.MaxRequests = 2 })
	f.patience = 10 * time.Millisecond
	ask(t, f, "GET", sgx4+"rootcacrl", "")
	goOn := make(chan struct{})
	f.pcs.Fault = func(w http.ResponseWriter, _ *http.Request) bool {
		<-goOn
		w.WriteHeader(http.StatusNotFound)
		return true
	}
	var wg sync.WaitGroup
	for i := range cap(f.waiting) {
		wg.Go(func() {
			if g := ask(t, f, "GET", fmt.Sprintf("%stcb?fmspc=0000000000%02x", sgx4, i), ""); g.status != 404 || g.first("Error-Code") != "UpstreamNotFound" {
				t.Errorf("%d: %d %v", i, g.status, g.header)
			}
		})
		for len(f.waiting) <= i { // or else two of them might find one place
			time.Sleep(time.Millisecond)
		}
	}
	for i := range 4 {
		if g := ask(t, f, "GET", fmt.Sprintf("%srootcacrl?n=%d", sgx4, i), ""); g.status != 200 {
			t.Errorf("what is here: %d %v", g.status, g.header)
		}
	}
	if g := ask(t, f, "GET", sgx4+"tcb?fmspc=0000000000ff", ""); g.status != 503 || g.first("Error-Code") != "Busy" {
		t.Errorf("one too many: %d %v", g.status, g.header)
	}
	close(goOn)
	wg.Wait()
	if len(f.waiting)+len(f.slots)+len(f.changes) != 0 {
		t.Errorf("places are not given back: %d, %d, %d", len(f.waiting), len(f.slots), len(f.changes))
	}
}

// Those who change something leave room for those who read; and an administrator's
// refresh, which waits for many documents at a time, gives its places back.
func TestChanges(t *testing.T) {
	f := newFixture(t, func(_ *pccs.Options, o *Options) { o.MaxRequests = 2 })
	f.patience = 10 * time.Millisecond
	for _, d := range []string{"rootcacrl", "qe/identity", "qve/identity", "pckcrl?ca=platform"} {
		ask(t, f, "GET", sgx4+d, "")
	}
	f.changes <- struct{}{}
	if g := ask(t, f, "POST", sgx4+"refresh", "", adminToken, theAdmin); g.status != 503 || g.first("Error-Code") != "Busy" {
		t.Errorf("one too many: %d %v", g.status, g.header)
	}
	if g := ask(t, f, "GET", sgx4+"rootcacrl?n=1", ""); g.status != 200 {
		t.Errorf("who reads: %d %v", g.status, g.header)
	}
	<-f.changes
	for range 3 {
		if g := ask(t, f, "POST", sgx4+"refresh", "", adminToken, theAdmin); g.status != 200 {
			t.Errorf("%d %v", g.status, g.header)
		}
	}
	if len(f.waiting)+len(f.slots)+len(f.changes) != 0 {
		t.Errorf("places are not given back: %d, %d, %d", len(f.waiting), len(f.slots), len(f.changes))
	}
}
