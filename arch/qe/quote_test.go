package qe_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/qe"
	"github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/testpki"
)

// The whole path: a relying party believes the quote, of each version and with
// each kind of certification data that names a PCK.
func TestQuoteVerifies(t *testing.T) {
	w := newWorld(t)
	blob := w.blob(dcap.CertPPIDRSA3072)
	id, err := w.qeID()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{3, 4, 5} {
		q := w.quote(version, blob, w.chain())
		r, err := w.verify(q.Raw)
		if err != nil || r.TCBStatus != dcap.UpToDate {
			t.Errorf("version %d: %v, %v", version, err, r.TCBStatus)
			continue
		}
		if q.Header.Version != version || q.EnclaveReport().ReportBody != w.appReport().ReportBody {
			t.Errorf("version %d: header %+v, body %+v", version, q.Header, q.Body)
		}
		if [16]byte(q.Header.UserData[:]) != id || q.Header.UserData[16] != 0 || q.Header.QEVendorID != dcap.IntelQEVendorID {
			t.Errorf("version %d: header %+v, QE ID %x", version, q.Header, id)
		}
		if want := w.qeEnclave.Self.ISVSVN; version == 3 && (q.Header.QESVN != want || q.Header.PCESVN != w.machine.SGX.PCESVN) {
			t.Errorf("QE SVN %d, PCE SVN %d", q.Header.QESVN, q.Header.PCESVN)
		}
	}

	// Without Intel's consent, and without the factory's.
	intel, err := verify.New()
	if err != nil {
		t.Fatal(err)
	}
	q := w.quote(3, blob, w.chain())
	if r, err := intel.Verify(q.Raw, w.machine.Collateral(dcap.TEESGX), w.pki.Now); err == nil || r.Authentic() {
		t.Errorf("taken for Intel's: %v", err)
	}
	w.machine.Reissue(func(c *testpki.Template) { c.Key = w.pki.Key("of another machine") })
	q = w.quote(3, blob, w.chain())
	if r, _ := w.verify(q.Raw); r.Status != verify.StatusInvalidQEReportSignature {
		t.Errorf("with the PCK of another machine: %v", r.Status)
	}
}

// qeID derives the QE ID as the IDE does.
func (w *world) qeID() ([16]byte, error) {
	request := derive.SealRequest([16]byte{}, 0)
	key, err := w.qeEnclave.Key(&request)
	return derive.QEID(key), err
}

// A quote without a chain names the platform by its PPID.
func TestQuoteNamesPlatform(t *testing.T) {
	w := newWorld(t)
	sgx := &w.machine.SGX
	check := func(q *dcap.Quote, kind dcap.CertificationType) *dcap.PPID {
		t.Helper()
		p, ok := q.Certification.(*dcap.PPID)
		if !ok || p.Encryption != kind || p.CPUSVN != sgx.CPUSVN || p.PCESVN != sgx.PCESVN || !bytes.Equal(p.PCEID, sgx.PCEID[:]) {
			t.Fatalf("certification data %+v", q.Certification)
		}
		if r, err := w.verify(q.Raw); err != nil {
			t.Errorf("type %d: %v", kind, r.Err())
		}
		return p
	}
	p := check(w.quote(3, w.blob(dcap.CertPPIDClear), nil), dcap.CertPPIDClear)
	if !bytes.Equal(p.PPID, sgx.PPID[:]) {
		t.Errorf("PPID %x, want %x", p.PPID, sgx.PPID)
	}
	p = check(w.quote(5, w.blob(dcap.CertPPIDRSA3072), nil), dcap.CertPPIDRSA3072)
	got, err := rsa.DecryptOAEP(sha256.New(), nil, serviceKey(), p.PPID, nil)
	if err != nil || !bytes.Equal(got, sgx.PPID[:]) {
		t.Errorf("PPID %x, want %x: %v", got, sgx.PPID, err)
	}
}

