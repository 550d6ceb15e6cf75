package whitelist

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/feidi-dev/feidi/internal/p256"
)

// ErrKey is the error of a key that cannot sign white lists.
var ErrKey = errors.New("whitelist: not the key that is needed")

// Verify checks the signatures of a chain, which its root must have begun.
func (c *Chain) Verify(root *ecdsa.PublicKey) error {
	provider, list := c.raw[:ProviderSize], c.raw[ProviderSize:]
	if !verify(root, provider) {
		return fmt.Errorf("%w: that of the root under the provider's certificate", ErrSignature)
	}
	key, err := ParseKey(provider[keyStart:keyEnd])
	if err != nil {
		return fmt.Errorf("%w: the provider's key is none: %w", ErrFormat, err)
	}
	if !verify(key, list) {
		return fmt.Errorf("%w: that of the provider under the list", ErrSignature)
	}
	return nil
}

// Certify makes the certificate of a provider. The same keys make the same one.
func Certify(root *ecdsa.PrivateKey, provider *ecdsa.PublicKey) (cert [ProviderSize]byte, err error) {
	key, err := AppendKey([]byte(providerHead), provider)
	if err != nil {
		return cert, err
	}
	b, err := sign(root, key)
	if err != nil {
		return cert, err
	}
	return [ProviderSize]byte(b), nil
}

// Sign makes a chain of a list and its provider's certificate. The same list and
// keys make the same one.
func (l *List) Sign(cert *[ProviderSize]byte, provider *ecdsa.PrivateKey) ([]byte, error) {
	if n := len(l.Signers); n == 0 || n > MaxSigners {
		return nil, fmt.Errorf("%w: %d signers, and not 1 to %d", ErrFormat, n, MaxSigners)
	}
	key, err := AppendKey(nil, &provider.PublicKey)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(key, cert[keyStart:keyEnd]) {
		return nil, fmt.Errorf("%w: the certificate is that of another provider", ErrKey)
	}
	list, err := sign(provider, l.encode())
	if err != nil {
		return nil, err
	}
	return append(cert[:], list...), nil
}

// AppendKey appends X and Y of a key on P-256, 64 bytes.
func AppendKey(b []byte, key *ecdsa.PublicKey) ([]byte, error) {
	point, err := key.Bytes() // 0x04, X, Y
	if err != nil || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: it is not on P-256", ErrKey)
	}
	return append(b, point[1:]...), nil
}

// ParseKey reads X and Y of a key on P-256.
func ParseKey(b []byte) (*ecdsa.PublicKey, error) {
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, b...))
	if err != nil {
		return nil, fmt.Errorf("%w: it is not on P-256", ErrKey)
	}
	return key, nil
}

// sign returns message and signature. That is deterministic, so that what was issued
// can be issued again and need not be kept.
func sign(key *ecdsa.PrivateKey, message []byte) ([]byte, error) {
	if key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: it is not on P-256", ErrKey)
	}
	sig, err := p256.Sign(key, message)
	if err != nil {
		return nil, fmt.Errorf("whitelist: signing: %w", err)
	}
	return append(message, sig[:]...), nil
}

// verify checks the signature at the end of a message.
func verify(key *ecdsa.PublicKey, b []byte) bool {
	end := len(b) - signatureSize
	digest := sha256.Sum256(b[:end])
	r, s := new(big.Int).SetBytes(b[end:end+32]), new(big.Int).SetBytes(b[end+32:])
	return ecdsa.Verify(key, digest[:], r, s)
}
