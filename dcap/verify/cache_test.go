package verify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// TestCacheTimes asks one verifier about many times, in no order. What it
// remembers must not outlive any validity: each answer is that of a verifier
// that remembers nothing, and at the edges it is the one that is expected.
func TestCacheTimes(t *testing.T) {
	for _, k := range []kind{sgx3, tdx15} {
		w := newWorld(k)
		now := w.pki.Now
		// Each document has a span of its own: they end day after day.
		span := func(day int) func(*testpki.Template) {
			return func(t *testpki.Template) { t.NotBefore, t.NotAfter = now.AddDate(0, 0, -day), now.AddDate(0, 0, day) }
		}
		list := func(day int) func(*testpki.CRLTemplate) {
			return func(t *testpki.CRLTemplate) {
				t.ThisUpdate, t.NextUpdate = now.AddDate(0, 0, -day), now.AddDate(0, 0, day)
			}
		}
		w.pki.Root, w.pki.PlatformCA, w.pki.TCBSigning = w.pki.Root.Reissue(span(9)), w.pki.PlatformCA.Reissue(span(8)), w.pki.TCBSigning.Reissue(span(6))
		w.reissue(span(7))
		info, id := w.info(), w.identity()
		info.IssueDate, info.NextUpdate = now.AddDate(0, 0, -3), now.AddDate(0, 0, 3)
		id.IssueDate, id.NextUpdate = now.AddDate(0, 0, -2), now.AddDate(0, 0, 2)
		w.make()
		w.c.RootCRL, w.c.PCKCRL = w.pki.Root.CRL(list(5)), w.pki.PlatformCA.CRL(list(4))

		// From the last to end to the first: what fails from that day on.
		after := []verdict{
			2: {id: verify.StatusSGXEnclaveIdentityExpired},
			3: {id: verify.StatusSGXEnclaveIdentityExpired, tcb: verify.StatusSGXTCBInfoExpired},
			4: {pck: verify.StatusSGXCRLExpired, id: verify.StatusSGXEnclaveIdentityExpired, tcb: verify.StatusSGXTCBInfoExpired},
			5: {pck: verify.StatusSGXCRLExpired, id: verify.StatusSGXCRLExpired, tcb: verify.StatusSGXCRLExpired},
			6: {pck: verify.StatusSGXCRLExpired, id: verify.StatusSGXSigningCertChainExpired, tcb: verify.StatusSGXSigningCertChainExpired},
			7: {pck: verify.StatusSGXPCKCertChainExpired, id: verify.StatusSGXSigningCertChainExpired, tcb: verify.StatusSGXSigningCertChainExpired},
		}
		type moment struct {
			at   time.Time
			want verdict
		}
		moments := []moment{{at: now}, {at: now.AddDate(0, 0, 2)}, {at: now.AddDate(0, 0, -2)}}
		for day := 2; day < len(after); day++ {
			moments = append(moments, moment{now.AddDate(0, 0, day).Add(time.Second), after[day]})
			if day+1 < len(after) {
				moments = append(moments, moment{now.AddDate(0, 0, day+1), after[day]})
			}
		}
		// Before they begin lists and documents fail the same way, but for
		// certificates, of which it is asked last.
		for day := 2; day < 6; day++ {
			moments = append(moments, moment{now.AddDate(0, 0, -day).Add(-time.Second), after[day]})
		}
		v, cold := w.verifier(t), w.verifier(t, verify.WithCache(0))
		random := rand.New(rand.NewPCG(1, 2))
		for range 6 {
			random.Shuffle(len(moments), func(i, j int) { moments[i], moments[j] = moments[j], moments[i] })
			for _, m := range moments {
				r, err := v.Verify(w.raw, w.c, m.at)
				r2, _ := cold.Verify(w.raw, w.c, m.at)
				if verdictOf(r) != m.want || verdictOf(r2) != m.want || !r.Authentic() {
					t.Fatalf("%s, %v from now: %v, without cache %v, want %v\n%v", k.name, m.at.Sub(now), verdictOf(r), verdictOf(r2), m.want, err)
				}
			}
		}
	}
}

// TestCacheRevocation has a newer list appear after all was found to be good.
func TestCacheRevocation(t *testing.T) {
	w := newWorld(tdx4)
	w.make()
	v := w.verifier(t)
	good := *w.c
	verify3 := func(what string, want verdict) {
		t.Helper()
		for range 3 {
			if r, err := v.Verify(w.raw, w.c, w.at); verdictOf(r) != want {
				t.Errorf("%s: %v, want %v\n%v", what, verdictOf(r), want, err)
			}
		}
	}
	number := func(t *testpki.CRLTemplate) { t.Extensions[0] = testpki.CRLNumber(2) }
	verify3("before", verdict{})
	w.pki.PlatformCA.Revoke(w.m.PCK)
	w.c.PCKCRL = w.pki.PlatformCA.CRL(number)
	verify3("PCK revoked", verdict{pck: verify.StatusSGXPCKRevoked, quote: verify.StatusPCKRevoked})
	*w.c = good
	verify3("the older list again, which is still in its time", verdict{})
	w.pki.Root.Revoke(w.pki.TCBSigning)
	w.c.RootCRL = w.pki.Root.CRL(number)
	verify3("TCB signer revoked", all(verify.StatusOK, verify.StatusSGXTCBSigningCertRevoked))
	w.pki.Root.Revoke(w.pki.PlatformCA)
	w.c.RootCRL = w.pki.Root.CRL(number)
	verify3("CA revoked", all(verify.StatusSGXIntermediateCARevoked, verify.StatusSGXTCBSigningCertRevoked))
	*w.c = good
	verify3("after", verdict{})
}

