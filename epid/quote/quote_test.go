package quote_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/epid/quote"
)

// service is the attestation service's key.
var service = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const xeid = 0x12345678

var gid = epid.GroupID{0, 0, 0x0b, 0x37}

// group is a group with its issuer.
type group struct{ issuer *epid.Issuer }

func newGroup(gid epid.GroupID) group { return group{must(epid.NewIssuer(nil, gid))} }

// member makes a member, and returns its secret.
func (g group) member() (*epid.Member, epid.Number) {
	f, nonce := must(epid.NewSecret(nil)), epid.Nonce{1}
	c := must(g.issuer.Certify(nil, epid.SHA256, nonce, must(g.issuer.Group().Join(nil, epid.SHA256, f, nonce))))
	return must(g.issuer.Group().NewMember(c.PrivateKey(f), epid.SHA256)), f
}

func (g group) verifier() *quote.Verifier {
	return &quote.Verifier{Key: service(), XEID: xeid, Groups: []quote.Group{{Group: g.issuer.Group()}}}
}

// newQuote is an unsigned quote.
func newQuote(linkable bool) *quote.Quote {
	q := &quote.Quote{Linkable: linkable, GID: gid, QESVN: 16, PCESVN: 15, XEID: xeid}
	random := [16]byte{}
	if !linkable {
		rand.Read(random[:])
	}
	q.Basename = quote.Basename([16]byte{'s', 'p'}, random)
	q.Body.MREnclave, q.Body.ISVSVN, q.Body.ReportData = [32]byte{1, 2, 3}, 7, [64]byte{'h', 'i'}
	return q
}

// sign signs a quote, and returns its bytes.
func sign(m *epid.Member, q *quote.Quote, l *epid.SigRL) []byte {
	s := must(m.Sign(nil, q.AppendSigned(nil), q.Basename[:], l))
	q.Signature = must(epid.SealSignature(nil, &service().PublicKey, s))
	return q.Bytes()
}

