package pccs_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/testpki"
)

const fmspc = "00FE1D100000" // testpki.DefaultFMSPC

var (
	rootCRL   = collateral.Item{Kind: collateral.RootCRL, API: 4}
	platform  = collateral.Item{Kind: collateral.PCKCRL, API: 4, CA: "platform"}
	processor = collateral.Item{Kind: collateral.PCKCRL, API: 4, CA: "processor"}
	sgxInfo   = collateral.Item{Kind: collateral.TCBInfo, API: 4, FMSPC: fmspc, Update: collateral.Standard}
	earlyInfo = collateral.Item{Kind: collateral.TCBInfo, API: 4, FMSPC: fmspc, Update: collateral.Early}
	tdxInfo   = collateral.Item{Kind: collateral.TCBInfo, API: 4, TEE: dcap.TEETDX, FMSPC: fmspc, Update: collateral.Standard}
	oldInfo   = collateral.Item{Kind: collateral.TCBInfo, API: 3, FMSPC: fmspc, Update: collateral.Standard}
	qe        = collateral.Item{Kind: collateral.QEIdentity, API: 4, Update: collateral.Standard}
	tdqe      = collateral.Item{Kind: collateral.QEIdentity, API: 4, TEE: dcap.TEETDX, Update: collateral.Standard}
	qve       = collateral.Item{Kind: collateral.QVEIdentity, API: 4, Update: collateral.Standard}
)

// intel is a fake Intel with one platform, a clock for all, and a count of what
// is asked.
type intel struct {
	*testpki.PCS
	pki  *testpki.PKI
	m    *testpki.Platform
	path string // of the database

	mu    sync.Mutex
	now   time.Time
	asked map[string]int // by path and query
	// fault, if not nil, answers instead: it returns true then. It may be
	// set at any time, but for the requests that are under way.
	fault func(w http.ResponseWriter, r *http.Request) bool
}

func newIntel(t testing.TB, edits ...func(*testpki.Platform)) *intel {
	t.Helper()
	pki := testpki.New(testpki.Seed("pccs"))
	in := &intel{PCS: pki.PCS(), pki: pki, m: pki.Platform(edits...), now: pki.Now, asked: map[string]int{}, path: filepath.Join(t.TempDir(), "pccs.db")}
	return in
}

// RoundTrip answers without a socket.
func (in *intel) RoundTrip(r *http.Request) (*http.Response, error) {
	in.mu.Lock()
	key := r.URL.Path
	q := r.URL.Query()
	if q.Has("encrypted_ppid") {
		q.Set("encrypted_ppid", "")
	}
	if len(q) > 0 {
		key += "?" + q.Encode()
	}
	in.asked[key]++
	fault := in.fault
	in.mu.Unlock()
	w := httptest.NewRecorder()
	if fault == nil || !fault(w, r) {
		in.ServeHTTP(w, r)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func (in *intel) setFault(f func(w http.ResponseWriter, r *http.Request) bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.fault = f
}

// fails lets requests whose path ends so have a status.
func (in *intel) fails(status int, paths ...string) {
	in.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		for _, p := range paths {
			if strings.HasSuffix(r.URL.Path, p) {
				w.WriteHeader(status)
				return true
			}
		}
		return false
	})
}

// times is how often a path was asked for since the last reset, with any query.
func (in *intel) times(path string) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := 0
	for key, k := range in.asked {
		if p, _, _ := strings.Cut(key, "?"); strings.HasSuffix(p, path) {
			n += k
		}
	}
	return n
}

// total is how often it was asked for anything since the last call.
func (in *intel) total() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := 0
	for _, k := range in.asked {
		n += k
	}
	in.asked = map[string]int{}
	return n
}

func (in *intel) clock() time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.now
}

// wait moves the clock.
func (in *intel) wait(d time.Duration) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.now = in.now.Add(d)
}