// The caller's nonce comes back in a REPORT for the application.
func TestQEReport(t *testing.T) {
	w := newWorld(t)
	blob, buf, nonce := w.blob(dcap.CertPPIDRSA3072), make([]byte, qe.MaxQuote), edl.SgxQuoteNonceT{1, 2, 3}
	ret, r, err := w.qe.GenQuote(context.Background(), blob, w.appReport(), &nonce, w.app.Target(), buf, 1, w.chain())
	w.ok("gen_quote", ret, err)
	if err := w.app.VerifyReport(&r); err != nil {
		t.Fatal(err)
	}
	q, err := dcap.ParseQuote(buf)
	if err != nil {
		t.Fatal(err)
	}
	want := sha256.Sum256(append(nonce[:], q.Raw...))
	if !bytes.Equal(r.ReportData[:], append(want[:], make([]byte, 32)...)) || r.MREnclave != w.qeEnclave.Self.MREnclave {
		t.Errorf("report data %x, want %x", r.ReportData, want)
	}
	w.qeEnclave.FailReport.Store(1)
	buf = make([]byte, qe.MaxQuote)
	if ret, _, _ := w.qe.GenQuote(context.Background(), blob, w.appReport(), &nonce, w.app.Target(), buf, 1, w.chain()); ret != qe.ErrorQEReport {
		t.Errorf("no REPORT: %#x", ret)
	}
	if !bytes.Equal(buf, make([]byte, len(buf))) {
		t.Error("a quote without its REPORT")
	}
}

func TestGenQuoteRefuses(t *testing.T) {
	w := newWorld(t)
	blob, chain, nonce := w.blob(dcap.CertPPIDRSA3072), w.chain(), new(edl.SgxQuoteNonceT)
	fresh, _ := w.key(nil)
	app := w.appReport()
	forged := *app
	forged.MREnclave[0]++
	elsewhere, err := w.app.Report(w.pceEnclave.Target(), [64]byte{})
	if err != nil {
		t.Fatal(err)
	}
	size := len(w.quote(3, blob, chain).Raw)
	damaged := bytes.Clone(blob)
	damaged[len(damaged)-1]++
	for _, c := range []struct {
		name    string
		version uint16
		blob    []byte
		app     *isa.Report
		nonce   *edl.SgxQuoteNonceT
		target  *isa.TargetInfo
		room    int
		cert    []byte
		want    uint32
	}{
		{"nothing wrong", 3, blob, app, nil, nil, size, chain, 0},
		{"no room", 3, blob, app, nil, nil, size - 1, chain, 0xD002},
		{"no room at all", 3, blob, app, nil, nil, 0, chain, 0xD002},
		{"version 2", 2, blob, app, nil, nil, size, chain, 0xD002},
		{"version 6", 6, blob, app, nil, nil, 9999, chain, 0xD002},
		{"short blob", 3, blob[1:], app, nil, nil, size, chain, 0xD002},
		{"no report", 3, blob, nil, nil, nil, size, chain, 0xD002},
		{"nonce without target", 3, blob, app, nonce, nil, size, chain, 0xD002},
		{"target without nonce", 3, blob, app, nil, w.app.Target(), size, chain, 0xD002},
		{"short certification data", 3, blob, app, nil, nil, size, chain[:5], 0xD002},
		{"certification data cut off", 3, blob, app, nil, nil, size, chain[:len(chain)-1], 0xD002},
		{"certification data of type 6", 3, blob, app, nil, nil, size, certData(6, []byte("x")), 0xD002},
		{"certification data of type 0", 3, blob, app, nil, nil, size, certData(0, nil), 0xD002},
		{"PPID too short", 3, blob, app, nil, nil, size, certData(1, make([]byte, 35)), 0xD002},
		{"certification data too large", 3, blob, app, nil, nil, 1 << 20, certData(5, make([]byte, qe.MaxCertData+1)), 0xD002},
		{"largest certification data", 5, blob, app, nil, nil, qe.MaxQuote, certData(5, make([]byte, qe.MaxCertData)), 0},
		{"forged report", 3, blob, &forged, nil, nil, size, chain, 0xD008},
		{"report for another", 3, blob, elsewhere, nil, nil, size, chain, 0xD008},
		{"damaged blob", 3, damaged, app, nil, nil, size, chain, 0xD004},
		{"report before blob", 3, damaged, &forged, nil, nil, size, chain, 0xD008},
		{"blob that is not certified", 3, fresh, app, nil, nil, size, chain, 0xD007},
	} {
		buf := make([]byte, c.room)
		ret, r, err := w.qe.GenQuoteVersion(context.Background(), c.version, bytes.Clone(c.blob), c.app, c.nonce, c.target, buf, 1, c.cert)
		if ret != c.want || err != nil {
			t.Errorf("%s: %#x, %v; want %#x", c.name, ret, err, c.want)
		}
		if ret != 0 && (!bytes.Equal(buf, make([]byte, len(buf))) || r != isa.Report{}) {
			t.Errorf("%s: an error with results", c.name)
		}
	}
}

