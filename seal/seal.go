// Package seal is Intel's format for sealed data: a blob that an enclave
// encrypts under its seal key, hands to the host for keeping, and opens again
// later (sgx_sealed_data_t in sgx_tseal.h of the Intel SGX SDK, there made by
// sgx_seal_data and opened by sgx_unseal_data).
//
// The package does no I/O and draws no random numbers. Sealing is three steps,
// of which the middle one belongs to the enclave:
//
//	request := seal.Request(report, seal.DefaultPolicy(report), keyID)
//	key := EGETKEY(request)
//	blob, err := seal.Seal(&request, key, plaintext, additional)
//
// and so is unsealing: Parse, EGETKEY of the request that the blob carries,
// Open.
//
// # Layout
//
// All integers are little-endian; reserved bytes are zero.
//
//	  0  KEYREQUEST that gives the key (512 bytes)
//	512  plain_text_offset, u32: length of the ciphertext
//	516  reserved (12 bytes)
//	528  payload_size, u32: length of the ciphertext and the additional text
//	532  reserved (12 bytes)
//	544  AES-GCM tag (16 bytes)
//	560  ciphertext, then the additional text
//
// The cipher is AES-128-GCM with an IV of twelve zero bytes; the additional
// text is what GCM calls additional authenticated data. The IV is constant
// because the key is not: a KEYID must be random and used for one blob only.
//
// # Not for
//
// A blob says nothing of its age: the host may return an older one. Blobs are
// made and read in one piece; package sealedfs stores files.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/feidi-dev/feidi/isa"
)

// HeaderSize is the size of all that precedes the payload, and the least size
// of a blob (sizeof(sgx_sealed_data_t)).
const HeaderSize = offPayload

// TagSize is the size of the AES-GCM tag.
const TagSize = 16

// Offsets in sgx_sealed_data_t.
const (
	offPlainText   = isa.KeyRequestSize
	offReserved1   = offPlainText + 4
	offPayloadSize = offReserved1 + reservedSize
	offReserved2   = offPayloadSize + 4
	offTag         = offReserved2 + reservedSize
	offPayload     = offTag + TagSize

	reservedSize = 12
)

// maxSize is the largest size of a blob: the SDK computes it in 32 bits, and
// all ones mean failure.
const maxSize = math.MaxUint32 - 1

// Size returns the size of a blob with so many bytes of additional text and
// plaintext, or -1 if there is no such blob (sgx_calc_sealed_data_size).
func Size(additional, plaintext int) int {
	if additional < 0 || plaintext < 0 ||
		uint64(additional)+uint64(plaintext) > min(maxSize, math.MaxInt)-HeaderSize {
		return -1
	}
	return HeaderSize + additional + plaintext
}

// Seal encrypts plaintext under the key that EGETKEY gave for request, binds
// additional to it, which stays readable, and returns the blob.
//
// Like the SDK it refuses a request that would give a key to more than one
// signer's enclaves (ErrRequest; see CheckRequest), texts that are too long,
// and two empty texts (ErrSize). Either text may be empty: without plaintext
// the blob is that of sgx_mac_aadata.
func Seal(request *isa.KeyRequest, key [isa.KeySize]byte, plaintext, additional []byte) ([]byte, error) {
	if err := CheckRequest(request); err != nil {
		return nil, err
	}
	size := Size(len(additional), len(plaintext))
	switch {
	case size < 0:
		return nil, fmt.Errorf("%w: %d bytes of plaintext and %d of additional text are more than fit into 32 bits",
			ErrSize, len(plaintext), len(additional))
	case size == HeaderSize:
		return nil, fmt.Errorf("%w: nothing to seal", ErrSize)
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	// GCM appends its tag to the ciphertext, where the additional text goes
	// after the tag has moved to its place.
	blob := make([]byte, 0, max(size, HeaderSize+len(plaintext)+TagSize))
	blob, err = request.AppendBinary(blob)
	if err != nil {
		return nil, err
	}
	blob = blob[:HeaderSize]
	binary.LittleEndian.PutUint32(blob[offPlainText:], uint32(len(plaintext)))
	binary.LittleEndian.PutUint32(blob[offPayloadSize:], uint32(len(plaintext)+len(additional)))
	blob = aead.Seal(blob, zeroIV[:], plaintext, additional)
	end := HeaderSize + len(plaintext)
	copy(blob[offTag:], blob[end:])
	return append(blob[:end], additional...), nil
}

// zeroIV is the IV of every blob; nothing writes to it.
var zeroIV [12]byte

func newAEAD(key [isa.KeySize]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
