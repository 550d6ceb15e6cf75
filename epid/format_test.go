package epid_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/epid"
)

func TestSizes(t *testing.T) {
	i := newIssuer(t, 1)
	m, k := join(t, i, 2, epid.SHA256)
	other, _ := join(t, i, 3, epid.SHA256)
	o := sign(t, other, "", "", nil)
	l := &epid.SigRL{GID: gid, Version: 1, Entries: []epid.SigRLEntry{{B: o.B, K: o.K}, {B: o.B, K: o.K}}}
	for name, c := range map[string][2]int{
		"public key":  {len(i.Group().PublicKey().Bytes()), epid.PublicKeySize},
		"issuer key":  {len(i.Key().Bytes()), epid.IssuerKeySize},
		"private key": {len(k.Bytes()), epid.PrivateKeySize},
		"signature":   {len(o.Bytes()), 360},
		"with proofs": {len(sign(t, m, "", "", l).Bytes()), 680},
		"SigRL":       {len(l.Bytes()), 12 + 256},
		"of quotes":   {436 + epid.SealedSize(2), 436 + 680 + 320},
		"SealedSize":  {epid.SealedSize(0), 680},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %d bytes, want %d", name, c[0], c[1])
		}
	}
}

// formats are all parsers, with something that they accept.
func formats(t testing.TB) map[string]func([]byte) (again []byte, err error) {
	t.Helper()
	type coder interface{ Bytes() []byte }
	do := func(v coder, err error) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return v.Bytes(), nil
	}
	return map[string]func([]byte) ([]byte, error){
		"public key":   func(b []byte) ([]byte, error) { v, err := epid.ParsePublicKey(b); return do(v, err) },
		"issuer key":   func(b []byte) ([]byte, error) { v, err := epid.ParseIssuerKey(b); return do(v, err) },
		"private key":  func(b []byte) ([]byte, error) { v, err := epid.ParsePrivateKey(b); return do(v, err) },
		"compressed":   func(b []byte) ([]byte, error) { v, err := epid.ParseCompressedKey(b); return do(v, err) },
		"join request": func(b []byte) ([]byte, error) { v, err := epid.ParseJoinRequest(b); return do(v, err) },
		"credential":   func(b []byte) ([]byte, error) { v, err := epid.ParseCredential(b); return do(v, err) },
		"signature":    func(b []byte) ([]byte, error) { v, err := epid.ParseSignature(b); return do(v, err) },
		"PrivRL":       func(b []byte) ([]byte, error) { v, err := epid.ParsePrivRL(b); return do(v, err) },
		"SigRL":        func(b []byte) ([]byte, error) { v, err := epid.ParseSigRL(b); return do(v, err) },
		"GroupRL":      func(b []byte) ([]byte, error) { v, err := epid.ParseGroupRL(b); return do(v, err) },
		"VerifierRL":   func(b []byte) ([]byte, error) { v, err := epid.ParseVerifierRL(b); return do(v, err) },
	}
}

