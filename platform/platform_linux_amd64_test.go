package platform_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/testsuite/system"
)

// verified verifies a quote of version 3 under the factory's root.
func (w *world) verified(quote []byte) *verify.Result {
	w.Helper()
	v := must(verify.New(verify.WithRoots(w.pki.Root.DER)))
	r, err := v.Verify(quote, w.machine.Collateral(dcap.TEESGX), w.pki.Now)
	if err != nil || r.TCBStatus != dcap.UpToDate {
		w.Fatalf("%v, %v", err, r.TCBStatus)
	}
	return r
}

// quote makes a quote of the application and verifies it.
func (h *host) quote() *verify.Result {
	h.w.Helper()
	target, _ := h.init()
	key := h.KeyID()
	q, err := h.Quote(h.w.Context(), &key, h.report(target), nil)
	if err != nil {
		h.w.Fatal(err)
	}
	return h.w.verified(q)
}

// From the fuses of a machine to quotes that a relying party believes, with and
// without an ID enclave.
func TestQuote(t *testing.T) {
	t.Run("QE", func(t *testing.T) { testQuote(t, newWorld(t), func(*platform.Config) {}) })
	t.Run("IDE", func(t *testing.T) {
		w := newWorld(t)
		testQuote(t, w, func(c *platform.Config) { c.IDE = w.image(build.IDE) })
	})
}

// The same with Intel's own PCE, and a factory that certifies its PCK.
func TestIntelsPCE(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("FEIDI_ENCLAVES"), "libsgx_pce.signed.so*"))
	if err != nil || os.Getenv("FEIDI_ENCLAVES") == "" || len(files) == 0 {
		t.Skip("FEIDI_ENCLAVES names no folder with libsgx_pce.signed.so")
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	testQuote(t, newWorld(t), func(c *platform.Config) { c.PCE = must(image.Parse(b)) })
}

func testQuote(t *testing.T, w *world, edit func(*platform.Config)) {
	h := w.start(edit)
	id := h.register()
	if want := fmt.Sprintf("%x,0000,%x,%02x00,%x", id.EncryptedPPID, w.cpu.CPUSVN, id.PCESVN, id.QEID); id.CSV() != want {
		t.Errorf("CSV %s, and not %s", id.CSV(), want)
	}
	key := h.KeyID()
	_, err := h.QuoteSize(t.Context(), &key)
	system.CodeIs(t, "size before InitQuote", err, aesm.ErrAttKeyNotInitialized)
	_, err = h.QuoteVersion(t.Context(), 3, new(isa.Report), nil)
	system.CodeIs(t, "quote before InitQuote", err, aesm.ErrAttKeyNotInitialized)
	target, keyID := h.init()
	size, err := h.QuoteSize(t.Context(), &key)
	if err != nil {
		t.Fatal(err)
	}
	report := h.report(target)
	v := must(verify.New(verify.WithRoots(w.pki.Root.DER)))
	for _, version := range []uint16{3, 4, 5} {
		info := &aesm.QEReportInfo{Nonce: [16]byte{1, 2, 3}, Target: h.app.TargetInfo()}
		quote, err := h.QuoteVersion(t.Context(), version, report, info)
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(quote, w.machine.Collateral(dcap.TEESGX), w.pki.Now)
		if err != nil || r.TCBStatus != dcap.UpToDate || r.Quote.EnclaveReport().ReportBody != report.ReportBody || r.Quote.Padding != 0 {
			t.Fatalf("version %d: %v, %v", version, err, r.TCBStatus)
		}
		q := r.Quote
		if q.Header.Version != version || version == 3 && (q.Header.PCESVN != id.PCESVN || int(size) != len(quote)) {
			t.Errorf("version %d: %+v, %d bytes of %d", version, q.Header, len(quote), size)
		}
		if !bytes.Equal(q.Header.UserData[:16], id.QEID[:]) {
			t.Errorf("version %d: QE ID %x, and not %x", version, q.Header.UserData, id.QEID)
		}
		if sum := sha256.Sum256(append(q.AttestationKey[:], q.QEAuthData...)); !bytes.Equal(keyID, sum[:]) {
			t.Errorf("version %d: key %x, InitQuote's %x", version, sum, keyID)
		}
		want := sha256.Sum256(append(info.Nonce[:], quote...))
		if !h.app.Accepts(&info.QEReport) || !bytes.Equal(info.QEReport.ReportData[:], append(want[:], make([]byte, 32)...)) {
			t.Errorf("version %d: the QE's report is not for the application, or not of the quote", version)
		}
	}
	testRefused(t, h, report)
}

