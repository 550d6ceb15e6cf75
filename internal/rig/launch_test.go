package rig

import (
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"path/filepath"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/le"
	"github.com/feidi-dev/feidi/arch/le/whitelist"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform/launch"
)

// processor is a processor to a launch enclave.
type processor struct{}

func (processor) Report(*isa.TargetInfo, [64]byte) (*isa.Report, error) {
	return &isa.Report{ReportBody: isa.ReportBody{ISVProdID: build.LE.ProdID, ISVSVN: build.LE.SVN, MRSigner: [32]byte{0xFE}}}, nil
}
func (processor) Key(*isa.KeyRequest) (key [16]byte, err error) { return key, nil }
func (processor) VerifyReport(*isa.Report) error                { return nil }

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// The keys are functions of the world's key: HKDF of RFC 5869, written out.
func TestListKeys(t *testing.T) {
	key := newKey(t)
	k, err := newListKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	mac := func(key []byte, parts ...[]byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(slices.Concat(parts...))
		return h.Sum(nil)
	}
	label := []byte("feidi: root of white lists")
	prk := mac(make([]byte, 32), x509.MarshalPKCS1PrivateKey(key))
	t1 := mac(prk, label, []byte{1})
	t2 := mac(prk, t1, label, []byte{2})
	n1 := new(big.Int).Sub(elliptic.P256().Params().N, big.NewInt(1))
	want := new(big.Int).SetBytes(append(t1, t2[:16]...))
	want.Mod(want, n1).Add(want, big.NewInt(1))
	if b, err := k.root.Bytes(); err != nil || new(big.Int).SetBytes(b).Cmp(want) != 0 {
		t.Errorf("the root's key is %x, want %x (%v)", b, want, err)
	}
	if k.root.Equal(k.provider) {
		t.Error("root and provider have one key")
	}
	other, err := newListKeys(newKey(t))
	if err != nil || other.root.Equal(k.root) || other.provider.Equal(k.provider) {
		t.Errorf("two worlds have one key: %v", err)
	}
}

// A list grows by those who are not on it, and keeps who is.
func TestAllow(t *testing.T) {
	k, err := newListKeys(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "white-list")
	service := func() *launch.Service {
		t.Helper()
		s, err := launch.New(t.Context(), le.New(processor{}, le.Policy{WhiteListRoot: &k.root.PublicKey}), path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := service()
	allow := func(version uint32, want [][32]byte, signers ...[32]byte) {
		t.Helper()
		if err := k.allow(t.Context(), s, signers); err != nil {
			t.Fatal(err)
		}
		b, err := s.WhiteList(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := whitelist.Parse(b)
		if err != nil || c.List.Version != version || !slices.Equal(c.List.Signers, want) {
			t.Errorf("%+v, %v; want version %d of %x", c, err, version, want)
		}
	}
	a, b, c := [32]byte{1}, [32]byte{2}, [32]byte{3}
	allow(1, [][32]byte{a, b}, a, b)
	allow(1, [][32]byte{a, b}, b)
	allow(2, [][32]byte{a, b, c}, a, c)
	s = service() // the machine was off
	allow(2, [][32]byte{a, b, c}, a)

	other, err := newListKeys(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := other.allow(t.Context(), s, [][32]byte{{4}}); err == nil {
		t.Error("another world's list was taken")
	}
}
