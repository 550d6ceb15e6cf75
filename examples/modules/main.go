// Modules is a program of modules from elsewhere, assembly included, that knows
// nothing of enclaves: it compresses and encrypts what it reads.
//
//	feidi run . -password secret < FILE > PACKED
//	feidi run . -password secret -open < PACKED
package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/sys/cpu"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("modules: ")
	password := flag.String("password", "", "encrypt with this `password`")
	unpack := flag.Bool("open", false, "decrypt and decompress")
	verbose := flag.Bool("v", false, "say what was done")
	flag.Parse()
	if *password == "" {
		log.Fatal("no -password")
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	work := pack
	if *unpack {
		work = open
	}
	out, err := work(in, []byte(*password))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := os.Stdout.Write(out); err != nil {
		log.Fatal(err)
	}
	if *verbose {
		fmt.Fprintf(os.Stderr, "%d bytes in, BLAKE2b %x; %d bytes out; AVX2 %v, BMI2 %v\n",
			len(in), blake2b.Sum256(in), len(out), cpu.X86.HasAVX2, cpu.X86.HasBMI2)
	}
}

// saltSize is the size of the salt, in bytes. The result of pack is the salt,
// the nonce and the ciphertext.
const saltSize = 16

func pack(in, password []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, err
	}
	out := make([]byte, saltSize+chacha20poly1305.NonceSizeX)
	if _, err := rand.Read(out); err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(key(password, out[:saltSize]))
	if err != nil {
		return nil, err
	}
	return aead.Seal(out, out[saltSize:], w.EncodeAll(in, nil), nil), nil
}

func open(in, password []byte) ([]byte, error) {
	if len(in) < saltSize+chacha20poly1305.NonceSizeX {
		return nil, errors.New("too short to be packed")
	}
	aead, err := chacha20poly1305.NewX(key(password, in[:saltSize]))
	if err != nil {
		return nil, err
	}
	nonce, sealed := in[saltSize:][:chacha20poly1305.NonceSizeX], in[saltSize+chacha20poly1305.NonceSizeX:]
	compressed, err := aead.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, errors.New("another password, or not what was packed")
	}
	r, err := zstd.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// key makes a key of a password (RFC 9106, with 64 MiB).
func key(password, salt []byte) []byte {
	return argon2.IDKey(password, salt, 1, 64<<10, 2, chacha20poly1305.KeySize)
}
