package local

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/feidi-dev/feidi/attest/internal/kex"
	"github.com/feidi-dev/feidi/internal/cmac"
)

// transcript is what REPORTs and CMACs of an exchange are about.
type transcript struct {
	version Version
	ga, gb  kex.Public
	spec    spec // LAv2
}

// data2 is the report data of message 2.
func (t *transcript) data2() (d [64]byte) {
	if t.version == LAv2 {
		return hash(t.spec[:], t.gb[:])
	}
	d = hash(t.ga[:], t.gb[:])
	binary.LittleEndian.PutUint16(d[sha256.Size:], kex.KDF)
	return d
}

// data3 is the report data of message 3.
func (t *transcript) data3() [64]byte {
	if t.version == LAv2 {
		return hash(t.ga[:], t.spec[:])
	}
	return hash(t.gb[:], t.ga[:])
}

// mac2 is the CMAC of message 2. The REPORT is in its bytes.
func (t *transcript) mac2(smk [cmac.Size]byte, report []byte) [cmac.Size]byte {
	if t.version == LAv2 {
		return cmac.Sum(smk, t.gb[:])
	}
	return cmac.Sum(smk, report)
}

// mac3 is the CMAC of message 3. The body is all that follows the CMAC.
func (t *transcript) mac3(smk [cmac.Size]byte, body []byte) [cmac.Size]byte {
	if t.version == LAv2 {
		return cmac.Sum(smk, slices.Concat(body[off3Additional-off3Report:], t.ga[:]))
	}
	return cmac.Sum(smk, body)
}

// hash returns the SHA-256 of a and b, and 32 zeros.
func hash(a, b []byte) (d [64]byte) {
	h := sha256.Sum256(slices.Concat(a, b))
	copy(d[:], h[:])
	return d
}
