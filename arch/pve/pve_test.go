package pve_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/epidqe"
	"github.com/feidi-dev/feidi/arch/internal/fake"
	"github.com/feidi-dev/feidi/arch/pve"
	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// keys are those of a factory, drawn once.
var keys = sync.OnceValue(func() (k struct {
	signer, ppid, service *rsa.PrivateKey
	signing               *ecdsa.PrivateKey
	mrSigner              [32]byte
}) {
	k.signer, k.ppid = must(sign.GenerateKey(rand.Reader)), must(rsa.GenerateKey(rand.Reader, 3072))
	k.service, k.signing = must(rsa.GenerateKey(rand.Reader, 2048)), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	n := k.signer.N.FillBytes(make([]byte, isa.RSAKeySize))
	slices.Reverse(n)
	k.mrSigner = sha256.Sum256(n)
	return k
})

func group() *pve.Group {
	k := keys()
	return &pve.Group{XEID: 7, SigningKey: &k.signing.PublicKey, Service: &k.service.PublicKey, PPIDKey: &k.ppid.PublicKey}
}

var issuer = sync.OnceValue(func() *epid.Issuer { return must(epid.NewIssuer(nil, epid.GroupID{1, 2, 3, 4})) })

// processor is a fake that has provisioning seal keys, as seal keys of another mask.
type processor struct{ *fake.Enclave }

func (p processor) Key(q *isa.KeyRequest) ([16]byte, error) {
	if q.KeyName == isa.KeyProvisionSeal {
		r := *q
		r.KeyName, r.KeyPolicy, r.MiscMask = isa.KeySeal, isa.PolicyMRSigner, 0x77
		return p.Enclave.Key(&r)
	}
	return p.Enclave.Key(q)
}

var own = pve.SVN{CPU: [16]byte{3, 3}, ISV: 16}

// newPvE is a PvE on a machine of its own.
func newPvE(root byte) (*pve.PvE, processor) {
	m := &fake.Platform{Root: [16]byte{root}, Seal: [16]byte{2}, CPUSVN: own.CPU, KeyID: [32]byte{3}}
	p := processor{m.NewEnclave("pve", "maker", own.ISV, isa.AttrProvisionKey)}
	return pve.New(p, group()), p
}

// provisioningKey is what the factory computes.
func provisioningKey(p processor, svn pve.SVN) [16]byte {
	q := derive.ProvisioningRequest(svn.CPU, svn.ISV)
	return must(p.Key(&q))
}

var ctx = context.Background()

// begin makes message 1, and the factory's session.
func begin(t testing.TB, e *pve.PvE, p processor) ([]byte, *pve.Session) {
	t.Helper()
	ret, first, err := e.GenProvMsg1Data(ctx, pve.BeginSize)
	if ret != pve.Success || err != nil {
		t.Fatal(ret, err)
	}
	return first, must(pve.Accept(first, provisioningKey(p, own)))
}

func groupFile() []byte {
	return must(epid.SignFile(keys().signing, epid.FilePublicKey, issuer().Group().PublicKey().Bytes()))
}

var nonce = epid.Nonce{9}

// provision makes a member, and returns the blob and h1·f.
func provision(t testing.TB, e *pve.PvE, p processor, at pve.SVN) (blob []byte, f epid.Point) {
	t.Helper()
	_, s := begin(t, e, p)
	ret, third, _ := e.ProcProvMsg2Data(ctx, must(s.Challenge(groupFile(), nonce, at)), pve.JoinSize)
	if ret != pve.Success {
		t.Fatal(ret)
	}
	join := must(s.OpenJoin(third))
	ret, blob, _ = e.ProcProvMsg4Data(ctx, s.Membership(must(issuer().Certify(nil, epid.SHA256, nonce, join))), epidqe.BlobSize)
	if ret != pve.Success {
		t.Fatal(ret)
	}
	return blob, join.F
}

