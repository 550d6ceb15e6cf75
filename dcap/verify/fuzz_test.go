package verify_test

import (
	"bytes"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// FuzzVerify has anything for a quote and its collateral. Nothing may panic, a
// cache changes nothing, and what is accepted is made of parts that this test
// gave away: a fuzzer has no keys.
func FuzzVerify(f *testing.F) {
	known := map[string]bool{}
	// essence is a part without what may follow it.
	essence := func(name string, b []byte) string {
		if name == "quote" {
			return name + string(bytes.TrimRight(b, "\x00"))
		}
		return name + string(bytes.TrimRight(b, "\r\n\x00"))
	}
	var w *world
	for _, k := range allKinds {
		w = newWorld(k)
		w.make()
		if k == tdx5 {
			w.q.CertType = dcap.CertPCKLeaf
			w.raw = w.q.Bytes()
		}
		for _, p := range parts {
			quote, c := w.raw, *w.c
			known[essence(p.name, *p.of(&quote, &c))] = true
		}
		c := w.c
		f.Add(w.raw, c.PCKChain, c.PCKCRLChain, c.RootCRL, c.PCKCRL, c.TCBInfo, c.TCBInfoChain, c.QEIdentity, c.QEIdentityChain)
	}
	warm, err1 := verify.New(w.options...)
	cold, err2 := verify.New(w.options[0], verify.WithCache(0))
	if err1 != nil || err2 != nil {
		f.Fatal(err1, err2)
	}
	f.Fuzz(func(t *testing.T, quote, pck, pckCA, rootCRL, pckCRL, info, infoChain, id, idChain []byte) {
		c := &dcap.Collateral{PCKChain: pck, PCKCRLChain: pckCA, RootCRL: rootCRL, PCKCRL: pckCRL, TCBInfo: info, TCBInfoChain: infoChain, QEIdentity: id, QEIdentityChain: idChain}
		r, err := warm.Verify(quote, c, w.at)
		consistent(t, r, err)
		r2, err := cold.Verify(quote, c, w.at)
		consistent(t, r2, err)
		if verdictOf(r) != verdictOf(r2) || r.Authentic() != r2.Authentic() || r.Explain() != r2.Explain() {
			t.Errorf("with a cache %v, without %v", verdictOf(r), verdictOf(r2))
		}
		if !r.Authentic() {
			return
		}
		for _, p := range parts {
			q, c := quote, *c
			if part := *p.of(&q, &c); !unused(p.name, r.Quote.Certification.Type()) && !known[essence(p.name, part)] {
				t.Errorf("accepted with a %s of the fuzzer's: %q", p.name, part)
			}
		}
	})
}

// FuzzStatus reads names of result codes.
func FuzzStatus(f *testing.F) {
	f.Add("STATUS_OK")
	f.Add("STATUS_TCB_OUT_OF_DATE")
	f.Add("STATUS_255")
	f.Fuzz(func(t *testing.T, name string) {
		s, err := verify.ParseStatus(name)
		if err == nil && s.String() != name {
			t.Errorf("%q is read as %v", name, s)
		}
	})
}
