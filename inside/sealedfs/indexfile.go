package sealedfs

import (
	"bytes"
	"crypto/rand"
)

// An index file is
//
//	0  "FEIDIFS1" (8 bytes)
//	8  salt, drawn for each version of the index (32 bytes)
//	40 AES-GCM tag (16 bytes)
//	56 ciphertext
//
// with a nonce of zeros, the key of the salt, and the first 8 bytes as
// additional data.
const (
	indexMagic = "FEIDIFS1"
	offSalt    = len(indexMagic)
	offTag     = offSalt + 32
	stampSize  = offTag + tagSize
)

// A stamp is the start of an index file. Two versions of the index differ in
// it, so that an open directory recognizes its own by reading little.
type stamp [stampSize]byte

// sealIndex returns an index file, of which the first bytes are its stamp.
func sealIndex(master *[masterSize]byte, x *index) ([]byte, error) {
	plain, err := x.encode()
	if err != nil {
		return nil, err
	}
	var salt [32]byte
	rand.Read(salt[:])
	aead, err := derive(master, infoIndex, salt[:])
	if err != nil {
		return nil, err
	}
	file := make([]byte, stampSize, stampSize+len(plain)+tagSize)
	copy(file, indexMagic)
	copy(file[offSalt:], salt[:])
	// GCM appends the tag, which then moves to its place.
	file = aead.Seal(file, make([]byte, nonceSize), plain, file[:offSalt])
	end := len(file) - tagSize
	copy(file[offTag:], file[end:])
	return file[:end], nil
}

// openIndex reads an index file.
func openIndex(master *[masterSize]byte, file []byte) (*index, error) {
	if len(file) < stampSize || !bytes.HasPrefix(file, []byte(indexMagic)) {
		return nil, tampered(indexName, "not an index")
	}
	aead, err := derive(master, infoIndex, file[offSalt:offTag])
	if err != nil {
		return nil, err
	}
	sealed := append(bytes.Clone(file[stampSize:]), file[offTag:stampSize]...)
	plain, err := aead.Open(sealed[:0], make([]byte, nonceSize), sealed, file[:offSalt])
	if err != nil {
		return nil, tampered(indexName, "wrong tag")
	}
	x, err := decodeIndex(plain)
	if err != nil {
		return nil, tampered(indexName, "%v", err)
	}
	return x, nil
}