func TestProvision(t *testing.T) {
	e, p := newPvE(1)
	first, _ := begin(t, e, p)
	svn, encrypted, err := pve.ReadBegin(first)
	if err != nil || svn != own || !bytes.HasPrefix(first, []byte("FEIDI-EP\x00\x01\x00\x01\x00\x00\x00\x07")) {
		t.Errorf("%x, %+v, %v", first[:16], svn, err)
	}
	want := derive.PPID(provisioningKey(p, pve.SVN{}))
	if got := must(rsa.DecryptOAEP(sha256.New(), nil, keys().ppid, encrypted, nil)); !bytes.Equal(got, want[:]) {
		t.Errorf("PPID %x, want %x", got, want)
	}

	blob, f := provision(t, e, p, own)
	d, err := epidqe.ParseData(blob)
	if err != nil || d.XEID != 7 || d.Group != issuer().Group().PublicKey() || d.CPUSVN != own.CPU || d.PvESVN != own.ISV ||
		!d.Service.Equal(&keys().service.PublicKey) || !d.SigningKey.Equal(&keys().signing.PublicKey) {
		t.Errorf("%+v, %v", d, err)
	}
	// The secret depends on the machine and on the SVNs that the factory names, and
	// on nothing else.
	lower := pve.SVN{CPU: [16]byte{3, 2}, ISV: 4}
	seen := map[epid.Point]string{f: "itself"}
	if _, again := provision(t, e, p, own); again != f {
		t.Error("provisioned twice, with two secrets")
	}
	if _, again := provision(t, e, p, lower); seen[again] != "" {
		t.Error("the secret does not depend on the SVNs")
	} else if _, third := provision(t, e, p, lower); third != again {
		t.Error("provisioned twice at lower SVNs, with two secrets")
	}
	other, q := newPvE(2)
	if _, f := provision(t, other, q, own); seen[f] != "" {
		t.Error("two machines have one secret")
	}
}

// What the host or somebody else makes of the messages is refused, and then only
// message 1 is taken.
func TestRefused(t *testing.T) {
	e, p := newPvE(1)
	other, q := newPvE(2)
	_, foreign := begin(t, other, q)
	check := func(what string, got, want uint32) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	challenge := func(s *pve.Session, file []byte, at pve.SVN) []byte { return must(s.Challenge(file, nonce, at)) }
	bad := func(b []byte, at int) []byte { b = bytes.Clone(b); b[at] ^= 1; return b }
	for _, c := range []struct {
		what    string
		message func(*pve.Session) []byte
		want    uint32
	}{
		{"another machine's", func(*pve.Session) []byte { return challenge(foreign, groupFile(), own) }, pve.IntegrityError},
		{"a byte of the nonce", func(s *pve.Session) []byte { return bad(challenge(s, groupFile(), own), 400) }, pve.IntegrityError},
		{"a byte of the transaction", func(s *pve.Session) []byte { return bad(challenge(s, groupFile(), own), 20) }, pve.IntegrityError},
		{"another kind", func(s *pve.Session) []byte { return bad(challenge(s, groupFile(), own), 11) }, pve.ParameterError},
		{"another version", func(s *pve.Session) []byte { return bad(challenge(s, groupFile(), own), 9) }, pve.ParameterError},
		{"a byte less", func(s *pve.Session) []byte { return challenge(s, groupFile(), own)[1:] }, pve.ParameterError},
		{"a group that the issuer did not sign", func(s *pve.Session) []byte { return challenge(s, bad(groupFile(), 40), own) }, pve.MessageError},
		{"SVNs above the machine's", func(s *pve.Session) []byte { return challenge(s, groupFile(), pve.SVN{CPU: [16]byte{4}}) }, pve.MessageError},
	} {
		_, s := begin(t, e, p)
		ret, third, _ := e.ProcProvMsg2Data(ctx, c.message(s), pve.JoinSize)
		check(c.what, ret, c.want)
		if third != nil {
			t.Errorf("%s: it was answered", c.what)
		}
		ret, _, _ = e.ProcProvMsg2Data(ctx, challenge(s, groupFile(), own), pve.JoinSize)
		check(c.what+", and once more", ret, pve.OrderError)
	}

	// Message 4, likewise.
	membership := func(edit func(*pve.Session, epid.Credential) []byte) uint32 {
		_, s := begin(t, e, p)
		_, third, _ := e.ProcProvMsg2Data(ctx, challenge(s, groupFile(), own), pve.JoinSize)
		c := must(issuer().Certify(nil, epid.SHA256, nonce, must(s.OpenJoin(third))))
		ret, blob, _ := e.ProcProvMsg4Data(ctx, edit(s, c), epidqe.BlobSize)
		if (blob != nil) != (ret == pve.Success) {
			t.Errorf("code %d and a blob of %d bytes", ret, len(blob))
		}
		return ret
	}
	check("a credential", membership(func(s *pve.Session, c epid.Credential) []byte { return s.Membership(c) }), pve.Success)
	check("a credential of nobody", membership(func(s *pve.Session, c epid.Credential) []byte { c.X[31] ^= 1; return s.Membership(c) }), pve.MessageError)
	check("a changed one", membership(func(s *pve.Session, c epid.Credential) []byte { return bad(s.Membership(c), 90) }), pve.IntegrityError)
	check("message 2", membership(func(s *pve.Session, c epid.Credential) []byte { return challenge(s, groupFile(), own) }), pve.ParameterError)

	ret, _, _ := e.ProcProvMsg4Data(ctx, make([]byte, pve.MembershipSize), epidqe.BlobSize)
	check("message 4 before all others", ret, pve.OrderError)
	_, s := begin(t, e, p)
	ret, _, _ = e.ProcProvMsg4Data(ctx, s.Membership(epid.Credential{}), epidqe.BlobSize)
	check("message 4 after 1", ret, pve.OrderError)
	ret, _, _ = e.GenProvMsg1Data(ctx, pve.BeginSize-1)
	check("no room for message 1", ret, pve.ParameterError)
	ret, _, _ = pve.New(p, nil).GenProvMsg1Data(ctx, pve.BeginSize)
	check("no group", ret, pve.GroupError)
	for _, fail := range []func(){func() { p.FailReport.Store(1) }, func() { p.FailKey.Store(1) }, func() { p.FailKey.Store(2) }} {
		fail()
		ret, _, _ = e.GenProvMsg1Data(ctx, pve.BeginSize)
		check("a leaf that fails", ret, pve.UnexpectedError)
	}
}

