package word_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/arch/word"
	"github.com/feidi-dev/feidi/sign"
)

func TestWord(t *testing.T) {
	signer, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// MRSIGNER by the manual: SHA-256 of the modulus, little endian.
	modulus := signer.N.FillBytes(make([]byte, 384))
	slices.Reverse(modulus)
	mrSigner := sha256.Sum256(modulus)
	for _, what := range [][]byte{{}, []byte("x"), bytes.Repeat([]byte("long "), 1000)} {
		doc, err := word.Sign("a test", what, signer)
		if err != nil || len(doc) != len(what)+768 {
			t.Fatalf("%d bytes, %v", len(doc), err)
		}
		if got, err := word.Open("a test", doc, mrSigner); err != nil || !bytes.Equal(got, what) {
			t.Errorf("%q, %v", got, err)
		}
		for name, open := range map[string]func() ([]byte, error){
			"another purpose": func() ([]byte, error) { return word.Open("another test", doc, mrSigner) },
			"another signer":  func() ([]byte, error) { return word.Open("a test", doc, [32]byte{1}) },
			"a byte less":     func() ([]byte, error) { return word.Open("a test", doc[1:], mrSigner) },
			"a byte more":     func() ([]byte, error) { return word.Open("a test", append([]byte{0}, doc...), mrSigner) },
			"signature alone": func() ([]byte, error) { return word.Open("a test", doc[len(doc)-767:], mrSigner) },
			"signature zeroed": func() ([]byte, error) {
				return word.Open("a test", append(doc[:len(doc)-384:len(doc)-384], make([]byte, 384)...), mrSigner)
			},
		} {
			if _, err := open(); !errors.Is(err, word.ErrWord) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	weak, err := rsa.GenerateKey(rand.Reader, 3072) // exponent 65537
	if err != nil {
		t.Fatal(err)
	}
	if _, err := word.Sign("a test", nil, weak); !errors.Is(err, word.ErrWord) {
		t.Error(err)
	}
	for _, args := range [][]string{{"a", "b"}, {"0"}} {
		if _, err := word.Argument(args); !errors.Is(err, word.ErrWord) {
			t.Errorf("%q: %v", args, err)
		}
	}
	if doc, err := word.Argument([]string{""}); doc == nil || err != nil {
		t.Error("an empty document is no document")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add(make([]byte, word.Overhead), true)
	f.Add(make([]byte, word.Overhead+3), true)
	f.Fuzz(func(t *testing.T, doc []byte, matching bool) {
		var mrSigner [32]byte
		if n := len(doc) - word.Overhead; matching && n >= 0 {
			modulus := bytes.Clone(doc[n:][:384])
			slices.Reverse(modulus)
			mrSigner = sha256.Sum256(modulus)
		}
		if what, err := word.Open("a test", doc, mrSigner); err == nil && len(what) != len(doc)-word.Overhead {
			t.Errorf("%d bytes of %d", len(what), len(doc))
		} else if err != nil && !errors.Is(err, word.ErrWord) {
			t.Error(err)
		}
	})
}
