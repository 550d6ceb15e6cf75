package cli

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// maxKey is the size of the largest file that is read as a key.
const maxKey = 64 << 10

// makeKey tells how a key is made that can sign an enclave.
const makeKey = "make one with `openssl genrsa -3 -out KEY.pem 3072` or `feidi sign --generate --key KEY.pem`"

// readPrivateKey reads the RSA key to sign with, PKCS #1 or PKCS #8 in PEM.
func readPrivateKey(file string) (*rsa.PrivateKey, error) {
	block, err := readPEM(file, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	var parsed any
	switch block.Type {
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return nil, cannot(fmt.Errorf("%s: a public key cannot sign: name the private one, or sign elsewhere what `feidi sign gendata` writes, and use `feidi sign catsig`", file))
	default:
		return nil, cannot(fmt.Errorf("%s: %.40q is no RSA key; %s", file, block.Type, makeKey))
	}
	if err != nil {
		return nil, cannot(fmt.Errorf("%s: the key is damaged: %w; %s", file, err, makeKey))
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, cannot(fmt.Errorf("%s: the key is not of RSA; %s", file, makeKey))
	}
	return key, checkKey(file, &key.PublicKey)
}

// readPublicKey reads the RSA key of a signature, PKIX or PKCS #1 in PEM.
func readPublicKey(file string) (*rsa.PublicKey, error) {
	block, err := readPEM(file, "PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	var parsed any
	switch block.Type {
	case "RSA PUBLIC KEY":
		parsed, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "PUBLIC KEY":
		parsed, err = x509.ParsePKIXPublicKey(block.Bytes)
	default:
		return nil, cannot(fmt.Errorf("%s: catsig takes the public key: `openssl rsa -in %[1]s -pubout -out PUBLIC.pem` writes it", file))
	}
	if err != nil {
		return nil, cannot(fmt.Errorf("%s: the key is damaged: %w", file, err))
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, cannot(fmt.Errorf("%s: the key is not of RSA; %s", file, makeKey))
	}
	return key, checkKey(file, key)
}

// readPEM reads the first block of a key, preferably of the kind that is
// wanted: a file may begin with its parameters or certificates.
func readPEM(file, want string) (*pem.Block, error) {
	b, err := readFile(file, maxKey, nil)
	if err != nil {
		return nil, cannot(err)
	}
	var first *pem.Block
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, cannot(fmt.Errorf("%s: the key is encrypted: `openssl rsa -in %[1]s -out PLAIN.pem` decrypts it", file))
		}
		if strings.HasSuffix(block.Type, want) {
			return block, nil
		}
		if first == nil {
			first = block
		}
	}
	if first == nil {
		return nil, cannot(fmt.Errorf("%s: it holds no key in PEM; %s", file, makeKey))
	}
	return first, nil
}

// checkKey checks what the processor demands of a key.
func checkKey(file string, key *rsa.PublicKey) error {
	if bits := key.N.BitLen(); bits != isa.RSAKeySize*8 {
		return cannot(fmt.Errorf("%s: %w: it has %d bits, and the processor takes %d; %s", file, sign.ErrKey, bits, isa.RSAKeySize*8, makeKey))
	}
	if key.E != isa.SigStructExponent {
		return cannot(fmt.Errorf("%s: %w: its exponent is %d, and the processor takes %d; %s", file, sign.ErrKey, key.E, isa.SigStructExponent, makeKey))
	}
	return nil
}

// generateKey makes a key, and the file for it, which must not exist. The file
// is made when there is something to put in: an interrupt leaves none.
func generateKey(file string) (*rsa.PrivateKey, error) {
	exists := fmt.Errorf("%s is there already, and no key is overwritten: leave --generate out to use it", file)
	if _, err := os.Lstat(file); err == nil {
		return nil, cannot(exists)
	}
	key, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		return nil, cannot(err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, cannot(exists)
	}
	if err != nil {
		return nil, cannot(err)
	}
	err = pem.Encode(f, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, cannot(errors.Join(err, os.Remove(file)))
	}
	return key, nil
}
