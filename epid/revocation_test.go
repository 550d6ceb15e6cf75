package epid_test

import (
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/epid"
)

func TestRevocation(t *testing.T) {
	i := newIssuer(t, 1)
	good, _ := join(t, i, 2, epid.SHA256)
	bad, badKey := join(t, i, 3, epid.SHA256)
	third, _ := join(t, i, 4, epid.SHA256)
	message := []byte("message")
	old := sign(t, bad, "an old message", "", nil)
	other := sign(t, third, "an old message", "", nil)

	// A signer that skips its own check proves what is not true: it signs with
	// a list of the same size and version, which the verifier does not have.
	list := &epid.SigRL{GID: gid, Version: 2, Entries: []epid.SigRLEntry{{B: other.B, K: other.K}, {B: old.B, K: old.K}}}
	harmless := &epid.SigRL{GID: gid, Version: 2, Entries: []epid.SigRLEntry{list.Entries[0], list.Entries[0]}}
	lied := sign(t, bad, "message", "bsn", harmless)
	lied.Proofs[1].T = epid.Point{}

	byGood, byBad := sign(t, good, "message", "bsn", list), sign(t, bad, "message", "bsn", nil)
	own := &epid.VerifierRL{GID: gid, B: byBad.B, Version: 1, Entries: []epid.Point{other.K, byBad.K}}
	elsewhere := *own
	elsewhere.B = other.B
	foreign := epid.GroupID{1}
	v := func(change func(*epid.Verifier)) epid.Verifier {
		v := epid.Verifier{
			Group: i.Group(), Basename: []byte("bsn"),
			GroupRL:    &epid.GroupRL{Version: 1, Groups: []epid.GroupID{{9}, {8}}},
			PrivRL:     &epid.PrivRL{GID: gid, Version: 1, Keys: []epid.Number{{31: 1}, badKey.F}},
			VerifierRL: own,
		}
		change(&v)
		return v
	}
	nothing := func(*epid.Verifier) {}
	for _, c := range []struct {
		name string
		v    epid.Verifier
		s    *epid.Signature
		want error
	}{
		{"good", v(func(v *epid.Verifier) { v.SigRL = list }), byGood, nil},
		{"group", v(func(v *epid.Verifier) { v.GroupRL.Groups[1] = gid }), byGood, epid.ErrGroupRevoked},
		{"key", v(nothing), byBad, epid.ErrKeyRevoked},
		{"verifier's", v(func(v *epid.Verifier) { v.PrivRL = nil }), byBad, epid.ErrVerifierRevoked},
		{"verifier's, another basename", v(func(v *epid.Verifier) { v.PrivRL, v.VerifierRL = nil, &elsewhere }), byBad, nil},
		{"no proofs", v(func(v *epid.Verifier) { v.PrivRL, v.SigRL = nil, list }), byBad, epid.ErrList},
		{"lied", epid.Verifier{Group: i.Group(), SigRL: list}, lied, epid.ErrSignatureRevoked},
		{"key list of another group", v(func(v *epid.Verifier) { v.PrivRL.GID = foreign }), byGood, epid.ErrList},
		{"signature list of another group", v(func(v *epid.Verifier) { v.SigRL = &epid.SigRL{GID: foreign} }), byGood, epid.ErrList},
		{"verifier list of another group", v(func(v *epid.Verifier) { v.VerifierRL = &epid.VerifierRL{GID: foreign} }), byGood, epid.ErrList},
	} {
		err := c.v.Verify(c.s, message)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if revoked := c.want != nil && c.want != epid.ErrList; revoked != errors.Is(err, epid.ErrRevoked) {
			t.Errorf("%s: %v", c.name, err)
		}
	}

	if s, err := bad.Sign(nil, message, nil, list); !errors.Is(err, epid.ErrSignatureRevoked) || s != nil {
		t.Errorf("the revoked member signs: %v", err)
	}
	if _, err := good.Sign(nil, message, nil, &epid.SigRL{GID: foreign}); !errors.Is(err, epid.ErrList) {
		t.Errorf("a list of another group: %v", err)
	}
	for n := range byGood.Proofs {
		for _, at := range []func(*epid.NRProof) *byte{
			func(p *epid.NRProof) *byte { return &p.C[31] },
			func(p *epid.NRProof) *byte { return &p.Mu[31] },
			func(p *epid.NRProof) *byte { return &p.Nu[31] },
			func(p *epid.NRProof) *byte { return &p.T[31] },
		} {
			b := at(&byGood.Proofs[n])
			*b ^= 1
			changed := epid.Verifier{Group: i.Group(), SigRL: list}
			if err := changed.Verify(byGood, message); !errors.Is(err, epid.ErrSignatureRevoked) {
				t.Errorf("proof %d changed: %v", n, err)
			}
			*b ^= 1
		}
	}
}
