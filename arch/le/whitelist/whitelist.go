// Package whitelist has the white lists of launch enclaves: which signers'
// enclaves may be launched in production mode. They are read, checked, and made.
//
// The format is Intel's, byte for byte: a chain of two certificates that are no
// X.509. Numbers are big endian; keys are on P-256, X and Y, and signatures ECDSA
// with SHA-256, R and S, each of 32 bytes, big endian.
//
//	the provider's certificate, signed by the root
//	  0    2  version of the format: 1
//	  2    2  type: 0
//	  4    2  provider: 0
//	  6    2  root: 0
//	  8   64  public key of the provider
//	 72   64  signature with the root's key of bytes 0 to 71
//	the list, signed by the provider
//	136    2  version of the format: 1
//	138    2  type: 1
//	140    2  provider: 0
//	142    2  ISVPRODID of the launch enclave that it is for
//	144    4  version of the list; it only goes up
//	148    4  n, the number of signers, 1 to 2048
//	152  32n  MRSIGNERs; if the first is zero, every signer is on the list
//	      64  signature with the provider's key from byte 136 to here
//
// Source: wl_cert_chain_t of common/inc/internal/arch.h and psw/ae/le of Intel's
// SGX SDK, of which no code is used.
package whitelist

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Sizes in bytes, and the most signers that a list has.
const (
	ProviderSize = keyEnd + signatureSize // of the provider's certificate
	MinSize      = ProviderSize + headSize + entrySize + signatureSize
	MaxSize      = ProviderSize + headSize + MaxSigners*entrySize + signatureSize
	MaxSigners   = 2048
)

const (
	keyStart, keyEnd = 8, 8 + 64 // of the provider's public key
	headSize         = 16        // of a list before its signers
	entrySize        = 32
	signatureSize    = 64
)

// Versions, types and names, as they are written.
const (
	providerHead = "\x00\x01\x00\x00\x00\x00\x00\x00"
	listHead     = "\x00\x01\x00\x01\x00\x00"
)

// Errors of a chain. They are wrapped with detail.
var (
	ErrFormat    = errors.New("whitelist: not a white list")
	ErrSignature = errors.New("whitelist: signature is wrong")
)

// List says whose enclaves may be launched.
type List struct {
	LEProdID uint16     // ISVPRODID of the launch enclave that it is for
	Version  uint32     // a launch enclave takes only higher ones than it has
	Signers  [][32]byte // MRSIGNERs, 1 to MaxSigners; if the first is zero, all
}

// Allows reports whether a signer is on the list.
func (l *List) Allows(mrSigner [32]byte) bool {
	return len(l.Signers) > 0 && l.Signers[0] == [32]byte{} || slices.Contains(l.Signers, mrSigner)
}

// Chain is a list with its signatures.
type Chain struct {
	List List
	raw  []byte
}

// Parse reads a chain. It does not check signatures: Verify does. The chain refers
// to b.
func Parse(b []byte) (*Chain, error) {
	if len(b) < MinSize || len(b) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes, and not %d to %d", ErrFormat, len(b), MinSize, MaxSize)
	}
	list := b[ProviderSize:]
	n := binary.BigEndian.Uint32(list[12:])
	if n > MaxSigners || len(list) != headSize+int(n)*entrySize+signatureSize {
		return nil, fmt.Errorf("%w: %d bytes cannot be those of a list of %d signers", ErrFormat, len(b), n)
	}
	switch {
	case string(b[:keyStart]) != providerHead:
		return nil, fmt.Errorf("%w: the certificate of the provider begins with %x, and not with %x", ErrFormat, b[:keyStart], providerHead)
	case string(list[:len(listHead)]) != listHead:
		return nil, fmt.Errorf("%w: the list, at offset %d, begins with %x, and not with %x", ErrFormat, ProviderSize, list[:len(listHead)], listHead)
	}
	c := &Chain{
		List: List{LEProdID: binary.BigEndian.Uint16(list[6:]), Version: binary.BigEndian.Uint32(list[8:]), Signers: make([][32]byte, n)},
		raw:  b,
	}
	for i := range c.List.Signers {
		c.List.Signers[i] = [32]byte(list[headSize+i*entrySize:])
	}
	return c, nil
}

// encode returns all of a list but its signature.
func (l *List) encode() []byte {
	b := []byte(listHead)
	b = binary.BigEndian.AppendUint16(b, l.LEProdID)
	b = binary.BigEndian.AppendUint32(b, l.Version)
	b = binary.BigEndian.AppendUint32(b, uint32(len(l.Signers)))
	for i := range l.Signers {
		b = append(b, l.Signers[i][:]...)
	}
	return b
}
