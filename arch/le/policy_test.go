package le_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/arch/le"
	"github.com/feidi-dev/feidi/sign"
)

// signerKey is the key of the launch enclave's signer.
var signerKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

// mrSigner is MRSIGNER by the manual: SHA-256 of the modulus, little endian.
func mrSigner(k *rsa.PrivateKey) [32]byte {
	modulus := k.N.FillBytes(make([]byte, 384))
	slices.Reverse(modulus)
	return sha256.Sum256(modulus)
}

func TestPolicy(t *testing.T) {
	own := mrSigner(signerKey())
	for _, signers := range [][][32]byte{nil, {{1}, {31: 2}}, make([][32]byte, le.MaxProvisioning)} {
		p := le.Policy{WhiteListRoot: &root.PublicKey, Provisioning: signers}
		doc, err := p.Sign(signerKey())
		if err != nil {
			t.Fatal(err)
		}
		if again, err := p.Sign(signerKey()); err != nil || !bytes.Equal(again, doc) {
			t.Errorf("the same policy makes another document, %v", err)
		}
		for _, open := range []func() (le.Policy, error){
			func() (le.Policy, error) { return le.OpenPolicy(doc, own) },
			func() (le.Policy, error) { return le.Argument([]string{hex.EncodeToString(doc)}, own) },
		} {
			if got, err := open(); err != nil || !got.WhiteListRoot.Equal(p.WhiteListRoot) || !slices.Equal(got.Provisioning, p.Provisioning) {
				t.Errorf("%d signers: %v, %v", len(signers), got, err)
			}
		}
	}
	if p, err := le.Argument(nil, own); err != nil || p.WhiteListRoot != nil || p.Provisioning != nil {
		t.Errorf("no argument: %v, %v", p, err)
	}
}

func TestPolicyRefused(t *testing.T) {
	own := mrSigner(signerKey())
	doc, err := (&le.Policy{WhiteListRoot: &root.PublicKey, Provisioning: [][32]byte{{1}}}).Sign(signerKey())
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, doc []byte, mrSigner [32]byte) {
		t.Helper()
		if p, err := le.OpenPolicy(doc, mrSigner); !errors.Is(err, le.ErrPolicy) || p.WhiteListRoot != nil {
			t.Errorf("%s: %v, %v", what, p, err)
		}
	}
	refused("another signer's enclave", doc, [32]byte{1})
	refused("nothing", nil, own)
	refused("no root", doc[64+32:], own)
	refused("without the signer it names", append(bytes.Clone(doc[:64]), doc[96:]...), own)
	refused("a byte less", doc[1:], own)
	refused("more signers than may be", make([]byte, 64+65*32+768), own)
	for i := 0; i < len(doc); i += 29 {
		bad := bytes.Clone(doc)
		bad[i] ^= 4
		refused("a byte changed", bad, own)
	}
	for _, args := range [][]string{{""}, {"xy"}, {hex.EncodeToString(doc), "more"}} {
		if _, err := le.Argument(args, own); !errors.Is(err, le.ErrPolicy) {
			t.Errorf("arguments %.20q: %v", args, err)
		}
	}
}

func TestPolicyNotSigned(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	usual, err := rsa.GenerateKey(rand.Reader, 3072) // its exponent is 65537
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		p   le.Policy
		key *rsa.PrivateKey
	}{
		"no root":          {le.Policy{}, signerKey()},
		"a root on P-384":  {le.Policy{WhiteListRoot: &p384.PublicKey}, signerKey()},
		"too many signers": {le.Policy{WhiteListRoot: &root.PublicKey, Provisioning: make([][32]byte, 65)}, signerKey()},
		"exponent not 3":   {le.Policy{WhiteListRoot: &root.PublicKey}, usual},
	} {
		if _, err := c.p.Sign(c.key); !errors.Is(err, le.ErrPolicy) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Whatever a host gives as a document, there is an answer, and it is believed only
// with the signer's word.
func FuzzOpenPolicy(f *testing.F) {
	f.Fuzz(func(t *testing.T, doc []byte) {
		modulus := make([]byte, 384)
		if len(doc) >= 768 {
			copy(modulus, doc[len(doc)-768:])
		}
		slices.Reverse(modulus)
		if p, err := le.OpenPolicy(doc, sha256.Sum256(modulus)); err == nil && p.WhiteListRoot == nil {
			t.Error("a policy without a root")
		}
	})
}
