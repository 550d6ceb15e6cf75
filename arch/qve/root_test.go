package qve_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/arch/word"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/testpki"
)

func TestSignRoot(t *testing.T) {
	pki := testpki.New()
	signer, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	modulus := signer.N.FillBytes(make([]byte, 384))
	slices.Reverse(modulus)
	mrSigner := sha256.Sum256(modulus)
	doc, err := qve.SignRoot(pki.Root.DER, signer)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := qve.Argument([]string{hex.EncodeToString(doc)}, mrSigner); err != nil || !bytes.Equal(got, pki.Root.DER) {
		t.Errorf("%x, %v", got, err)
	}
	if got, err := qve.Argument(nil, mrSigner); err != nil || got != nil {
		t.Errorf("no argument: %x, %v", got, err)
	}
	refused := func(what string, args []string, mrSigner [32]byte) {
		t.Helper()
		if _, err := qve.Argument(args, mrSigner); !errors.Is(err, qve.ErrRoot) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("another signer's enclave", []string{hex.EncodeToString(doc)}, [32]byte{1})
	refused("no hexadecimal", []string{"xy"}, mrSigner)
	refused("empty", []string{""}, mrSigner)
	refused("two", []string{hex.EncodeToString(doc), ""}, mrSigner)
	refused("cut", []string{hex.EncodeToString(doc[1:])}, mrSigner)
	for i := 0; i < len(doc); i += 41 {
		bad := bytes.Clone(doc)
		bad[i] ^= 1
		refused("a bit changed", []string{hex.EncodeToString(bad)}, mrSigner)
	}
	other, err := word.Sign("a key to encrypt PPIDs to", pki.Root.DER, signer)
	if err != nil {
		t.Fatal(err)
	}
	refused("the same as something else", []string{hex.EncodeToString(other)}, mrSigner)
	for what, der := range map[string][]byte{"no certificate": []byte("none"), "no root": pki.TCBSigning.DER} {
		if _, err := qve.SignRoot(der, signer); !errors.Is(err, qve.ErrRoot) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
