// Package cmac computes AES-CMAC with a 128-bit key (RFC 4493; NIST SP
// 800-38B), the code that SGX uses for reports, launch tokens and key
// derivation.
package cmac

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// Size is the size of a key and of a code in bytes.
const Size = aes.BlockSize

// A CMAC is a key with its two subkeys. It is safe for concurrent use.
type CMAC struct {
	block  cipher.Block
	k1, k2 [Size]byte
}

// New returns the CMAC of a key.
func New(key [Size]byte) *CMAC {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // unreachable: the key has the right size
	}
	m := &CMAC{block: block}
	block.Encrypt(m.k1[:], m.k1[:])
	double(&m.k1)
	m.k2 = m.k1
	double(&m.k2)
	return m
}

// double multiplies b by x in GF(2^128), in constant time.
func double(b *[Size]byte) {
	carry := b[0] >> 7
	for i := range Size - 1 {
		b[i] = b[i]<<1 | b[i+1]>>7
	}
	b[Size-1] = b[Size-1]<<1 ^ 0x87*carry
}

// Sum returns the code of msg.
func (m *CMAC) Sum(msg []byte) [Size]byte {
	var x [Size]byte
	for len(msg) > Size {
		subtle.XORBytes(x[:], x[:], msg[:Size])
		m.block.Encrypt(x[:], x[:])
		msg = msg[Size:]
	}
	key := &m.k1
	subtle.XORBytes(x[:], x[:], msg)
	if len(msg) < Size {
		x[len(msg)] ^= 0x80
		key = &m.k2
	}
	subtle.XORBytes(x[:], x[:], key[:])
	m.block.Encrypt(x[:], x[:])
	return x
}

// Sum returns the code of msg under key.
func Sum(key [Size]byte, msg []byte) [Size]byte { return New(key).Sum(msg) }

// Equal compares two codes in constant time.
func Equal(a, b [Size]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
