package build_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/arch/qve/edl"
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/system"
)

// verifying is a machine with a QvE that trusts the root of a fake Intel, and an
// application that relies on it.
type verifying struct {
	testing.TB
	pki *testpki.PKI
	qve *edl.Qve
	id  *tvl.Identity // of the QvE
	app *system.App
}

func newVerifying(t testing.TB) *verifying {
	t.Helper()
	pki := testpki.New()
	m := system.PowerOn(t, enclave.MachineConfig{})
	doc, err := qve.SignRoot(pki.Root.DER, signer())
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, m, build.QVE, hex.EncodeToString(doc))
	v := &verifying{t, pki, edl.NewQve(s), tvl.SignedBy(s.e.SECS().MRSigner, build.QVE.SVN), system.NewApp(t, m, signer())}
	t.Cleanup(v.qve.Close)
	return v
}

// report is inside.VerifyReport in the application.
func (v *verifying) report(r *isa.Report) error {
	if !v.app.Accepts(r) {
		return errors.New("not for the application")
	}
	return nil
}

// verify has the QvE verify a quote for the application.
func (v *verifying) verify(quote []byte, c *edl.SgxQlQveCollateralT, nonce [16]byte) (*tvl.Verdict, *isa.Report, tvl.Code) {
	v.Helper()
	info := &edl.SgxQlQeReportInfoT{Nonce: nonce, AppEnclaveTargetInfo: v.app.TargetInfo()}
	data := make([]byte, tvl.SupplementalSize)
	binary.LittleEndian.PutUint32(data, tvl.SupplementalMinor<<16|tvl.SupplementalMajor)
	ret, expired, result, err := v.qve.SgxQveVerifyQuote(context.Background(), quote, c, v.pki.Now.Unix(), info, data)
	if err != nil {
		v.Fatal(err)
	}
	return &tvl.Verdict{At: v.pki.Now, Expired: expired == 1, Result: tvl.Result(result), Supplemental: data}, &info.QeReport, tvl.Code(ret)
}

// A quote of an enclave and one of a TD are verified in the QvE, and the application
// believes the verdict, and nothing else that the host might tell it.
func TestQvE(t *testing.T) {
	w := newVerifying(t)
	m := w.pki.Platform(testpki.Status(dcap.SWHardeningNeeded))
	for _, q := range []*testpki.Quote{m.SGXQuote(), m.TDXQuote()} {
		quote, c := q.Bytes(), qve.NewCollateral(q.Collateral(), q.Header.TEEType)
		var nonce [16]byte
		if _, err := rand.Read(nonce[:]); err != nil {
			t.Fatal(err)
		}
		v, r, code := w.verify(quote, c, nonce)
		if code != tvl.Success || v.Result != tvl.SWHardeningNeeded || v.Expired {
			t.Fatalf("%v: %v, %v, expired %v", q.Header.TEEType, code, v.Result, v.Expired)
		}
		if err := v.Check(w.report, r, nonce, quote, w.id); err != nil {
			t.Fatal(err)
		}
		s, err := v.Details()
		if err != nil {
			t.Fatal(err)
		}
		root, err := verify.RootOf(w.pki.Root.DER)
		if err != nil {
			t.Fatal(err)
		}
		if s.RootKeyID != tvl.RootKeyID(root.Key) || s.PPID != m.SGX.PPID || s.TEE != q.Header.TEEType {
			t.Errorf("%+v", s)
		}
		w.tampered(v, r, nonce, quote)

		quote[200] ^= 1
		if v, r, code := w.verify(quote, c, nonce); code != tvl.ResultInvalidSignature || v.Result != tvl.Unspecified || *r != (isa.Report{}) {
			t.Errorf("a changed quote: %v, %v", code, v.Result)
		}
	}
	ret, fmspc, ca, err := w.qve.GetFmspcCaFromQuote(t.Context(), m.SGXQuote().Bytes(), 6, 10)
	if ret != 0 || err != nil || !bytes.Equal(fmspc, m.SGX.FMSPC[:]) || string(ca) != "platform\x00\x00" {
		t.Errorf("%v, %v, %x, %q", tvl.Code(ret), err, fmspc, ca)
	}
	w.hostile(m)
}