// The largest quote that MaxQuote has room for.
func TestMaxQuote(t *testing.T) {
	w := newWorld(t)
	q := w.quote(5, w.blob(dcap.CertPPIDRSA3072), certData(dcap.CertPCKChain, make([]byte, qe.MaxCertData)))
	if len(q.Raw) > qe.MaxQuote {
		t.Error(len(q.Raw))
	}
}

// What is wrong at the QE's own processor is no quote.
func TestBrokenProcessor(t *testing.T) {
	w := newWorld(t)
	blob := w.blob(dcap.CertPPIDRSA3072)
	buf := make([]byte, qe.MaxQuote)
	w.qeEnclave.FailKey.Store(1)
	if ret, _, _ := w.qe.GenQuote(context.Background(), blob, w.appReport(), nil, nil, buf, 1, w.chain()); ret != qe.ErrorInvalidReport {
		t.Errorf("no REPORT key: %#x", ret)
	}
	w.qeEnclave.FailKey.Store(2)
	if ret, _, _ := w.qe.GenQuote(context.Background(), blob, w.appReport(), nil, nil, buf, 1, w.chain()); ret != qe.ErrorBlob {
		t.Errorf("no seal key: %#x", ret)
	}
	w.qeEnclave.FailReport.Store(1)
	if ret, _, _ := w.qe.GenQuote(context.Background(), blob, w.appReport(), nil, nil, buf, 1, w.chain()); ret != qe.ErrorUnexpected {
		t.Errorf("no REPORT: %#x", ret)
	}
}

// The REPORT key that the QE remembers is that of a KEYID, and only of one with
// which a REPORT was right.
func TestKeyIDs(t *testing.T) {
	w := newWorld(t)
	blob, chain := w.blob(dcap.CertPPIDRSA3072), w.chain()
	quote := func(r *isa.Report) uint32 {
		ret, _, err := w.qe.GenQuote(context.Background(), blob, r, nil, nil, make([]byte, qe.MaxQuote), 1, chain)
		if err != nil {
			t.Fatal(err)
		}
		return ret
	}
	first := w.appReport()
	w.platform.KeyID[0]++
	second := w.appReport()
	mixed := *first
	mixed.KeyID = second.KeyID
	for i, c := range []struct {
		report *isa.Report
		want   uint32
		keys   int64 // that the QE asks its processor for
	}{{first, 0, 2}, {first, 0, 0}, {&mixed, qe.ErrorInvalidReport, 1}, {first, 0, 0}, {second, 0, 1}, {&mixed, qe.ErrorInvalidReport, 0}, {first, 0, 1}} {
		const plenty = 100
		w.qeEnclave.FailKey.Store(plenty)
		if ret := quote(c.report); ret != c.want || plenty-w.qeEnclave.FailKey.Load() != c.keys {
			t.Errorf("quote %d: %#x, and %d keys", i, ret, plenty-w.qeEnclave.FailKey.Load())
		}
	}
}

func BenchmarkGenQuote(b *testing.B) {
	w := newWorld(b)
	blob, buf, chain, app := w.blob(dcap.CertPPIDRSA3072), make([]byte, qe.MaxQuote), w.chain(), w.appReport()
	b.ReportAllocs()
	for b.Loop() {
		if ret, _, _ := w.qe.GenQuote(context.Background(), blob, app, nil, nil, buf, 1, chain); ret != 0 {
			b.Fatal(ret)
		}
	}
}
