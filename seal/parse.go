package seal

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/isa"
)

// Sealed is a blob whose layout is known to be sound. Nothing of it is
// authenticated before Open succeeds.
type Sealed struct {
	request    isa.KeyRequest
	tag        [TagSize]byte
	ciphertext []byte
	additional []byte
}

// Parse reads a blob. It accepts what Seal and the SDK write and nothing else:
// where sgx_unseal_data ignores reserved bytes and what follows the payload,
// which no tag covers, Parse refuses them. It checks the request with
// CheckRequest. Errors are a FormatError or ErrRequest.
//
// The result refers to blob, which must not change before Open returns.
func Parse(blob []byte) (*Sealed, error) {
	if len(blob) < HeaderSize {
		return nil, malformed(len(blob), "a blob has at least %d bytes", HeaderSize)
	}
	if uint64(len(blob)) > maxSize {
		return nil, malformed(0, "%d bytes are more than a blob can have", len(blob))
	}
	s := new(Sealed)
	if err := s.request.UnmarshalBinary(blob[:isa.KeyRequestSize]); err != nil {
		return nil, malformed(0, "%v", err)
	}
	if err := CheckRequest(&s.request); err != nil {
		return nil, err
	}
	for _, off := range []int{offReserved1, offReserved2} {
		reserved := blob[off : off+reservedSize]
		if i := slices.IndexFunc(reserved, func(b byte) bool { return b != 0 }); i >= 0 {
			return nil, malformed(off+i, "a reserved byte is %#x", reserved[i])
		}
	}
	// Compared as uint64: an int may have 32 bits, as these fields do.
	payload := blob[HeaderSize:]
	size := uint64(binary.LittleEndian.Uint32(blob[offPayloadSize:]))
	plain := uint64(binary.LittleEndian.Uint32(blob[offPlainText:]))
	switch have := uint64(len(payload)); {
	case size == 0:
		return nil, malformed(offPayloadSize, "payload_size is 0")
	case size != have:
		return nil, malformed(offPayloadSize, "payload_size is %d, but %d bytes follow the header", size, have)
	case plain > size:
		return nil, malformed(offPlainText, "plain_text_offset is %d, beyond payload_size, %d", plain, size)
	}
	copy(s.tag[:], blob[offTag:])
	s.ciphertext, s.additional = payload[:plain], payload[plain:]
	return s, nil
}

// Request returns the request whose key opens the blob, for EGETKEY.
func (s *Sealed) Request() isa.KeyRequest { return s.request }

// PlaintextLen returns the length of the plaintext (sgx_get_encrypt_txt_len).
func (s *Sealed) PlaintextLen() int { return len(s.ciphertext) }

// AdditionalLen returns the length of the additional text
// (sgx_get_add_mac_txt_len).
func (s *Sealed) AdditionalLen() int { return len(s.additional) }

// Open returns the texts of the blob, both in memory of their own, or ErrAuth.
//
// Of the request the key covers what EGETKEY derives keys from; CONFIGSVN is
// not part of that unless the policy has CONFIGID.
func (s *Sealed) Open(key [isa.KeySize]byte) (plaintext, additional []byte, err error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, nil, err
	}
	buf := make([]byte, 0, len(s.ciphertext)+TagSize)
	buf = append(append(buf, s.ciphertext...), s.tag[:]...)
	plaintext, err = aead.Open(buf[:0], zeroIV[:], buf, s.additional)
	if err != nil {
		return nil, nil, fmt.Errorf("%w (%d bytes of plaintext, %d of additional text)",
			ErrAuth, len(s.ciphertext), len(s.additional))
	}
	return plaintext, append([]byte{}, s.additional...), nil
}
