package qvl_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/platform/qvl"
	"github.com/feidi-dev/feidi/testpki"
)

// processor makes REPORTs that show what they were asked for.
type processor struct{}

func (processor) Report(t *isa.TargetInfo, data [64]byte) (*isa.Report, error) {
	return &isa.Report{ReportBody: isa.ReportBody{
		ReportData: data, MRSigner: [32]byte{1}, ISVProdID: tvl.ProdID, ISVSVN: 12, Attributes: isa.Attributes{Flags: isa.AttrInit},
	}, KeyID: t.Measurement}, nil
}
func (processor) Key(*isa.KeyRequest) (key [16]byte, err error) { return key, errors.New("no keys") }
func (processor) VerifyReport(*isa.Report) error                { return errors.New("no keys") }

// source is a service with the collateral of one platform.
type source struct {
	c     *dcap.Collateral
	asked []pcs.Request
}

var errSource = errors.New("nobody there")

func (s *source) Collateral(_ context.Context, r pcs.Request) (*dcap.Collateral, pcs.Report, error) {
	s.asked = append(s.asked, r)
	if s.c == nil {
		return nil, pcs.Report{}, errSource
	}
	return s.c, pcs.Report{}, nil
}

func TestVerify(t *testing.T) {
	pki := testpki.New()
	m := pki.Platform(testpki.Status(dcap.OutOfDate))
	server, err := qve.New(processor{}, pki.Root.DER)
	if err != nil {
		t.Fatal(err)
	}
	quote := m.TDXQuote().Bytes()
	s := &source{c: m.Collateral(dcap.TEETDX)}
	target, nonce := &isa.TargetInfo{Measurement: [32]byte{7}}, [16]byte{8}
	at := pki.Now.Add(time.Millisecond) // only whole seconds count
	v := qvl.New(server, s)
	got, err := v.Verify(t.Context(), &qvl.Request{Quote: quote, At: at, Target: target, Nonce: nonce})
	if err != nil || got.Result != tvl.OutOfDate || got.Expired || got.Report.KeyID != target.Measurement {
		t.Fatalf("%+v, %v", got, err)
	}
	if want := (pcs.Request{TEE: dcap.TEETDX, FMSPC: m.SGX.FMSPC, CA: pcs.Platform}); len(s.asked) != 1 || s.asked[0] != want {
		t.Errorf("asked for %+v, want %+v", s.asked, want)
	}
	if err := got.Check(func(*isa.Report) error { return nil }, got.Report, nonce, quote, tvl.SignedBy([32]byte{1}, 12)); err != nil {
		t.Error(err)
	}
	if d, err := got.Details(); err != nil || d.Minor != tvl.SupplementalMinor {
		t.Errorf("%+v, %v", d, err)
	}

	// With collateral nobody is asked, and without a target there is no REPORT.
	got, err = qvl.New(server, nil).Verify(t.Context(), &qvl.Request{Quote: quote, Collateral: s.c, At: at})
	if err != nil || got.Result != tvl.OutOfDate || got.Report != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for what, c := range map[string]struct {
		v    *qvl.Verifier
		r    qvl.Request
		want error
	}{
		"no quote":      {v, qvl.Request{Quote: quote[:100]}, tvl.QuoteFormatUnsupported},
		"refused":       {v, qvl.Request{Quote: quote, Collateral: &dcap.Collateral{}}, tvl.TCBInfoUnsupportedFormat},
		"no source":     {qvl.New(server, nil), qvl.Request{Quote: quote}, tvl.InvalidParameter},
		"source fails":  {qvl.New(server, &source{}), qvl.Request{Quote: quote}, errSource},
		"another's PCK": {v, qvl.Request{Quote: testpki.New().Platform().SGXQuote().Bytes(), At: at}, tvl.PCKCertChainError},
	} {
		if got, err := c.v.Verify(t.Context(), &c.r); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	// The time is the present if none is given.
	old := testpki.New(testpki.At(time.Now().Add(-365 * 24 * time.Hour)))
	of := old.Platform()
	if server, err = qve.New(processor{}, old.Root.DER); err != nil {
		t.Fatal(err)
	}
	got, err = qvl.New(server, nil).Verify(t.Context(), &qvl.Request{Quote: of.SGXQuote().Bytes(), Collateral: of.Collateral(dcap.TEESGX)})
	if err != nil || !got.Expired || time.Since(got.At) > time.Minute {
		t.Errorf("%+v, %v", got, err)
	}
}
