package epid

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"github.com/feidi-dev/feidi/epid/internal/bn"
)

// Hash is the hash algorithm of a signature. The values are those of Intel's
// EPID SDK. SGX uses SHA256, the zero value.
type Hash uint8

// The hash algorithms.
const (
	SHA256 Hash = iota
	SHA384
	SHA512
	SHA512_256
)

func (h Hash) check() error {
	if h > SHA512_256 {
		return fmt.Errorf("%w: %d", ErrHash, h)
	}
	return nil
}

func (h Hash) new() hash.Hash {
	switch h {
	case SHA384:
		return sha512.New384()
	case SHA512:
		return sha512.New()
	case SHA512_256:
		return sha512.New512_256()
	}
	return sha256.New()
}

func (h Hash) sum(parts ...[]byte) []byte {
	d := h.new()
	for _, p := range parts {
		d.Write(p)
	}
	return d.Sum(nil)
}

// number is the hash of parts mod p.
func (h Hash) number(parts ...[]byte) bn.Scalar { return bn.ScalarMod(h.sum(parts...)) }

// tries bounds the search of point, as Intel's SDK bounds it. One in 2^51
// messages has no point.
const tries = 51

var errNoPoint = errors.New("EPID: the basename hashes to no point: take another one")

// point hashes a message to G1: x is the first of hash(i, message) mod q, with
// i = 0, 1, ... in 4 bytes, that is a coordinate of a point. Of the two points,
// bn.LiftMod chooses as Intel's library does.
func (h Hash) point(message []byte) (bn.G1, error) {
	for i := range uint32(tries) {
		var prefix [4]byte
		binary.BigEndian.PutUint32(prefix[:], i)
		if p, err := bn.LiftMod(h.sum(prefix[:], message)); err == nil {
			return p, nil
		}
	}
	return bn.G1{}, errNoPoint
}