func samples(t testing.TB) map[string][]byte {
	t.Helper()
	i := newIssuer(t, 1)
	m, k := join(t, i, 2, epid.SHA256)
	other, _ := join(t, i, 3, epid.SHA256)
	o := sign(t, other, "", "bsn", nil)
	l := &epid.SigRL{GID: gid, Version: 1, Entries: []epid.SigRLEntry{{B: o.B, K: o.K}}}
	req, err := i.Group().Join(stream(5), epid.SHA256, k.F, epid.Nonce{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := i.Compressed([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Sign(stream(6), nil, nil, l)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"public key": i.Group().PublicKey().Bytes(), "issuer key": i.Key().Bytes(), "private key": k.Bytes(),
		"compressed": c.Bytes(), "join request": req.Bytes(),
		"credential": epid.Credential{GID: k.GID, A: k.A, X: k.X}.Bytes(), "signature": s.Bytes(),
		"PrivRL": (&epid.PrivRL{GID: gid, Version: 2, Keys: []epid.Number{k.F, {31: 1}}}).Bytes(), "SigRL": l.Bytes(),
		"GroupRL":    (&epid.GroupRL{Version: 3, Groups: []epid.GroupID{{1}, {2}}}).Bytes(),
		"VerifierRL": (&epid.VerifierRL{GID: gid, B: o.B, Version: 4, Entries: []epid.Point{o.K}}).Bytes(),
	}
}

func TestFormats(t *testing.T) {
	parsers := formats(t)
	for name, b := range samples(t) {
		parse := parsers[name]
		if again, err := parse(b); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: %v, or other bytes", name, err)
		}
		for n := range b {
			if _, err := parse(b[:n]); !errors.Is(err, epid.ErrFormat) {
				t.Errorf("%s: %d bytes of %d: %v", name, n, len(b), err)
			}
		}
		if _, err := parse(append(bytes.Clone(b), 0)); !errors.Is(err, epid.ErrFormat) {
			t.Errorf("%s: a byte too many: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		parse string
		at    int
		with  []byte
		want  string
	}{
		"count":     {"PrivRL", 8, []byte{255, 255, 255, 255}, "EPID: PrivRL, offset 8: 4294967295 entries of 32 bytes in 64 bytes"},
		"number":    {"PrivRL", 12, bytes.Repeat([]byte{255}, 32), "EPID: PrivRL, offset 12: number is not less than the order of the group"},
		"point":     {"signature", 64, bytes.Repeat([]byte{1}, 64), "EPID: signature, offset 64: coordinates are not those of a point of the group"},
		"overflows": {"SigRL", 8, []byte{2, 0, 0, 1}, "EPID: SigRL, offset 8: 33554433 entries of 128 bytes in 128 bytes"},
	} {
		b := samples(t)[c.parse]
		copy(b[c.at:], c.with)
		if _, err := parsers[c.parse](b); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	parsers := formats(f)
	for _, b := range samples(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, parse := range parsers {
			again, err := parse(b)
			if err != nil && !errors.Is(err, epid.ErrFormat) {
				t.Errorf("%s: %v", name, err)
			}
			if err == nil && !bytes.Equal(again, b) {
				t.Errorf("%s: the bytes change", name)
			}
		}
	})
}

// FuzzVerify gives a verifier what may be a signature, a list and a message.
func FuzzVerify(f *testing.F) {
	all := samples(f)
	g := newIssuer(f, 1).Group()
	f.Add(all["signature"], all["SigRL"], []byte{})
	f.Add(all["signature"], []byte{}, []byte("message"))
	f.Fuzz(func(t *testing.T, sig, list, message []byte) {
		s, err := epid.ParseSignature(sig)
		if err != nil {
			return
		}
		v := epid.Verifier{Group: g}
		if l, err := epid.ParseSigRL(list); err == nil {
			v.SigRL = l
		}
		// Version and proofs are not signed by the basic signature.
		basic := all["signature"][:epid.BasicSignatureSize]
		if v.Verify(s, message) == nil && (!bytes.HasPrefix(sig, basic) || len(message) != 0) {
			t.Error("a forgery")
		}
	})
}

// FuzzOpen gives bytes as signed file and as sealed signature to whoever opens
// them. Nobody forges either.
func FuzzOpen(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	service, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append([]byte{2, 0, 0, 0x0e}, make([]byte, 12+64)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := epid.OpenFile(&key.PublicKey, epid.FileSigRL, b); !errors.Is(err, epid.ErrFormat) && !errors.Is(err, epid.ErrSignature) {
			t.Errorf("file: %v", err)
		}
		if _, err := epid.OpenSignature(service, b); !errors.Is(err, epid.ErrFormat) {
			t.Errorf("sealed signature: %v", err)
		}
	})
}

func TestFiles(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	body := samples(t)["SigRL"]
	file, err := epid.SignFile(key, epid.FileSigRL, body)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(file, []byte{2, 0, 0, 0x0e}) || len(file) != 4+len(body)+64 {
		t.Errorf("file of %d bytes begins with %x", len(file), file[:4])
	}
	if again, err := epid.SignFile(key, epid.FileSigRL, body); err != nil || !bytes.Equal(again, file) {
		t.Errorf("another signature for the same body: %v", err)
	}
	got, err := epid.OpenFile(&key.PublicKey, epid.FileSigRL, file)
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("%v", err)
	}
	for at := range file {
		file[at] ^= 1
		want := epid.ErrSignature
		if at < 4 {
			want = epid.ErrFormat
		}
		if _, err := epid.OpenFile(&key.PublicKey, epid.FileSigRL, file); !errors.Is(err, want) {
			t.Errorf("byte %d changed: %v", at, err)
		}
		file[at] ^= 1
	}
	if _, err := epid.OpenFile(&key.PublicKey, epid.FilePrivRL, file); !errors.Is(err, epid.ErrFormat) {
		t.Errorf("another type: %v", err)
	}
	for n := range 68 {
		if _, err := epid.OpenFile(&key.PublicKey, epid.FileSigRL, file[:n]); !errors.Is(err, epid.ErrFormat) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := epid.SignFile(p384, epid.FileSigRL, body); err == nil {
		t.Error("a key of P-384 signs")
	}
}

func TestSealedSignature(t *testing.T) {
	service, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	s, err := epid.ParseSignature(samples(t)["signature"])
	if err != nil {
		t.Fatal(err)
	}
	b, err := epid.SealSignature(nil, &service.PublicKey, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != 680+160 {
		t.Errorf("%d bytes, want 840", len(b))
	}
	got, err := epid.OpenSignature(service, b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), s.Bytes()) {
		t.Error("another signature comes out")
	}
	for at := 0; at < len(b); at += 7 {
		c := bytes.Clone(b)
		c[at] ^= 1
		if _, err := epid.OpenSignature(service, c); !errors.Is(err, epid.ErrFormat) {
			t.Errorf("byte %d changed: %v", at, err)
		}
	}
	for n := range len(b) {
		if _, err := epid.OpenSignature(service, b[:n]); !errors.Is(err, epid.ErrFormat) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := epid.OpenSignature(other, b); !errors.Is(err, epid.ErrFormat) {
		t.Errorf("another service: %v", err)
	}
	if _, err := epid.SealSignature(nil, &other.PublicKey, s); err == nil {
		t.Error("a key of 3072 bits seals")
	}
}