// What a client can do wrong.
func testRefused(t *testing.T, h *host, report *isa.Report) {
	ctx, key, other := t.Context(), h.KeyID(), aesm.ECDSAKeyID([32]byte{1})
	changed := *report
	changed.ISVSVN++
	_, err := h.Quote(ctx, &key, &changed, nil)
	system.CodeIs(t, "report that was changed", err, aesm.ErrInvalidReport)
	own := h.app.TargetInfo()
	_, err = h.Quote(ctx, &key, h.report(&own), nil)
	system.CodeIs(t, "report for another enclave", err, aesm.ErrInvalidReport)
	for _, version := range []uint16{0, 2, 6} {
		_, err = h.QuoteVersion(ctx, version, report, nil)
		system.CodeIs(t, "another version", err, aesm.ErrParameter)
	}
	_, err = h.Quote(ctx, &other, report, nil)
	system.CodeIs(t, "quote with another key", err, aesm.ErrUnsupportedAttKeyID)
	_, _, err = h.InitQuote(ctx, &other)
	system.CodeIs(t, "another key", err, aesm.ErrUnsupportedAttKeyID)
	_, err = h.QuoteSize(ctx, &other)
	system.CodeIs(t, "size with another key", err, aesm.ErrUnsupportedAttKeyID)
}

// Quotes with an encrypted PPID need no service; whoever verifies them gets the
// PCK certificate.
func TestEncryptedPPID(t *testing.T) {
	w := newWorld(t)
	h := w.start(func(c *platform.Config) { c.CertType, c.PCK = dcap.CertPPIDRSA3072, nil })
	h.register()
	target, _ := h.init()
	key := h.KeyID()
	quote, err := h.Quote(t.Context(), &key, h.report(target), nil)
	if err != nil {
		t.Fatal(err)
	}
	if size := must(h.QuoteSize(t.Context(), &key)); int(size) != len(quote) {
		t.Errorf("%d bytes, and not %d", len(quote), size)
	}
	c := w.machine.Collateral(dcap.TEESGX)
	c.PCKChain = w.machine.ChainPEM()
	r, err := must(verify.New(verify.WithRoots(w.pki.Root.DER))).Verify(quote, c, w.pki.Now)
	if err != nil || r.TCBStatus != dcap.UpToDate {
		t.Fatal(err, r)
	}
	p, ok := r.Quote.Certification.(*dcap.PPID)
	if !ok || p.CPUSVN != w.cpu.CPUSVN || p.PCESVN != w.machine.SGX.PCESVN {
		t.Fatalf("%+v", r.Quote.Certification)
	}
	name, err := rsa.DecryptOAEP(sha256.New(), nil, service(), p.PPID, nil)
	if err != nil || !bytes.Equal(name, w.machine.SGX.PPID[:]) {
		t.Errorf("PPID %x, %v", name, err)
	}
	if w.requests.Load() != 0 {
		t.Error("the service was asked")
	}
}

// An enclave that died is started again; one that dies each time is an error.
func TestDied(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	h.register()
	h.quote()
	if err := h.KillQE(); err != nil {
		t.Fatal(err)
	}
	h.quote()
	h.off()
	h = w.start()
	if err := h.KillPCE(); err != nil {
		t.Fatal(err)
	}
	h.quote()
	h.off()
	h = w.boot()
	c := w.config(h.cpu)
	c.PPIDKey = must(ppid.Sign(&service().PublicKey, must(sign.GenerateKey(rand.Reader)))) // the QE takes it not, and ends
	c.Stderr = nil
	p, err := platform.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	h.Platform = p
	t.Cleanup(h.off)
	_, err = h.Identify(t.Context())
	system.CodeIs(t, "QE that ends", err, aesm.ErrEnclaveLost)
}

func TestClosed(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	h.register()
	target, _ := h.init()
	report := h.report(target)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := h.QuoteVersion(t.Context(), 3, report, nil)
	system.CodeIs(t, "quote", err, aesm.ErrServiceStopped)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// What cannot work is said at once.
func TestStartRefuses(t *testing.T) {
	w := newWorld(t)
	h := w.boot()
	c := w.config(h.cpu)
	c.CertType = dcap.CertPCKLeaf
	if p, err := platform.Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), "type 4") {
		t.Errorf("%v, %v", p, err)
	}
	c = w.config(h.cpu)
	c.QE = h.app.Image()
	_, err := platform.Start(t.Context(), c)
	system.CodeIs(t, "a QE that is none", err, aesm.ErrEnclaveLoad)
	c = w.config(h.cpu)
	c.IDE = h.app.Image()
	_, err = platform.Start(t.Context(), c)
	system.CodeIs(t, "an IDE that is none", err, aesm.ErrEnclaveLoad)
	c = w.config(h.cpu)
	c.PPIDKey = nil
	p, err := platform.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	_, err = p.Identify(t.Context())
	system.CodeIs(t, "no key", err, aesm.ErrConfigUnsupported)
}
