package epid_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/feidi-dev/feidi/epid"
)

var gid = epid.GroupID{0, 0, 0x0b, 0x37}

func stream(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

func newIssuer(t testing.TB, seed byte) *epid.Issuer {
	t.Helper()
	i, err := epid.NewIssuer(stream(seed), gid)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// join makes a member, with all messages as bytes.
func join(t testing.TB, i *epid.Issuer, seed byte, h epid.Hash) (*epid.Member, epid.PrivateKey) {
	t.Helper()
	r := stream(seed)
	public, err := epid.ParsePublicKey(i.Group().PublicKey().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	g, err := epid.NewGroup(public)
	if err != nil {
		t.Fatal(err)
	}
	f, err := epid.NewSecret(r)
	if err != nil {
		t.Fatal(err)
	}
	nonce := epid.Nonce{seed}
	req, err := g.Join(r, h, f, nonce)
	if err != nil {
		t.Fatal(err)
	}
	if req, err = epid.ParseJoinRequest(req.Bytes()); err != nil {
		t.Fatal(err)
	}
	c, err := i.Certify(r, h, nonce, req)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = epid.ParseCredential(c.Bytes()); err != nil {
		t.Fatal(err)
	}
	k, err := epid.ParsePrivateKey(c.PrivateKey(f).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	m, err := g.NewMember(k, h)
	if err != nil {
		t.Fatal(err)
	}
	return m, k
}

func sign(t testing.TB, m *epid.Member, message, basename string, l *epid.SigRL) *epid.Signature {
	t.Helper()
	s, err := m.Sign(nil, []byte(message), []byte(basename), l)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = epid.ParseSignature(s.Bytes()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignVerify(t *testing.T) {
	i := newIssuer(t, 1)
	for h := epid.SHA256; h <= epid.SHA512_256; h++ {
		m, _ := join(t, i, 2+byte(h), h)
		for _, basename := range []string{"", "a basename"} {
			s := sign(t, m, "message", basename, nil)
			v := epid.Verifier{Group: i.Group(), Hash: h, Basename: []byte(basename)}
			if err := v.Verify(s, []byte("message")); err != nil {
				t.Errorf("hash %d, basename %q: %v", h, basename, err)
			}
			if err := v.Verify(s, []byte("another")); !errors.Is(err, epid.ErrSignature) {
				t.Errorf("hash %d: another message: %v", h, err)
			}
			v.Basename = []byte("another")
			if err := v.Verify(s, []byte("message")); !errors.Is(err, epid.ErrSignature) {
				t.Errorf("hash %d: another basename: %v", h, err)
			}
			v.Basename, v.Hash = nil, (h+1)%4
			if err := v.Verify(s, []byte("message")); !errors.Is(err, epid.ErrSignature) {
				t.Errorf("hash %d: another hash: %v", h, err)
			}
		}
	}
	m, _ := join(t, newIssuer(t, 9), 10, epid.SHA256)
	v := epid.Verifier{Group: i.Group()}
	if err := v.Verify(sign(t, m, "message", "", nil), []byte("message")); !errors.Is(err, epid.ErrSignature) {
		t.Errorf("a member of another group: %v", err)
	}
	v.Hash = 4
	if err := v.Verify(&epid.Signature{}, nil); !errors.Is(err, epid.ErrHash) {
		t.Errorf("hash 4: %v", err)
	}
	v.Hash = epid.SHA256
	if err := v.Verify(&epid.Signature{}, nil); !errors.Is(err, epid.ErrSignature) {
		t.Errorf("a signature of zeros: %v", err)
	}
}

// Every byte of a basic signature matters.
func TestChangedSignature(t *testing.T) {
	i := newIssuer(t, 1)
	m, _ := join(t, i, 2, epid.SHA256)
	b := sign(t, m, "message", "", nil).Bytes()
	v := epid.Verifier{Group: i.Group()}
	step := 1
	if testing.Short() {
		step = 31
	}
	for at := 0; at < epid.BasicSignatureSize; at += step {
		c := bytes.Clone(b)
		c[at] ^= 1 << (at % 8)
		s, err := epid.ParseSignature(c)
		if err == nil {
			err = v.Verify(s, []byte("message"))
		} else if !errors.Is(err, epid.ErrFormat) {
			t.Errorf("byte %d: %v", at, err)
		}
		if err == nil {
			t.Errorf("byte %d may be changed", at)
		}
	}
}

func TestLinked(t *testing.T) {
	i := newIssuer(t, 1)
	m1, _ := join(t, i, 2, epid.SHA256)
	m2, _ := join(t, i, 3, epid.SHA256)
	a := sign(t, m1, "one", "bsn", nil)
	for _, c := range []struct {
		name string
		s    *epid.Signature
		want bool
	}{
		{"same basename", sign(t, m1, "two", "bsn", nil), true},
		{"another basename", sign(t, m1, "one", "bsn2", nil), false},
		{"random basename", sign(t, m1, "one", "", nil), false},
		{"another member", sign(t, m2, "one", "bsn", nil), false},
	} {
		if got := epid.Linked(a, c.s); got != c.want {
			t.Errorf("%s: linked is %v", c.name, got)
		}
	}
	if r := sign(t, m1, "one", "", nil); epid.Linked(r, sign(t, m1, "one", "", nil)) {
		t.Error("two signatures with random basenames are linked")
	}
}

func TestJoinRefused(t *testing.T) {
	i := newIssuer(t, 1)
	g := i.Group()
	f, err := epid.NewSecret(stream(2))
	if err != nil {
		t.Fatal(err)
	}
	nonce := epid.Nonce{1}
	good, err := g.Join(nil, epid.SHA256, f, nonce)
	if err != nil {
		t.Fatal(err)
	}
	other, err := g.Join(nil, epid.SHA256, epid.Number{31: 7}, nonce)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		nonce epid.Nonce
		hash  epid.Hash
		req   epid.JoinRequest
		want  error
	}{
		"replay":         {epid.Nonce{2}, epid.SHA256, good, epid.ErrJoin},
		"another hash":   {nonce, epid.SHA384, good, epid.ErrJoin},
		"unknown hash":   {nonce, 4, good, epid.ErrHash},
		"F of another":   {nonce, epid.SHA256, epid.JoinRequest{F: other.F, C: good.C, S: good.S}, epid.ErrJoin},
		"infinity":       {nonce, epid.SHA256, epid.JoinRequest{C: good.C, S: good.S}, epid.ErrJoin},
		"not on curve":   {nonce, epid.SHA256, epid.JoinRequest{F: epid.Point{1}, C: good.C, S: good.S}, epid.ErrJoin},
		"c is too large": {nonce, epid.SHA256, epid.JoinRequest{F: good.F, C: epid.Number(bytes.Repeat([]byte{255}, 32)), S: good.S}, epid.ErrJoin},
	} {
		if _, err := i.Certify(nil, c.hash, c.nonce, c.req); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, err := i.Certify(nil, epid.SHA256, nonce, good); err != nil {
		t.Errorf("the good one: %v", err)
	}
	if _, err := g.Join(nil, epid.SHA256, epid.Number{}, nonce); !errors.Is(err, epid.ErrKey) {
		t.Errorf("secret 0: %v", err)
	}
}

func TestKeysRefused(t *testing.T) {
	i := newIssuer(t, 1)
	g := i.Group()
	_, k := join(t, i, 2, epid.SHA256)
	for name, change := range map[string]func(*epid.PrivateKey){
		"gid":       func(k *epid.PrivateKey) { k.GID[3]++ },
		"A":         func(k *epid.PrivateKey) { k.A = i.Group().PublicKey().H1 },
		"A is 0":    func(k *epid.PrivateKey) { k.A = epid.Point{} },
		"x":         func(k *epid.PrivateKey) { k.X[31] ^= 1 },
		"f":         func(k *epid.PrivateKey) { k.F[31] ^= 1 },
		"f is 0":    func(k *epid.PrivateKey) { k.F = epid.Number{} },
		"off curve": func(k *epid.PrivateKey) { k.A[0] ^= 1 },
		"x above p": func(k *epid.PrivateKey) { k.X = epid.Number(bytes.Repeat([]byte{255}, 32)) },
	} {
		bad := k
		change(&bad)
		if _, err := g.NewMember(bad, epid.SHA256); !errors.Is(err, epid.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	public := g.PublicKey()
	for name, change := range map[string]func(*epid.PublicKey){
		"h1 is 0":     func(k *epid.PublicKey) { k.H1 = epid.Point{} },
		"h2 is 0":     func(k *epid.PublicKey) { k.H2 = epid.Point{} },
		"h1":          func(k *epid.PublicKey) { k.H1[63] ^= 1 },
		"w is 0":      func(k *epid.PublicKey) { k.W = epid.Point2{} },
		"w off curve": func(k *epid.PublicKey) { k.W[127] ^= 1 },
	} {
		bad := public
		change(&bad)
		if _, err := epid.NewGroup(bad); !errors.Is(err, epid.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	key, err := epid.ParseIssuerKey(i.Key().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := epid.OpenIssuer(public, key); err != nil {
		t.Error(err)
	}
	key.Gamma[31] ^= 1
	if _, err := epid.OpenIssuer(public, key); !errors.Is(err, epid.ErrKey) {
		t.Errorf("another gamma: %v", err)
	}
}

func TestCompressedKey(t *testing.T) {
	i := newIssuer(t, 1)
	signs := map[bool]bool{}
	for seed := range byte(6) {
		c, err := i.Compressed([32]byte{seed})
		if err != nil {
			t.Fatal(err)
		}
		back, err := epid.ParseCompressedKey(c.Bytes())
		if err != nil || back != c {
			t.Fatalf("%v", err)
		}
		k, err := i.Group().Decompress(c)
		if err != nil {
			t.Fatal(err)
		}
		signs[k.A[63]&1 == 0] = true
		if _, err := i.Group().NewMember(k, epid.SHA256); err != nil {
			t.Error(err)
		}
		if _, err := newIssuer(t, 7).Group().Decompress(c); !errors.Is(err, epid.ErrKey) {
			t.Errorf("another group: %v", err)
		}
		c.Seed[0] ^= 128
		if _, err := i.Group().Decompress(c); !errors.Is(err, epid.ErrKey) {
			t.Errorf("another seed: %v", err)
		}
	}
	if len(signs) != 2 {
		t.Error("the seeds try one root only: take others")
	}
}

// The source of random numbers may fail; then there is no signature.
func TestRandomFails(t *testing.T) {
	i := newIssuer(t, 1)
	m, _ := join(t, i, 2, epid.SHA256)
	for n := 0; n < 6*64; n += 63 {
		if s, err := m.Sign(io.LimitReader(stream(3), int64(n)), nil, nil, nil); err == nil || s != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := epid.NewIssuer(bytes.NewReader(nil), gid); !errors.Is(err, io.EOF) {
		t.Errorf("NewIssuer: %v", err)
	}
}

func BenchmarkSign(b *testing.B) {
	i := newIssuer(b, 1)
	m, _ := join(b, i, 2, epid.SHA256)
	for b.Loop() {
		if _, err := m.Sign(nil, []byte("message"), []byte("basename"), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	i := newIssuer(b, 1)
	m, _ := join(b, i, 2, epid.SHA256)
	s := sign(b, m, "message", "basename", nil)
	v := epid.Verifier{Group: i.Group()}
	for b.Loop() {
		if err := v.Verify(s, []byte("message")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJoin(b *testing.B) {
	i := newIssuer(b, 1)
	for b.Loop() {
		join(b, i, 2, epid.SHA256)
	}
}
