package whitelist_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/arch/le/whitelist"
)

func newKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// issue signs a list with a new provider's key that root certifies.
func issue(t testing.TB, root *ecdsa.PrivateKey, l *whitelist.List) (chain []byte, provider *ecdsa.PrivateKey) {
	t.Helper()
	provider = newKey(t, elliptic.P256())
	cert, err := whitelist.Certify(root, &provider.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if chain, err = l.Sign(&cert, provider); err != nil {
		t.Fatal(err)
	}
	return chain, provider
}

// signed checks the signature at the end of a message, by the format's description.
func signed(k *ecdsa.PrivateKey, b []byte) bool {
	n := len(b) - 64
	digest := sha256.Sum256(b[:n])
	return ecdsa.Verify(&k.PublicKey, digest[:], new(big.Int).SetBytes(b[n:n+32]), new(big.Int).SetBytes(b[n+32:]))
}

// The bytes of a chain, against the layout written out by hand.
func TestLayout(t *testing.T) {
	root := newKey(t, elliptic.P256())
	chain, provider := issue(t, root, &whitelist.List{LEProdID: 0x20, Version: 0x01020304, Signers: [][32]byte{{0xAA}, {31: 0xBB}}})
	point, err := provider.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	cert := append([]byte{0, 1, 0, 0, 0, 0, 0, 0}, point[1:]...)
	list := append([]byte{0, 1, 0, 1, 0, 0, 0, 0x20, 1, 2, 3, 4, 0, 0, 0, 2, 0xAA}, make([]byte, 63)...)
	list[16+63] = 0xBB
	if len(chain) != 280 || !bytes.Equal(chain[:72], cert) || !bytes.Equal(chain[136:136+80], list) {
		t.Fatalf("%x", chain)
	}
	if !signed(root, chain[:136]) || !signed(provider, chain[136:]) {
		t.Error("signatures are not of these keys")
	}

	c, err := whitelist.Parse(chain)
	if err != nil {
		t.Fatal(err)
	}
	if l := c.List; l.LEProdID != 0x20 || l.Version != 0x01020304 || !slices.Equal(l.Signers, [][32]byte{{0xAA}, {31: 0xBB}}) {
		t.Errorf("list %v", l)
	}
	if err := c.Verify(&root.PublicKey); err != nil {
		t.Error(err)
	}
}

func TestAllows(t *testing.T) {
	for _, c := range []struct {
		signers   [][32]byte
		yes, no   [32]byte
		everybody bool
	}{
		{signers: [][32]byte{{1}, {2}}, yes: [32]byte{2}, no: [32]byte{3}},
		{signers: [][32]byte{{}}, yes: [32]byte{9}, everybody: true},
		{signers: [][32]byte{{1}, {}}, yes: [32]byte{1}, no: [32]byte{9}}, // only the first stands for all
	} {
		l := whitelist.List{Signers: c.signers}
		if !l.Allows(c.yes) || !c.everybody && l.Allows(c.no) {
			t.Errorf("%x: allows %x %v, %x %v", c.signers, c.yes, l.Allows(c.yes), c.no, l.Allows(c.no))
		}
	}
	if new(whitelist.List).Allows([32]byte{}) {
		t.Error("an empty list allows somebody")
	}
}

// The same keys and list make the same chain, and other ones do not.
func TestDeterministic(t *testing.T) {
	root, provider := newKey(t, elliptic.P256()), newKey(t, elliptic.P256())
	make1 := func(version uint32) []byte {
		cert, err := whitelist.Certify(root, &provider.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		chain, err := (&whitelist.List{Version: version, Signers: [][32]byte{{1}}}).Sign(&cert, provider)
		if err != nil {
			t.Fatal(err)
		}
		return chain
	}
	if !bytes.Equal(make1(1), make1(1)) || bytes.Equal(make1(1), make1(2)) {
		t.Error("chains are not functions of keys and list")
	}
}

func TestParseRefuses(t *testing.T) {
	chain, _ := issue(t, newKey(t, elliptic.P256()), &whitelist.List{Signers: [][32]byte{{1}, {2}}})
	at := func(offset int, v byte) []byte {
		b := bytes.Clone(chain)
		b[offset] = v
		return b
	}
	for name, b := range map[string][]byte{
		"nothing":                 nil,
		"less than one signer":    chain[:247],
		"one byte less":           chain[:len(chain)-1],
		"one byte more":           append(bytes.Clone(chain), 0),
		"more than can be":        make([]byte, whitelist.MaxSize+1),
		"a signer less":           at(151, 1),
		"a signer more":           at(151, 3),
		"no signers":              at(151, 0),
		"2^31 signers":            at(148, 0x80),
		"provider: version":       at(1, 2),
		"provider: type":          at(3, 1),
		"provider: who":           at(5, 1),
		"provider: root":          at(7, 1),
		"list: version":           at(137, 2),
		"list: type":              at(139, 0),
		"list: provider":          at(140, 1),
		"provider: little endian": append([]byte{1, 0}, chain[2:]...),
	} {
		if _, err := whitelist.Parse(b); !errors.Is(err, whitelist.ErrFormat) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	root := newKey(t, elliptic.P256())
	chain, _ := issue(t, root, &whitelist.List{Version: 7, Signers: [][32]byte{{1}, {2}}})
	for i := range chain {
		bad := bytes.Clone(chain)
		bad[i] ^= 0x10
		c, err := whitelist.Parse(bad)
		if err == nil {
			err = c.Verify(&root.PublicKey)
		}
		if !errors.Is(err, whitelist.ErrFormat) && !errors.Is(err, whitelist.ErrSignature) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	c, err := whitelist.Parse(chain)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(&newKey(t, elliptic.P256()).PublicKey); !errors.Is(err, whitelist.ErrSignature) {
		t.Errorf("another root: %v", err)
	}
}

// A root that certifies what is no point of the curve is not believed either.
func TestNoPoint(t *testing.T) {
	root := newKey(t, elliptic.P256())
	chain, _ := issue(t, root, &whitelist.List{Signers: [][32]byte{{1}}})
	clear(chain[8:72])
	digest := sha256.Sum256(chain[:72])
	r, s, err := ecdsa.Sign(rand.Reader, root, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	r.FillBytes(chain[72:104])
	s.FillBytes(chain[104:136])
	c, err := whitelist.Parse(chain)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(&root.PublicKey); !errors.Is(err, whitelist.ErrKey) {
		t.Error(err)
	}
}

func TestSignRefuses(t *testing.T) {
	root, provider, other := newKey(t, elliptic.P256()), newKey(t, elliptic.P256()), newKey(t, elliptic.P384())
	cert, err := whitelist.Certify(root, &provider.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	one := whitelist.List{Signers: make([][32]byte, 1)}
	if _, err := one.Sign(&cert, root); !errors.Is(err, whitelist.ErrKey) {
		t.Errorf("the certificate of another: %v", err)
	}
	if _, err := one.Sign(&cert, other); !errors.Is(err, whitelist.ErrKey) {
		t.Errorf("a provider on P-384: %v", err)
	}
	if _, err := whitelist.Certify(root, &other.PublicKey); !errors.Is(err, whitelist.ErrKey) {
		t.Errorf("a provider on P-384: %v", err)
	}
	if _, err := whitelist.Certify(other, &provider.PublicKey); !errors.Is(err, whitelist.ErrKey) {
		t.Errorf("a root on P-384: %v", err)
	}
	for _, n := range []int{0, 2049} {
		l := whitelist.List{Signers: make([][32]byte, n)}
		if _, err := l.Sign(&cert, provider); !errors.Is(err, whitelist.ErrFormat) {
			t.Errorf("%d signers: %v", n, err)
		}
	}
	most := whitelist.List{Signers: make([][32]byte, 2048)}
	if chain, err := most.Sign(&cert, provider); err != nil || len(chain) != whitelist.MaxSize {
		t.Errorf("2048 signers: %d bytes, %v", len(chain), err)
	}
}

// Intel's own white list, with Intel's own root: white_list_cert_to_be_verify.bin
// and wl_pub.hh of the SDK's sources.
func TestIntels(t *testing.T) {
	dir := os.Getenv("FEIDI_ENCLAVES")
	chain, err := os.ReadFile(filepath.Join(dir, "white_list_cert_to_be_verify.bin"))
	header, err2 := os.ReadFile(filepath.Join(dir, "wl_pub.hh"))
	if dir == "" || err != nil || err2 != nil {
		t.Skip("FEIDI_ENCLAVES names no folder with white_list_cert_to_be_verify.bin and wl_pub.hh")
	}
	var key []byte // X and Y, little endian
	for _, m := range regexp.MustCompile(`0x([0-9a-f]{2})\b`).FindAllSubmatch(header, 64) {
		b, err := hex.DecodeString(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		key = append(key, b...)
	}
	if len(key) != 64 {
		t.Fatalf("a key of %d bytes", len(key))
	}
	slices.Reverse(key[:32])
	slices.Reverse(key[32:])
	root, err := whitelist.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := whitelist.Parse(chain)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(root); err != nil || c.List.LEProdID != 0x20 {
		t.Errorf("%v; for product %#x", err, c.List.LEProdID)
	}
}

// Whatever the bytes, there is an answer; what parses has the size that it must.
func FuzzParse(f *testing.F) {
	root := newKey(f, elliptic.P256())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := whitelist.Parse(b)
		if err != nil {
			return
		}
		if n := len(c.List.Signers); n < 1 || n > 2048 || len(b) != 216+32*n {
			t.Errorf("%d signers in %d bytes", n, len(b))
		}
		if c.Verify(&root.PublicKey) == nil {
			t.Error("a signature of a key that is not in the corpus")
		}
	})
}