// The factory takes no message that the machine did not make.
func TestAccept(t *testing.T) {
	e, p := newPvE(1)
	first, _ := begin(t, e, p)
	key := provisioningKey(p, own)
	for i := range first {
		b := bytes.Clone(first)
		b[i] ^= 1
		if _, err := pve.Accept(b, key); !errors.Is(err, pve.ErrIntegrity) && !errors.Is(err, pve.ErrMessage) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	if _, err := pve.Accept(first, provisioningKey(p, pve.SVN{CPU: own.CPU, ISV: 15})); !errors.Is(err, pve.ErrIntegrity) {
		t.Errorf("the key of another SVN: %v", err)
	}
	_, s := begin(t, e, p)
	ret, third, _ := e.ProcProvMsg2Data(ctx, must(s.Challenge(groupFile(), nonce, own)), pve.JoinSize)
	if ret != pve.Success {
		t.Fatal(ret)
	}
	for i := range third {
		b := bytes.Clone(third)
		b[i] ^= 1
		if _, err := s.OpenJoin(b); !errors.Is(err, pve.ErrIntegrity) && !errors.Is(err, pve.ErrMessage) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	if _, err := s.OpenJoin(third); err != nil {
		t.Error(err)
	}
	if _, err := s.OpenJoin(third); !errors.Is(err, pve.ErrIntegrity) {
		t.Errorf("a message twice: %v", err)
	}
}

func TestGroup(t *testing.T) {
	g, k := group(), keys()
	doc := must(g.Sign(k.signer))
	if len(doc) != pve.DocumentSize {
		t.Errorf("%d bytes", len(doc))
	}
	got, err := pve.Argument([]string{hex.EncodeToString(doc)}, k.mrSigner)
	if err != nil || got.XEID != 7 || !got.SigningKey.Equal(g.SigningKey) || !got.Service.Equal(g.Service) || !got.PPIDKey.Equal(g.PPIDKey) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := pve.Argument(nil, k.mrSigner); got != nil || err != nil {
		t.Errorf("no argument: %v, %v", got, err)
	}
	for i := 0; i < len(doc); i += 13 {
		b := bytes.Clone(doc)
		b[i] ^= 1
		if _, err := pve.OpenGroup(b, k.mrSigner); !errors.Is(err, pve.ErrGroup) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	for what, args := range map[string][]string{"no hexadecimal": {"x"}, "short": {"00"}, "two": {"", ""}} {
		if _, err := pve.Argument(args, k.mrSigner); !errors.Is(err, pve.ErrGroup) {
			t.Errorf("%s: %v", what, err)
		}
	}
	g.Service = g.PPIDKey
	if _, err := g.Sign(k.signer); !errors.Is(err, pve.ErrGroup) || !strings.Contains(err.Error(), "3072 bits in place of RSA-2048") {
		t.Errorf("a key of another size: %v", err)
	}
}

// FuzzMessages gives both sides what is no message of the other's.
func FuzzMessages(f *testing.F) {
	e, p := newPvE(1)
	first, s := begin(f, e, p)
	f.Add(first)
	f.Add(must(s.Challenge(groupFile(), nonce, own)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := pve.ParseHeader(b); err != nil && !errors.Is(err, pve.ErrMessage) || err == nil && h.Kind == 0 {
			t.Fatal(h, err)
		}
		if _, err := pve.Accept(b, [16]byte{1}); err == nil {
			t.Fatal("a message 1 that nobody made")
		}
		e, p := newPvE(1)
		_, s := begin(t, e, p)
		if _, err := s.OpenJoin(b); err == nil {
			t.Fatal("a message 3 that nobody made")
		}
		if ret, _, err := e.ProcProvMsg2Data(ctx, b, pve.JoinSize); ret == pve.Success || err != nil {
			t.Fatal(ret, err)
		}
	})
}
