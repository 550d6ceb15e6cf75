package epid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/feidi-dev/feidi/internal/p256"
)

// FileType is the type of a signed file of the issuer.
type FileType uint16

// The file types of EPID 2.0.
const (
	FilePublicKey FileType = 0x0C
	FilePrivRL    FileType = 0x0D
	FileSigRL     FileType = 0x0E // SGX's InitQuote hands this file to the quoting enclave
	FileGroupRL   FileType = 0x0F
)

const (
	fileVersion   = 0x0200 // EPID 2.0
	fileHeader    = 4      // version 2, type 2
	fileSignature = 64     // r and s
)

// SignFile returns a file of the issuer: version 0x0200 and type, 2 bytes each,
// the body, and the ECDSA signature of all before it: r and s of 32 bytes, over
// SHA-256. All is big-endian. The key is of P-256. The same body gives the same
// file (RFC 6979).
func SignFile(key *ecdsa.PrivateKey, t FileType, body []byte) ([]byte, error) {
	if key.Curve != elliptic.P256() {
		return nil, errors.New("EPID: the key that signs files has to be of P-256")
	}
	f := binary.BigEndian.AppendUint16(nil, fileVersion)
	f = binary.BigEndian.AppendUint16(f, uint16(t))
	f = append(f, body...)
	sig, err := p256.Sign(key, f)
	if err != nil {
		return nil, fmt.Errorf("EPID: signing a file: %w", err)
	}
	return append(f, sig[:]...), nil
}

// OpenFile checks the signature of a file and returns its body. The errors are
// ErrFormat and ErrSignature.
func OpenFile(key *ecdsa.PublicKey, t FileType, file []byte) ([]byte, error) {
	d := decoder{what: "signed file", data: file}
	if len(file) < fileHeader+fileSignature {
		d.fail(len(file), "%d bytes, want at least %d", len(file), fileHeader+fileSignature)
	} else if v := binary.BigEndian.Uint16(file); v != fileVersion {
		d.fail(0, "version %#04x, want %#04x", v, fileVersion)
	} else if got := FileType(binary.BigEndian.Uint16(file[2:])); got != t {
		d.fail(2, "type %#04x, want %#04x", uint16(got), uint16(t))
	}
	if d.err != nil {
		return nil, d.err
	}
	signed, sig := file[:len(file)-fileSignature], file[len(file)-fileSignature:]
	digest := sha256.Sum256(signed)
	if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return nil, fmt.Errorf("%w: of the issuer's file", ErrSignature)
	}
	return signed[fileHeader:], nil
}
