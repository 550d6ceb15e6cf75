package sealedfs

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// masterSize is the size of the master key and of every key made from it.
const masterSize = 32

// Sizes of a data file's parts, in bytes.
const (
	chunkSize = 64 << 10 // plaintext of each chunk but the last
	tagSize   = 16
	nonceSize = 12
)

// What a key is for is the start of HKDF's info; the identifier follows.
const (
	infoIndex = "feidi sealedfs 1 index"
	infoFile  = "feidi sealedfs 1 file"
)

// A fileID names one version of one file, on the host and in the index.
type fileID [16]byte

func newFileID() (id fileID) {
	rand.Read(id[:])
	return id
}

// host returns the name of the file on the host.
func (id fileID) host() string { return hex.EncodeToString(id[:]) + dataSuffix }

// derive returns AES-256-GCM with the key HKDF-Expand(master, info ‖ id). The
// master key is random, so there is nothing to extract (RFC 5869, section
// 3.3).
func derive(master *[masterSize]byte, info string, id []byte) (cipher.AEAD, error) {
	key, err := hkdf.Expand(sha256.New, master[:], info+string(id), masterSize)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// A data file is its chunks, one after the other, each the AES-GCM ciphertext
// of 64 KiB with its tag; the last chunk has what remains. The last chunk is
// empty only if the file is. Nonces are
//
//	0  number of the chunk, from 0, big-endian (8 bytes)
//	8  0 (3 bytes)
//	11 1 if this is the last chunk, else 0
//
// and there is no additional data: the key belongs to this file alone.
func chunkNonce(n int64, last bool) (nonce [nonceSize]byte) {
	binary.BigEndian.PutUint64(nonce[:], uint64(n))
	if last {
		nonce[nonceSize-1] = 1
	}
	return nonce
}

// lastChunk returns the number of the last chunk of a file.
func lastChunk(size int64) int64 { return max(0, size-1) / chunkSize }

// chunkLen returns the length of chunk n of a file, without its tag.
func chunkLen(size, n int64) int {
	return int(min(chunkSize, size-n*chunkSize))
}
