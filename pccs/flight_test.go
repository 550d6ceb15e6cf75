package pccs_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/testpki"
)

// hold lets requests to a path wait until the returned function is called; the
// channel tells of each that has come.
func (in *intel) hold(path string) (came chan struct{}, release func()) {
	came, open := make(chan struct{}, 1000), make(chan struct{})
	in.setFault(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == path {
			came <- struct{}{}
			select {
			case <-open:
			case <-r.Context().Done():
			}
		}
		return false
	})
	return came, sync.OnceFunc(func() { close(open) })
}

const tcbPath = "/sgx/certification/v4/tcb"

// Many who want the same wait for one fetch, and who goes away ends it for nobody.
func TestSingleFlight(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	came, release := in.hold(tcbPath)
	defer release()

	first, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := s.Document(first, sgxInfo)
		gone <- err
	}()
	<-came
	const n = 50
	errs := make(chan error, n)
	for range n {
		go func() {
			_, err := s.Document(t.Context(), sgxInfo)
			errs <- err
		}()
	}
	leave()
	wantError(t, <-gone, 503, pccs.Busy, "has gone")
	release()
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := in.times("/tcb"); n != 1 {
		t.Errorf("the service behind was asked %d times", n)
	}
}

// The same for a platform: one list of certificates, and one of each TCB info.
func TestSingleFlightPlatform(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	came, release := in.hold("/sgx/certification/v4/pckcerts")
	defer release()
	const n = 30
	errs := make(chan error, n)
	for range n {
		go func() {
			_, err := s.PCKCert(t.Context(), in.query())
			errs <- err
		}()
	}
	<-came
	release()
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if a, b := in.times("/pckcerts"), in.times("/tcb"); a != 1 || b != 2 {
		t.Errorf("asked for certificates %d times, for TCB infos %d times", a, b)
	}
}

// Close ends what hangs.
func TestClose(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	came, release := in.hold(tcbPath)
	defer release()
	failed := make(chan error)
	go func() {
		_, err := s.Document(t.Context(), sgxInfo)
		failed <- err
	}()
	<-came
	s.Close()
	if err := <-failed; err == nil {
		t.Error("a document")
	}
	_, err := s.Document(t.Context(), qe)
	wantError(t, err, 503, pccs.Busy, "ending")
}

// What failed is not asked for again at once, then seldom, and at last again.
func TestRefusals(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	item := sgxInfo
	item.FMSPC = "0123456789AB"
	asked := 0
	for range 3600 {
		_, err := s.Document(t.Context(), item)
		wantError(t, err, 404, pccs.UpstreamUnknown, "")
		if in.times("/tcb") == asked {
			wantError(t, err, 404, pccs.UpstreamUnknown, "asked again in")
		}
		asked = in.times("/tcb")
		in.wait(time.Second)
	}
	// After 5, 10, 20, 40, 80 and 160 s, then each 5 min.
	if asked != 1+6+(3600-315)/300 {
		t.Errorf("asked %d times in an hour", asked)
	}
	// A clock that goes back ends it.
	in.wait(-2 * time.Hour)
	if _, err := s.Document(t.Context(), item); err == nil || in.times("/tcb") != asked+1 {
		t.Errorf("asked %d times: %v", in.times("/tcb"), err)
	}
	// And so it is if Intel brings the FMSPC.
	in.pki.Platform(testpki.FMSPC([6]byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xab}))
	in.wait(6 * time.Minute)
	get(t, s, item)
	if s.Remembered() != 0 {
		t.Errorf("%d failures are still remembered", s.Remembered())
	}
}

// The wait that the service behind asks for is kept.
func TestRetryAfter(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	in.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != tcbPath {
			return false
		}
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(429)
		return true
	})
	for range 89 {
		_, err := s.Document(t.Context(), sgxInfo)
		wantError(t, err, 502, pccs.UpstreamBusy, "")
		in.wait(time.Second)
	}
	if n := in.times("/tcb"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// A flood of what nobody has neither reaches the service behind nor fills memory
// or database; and what there is is served meanwhile.
func TestFlood(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	get(t, s, sgxInfo)
	in.total()
	each := 1500
	if testing.Short() {
		each = 300
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range each {
				item, q := sgxInfo, in.query()
				item.FMSPC = fmt.Sprintf("%012X", worker*10000+i)
				if i%2 == 0 {
					if _, err := s.Document(t.Context(), item); err == nil {
						t.Error("a document")
					}
					continue
				}
				q.QEID = fmt.Sprintf("%032X", worker*10000+i)
				q.EncryptedPPID = fmt.Sprintf("%0768X", worker*10000+i)
				if _, err := s.PCKCert(t.Context(), q); err == nil {
					t.Error("a certificate")
				}
			}
		})
	}
	wg.Wait()
	if n := in.total(); n > pccs.UnknownBurst {
		t.Errorf("the service behind was asked %d times", n)
	}
	if n := s.Remembered(); n > pccs.MaxRefused {
		t.Errorf("%d failures are remembered", n)
	}
	st, err := s.Status(t.Context())
	if err != nil || len(st.Documents) != 1 || len(st.Platforms) != 0 || len(st.Failures) > 100 {
		t.Errorf("status: %d documents, %d FMSPCs, %d failures, %v", len(st.Documents), len(st.Platforms), len(st.Failures), err)
	}
	get(t, s, sgxInfo)
	// After a while what there is is fetched again.
	if _, err := s.Document(t.Context(), qe); err == nil {
		t.Error("a document in the flood")
	}
	in.wait(time.Minute)
	get(t, s, qe)
}

// A service behind that hangs costs a client no more than its patience.
func TestHang(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	came, release := in.hold(tcbPath)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-came
		cancel()
	}()
	_, err := s.Document(ctx, sgxInfo)
	wantError(t, err, 503, pccs.Busy, "")
	// Others are served.
	for _, i := range []collateral.Item{qe, tdqe, platform} {
		get(t, s, i)
	}
}
