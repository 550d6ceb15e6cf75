package verifyd_test

import (
	"bytes"
	"net/http/httptest"
	"testing"

	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/verifyd"
	"github.com/feidi-dev/feidi/verifyd/wire"
)

// BenchmarkRequest is a request with a raw quote whose collateral and PCK
// certificate are known, beside the verification alone.
func BenchmarkRequest(b *testing.B) {
	root := pki.Root.DER
	q := pki.Platform().TDXQuote()
	raw, collateral := q.Bytes(), q.Collateral()
	v, err := verify.New(verify.WithRoots(root))
	if err != nil {
		b.Fatal(err)
	}
	j, err := wire.Default(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("verification", func(b *testing.B) {
		for b.Loop() {
			if _, err := v.Verify(raw, collateral, pki.Now); err != nil {
				b.Fatal(err)
			}
		}
	})
	h := verifyd.NewHandler(verifyd.Config{Verifier: v, Judge: j, Source: verifyd.Fixed(collateral)})
	b.Run("request", func(b *testing.B) {
		for b.Loop() {
			r := httptest.NewRequest("POST", "/v1/verify?at=2026-06-02", bytes.NewReader(raw))
			r.Header.Set("Content-Type", rawType)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != 200 {
				b.Fatalf("%d: %s", w.Code, w.Body)
			}
		}
	})
}
