package exchange_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/testpki"
)

// inProcess has requests answered by a handler.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}

func (w *world) client(t testing.TB, fault func(http.ResponseWriter, *http.Request) bool) *collateral.Client {
	t.Helper()
	s := w.PCS()
	s.Fault = fault
	c, err := pcs.New(pcs.Config{HTTP: &http.Client{Transport: inProcess{s}}, Attempts: 1, Now: func() time.Time { return w.Now }})
	if err != nil {
		t.Fatal(err)
	}
	return collateral.NewClient(c, w.checker(t))
}

func registration(m *testpki.Platform) store.Registration {
	return store.Registration{
		PlatformID:    store.PlatformID{QEID: upper(m.QEID[:]), PCEID: upper(m.SGX.PCEID[:])},
		EncryptedPPID: m.EncryptedPPID[:], CPUSVN: upper(m.SGX.CPUSVN[:]), PCESVN: upper(binary.LittleEndian.AppendUint16(nil, m.SGX.PCESVN)),
	}
}

func TestFetch(t *testing.T) {
	w := newWorld()
	stranger := registration(w.multi)
	stranger.QEID, stranger.EncryptedPPID = "FF", bytes.Repeat([]byte{1}, 384)
	list := []store.Registration{registration(w.multi), registration(w.single), registration(w.multi), stranger}
	list[2].PCESVN = "0100" // a second TCB of the first
	var last atomic.Int64
	c, report, err := exchange.Fetch(t.Context(), w.client(t, nil), list, exchange.FetchOptions{
		Updates: []string{collateral.Standard, collateral.Early}, Known: "all", Progress: func(done, all int) { last.Store(int64(1000*done + all)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Failed) != 1 || report.Failed[0].What != "platform/FF/0000" || !errors.Is(report.Failed[0].Err, pcs.ErrNotFound) {
		t.Errorf("failed: %+v", report.Failed)
	}
	// 2 FMSPCs x 2 TEEs x 2 updates, 3 identities x 2, 2 CRLs.
	if report.Documents != 16 || report.Platforms != 2 || report.Certificates != 2 {
		t.Errorf("%+v", *report)
	}
	if n := last.Load(); n/1000 != n%1000 || n/1000 != 3+3+8+6 {
		t.Errorf("progress ends at %d", n)
	}
	if tcbs := c.Platforms[0].TCBs; len(tcbs) != 2 || tcbs[1].PCESVN != "0100" || c.Platforms[0].CA != "platform" || c.Platforms[1].CA != "processor" {
		t.Errorf("platforms %+v", tcbs)
	}
	// It can be written, read, and is what is asked for.
	got, err := exchange.ParseCollateral(bytes.NewReader(file(t, c)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Documents { // which a file does not tell
		d := &c.Documents[i]
		d.Issued, d.NextUpdate, d.Evaluation, d.RequestID = time.Time{}, time.Time{}, 0, ""
	}
	same(t, got, c)
}

func TestFetchCRLs(t *testing.T) {
	w := newWorld()
	c, report, err := exchange.Fetch(t.Context(), w.client(t, nil), []store.Registration{registration(w.multi)}, exchange.FetchOptions{CRLs: true})
	if err != nil || report.Platforms != 0 || report.Documents != 2 || !bytes.Equal(c.RootCRL, w.Root.CRL()) {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := exchange.ParseCollateral(bytes.NewReader(file(t, c))); err != nil {
		t.Error(err) // unlike those of Intel's tool, the file says who issued them
	}
}

func TestFetchFails(t *testing.T) {
	w := newWorld()
	list := []store.Registration{registration(w.multi)}
	on := func(path string, status int) func(http.ResponseWriter, *http.Request) bool {
		return func(rw http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, path) {
				rw.WriteHeader(status)
				return true
			}
			return false
		}
	}
	for _, c := range []struct {
		name, path string
		status     int
		want       error
	}{
		{"key", "/sgx/certification/v4/pckcerts", 401, pcs.ErrUnauthorized},
		{"no TCB info of a platform", "/sgx/certification/v4/tcb", 404, pcs.ErrNotFound},
		{"CRL", "/sgx/certification/v4/pckcrl", 500, pcs.ErrServer},
		{"identity", "/tdx/certification/v4/qe/identity", 404, pcs.ErrNotFound},
		{"busy", "/tdx/certification/v4/tcb", 503, pcs.ErrBusy},
	} {
		got, _, err := exchange.Fetch(t.Context(), w.client(t, on(c.path, c.status)), list, exchange.FetchOptions{})
		if !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// Not every platform knows TDX.
	got, _, err := exchange.Fetch(t.Context(), w.client(t, on("/tdx/certification/v4/tcb", 404)), list, exchange.FetchOptions{})
	if err != nil || slices.ContainsFunc(got.Documents, func(d collateral.Document) bool {
		return d.Item.Kind == collateral.TCBInfo && d.Item.TEE != 0
	}) {
		t.Errorf("without TDX: %v", err)
	}
}
