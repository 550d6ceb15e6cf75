package verifyd_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/verifyd"
)

// counted counts the requests to a service, and may make it fail.
type counted struct {
	http.Handler
	n    atomic.Int64
	fail atomic.Bool
	hold chan struct{} // if it is not nil, each request waits for it
}

func (c *counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.n.Add(1)
	if c.hold != nil {
		<-c.hold
	}
	if c.fail.Load() {
		http.Error(w, "no", http.StatusInternalServerError)
		return
	}
	c.Handler.ServeHTTP(w, r)
}

func parsed(t *testing.T, q *testpki.Quote) *dcap.Quote {
	t.Helper()
	p, err := dcap.ParseQuote(q.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// documents is how many a fetch takes: TCB info, QE identity and two CRLs.
const documents = 4

func TestCache(t *testing.T) {
	service := &counted{Handler: pki.PCS()}
	c := cache(t, service, time.Hour)
	now := pki.Now
	verifyd.SetClock(c, func() time.Time { return now })
	sgx, tdx := parsed(t, pki.Platform().SGXQuote()), parsed(t, pki.Platform().TDXQuote())
	ask := func(q *dcap.Quote, want int64) {
		t.Helper()
		if _, err := c.Collateral(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if n := service.n.Load(); n != want {
			t.Errorf("%d requests, want %d", n, want)
		}
	}
	ask(sgx, documents)
	ask(sgx, documents)
	ask(tdx, 2*documents)
	ask(sgx, 2*documents)
	now = now.Add(time.Hour)
	ask(sgx, 3*documents)
	// Failures are kept for a few seconds only.
	service.fail.Store(true)
	now = now.Add(time.Hour)
	for range 2 {
		if _, err := c.Collateral(t.Context(), sgx); err == nil {
			t.Error("no error of a service that fails")
		}
	}
	failed := service.n.Load()
	if failed > 4*documents {
		t.Errorf("%d requests: a failure is not kept", failed)
	}
	service.fail.Store(false)
	now = now.Add(11 * time.Second)
	ask(sgx, failed+documents)
	// So is what had expired when it came.
	now = pki.Now.AddDate(1, 0, 0)
	ask(tdx, failed+2*documents)
	ask(tdx, failed+2*documents)
	now = now.Add(11 * time.Second)
	ask(tdx, failed+3*documents)
}

// TestCacheNextUpdate: nothing is used past the next update of a document.
func TestCacheNextUpdate(t *testing.T) {
	service := &counted{Handler: pki.PCS()}
	c := cache(t, service, 10*365*24*time.Hour)
	now := pki.Now
	verifyd.SetClock(c, func() time.Time { return now })
	q := parsed(t, pki.Platform().SGXQuote())
	for _, step := range []struct {
		after time.Duration
		want  int64
	}{{0, documents}, {24 * time.Hour, documents}, {400 * 24 * time.Hour, 2 * documents}} {
		now = pki.Now.Add(step.after)
		if _, err := c.Collateral(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if n := service.n.Load(); n != step.want {
			t.Errorf("after %v: %d requests, want %d", step.after, n, step.want)
		}
	}
}

// TestCacheTogether: many who ask at a time cause one fetch, also if the first
// of them goes away.
func TestCacheTogether(t *testing.T) {
	service := &counted{Handler: pki.PCS(), hold: make(chan struct{})}
	c := cache(t, service, time.Hour)
	verifyd.SetClock(c, func() time.Time { return pki.Now })
	q := parsed(t, pki.Platform().SGXQuote())
	impatient, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := c.Collateral(impatient, q)
		first <- err
	}()
	for service.n.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Collateral(t.Context(), q); err != nil {
				t.Error(err)
			}
		})
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("who went away: %v", err)
	}
	close(service.hold)
	wg.Wait()
	if n := service.n.Load(); n != documents {
		t.Errorf("%d requests, want %d", n, documents)
	}
}

// TestCacheBound: quotes of made-up platforms do not fill the memory.
func TestCacheBound(t *testing.T) {
	service := &counted{Handler: http.NotFoundHandler()}
	c := cache(t, service, time.Hour)
	for i := range 3 * verifyd.MaxPlatforms {
		q := parsed(t, pki.Platform().SGXQuote(func(q *testpki.Quote) { q.CertType = dcap.CertPPIDClear }))
		q.Header.UserData = [20]byte{byte(i), byte(i >> 8)}
		if _, err := c.Collateral(t.Context(), q); err == nil {
			t.Fatal("collateral from nowhere")
		}
		if n := verifyd.Kept(c); n > verifyd.MaxPlatforms {
			t.Fatalf("%d are kept", n)
		}
	}
}
