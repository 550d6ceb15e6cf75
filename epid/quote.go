package epid

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// SealedSize returns the size in bytes of a sealed signature with so many
// proofs: what follows the 436 bytes of an EPID quote.
func SealedSize(entries int) int { return sealedHeader + SignatureSize(entries) + tagSize }

// The header of a sealed signature. An AES-128 key is encrypted for the
// attestation service by RSA-OAEP with SHA-256, and hashed with SHA-256.
const (
	wrappedKey   = 0   // 256
	keyHash      = 256 // 32
	sealedIV     = 288 // 12
	payloadSize  = 300 // little-endian, without the tag
	sealedHeader = 304
	tagSize      = 16
	sealKeySize  = 16
)

// SealSignature encrypts a signature for the attestation service, as quotes
// have it: the service only may know the signer's pseudonym K. The service's
// key has 2048 bits. The encryption is AES-GCM without additional data.
func SealSignature(random io.Reader, service *rsa.PublicKey, s *Signature) ([]byte, error) {
	if service.Size() != keyHash {
		return nil, fmt.Errorf("EPID: the attestation service's key has %d bits, want 2048", 8*service.Size())
	}
	if random == nil {
		random = rand.Reader
	}
	var secret [sealKeySize + 12]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return nil, fmt.Errorf("EPID: sealing a signature: %w", err)
	}
	key, iv := secret[:sealKeySize], secret[sealKeySize:]
	wrapped, err := rsa.EncryptOAEP(sha256.New(), random, service, key, nil)
	if err != nil {
		return nil, fmt.Errorf("EPID: sealing a signature: %w", err)
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	plain, h := s.Bytes(), sha256.Sum256(key)
	b := append(wrapped, h[:]...)
	b = append(b, iv...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(plain)))
	return gcm.Seal(b, iv, plain, nil), nil
}

// OpenSignature decrypts a sealed signature with the attestation service's key.
// The error is ErrFormat.
func OpenSignature(service *rsa.PrivateKey, b []byte) (*Signature, error) {
	d := decoder{what: "sealed signature", data: b}
	if len(b) < SealedSize(0) {
		d.fail(len(b), "%d bytes, want at least %d", len(b), SealedSize(0))
		return nil, d.err
	}
	if n := binary.LittleEndian.Uint32(b[payloadSize:]); uint64(n) != uint64(len(b)-sealedHeader-tagSize) {
		d.fail(payloadSize, "payload of %d bytes in %d", n, len(b)-sealedHeader-tagSize)
		return nil, d.err
	}
	key, err := rsa.DecryptOAEP(sha256.New(), nil, service, b[wrappedKey:keyHash], nil)
	if err != nil || len(key) != sealKeySize || sha256.Sum256(key) != [32]byte(b[keyHash:sealedIV]) {
		d.fail(wrappedKey, "the key is not encrypted for this attestation service")
		return nil, d.err
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, b[sealedIV:payloadSize], b[sealedHeader:], nil)
	if err != nil {
		d.fail(sealedHeader, "it was changed: %v", err)
		return nil, d.err
	}
	return ParseSignature(plain)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("EPID: %w", err)
	}
	return cipher.NewGCM(block)
}
