package sealedfs

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// A Sealer protects a small secret so that only this program gets it back,
// usually by the processor's seal key (package seal). Additional is bound to
// the secret and need not stay secret. Unseal must fail for a blob that Seal
// did not make; the plaintext it returns is the caller's, who erases it.
type Sealer interface {
	Seal(plaintext, additional []byte) ([]byte, error)
	Unseal(blob []byte) (plaintext, additional []byte, err error)
}

// A header file is
//
//	0  "FEIDIKEY" (8 bytes)
//	8  length of the blob, u32, little-endian
//	12 what the Sealer made of the master key
//
// The blob's additional text says what the secret is, so that the host cannot
// offer another secret of the program as a master key.
const (
	headerMagic   = "FEIDIKEY"
	offBlob       = len(headerMagic) + 4
	maxBlob       = 1 << 20
	headerPurpose = "feidi sealedfs 1 master key"
)

func sealHeader(s Sealer, master *[masterSize]byte) ([]byte, error) {
	blob, err := s.Seal(master[:], []byte(headerPurpose))
	if err != nil {
		return nil, fmt.Errorf("seal the master key: %w", err)
	}
	if len(blob) > maxBlob {
		return nil, fmt.Errorf("the sealed master key has %d bytes of at most %d", len(blob), maxBlob)
	}
	file := append(make([]byte, 0, offBlob+len(blob)), headerMagic...)
	file = binary.LittleEndian.AppendUint32(file, uint32(len(blob)))
	return append(file, blob...), nil
}

// openHeader returns the master key. If the Sealer refuses, its error is
// passed on: a wrong key and a changed blob look the same.
func openHeader(s Sealer, file []byte) (master [masterSize]byte, err error) {
	if len(file) < offBlob || !bytes.HasPrefix(file, []byte(headerMagic)) {
		return master, tampered(headerName, "not a header")
	}
	blob := file[offBlob:]
	if n := binary.LittleEndian.Uint32(file[len(headerMagic):]); uint64(n) != uint64(len(blob)) {
		return master, tampered(headerName, "a blob of %d bytes in %d", n, len(blob))
	}
	key, purpose, err := s.Unseal(blob)
	if err != nil {
		return master, fmt.Errorf("%s: unseal the master key: %w", headerName, err)
	}
	defer clear(key)
	if len(key) != masterSize || string(purpose) != headerPurpose {
		return master, tampered(headerName, "it has another secret, not a master key")
	}
	return [masterSize]byte(key), nil
}
