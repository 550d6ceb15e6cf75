package web

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testpki"
)

// What a page says of a platform is what the verification of a quote of it finds.
func TestJudgeAgreesWithVerification(t *testing.T) {
	pki := fakeIntel()
	v, err := verify.New(verify.WithRoots(pki.Root.DER))
	if err != nil {
		t.Fatal(err)
	}
	for status := dcap.UpToDate; status <= dcap.Revoked; status++ {
		m := pki.Platform(testpki.Status(status))
		q := m.SGXQuote()
		r, _ := v.Verify(q.Bytes(), q.Collateral(), pki.Now)
		if !r.Authentic() || r.Launch.Platform == nil {
			t.Fatalf("%v: %v", status, r.Err())
		}
		got := judge(r.TCBInfo, r.PCK)
		if got.Status != status || got.Status != r.Launch.Platform.Status || got.Index != r.Launch.Index || got.Level != r.Launch.Platform {
			t.Errorf("%v: %v, level %d", status, got.Status, got.Index)
		}
		better := r.Better()
		if (len(better) == 0) != (len(got.Steps) == 0) {
			t.Fatalf("%v: %d steps, %d better levels", status, len(got.Steps), len(better))
		}
		for _, s := range got.Steps {
			if !slices.Contains(better, s.Level) || !slices.Equal(s.Lacks, r.Shortfalls(s.Level)) || len(s.Lacks) == 0 {
				t.Errorf("%v: a step to %v lacks %v", status, s.Level.Status, s.Lacks)
			}
		}
		if len(better) > 0 && got.Steps[len(got.Steps)-1].Level.Status != dcap.UpToDate {
			t.Errorf("%v: the last step is to %v", status, got.Steps[len(got.Steps)-1].Level.Status)
		}
	}
}

// A platform below all levels meets none, and lacks something of each.
func TestJudgeBelowAll(t *testing.T) {
	m := fakeIntel().Platform(testpki.Status(dcap.Revoked))
	m.SGX.TCB[0], m.SGX.PCESVN = 0, 0
	m.Reissue()
	pck, err := dcap.ParseCertificate(m.PCK.DER)
	if err != nil {
		t.Fatal(err)
	}
	got := judge(m.TCBInfo(dcap.TEESGX), pck)
	if got.Status != dcap.TCBUnknown || got.Level != nil || len(got.Steps) == 0 || len(got.Steps[0].Lacks) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestJudgeTCBm(t *testing.T) {
	f := healthy()
	info := fakeIntel().TCBInfo(dcap.TEESGX, fmspcs[0])
	p := f.platforms[0]
	p.Certs = append([]store.PCKCert{{TCBm: "00", Cert: "no certificate"}}, p.Certs...)
	for tcbm, want := range map[string]bool{p.TCBs[0].TCBm: true, "00": false, "": false, "FF": false} {
		v := judgeTCBm(info, &p, tcbm)
		if (v.Why == "") != want || (v.Level != nil) != want {
			t.Errorf("TCBm %q: %+v", tcbm, v)
		}
	}
	if v := judgeTCBm(nil, &p, p.TCBs[0].TCBm); v.Why == "" {
		t.Error("judged without a TCB info")
	}
}

func TestCensus(t *testing.T) {
	f := healthy()
	want := map[string]int{}
	for _, p := range f.platforms { // each has one TCB
		want[p.FMSPC+" "+p.TCBs[0].TCBm]++
	}
	got := take(t.Context(), f.handler(t).source.groups)
	if got.Err != nil {
		t.Fatal(got.Err)
	}
	n := 0
	for fmspc, groups := range got.Groups {
		for _, g := range groups {
			n++
			if w := want[fmspc+" "+g.TCBm]; g.Count != w || g.FMSPC != fmspc {
				t.Errorf("%s %s: %d of %s, want %d", fmspc, g.TCBm, g.Count, g.FMSPC, w)
			}
		}
	}
	if n != len(want) {
		t.Errorf("%d groups, want %d", n, len(want))
	}
}

// While a count fails, the last one stands; the page says why.
func TestCensusFails(t *testing.T) {
	f := healthy()
	list := f.handler(t).source.groups
	var c census
	first := c.get(t.Context(), list)
	for first.At.IsZero() {
		first = c.get(t.Context(), list)
	}
	c.mu.Lock()
	c.next = c.last.At
	c.mu.Unlock()
	gone := errors.New("gone")
	second := c.get(t.Context(), func(context.Context, int) ([]store.TCBGroup, error) { return nil, gone })
	for second.Err == nil {
		second = c.get(t.Context(), list)
	}
	if !errors.Is(second.Err, gone) || len(second.Groups) != len(first.Groups) || !second.At.Equal(first.At) {
		t.Errorf("%+v, after %+v", second, first)
	}
}