// tampered changes each thing that the host passes on.
func (w *verifying) tampered(v *tvl.Verdict, r *isa.Report, nonce [16]byte, quote []byte) {
	w.Helper()
	for what, edit := range map[string]func(v *tvl.Verdict, r *isa.Report, quote []byte){
		"result":            func(v *tvl.Verdict, _ *isa.Report, _ []byte) { v.Result = tvl.OK },
		"expiration":        func(v *tvl.Verdict, _ *isa.Report, _ []byte) { v.Expired = true },
		"time":              func(v *tvl.Verdict, _ *isa.Report, _ []byte) { v.At = v.At.Add(time.Hour) },
		"supplemental data": func(v *tvl.Verdict, _ *isa.Report, _ []byte) { v.Supplemental[52] ^= 1 },
		"no data":           func(v *tvl.Verdict, _ *isa.Report, _ []byte) { v.Supplemental = nil },
		"quote":             func(_ *tvl.Verdict, _ *isa.Report, quote []byte) { quote[60] ^= 1 },
		"padding":           func(_ *tvl.Verdict, _ *isa.Report, quote []byte) { quote[len(quote)-1] ^= 1 },
		"report data":       func(_ *tvl.Verdict, r *isa.Report, _ []byte) { r.ReportData[0] ^= 1 },
		"signer":            func(_ *tvl.Verdict, r *isa.Report, _ []byte) { r.MRSigner[0] ^= 1 },
		"MAC":               func(_ *tvl.Verdict, r *isa.Report, _ []byte) { r.MAC[0] ^= 1 },
	} {
		v, r, quote := *v, *r, bytes.Clone(quote)
		v.Supplemental = bytes.Clone(v.Supplemental)
		edit(&v, &r, quote)
		if err := v.Check(w.report, &r, nonce, quote, w.id); !errors.Is(err, tvl.ReportInvalid) {
			w.Errorf("%s changed: %v", what, err)
		}
	}
	if err := v.Check(w.report, r, [16]byte{}, quote, w.id); !errors.Is(err, tvl.ReportInvalid) {
		w.Errorf("another nonce: %v", err)
	}
	// The application itself is no QvE, whatever it says.
	self := w.app.TargetInfo()
	own := w.app.Report(&self, v.ReportData(nonce, quote))
	if err := v.Check(w.report, own, nonce, quote, w.id); !errors.Is(err, tvl.QvEIdentityMismatch) {
		w.Errorf("a verdict of the application's: %v", err)
	}
}

// hostile calls the QvE with what is too large, many times at once, and then in
// earnest.
func (w *verifying) hostile(m *testpki.Platform) {
	w.Helper()
	q := m.SGXQuote()
	quote, c := q.Bytes(), qve.NewCollateral(q.Collateral(), dcap.TEESGX)
	large, info := *c, *m.TCBInfo(dcap.TEESGX)
	info.Version = 2 // the shortest text for the largest value
	for len(info.Levels) < 900 {
		info.Levels = append(info.Levels, info.Levels[:min(len(info.Levels), 900-len(info.Levels))]...)
	}
	large.TcbInfo = append(w.pki.TCBInfoJSON(&info), 0)
	done := make(chan error)
	const callers = 12
	for range callers {
		go func() {
			var err error
			for range 5 {
				var ret uint32
				if ret, _, _, err = w.qve.SgxQveVerifyQuote(context.Background(), quote, &large, 1, nil, nil); err != nil || ret == 0 {
					break
				}
			}
			done <- err
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			w.Errorf("large collateral: %v", err)
		}
	}
	large.PckCrl = make([]byte, 512<<10)
	if _, _, _, err := w.qve.SgxQveVerifyQuote(context.Background(), quote, &large, 1, nil, nil); !errors.Is(err, status.ErrOutOfMemory) {
		w.Errorf("too large collateral: %v", err)
	}
	if v, _, code := w.verify(quote, c, [16]byte{}); code != tvl.Success || v.Result != tvl.SWHardeningNeeded {
		w.Errorf("afterwards: %v, %v", code, v.Result)
	}
}

// Without its signer's word the QvE takes no root: it trusts Intel's, or does not
// start.
func TestQvERoot(t *testing.T) {
	m, pki := system.PowerOn(t, enclave.MachineConfig{}), testpki.New()
	s := start(t, m, build.QVE)
	c := edl.NewQve(s)
	defer c.Close()
	q := pki.Platform().SGXQuote()
	ret, _, _, err := c.SgxQveVerifyQuote(t.Context(), q.Bytes(), qve.NewCollateral(q.Collateral(), dcap.TEESGX), pki.Now.Unix(), nil, nil)
	if tvl.Code(ret) != tvl.PCKCertChainError || err != nil {
		t.Errorf("a root that is not Intel's: %v, %v", tvl.Code(ret), err)
	}
	if a := s.e.SECS().Attributes.Flags; s.e.SECS().ISVProdID != tvl.ProdID || a&isa.AttrProvisionKey != 0 {
		t.Errorf("product %d, attributes %#x", s.e.SECS().ISVProdID, a)
	}
	doc, err := qve.SignRoot(pki.Root.DER, newSigner())
	if err != nil {
		t.Fatal(err)
	}
	if code, stderr := end(t, m, build.QVE, hex.EncodeToString(doc)); code != 1 || !bytes.Contains(stderr, []byte("another than the enclave's signer")) {
		t.Errorf("the QvE ended with %d and said %q", code, stderr)
	}
}

// BenchmarkQvE compares a verification in the QvE, with its REPORT, to one outside.
// Both remember the platform. They take turns, so that the ratio is that of one
// machine in one state.
func BenchmarkQvE(b *testing.B) {
	w := newVerifying(b)
	q := w.pki.Platform().TDXQuote()
	quote, c := q.Bytes(), q.Collateral()
	v, err := verify.New(verify.WithRoots(w.pki.Root.DER))
	if err != nil {
		b.Fatal(err)
	}
	in := qve.NewCollateral(c, dcap.TEETDX)
	var outside, inside time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := v.Verify(quote, c, w.pki.Now); err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		if _, _, code := w.verify(quote, in, [16]byte{}); code != tvl.Success {
			b.Fatal(code)
		}
		outside, inside = outside+between.Sub(start), inside+time.Since(between)
	}
	b.ReportMetric(float64(outside.Nanoseconds())/float64(b.N), "outside-ns")
	b.ReportMetric(float64(inside.Nanoseconds())/float64(b.N), "inside-ns")
	b.ReportMetric(inside.Seconds()/outside.Seconds(), "inside/outside")
}
