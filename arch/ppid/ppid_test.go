package ppid_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

func TestSignedKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// MRSIGNER by the manual: SHA-256 of the modulus, little endian.
	modulus := signer.N.FillBytes(make([]byte, 384))
	slices.Reverse(modulus)
	mrSigner := sha256.Sum256(modulus)

	doc, err := ppid.Sign(&key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ppid.Open(doc, mrSigner)
	if err != nil {
		t.Fatal(err)
	}
	if n := new(big.Int).SetBytes(got[:384]); n.Cmp(key.N) != 0 || !bytes.Equal(got[384:], []byte{0, 1, 0, 1}) {
		t.Errorf("key %x", got)
	}

	if again, err := ppid.Argument([]string{hex.EncodeToString(doc)}, mrSigner); err != nil || !bytes.Equal(again, got) {
		t.Errorf("as an argument: %x, %v", again, err)
	}
	if none, err := ppid.Argument(nil, mrSigner); err != nil || none != nil {
		t.Errorf("no argument: %x, %v", none, err)
	}
	for _, args := range [][]string{{""}, {"xy"}, {hex.EncodeToString(doc), "more"}} {
		if _, err := ppid.Argument(args, mrSigner); !errors.Is(err, ppid.ErrKey) {
			t.Errorf("%d arguments: %v", len(args), err)
		}
	}
	if _, err := ppid.Open(doc, [32]byte{}); !errors.Is(err, ppid.ErrKey) {
		t.Errorf("another signer's enclave: %v", err)
	}
	for i := 0; i < len(doc); i += 97 {
		bad := bytes.Clone(doc)
		bad[i] ^= 1
		if _, err := ppid.Open(bad, mrSigner); !errors.Is(err, ppid.ErrKey) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	for _, n := range []int{0, len(doc) - 1} {
		if _, err := ppid.Open(doc[:n], mrSigner); !errors.Is(err, ppid.ErrKey) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := ppid.Sign(&key.PublicKey, key); !errors.Is(err, ppid.ErrKey) {
		t.Errorf("signed with exponent 65537: %v", err)
	}
	if _, err := ppid.Sign(&rsa.PublicKey{N: big.NewInt(5), E: 3}, signer); !errors.Is(err, ppid.ErrKey) {
		t.Errorf("a key of 3 bits: %v", err)
	}
}

func TestTrusts(t *testing.T) {
	for flags, want := range map[isa.AttributeFlags]bool{
		isa.AttrInit | isa.AttrProvisionKey:                 true,
		isa.AttrInit:                                        false,
		isa.AttrInit | isa.AttrProvisionKey | isa.AttrDebug: false,
	} {
		if got := ppid.Trusts(&isa.TargetInfo{Attributes: isa.Attributes{Flags: flags}}); got != want {
			t.Errorf("flags %#x: %v", flags, got)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(make([]byte, ppid.DocumentSize), false)
	f.Add([]byte{}, true)
	f.Fuzz(func(t *testing.T, doc []byte, matching bool) {
		var mrSigner [32]byte
		if matching && len(doc) == ppid.DocumentSize {
			modulus := bytes.Clone(doc[ppid.KeySize : ppid.KeySize+384])
			slices.Reverse(modulus)
			mrSigner = sha256.Sum256(modulus)
		}
		if key, err := ppid.Open(doc, mrSigner); (err == nil) != (len(key) == ppid.KeySize) {
			t.Errorf("%d bytes, %v", len(key), err)
		}
	})
}
