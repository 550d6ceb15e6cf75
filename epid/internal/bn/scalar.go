package bn

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
)

// ErrScalar is the error of a number that is not less than p.
var ErrScalar = errors.New("number is not less than the order of the group")

// Scalar is a number mod p. The zero value is 0.
type Scalar struct{ v [4]uint64 }

// NewScalar reads 32 bytes, big-endian, or returns ErrScalar.
func NewScalar(b [32]byte) (Scalar, error) {
	var s Scalar
	if !modP.set(&s.v, b[:]) {
		return Scalar{}, ErrScalar
	}
	return s, nil
}

// ScalarMod takes at most 64 bytes, big-endian, mod p.
func ScalarMod(b []byte) (s Scalar) {
	modP.setWide(&s.v, b)
	return s
}

// RandomScalar draws a number from 1 to p-1; random nil is crypto/rand. The
// number is 64 bytes mod p, so that it takes what one draw takes.
func RandomScalar(random io.Reader) (Scalar, error) {
	if random == nil {
		random = rand.Reader
	}
	for range 8 {
		var b [64]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return Scalar{}, fmt.Errorf("drawing a random number: %w", err)
		}
		if s := ScalarMod(b[:]); !s.IsZero() {
			return s, nil
		}
	}
	return Scalar{}, errors.New("drawing a random number: the source yields zeros only")
}

// Bytes returns the number, big-endian.
func (s Scalar) Bytes() [32]byte { return modP.bytes(&s.v) }

// IsZero reports whether s = 0.
func (s Scalar) IsZero() bool { return s.v == [4]uint64{} }

// Add returns s + t.
func (s Scalar) Add(t Scalar) (z Scalar) { modP.add(&z.v, &s.v, &t.v); return z }

// Mul returns s·t.
func (s Scalar) Mul(t Scalar) (z Scalar) { modP.mul(&z.v, &s.v, &t.v); return z }

// Neg returns -s.
func (s Scalar) Neg() (z Scalar) { modP.sub(&z.v, &z.v, &s.v); return z }

// Inverse returns 1/s, and 0 for 0.
func (s Scalar) Inverse() (z Scalar) { modP.exp(&z.v, &s.v, &modP.less); return z }

// digits returns the number in 64 digits of 4 bits, the least significant first.
func (s Scalar) digits() (d [64]uint64) {
	b := s.Bytes()
	for i := range d {
		d[i] = uint64(b[31-i/2]>>(i%2*4)) & 15
	}
	return d
}
