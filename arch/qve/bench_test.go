package qve_test

import (
	"testing"

	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// BenchmarkVerify is what the QvE adds to dcap/verify, of which it does everything:
// compare "qve" with "direct".
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b, kinds[2])
	c := qve.NewCollateral(w.c, w.tee())
	b.Run("direct", func(b *testing.B) {
		v, err := verify.New(verify.WithRoots(w.pki.Root.DER))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := v.Verify(w.quote, w.c, w.pki.Now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("qve", func(b *testing.B) {
		info, data := w.info(), supplemental(3)
		for b.Loop() {
			if _, code := w.verifyAt(w.pki.Now.Unix(), c, info, data); code != 0 {
				b.Fatal(code)
			}
		}
	})
}