func TestVerify(t *testing.T) {
	g := newGroup(gid)
	v := g.verifier()
	ann, annsSecret := g.member()
	bob, _ := g.member()
	var seen []*quote.Result
	for i, m := range []*epid.Member{ann, ann, bob} {
		for _, linkable := range []bool{true, false} {
			q := newQuote(linkable)
			b := sign(m, q, nil)
			if len(b) != quote.Size(0) || len(b) != 1116 {
				t.Errorf("%d bytes", len(b))
			}
			r, err := v.Verify(append(b, 0, 0)) // a buffer that was too large
			if err != nil {
				t.Fatalf("quote %d, linkable %v: %v", i, linkable, err)
			}
			if r.Quote.Body != q.Body || r.Quote.SPID() != [16]byte{'s', 'p'} || !bytes.Equal(r.Quote.Bytes(), b) {
				t.Errorf("quote %d, linkable %v: %+v", i, linkable, r.Quote)
			}
			seen = append(seen, r)
		}
	}
	for i, a := range seen {
		for j, b := range seen[:i] {
			want := i == 2 && j == 0 // the linkable ones of Ann
			if got := a.Pseudonym == b.Pseudonym; got != want {
				t.Errorf("quotes %d and %d have one pseudonym: %v", j, i, got)
			}
		}
	}

	// Revocations, each with its reason, and each of Ann only.
	q := newQuote(true)
	anns, bobs := sign(ann, q, nil), sign(bob, newQuote(true), nil)
	check := func(what string, v *quote.Verifier, b []byte, want error) {
		t.Helper()
		if r, err := v.Verify(b); !errors.Is(err, want) || (r != nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	l := &epid.PrivRL{GID: gid, Version: 2, Keys: []epid.Number{annsSecret}}
	v.Groups[0].PrivRL = l
	check("Ann, by her key", v, anns, epid.ErrKeyRevoked)
	check("Bob", v, bobs, nil)
	v = g.verifier()
	v.VerifierRL = &epid.VerifierRL{GID: gid, B: seen[0].Signature.B, Entries: []epid.Point{seen[0].Signature.K}}
	check("Ann, by the service provider", v, anns, epid.ErrVerifierRevoked)
	check("Bob", v, bobs, nil)
	v = g.verifier()
	v.GroupRL = &epid.GroupRL{Version: 1, Groups: []epid.GroupID{gid}}
	check("the group", v, bobs, epid.ErrGroupRevoked)
	v = g.verifier()
	list := &epid.SigRL{GID: gid, Version: 3, Entries: []epid.SigRLEntry{seen[1].RevokeBy()}}
	v.Groups[0].SigRL = list
	check("a quote without the SigRL", v, bobs, epid.ErrList)
	withList := sign(bob, newQuote(true), list)
	if len(withList) != quote.Size(1) || len(withList) != 1276 {
		t.Errorf("%d bytes with one entry", len(withList))
	}
	check("Bob, with the SigRL", v, withList, nil)
	if _, err := ann.Sign(nil, q.AppendSigned(nil), q.Basename[:], list); !errors.Is(err, epid.ErrSignatureRevoked) {
		t.Errorf("Ann signs: %v", err)
	}
	// Ann with a proof of Bob's.
	forged := must(ann.Sign(nil, q.AppendSigned(nil), q.Basename[:], nil))
	forged.RLVersion, forged.Proofs = 3, must(epid.OpenSignature(service(), withList[quote.HeaderSize:])).Proofs
	q.Signature = must(epid.SealSignature(nil, &service().PublicKey, forged))
	check("Ann, by one of her quotes", v, q.Bytes(), epid.ErrSignatureRevoked)

	// Other groups.
	v = g.verifier()
	v.XEID++
	check("another extended group", v, bobs, quote.ErrGroup)
	v = newGroup(epid.GroupID{9}).verifier()
	check("another group", v, bobs, quote.ErrGroup)
	check("another group of the same ID", newGroup(gid).verifier(), bobs, epid.ErrSignature)
}

// Every byte of a quote counts.
func TestChanged(t *testing.T) {
	g := newGroup(gid)
	m, _ := g.member()
	v, b := g.verifier(), sign(m, newQuote(false), nil)
	for i := 0; i < len(b); i += 1 + i%7 {
		c := slices.Clone(b)
		c[i] ^= 0x40
		if r, err := v.Verify(c); err == nil {
			t.Errorf("byte %d changed: %+v", i, r.Quote)
		}
	}
	for _, n := range []int{0, 1, 435, 436, 1115} {
		if _, err := v.Verify(b[:n]); !errors.Is(err, quote.ErrFormat) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// The offsets are those of sgx_quote_t.
func TestLayout(t *testing.T) {
	q := newQuote(true)
	q.Signature = make([]byte, 680)
	b := q.Bytes()
	for _, c := range []struct {
		at   int
		want string
	}{
		{0, "0200" + "0100" + "370b0000" + "1000" + "0f00" + "78563412" + "7370"},
		{48 + 64, "010203"}, // MRENCLAVE
		{48 + 258, "0700"},  // ISVSVN
		{48 + 320, "6869"},  // REPORTDATA
		{432, "a8020000"},   // 680
	} {
		want := must(hex.DecodeString(c.want))
		if got := b[c.at:][:len(want)]; !bytes.Equal(got, want) {
			t.Errorf("offset %d: %x, want %x", c.at, got, want)
		}
	}
	if len(b) != 1116 {
		t.Errorf("%d bytes", len(b))
	}
}

func TestPlatformInfo(t *testing.T) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p := &quote.PlatformInfo{
		GroupFlags: quote.GroupOutOfDate, TCBFlags: quote.CPUSVNOutOfDate | quote.ConfigurationNeeded, PSEFlags: 0x102,
		LatestPSVN: [18]byte{3, 17: 4}, LatestPSE: [2]byte{5, 6}, LatestPSDA: [4]byte{7, 8, 9, 10}, XEID: xeid, GID: gid,
	}
	b := must(p.Sign(key))
	const want = "04" + "0009" + "0102" + "0300000000000000000000000000000000" + "04" + "0506" + "0708090a" + "78563412" + "00000b37"
	if got := hex.EncodeToString(b[:37]); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, err := quote.OpenPlatformInfo(&key.PublicKey, b); err != nil || *got != *p {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range b {
		c := b
		c[i] ^= 1
		if _, err := quote.OpenPlatformInfo(&key.PublicKey, c); !errors.Is(err, quote.ErrPlatformInfo) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	q := newQuote(true)
	q.Signature = make([]byte, epid.SealedSize(1))
	f.Add(q.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := quote.Parse(b)
		if err != nil {
			if !errors.Is(err, quote.ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		if c := q.Bytes(); !bytes.Equal(c, b[:len(c)]) {
			t.Fatalf("%x became %x", b, c)
		}
		if _, err := verifierOfFuzz().Verify(b); err == nil {
			t.Fatal("a quote that nobody made")
		}
	})
}

var verifierOfFuzz = sync.OnceValue(func() *quote.Verifier { return newGroup(gid).verifier() })

// BenchmarkVerify is the verification of a quote, without lists.
func BenchmarkVerify(b *testing.B) {
	g := newGroup(gid)
	m, _ := g.member()
	v, raw := g.verifier(), sign(m, newQuote(false), nil)
	for b.Loop() {
		if _, err := v.Verify(raw); err != nil {
			b.Fatal(err)
		}
	}
}