// TestCacheOtherKeys mixes the documents of two fake Intels, which differ in
// nothing but their keys, before one verifier that trusts the first and one
// that trusts both.
func TestCacheOtherKeys(t *testing.T) {
	a := newWorld(tdx15)
	b := newWorld(tdx15)
	b.pki = testpki.New(testpki.Seed("other"))
	b.m = b.pki.Platform()
	b.quote()
	a.make()
	b.make()
	both := verify.WithRoots(b.pki.Root.DER)
	v, cold := a.verifier(t), a.verifier(t, verify.WithCache(0))
	v2, cold2 := a.verifier(t, both), a.verifier(t, both, verify.WithCache(0))
	used := slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return unused(p.name, dcap.CertPCKChain) })
	good := 0
	for range 2 {
		for mask := range 1 << len(used) {
			quote, c := a.raw, *a.c
			for i, p := range used {
				if mask>>i&1 != 0 {
					other, oc := b.raw, *b.c
					*p.of(&quote, &c) = *p.of(&other, &oc)
				}
			}
			r, _ := v.Verify(quote, &c, a.at)
			r2, _ := cold.Verify(quote, &c, a.at)
			r3, _ := v2.Verify(quote, &c, a.at)
			r4, _ := cold2.Verify(quote, &c, a.at)
			if verdictOf(r) != verdictOf(r2) || verdictOf(r3) != verdictOf(r4) {
				t.Fatalf("mask %b: %v and cold %v; with both roots %v and cold %v", mask, verdictOf(r), verdictOf(r2), verdictOf(r3), verdictOf(r4))
			}
			isA, isB := mask == 0, mask == 1<<len(used)-1
			if r.Authentic() != isA || r3.Authentic() != (isA || isB) {
				t.Errorf("mask %b: %v; with both roots %v", mask, r.Err(), r3.Err())
			}
			if r3.Authentic() {
				good++
			}
		}
	}
	if good != 2*2 {
		t.Errorf("%d mixtures are genuine", good)
	}
}

// inputs are quotes and collateral of many kinds, good and bad.
func inputs(t *testing.T) (v *verify.Verifier, cold *verify.Verifier, list []verify.Input) {
	t.Helper()
	w := newWorld(tdx4)
	v, cold = w.verifier(t), w.verifier(t, verify.WithCache(0))
	for _, k := range allKinds {
		w.kind = k
		for i := range 6 {
			w.m = w.pki.Platform()
			w.quote()
			c := w.q.Collateral()
			raw := w.q.Bytes()
			switch i {
			case 1:
				raw[60] ^= 1
			case 2:
				w.pki.PlatformCA.Revoked = nil
				w.pki.PlatformCA.Revoke(w.m.PCK)
				c.PCKCRL = w.pki.PlatformCA.CRL()
			case 3:
				c.TCBInfo = bytes.Replace(c.TCBInfo, []byte(`"version":3`), []byte(`"version":2`), 1)
			case 4:
				c.TCBInfoChain = w.pki.Root.PEM()
			}
			list = append(list, verify.Input{Quote: raw, Collateral: c, At: w.at})
		}
		list = append(list, verify.Input{}, verify.Input{Quote: garbage, At: w.at}, verify.Input{Quote: w.q.Bytes(), At: w.at})
	}
	return v, cold, list
}

// TestVerifyAll compares a batch, on all processors and with a cache that all
// share, with one after another and none. It is of more use with -race.
func TestVerifyAll(t *testing.T) {
	v, cold, list := inputs(t)
	var many []verify.Input
	for range 8 {
		many = append(many, list...)
	}
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(many), func(i, j int) { many[i], many[j] = many[j], many[i] })
	good := 0
	for i, o := range v.VerifyAll(t.Context(), many) {
		r, err := cold.Verify(many[i].Quote, many[i].Collateral, many[i].At)
		if verdictOf(r) != verdictOf(o.Result) || (err == nil) != (o.Err == nil) || err != nil && err.Error() != o.Err.Error() || r.Explain() != o.Result.Explain() {
			t.Errorf("input %d: %v, one by one %v", i, o.Err, err)
		}
		if err == nil {
			good++
		}
	}
	if want := 8 * 2 * len(allKinds); good != want {
		t.Errorf("%d are good, want %d", good, want)
	}
	if v.VerifyAll(t.Context(), nil) == nil {
		t.Error("no outcomes of no inputs")
	}
}

