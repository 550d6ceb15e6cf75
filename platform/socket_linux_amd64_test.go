package platform_test

import (
	"testing"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform"
	"github.com/feidi-dev/feidi/testsuite/system"
)

// serve puts the platform behind AESM's socket.
func serve(t testing.TB, p *platform.Platform) *aesm.Client {
	t.Helper()
	return aesm.New(aesm.Options{Path: system.Serve(t, aesm.Services{Quote: []aesm.QuoteService{p}})})
}

// The platform behind AESM's socket, for clients that ask which key there is and
// for those that know but Intel's.
func TestSocket(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	c := serve(t, h.Platform)
	h.register()
	q, err := c.Quote(t.Context(), func(target *isa.TargetInfo) (*isa.Report, error) { return h.report(target), nil })
	if err != nil {
		t.Fatal(err)
	}
	r := w.verified(q)
	if r.Quote.Padding != 0 {
		t.Errorf("%d bytes of padding", r.Quote.Padding)
	}
	ids, err := c.GetSupportedAttKeyIDs(t.Context())
	if err != nil || len(ids) != 2 || ids[0] != h.KeyID() || ids[1] != aesm.DefaultECDSAKeyID() {
		t.Fatalf("%v, %v", ids, err)
	}
	for _, key := range ids {
		target, keyID, err := c.InitQuoteEx(t.Context(), &key)
		if err != nil {
			t.Fatal(err)
		}
		size, err := c.GetQuoteSizeEx(t.Context(), &key)
		if err != nil {
			t.Fatal(err)
		}
		info := &aesm.QEReportInfo{Target: h.app.TargetInfo()}
		q, err := c.GetQuoteEx(t.Context(), &key, h.report(target), size, info)
		if err != nil {
			t.Fatal(err)
		}
		if r := w.verified(q); !h.app.Accepts(&info.QEReport) || len(q) != int(size) || [32]byte(keyID) != [32]byte(r.Quote.QEReport.ReportData[:32]) {
			t.Errorf("%v: %d bytes of %d, key %x", &key, len(q), size, keyID)
		}
		_, err = c.GetQuoteEx(t.Context(), &key, new(isa.Report), size, nil)
		system.CodeIs(t, "no report", err, aesm.ErrInvalidReport)
	}
}