// reissue makes all documents anew, as of now. Nothing must be asked meanwhile.
func (in *intel) reissue() {
	now := in.clock()
	in.pki.Now = now
	for _, tee := range []dcap.TEEType{dcap.TEESGX, dcap.TEETDX} {
		info := in.m.TCBInfo(tee)
		info.IssueDate, info.NextUpdate = now.AddDate(0, 0, -12), now.AddDate(0, 0, 18)
	}
	for _, id := range []*dcap.EnclaveIdentity{in.pki.QE, in.pki.TDQE, in.pki.QVE} {
		id.IssueDate, id.NextUpdate = now.AddDate(0, 0, -12), now.AddDate(0, 0, 18)
	}
}

func (in *intel) checker(t testing.TB) *collateral.Checker {
	t.Helper()
	c, err := collateral.NewChecker(in.pki.Root.DER)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (in *intel) store(t testing.TB) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), in.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// service returns a service before this Intel, on its database.
func (in *intel) service(t testing.TB, mode pccs.Mode, edits ...func(*pccs.Options)) *pccs.Service {
	t.Helper()
	check := in.checker(t)
	client, err := pcs.New(pcs.Config{HTTP: &http.Client{Transport: in}, Attempts: 1, Now: in.clock, SubscriptionKey: "key"})
	if err != nil {
		t.Fatal(err)
	}
	o := pccs.Options{Upstream: collateral.NewClient(client, check), Checker: check, Mode: mode, Now: in.clock}
	for _, e := range edits {
		e(&o)
	}
	if o.Store == nil {
		o.Store = in.store(t)
	}
	s, err := pccs.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// query asks for the certificate of the platform at its own TCB.
func (in *intel) query() pccs.PCKQuery { return queryOf(in.m) }

func queryOf(m *testpki.Platform) pccs.PCKQuery {
	return pccs.PCKQuery{
		QEID: fmt.Sprintf("%x", m.QEID), PCEID: fmt.Sprintf("%x", m.SGX.PCEID), CPUSVN: fmt.Sprintf("%x", m.SGX.CPUSVN),
		PCESVN: fmt.Sprintf("%x", binary.LittleEndian.AppendUint16(nil, m.SGX.PCESVN)), EncryptedPPID: fmt.Sprintf("%x", m.EncryptedPPID), API: 4,
	}
}

func (in *intel) registration() pccs.Registration {
	q := in.query()
	return pccs.Registration{QEID: q.QEID, PCEID: q.PCEID, CPUSVN: q.CPUSVN, PCESVN: q.PCESVN, EncryptedPPID: q.EncryptedPPID}
}

func (in *intel) id() store.PlatformID {
	return store.PlatformID{QEID: fmt.Sprintf("%X", in.m.QEID), PCEID: fmt.Sprintf("%X", in.m.SGX.PCEID)}
}

// wantError wants an error with a status and a reason, and a text that helps.
func wantError(t testing.TB, err error, status int, reason pccs.Reason, advice string) {
	t.Helper()
	var e *pccs.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want %d %s", err, status, reason)
	}
	if e.Status != status || e.Reason != reason {
		t.Errorf("error %d %s (%v), want %d %s", e.Status, e.Reason, e, status, reason)
	}
	if !strings.Contains(e.Message, advice) || strings.ContainsAny(e.Message, "\r\n") {
		t.Errorf("error %q does not say %q in one line", e.Message, advice)
	}
}

func get(t testing.TB, s *pccs.Service, i collateral.Item) *pccs.Document {
	t.Helper()
	d, err := s.Document(t.Context(), i)
	if err != nil {
		t.Fatalf("%s: %v", i, err)
	}
	return d
}

// fill has what verifiers of the platform need in the cache, and the platform.
func (in *intel) fill(t testing.TB, s *pccs.Service) {
	t.Helper()
	if err := s.Register(t.Context(), in.registration()); err != nil {
		t.Fatal(err)
	}
	if s.Mode() == pccs.Lazy {
		get(t, s, tdxInfo)
	}
}

func escape(b []byte) string { return strings.ReplaceAll(url.QueryEscape(string(b)), "+", "%20") }
