package demo

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"time"

	"github.com/feidi-dev/feidi/attest/sigma"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/pcs"
)

// relying is the relying party: it gives a secret to the enclave that it means, on
// a machine that it trusts, and to nobody else. Of the world it knows the root
// certificate and the address of the PCS.
type relying struct {
	key      *ecdsa.PrivateKey // by which enclaves know it
	verifier *verify.Verifier
	policy   *policy.Policy
	service  pcs.Config
	secret   []byte

	// What it has looked at last.
	quote      []byte
	collateral *dcap.Collateral
	documents  int // that the collateral was fetched as
	last       *verify.Result
}

func newRelying(root []byte, service pcs.Config, enclave policy.Enclave, secret []byte) (*relying, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	anchor, err := verify.RootOf(root)
	if err != nil {
		return nil, err
	}
	v, err := verify.New(verify.WithRoots(root))
	if err != nil {
		return nil, err
	}
	p, err := policy.New(enclave, policy.Roots(anchor.Fingerprint()))
	if err != nil {
		return nil, err
	}
	return &relying{key: key, verifier: v, policy: p, service: service, secret: secret}, nil
}

// attest has an exchange with an enclave, and returns the secret, encrypted for it.
func (r *relying) attest(ctx context.Context, v *vault) ([]byte, error) {
	provider, err := sigma.NewProvider(&sigma.Config{
		Key:    r.key,
		Verify: func(quote []byte, data [64]byte) error { return r.check(ctx, quote, data) },
	})
	if err != nil {
		return nil, err
	}
	point, err := r.key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	msg1, err := v.ProveBegin(ctx, (*[64]byte)(point[1:]))
	if err != nil {
		return nil, err
	}
	msg2, err := provider.ProcMsg1(msg1[:])
	if err != nil {
		return nil, err
	}
	msg3, size, err := v.Prove(ctx, msg2, maxMessage)
	if err != nil {
		return nil, err
	}
	keys, err := provider.ProcMsg3(msg3[:size])
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(keys.SK[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, r.secret, nil), nil
}

// maxMessage is the room for message 3 and what is sealed, in bytes.
const maxMessage = 16 << 10

// check judges a quote, which must be about just these report data.
func (r *relying) check(ctx context.Context, quote []byte, data [64]byte) error {
	q, err := dcap.ParseQuote(quote)
	if err != nil {
		return err
	}
	request, err := pcs.RequestFor(q)
	if err != nil {
		return err
	}
	client, err := pcs.New(r.service)
	if err != nil {
		return err
	}
	collateral, from, err := client.Collateral(ctx, request)
	if err != nil {
		return err
	}
	r.collateral, r.documents = collateral, len(from)
	r.quote = bytes.Clone(quote)
	r.last, _ = r.verifier.Verify(r.quote, r.collateral, time.Now()) // the policy looks at the result
	p, err := r.policy.With(policy.ReportData(data[:]))
	if err != nil {
		return err
	}
	return p.Check(r.last).Err()
}
