package verify_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/internal/text"
	"github.com/feidi-dev/feidi/testpki"
)

// kind is a form that a quote can have.
type kind struct {
	name    string
	version uint16
	body    dcap.BodyType
}

var (
	sgx3   = kind{"SGX v3", 3, dcap.BodySGX}
	sgx4   = kind{"SGX v4", 4, dcap.BodySGX}
	sgx5   = kind{"SGX v5", 5, dcap.BodySGX}
	tdx4   = kind{"TDX v4", 4, dcap.BodyTD10}
	tdx5   = kind{"TDX 1.0 v5", 5, dcap.BodyTD10}
	tdx15  = kind{"TDX 1.5 v5", 5, dcap.BodyTD15}
	tdx15x = kind{"TDX 1.5 extended v5", 5, dcap.BodyTD15Ex}

	sgxKinds = []kind{sgx3, sgx4, sgx5}
	tdxKinds = []kind{tdx4, tdx5, tdx15, tdx15x}
	allKinds = []kind{sgx3, sgx4, sgx5, tdx4, tdx5, tdx15, tdx15x}
)

func (k kind) tee() dcap.TEEType {
	if k.body == dcap.BodySGX {
		return dcap.TEESGX
	}
	return dcap.TEETDX
}

// world is a fake Intel with a platform and a quote. Everything in it may be
// changed before it is made, and its bytes afterwards.
type world struct {
	kind
	pki *testpki.PKI
	m   *testpki.Platform
	q   *testpki.Quote
	at  time.Time

	// options are those of the verifier. By default it trusts the root as
	// it was before any edit.
	options []verify.Option

	// What is made; an edit may set it, too.
	raw []byte
	c   *dcap.Collateral
}

func newWorld(k kind, edits ...func(*testpki.Platform)) *world {
	pki := testpki.New(testpki.Seed("verify"))
	w := &world{kind: k, pki: pki, m: pki.Platform(edits...), at: pki.Now}
	w.quote()
	w.options = []verify.Option{verify.WithRoots(pki.Root.DER)}
	return w
}

// quote makes the quote anew, after a change of the platform.
func (w *world) quote() {
	make := w.m.TDXQuote
	if w.body == dcap.BodySGX {
		make = w.m.SGXQuote
	}
	w.q = make(func(q *testpki.Quote) { q.Header.Version, q.BodyType = w.version, w.body })
}

// info is the TCB info that is in charge, identity that of the quoting enclave.
func (w *world) info() *dcap.TCBInfo { return w.m.TCBInfo(w.tee()) }

func (w *world) identity() *dcap.EnclaveIdentity {
	if w.tee() == dcap.TEETDX {
		return w.pki.TDQE
	}
	return w.pki.QE
}

// reissue changes the PCK certificate.
func (w *world) reissue(edits ...func(*testpki.Template)) { w.m.Reissue(edits...) }

func (w *world) make() {
	if w.raw == nil {
		w.raw = w.q.Bytes()
	}
	if w.c == nil {
		w.c = w.q.Collateral()
	}
}

func (w *world) verifier(t testing.TB, options ...verify.Option) *verify.Verifier {
	t.Helper()
	v, err := verify.New(append(options, w.options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// verdict is the outcome of the four steps.
type verdict struct{ pck, tcb, id, quote verify.Status }

func verdictOf(r *verify.Result) verdict {
	s := &r.Steps
	return verdict{s.PCKChain.Status, s.TCBInfo.Status, s.QEIdentity.Status, s.Quote.Status}
}

func (v verdict) first() verify.Status {
	for _, s := range []verify.Status{v.pck, v.tcb, v.id, v.quote} {
		if s != verify.StatusOK {
			return s
		}
	}
	return verify.StatusOK
}

// check verifies what was made, without cache and twice with one, and compares.
// It returns the last result.
func (w *world) check(t *testing.T, want verdict) *verify.Result {
	t.Helper()
	w.make()
	cached := w.verifier(t)
	var result *verify.Result
	for i, v := range []*verify.Verifier{w.verifier(t, verify.WithCache(0)), cached, cached} {
		r, err := v.Verify(w.raw, w.c, w.at)
		if got := verdictOf(r); got != want {
			t.Errorf("%s, run %d:\ngot  %v\nwant %v\n%v", w.name, i, got, want, err)
		}
		consistent(t, r, err)
		if i == 1 {
			w.alone(t, v, r)
		}
		result = r
	}
	return result
}

// consistent checks what holds for every result, whatever was verified.
func consistent(t *testing.T, r *verify.Result, err error) {
	t.Helper()
	v := verdictOf(r)
	if r.Status != v.first() {
		t.Errorf("the status of the whole is %v, the steps are %v", r.Status, v)
	}
	if (err == nil) != (r.Status == verify.StatusOK) || !errors.Is(err, r.Err()) {
		t.Errorf("status %v, but the error is %v", r.Status, err)
	}
	if r.Status == verify.StatusOK && (!r.Authentic() || r.Expired() || r.TCBStatus != dcap.UpToDate) {
		t.Errorf("OK, but authentic %v, expired %v, TCB %v", r.Authentic(), r.Expired(), r.TCBStatus)
	}
	for name, step := range map[string]verify.Step{
		"PCK chain": r.Steps.PCKChain, "TCB info": r.Steps.TCBInfo, "QE identity": r.Steps.QEIdentity, "quote": r.Steps.Quote,
	} {
		var e *verify.Error
		switch {
		case step.Status == verify.StatusOK && step.Err == nil:
		case !errors.As(step.Err, &e) || e.Step != name || e.Status != step.Status:
			t.Errorf("step %s is %v, its error %v", name, step.Status, step.Err)
		default:
			readable(t, name, step)
		}
	}
	shown(t, r.Explain())
}

// readable checks that an error is one line that names step and status and says
// something in words.
func readable(t *testing.T, name string, step verify.Step) {
	t.Helper()
	s := step.Err.Error()
	words, ok := strings.CutPrefix(s, name+": "+step.Status.String()+": ")
	if !ok || len(strings.Fields(words)) < 3 || len(s) > 600 || strings.ContainsFunc(s, text.Unsafe) || strings.Contains(s, "%!") {
		t.Errorf("not a readable error: %q", s)
	}
}

// shown checks a text of several lines.
func shown(t *testing.T, s string) {
	t.Helper()
	if !strings.HasSuffix(s, "\n") || strings.Contains(s, "%!") || s != text.Printable(s) {
		t.Errorf("not a text to show: %q", s)
	}
}

// row is a situation and its verdict.
type row struct {
	from  string // which rows of Intel's tables it is; see published
	name  string
	kinds []kind // if nil, all
	want  verdict
	edit  func(*world) // before anything is made; may be nil
	made  func(*world) // after; may be nil
	check func(*testing.T, *verify.Result)
}

func (r *row) run(t *testing.T) {
	t.Run(r.name, func(t *testing.T) {
		kinds := r.kinds
		if kinds == nil {
			kinds = allKinds
		}
		for _, k := range kinds {
			w := newWorld(k)
			if r.edit != nil {
				r.edit(w)
			}
			w.make()
			if r.made != nil {
				r.made(w)
			}
			result := w.check(t, r.want)
			if r.check != nil {
				r.check(t, result)
			}
		}
	})
}

// pem joins certificates in PEM.
func pem(certs ...*testpki.Cert) []byte {
	var b []byte
	for _, c := range certs {
		b = append(b, c.PEM()...)
	}
	return b
}