func TestVerifyAllCancelled(t *testing.T) {
	v, _, list := inputs(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i, o := range v.VerifyAll(ctx, list) {
		if o.Result != nil || !errors.Is(o.Err, context.Canceled) {
			t.Errorf("input %d: %v, %v", i, o.Result, o.Err)
		}
	}
}

// TestCacheBuffers has a caller who uses his buffers again, while the verifier
// remembers.
func TestCacheBuffers(t *testing.T) {
	w := newWorld(tdx15)
	w.make()
	other := newWorld(tdx15)
	other.m = other.pki.Platform(testpki.FMSPC([6]byte{9}))
	other.quote()
	other.make()
	v := w.verifier(t)
	buffers := func(fill func(i int, b []byte)) ([]byte, *dcap.Collateral) {
		quote, c := w.raw, *w.c
		for i, p := range parts {
			b := p.of(&quote, &c)
			*b = bytes.Clone(*b)
			fill(i, *b)
		}
		return quote, &c
	}
	quote, c := buffers(func(int, []byte) {})
	if _, err := v.Verify(quote, c, w.at); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		b := *p.of(&quote, c)
		for i := range b {
			b[i] = 'x'
		}
	}
	for range 2 {
		if r, _ := v.Verify(quote, c, w.at); r.Status == verify.StatusOK || r.Authentic() {
			t.Error("buffers of nothing but x are accepted")
		}
		if _, err := v.Verify(w.raw, w.c, w.at); err != nil {
			t.Errorf("what was accepted is no more: %v", err)
		}
		if _, err := v.Verify(other.raw, other.c, w.at); err != nil {
			t.Errorf("another platform: %v", err)
		}
	}
	// One buffer for one document after another, each of the same length.
	flipped := []byte(strings.Replace(string(w.c.TCBInfo), "UpToDate", "uptodate", 1))
	one := *w.c
	one.TCBInfo = make([]byte, len(flipped))
	for i := range 6 {
		want := verdict{}
		copy(one.TCBInfo, w.c.TCBInfo)
		if i%2 == 1 {
			copy(one.TCBInfo, flipped)
			want = verdict{tcb: verify.StatusSGXTCBInfoInvalid, quote: verify.StatusUnsupportedTCBInfoFormat}
		}
		if r, err := v.Verify(w.raw, &one, w.at); verdictOf(r) != want {
			t.Errorf("turn %d: %v", i, err)
		}
	}
}

// TestCacheHoldsNothing checks that what is remembered is a copy: the caller's
// buffers, which may be much larger, can be freed.
func TestCacheHoldsNothing(t *testing.T) {
	w := newWorld(sgx3)
	w.make()
	v := w.verifier(t)
	pointers := func() (list []weak.Pointer[byte]) {
		quote, c := bytes.Clone(w.raw), *w.c
		for _, p := range parts {
			b := p.of(&quote, &c)
			*b = bytes.Clone(*b)
			list = append(list, weak.Make(&(*b)[0]))
		}
		if _, err := v.Verify(quote, &c, w.at); err != nil {
			t.Fatal(err)
		}
		return list
	}()
	runtime.GC()
	for i, p := range pointers {
		if p.Value() != nil {
			t.Errorf("%s is held", parts[i].name)
		}
	}
	runtime.KeepAlive(v)
}

// TestCacheEvicts verifies more platforms than there is room for, again and
// again, in caches of several sizes.
func TestCacheEvicts(t *testing.T) {
	w := newWorld(sgx3)
	c := w.q.Collateral()
	var quotes [][]byte
	for i := range 40 {
		w.m = w.pki.Platform()
		w.quote()
		quotes = append(quotes, w.q.Bytes())
		if i%4 == 3 {
			quotes[i][100] ^= 1
		}
	}
	for _, size := range []int{0, 1, 600, 3000, 10000, 40000, 1 << 20} {
		v := w.verifier(t, verify.WithCache(size))
		for round := range 3 {
			for i, q := range quotes {
				r, err := v.Verify(q, c, w.at)
				if want := (verdict{}); i%4 != 3 && verdictOf(r) != want || i%4 == 3 && r.Authentic() {
					t.Errorf("cache of %d, round %d, quote %d: %v", size, round, i, err)
				}
			}
		}
	}
}

// How a verifier says what it is asked twice does not change.
func TestCacheSameWords(t *testing.T) {
	_, cold, list := inputs(t)
	v, _, _ := inputs(t)
	for i, in := range list {
		for range 2 {
			r, err := v.Verify(in.Quote, in.Collateral, in.At)
			r2, err2 := cold.Verify(in.Quote, in.Collateral, in.At)
			if fmt.Sprint(err) != fmt.Sprint(err2) || r.Explain() != r2.Explain() || r.Validity.EarliestExpiration != r2.Validity.EarliestExpiration {
				t.Errorf("input %d: %v, cold %v", i, err, err2)
			}
		}
	}
}
