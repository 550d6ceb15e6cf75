package sdk

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/binary"
	"fmt"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

const (
	fipsExponent      = 65537
	fipsSignatureSize = 2*isa.RSAKeySize + 4
)

// fipsSignature signs a finished SIGSTRUCT, as the SDK's loader checks it for
// enclaves with Intel's crypto library in FIPS mode: an RSA-3072 modulus and
// its exponent, little-endian, and the signature, big-endian.
//
// The key lies beside the signature, so that it authenticates nothing: it lets
// the loader notice damage. It is therefore not drawn but derived from what it
// signs, and signing twice gives the same file.
func fipsSignature(s *isa.SigStruct) ([]byte, error) {
	css, err := s.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	stream := sha3.NewSHAKE256()
	stream.Write([]byte("feidi sgx sdk fips signature"))
	stream.Write(css)
	key, err := sign.GenerateKeyWithExponent(stream, fipsExponent)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(css)
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		return nil, fmt.Errorf("sdk: FIPS signature: %w", err)
	}
	out := make([]byte, fipsSignatureSize)
	modulus := key.N.FillBytes(make([]byte, isa.RSAKeySize))
	for i := range isa.RSAKeySize {
		out[i] = modulus[isa.RSAKeySize-1-i]
	}
	copy(out[isa.RSAKeySize+4:], sig)
	binary.LittleEndian.PutUint32(out[isa.RSAKeySize:], fipsExponent)
	return out, nil
}

// appendModule returns the enclave's file with a shared object appended, on a
// page of its own, and the entry that tells the loader.
func (p *plan) appendModule(module []byte) ([]byte, *image.Extend, error) {
	f, err := elf64.Parse(module)
	if err != nil {
		return nil, nil, fmt.Errorf("sdk: FIPS module: %w", err)
	}
	var last elf64.Segment
	for _, s := range f.Segments {
		if s.Kind == elf64.SegmentLoad && s.Address > last.Address {
			last = s
		}
	}
	if !elf64.Within(last.Address, last.Size, image.MaxSize) {
		return nil, nil, fmt.Errorf("sdk: FIPS module: %w", objectErr(last.Header, "segment of %#x bytes at address %#x does not fit into an enclave", last.Size, last.Address))
	}
	p.moduleSize = roundUp(last.Address + last.Size)
	file := p.object.file
	at := roundUp(uint64(len(file)))
	out := make([]byte, at, at+uint64(len(module)))
	copy(out, file)
	out = append(out, module...)
	le := binary.LittleEndian
	entry := le.AppendUint64(le.AppendUint64(nil, at), p.object.imageSize())
	entry = le.AppendUint64(le.AppendUint64(entry, uint64(len(module))), 0)
	return out, &image.Extend{ID: image.ExtendSharedObject, Data: entry}, nil
}
