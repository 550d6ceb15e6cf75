package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

// gcm is AES-GCM put together from single AES blocks and a GHASH that
// multiplies bit by bit (NIST SP 800-38D, algorithms 1 to 4): a second opinion
// on what package cipher does in assembly.
func gcm(key []byte, iv [12]byte, plain, additional []byte) (ciphertext, tag []byte) {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	encrypt := func(in [16]byte) (out [16]byte) {
		block.Encrypt(out[:], in[:])
		return out
	}
	counter := func(n uint32) (b [16]byte) {
		copy(b[:], iv[:])
		binary.BigEndian.PutUint32(b[12:], n)
		return b
	}
	for i, p := range plain {
		stream := encrypt(counter(uint32(2 + i/16)))
		ciphertext = append(ciphertext, p^stream[i%16])
	}

	h := encrypt([16]byte{})
	var y [16]byte
	absorb := func(text []byte) {
		for len(text) > 0 {
			var b [16]byte
			text = text[copy(b[:], text):]
			for i := range y {
				y[i] ^= b[i]
			}
			y = multiply(y, h)
		}
	}
	absorb(additional)
	absorb(ciphertext)
	var lengths [16]byte
	binary.BigEndian.PutUint64(lengths[:], uint64(len(additional))*8)
	binary.BigEndian.PutUint64(lengths[8:], uint64(len(ciphertext))*8)
	absorb(lengths[:])
	mask := encrypt(counter(1))
	for i := range y {
		y[i] ^= mask[i]
	}
	return ciphertext, y[:]
}

// multiply is the product of x and y in GF(2^128), with GCM's order of bits.
func multiply(x, y [16]byte) (z [16]byte) {
	for i := range 128 {
		if x[i/8]>>(7-i%8)&1 != 0 {
			for j := range z {
				z[j] ^= y[j]
			}
		}
		odd := y[15]&1 != 0
		for j := 15; j > 0; j-- {
			y[j] = y[j]>>1 | y[j-1]<<7
		}
		y[0] >>= 1
		if odd {
			y[0] ^= 0xe1
		}
	}
	return z
}

// The second opinion itself is right: test case 4 of McGrew and Viega has
// additional text and a plaintext that is no multiple of 16.
func TestGCMByHand(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key := unhex("feffe9928665731c6d6a8f9467308308")
	iv := [12]byte(unhex("cafebabefacedbaddecaf888"))
	plain := unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
	c, tag := gcm(key, iv, plain, unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"))
	want := unhex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091")
	if !bytes.Equal(c, want) {
		t.Errorf("ciphertext %x", c)
	}
	if !bytes.Equal(tag, unhex("5bc94fbc3221a5db94fae95ae7121a47")) {
		t.Errorf("tag %x", tag)
	}
}

// fakeEGETKEY is a key that depends on every bit of a request.
func fakeEGETKEY(q isa.KeyRequest) [isa.KeySize]byte {
	b, _ := q.AppendBinary(nil)
	sum := sha256.Sum256(b)
	return [isa.KeySize]byte(sum[:isa.KeySize])
}
