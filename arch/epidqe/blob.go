package epidqe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"

	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/seal"
)

// Sizes in bytes.
const (
	// BlobSize is the size of a blob: sealed data (package seal) whose plaintext
	// is an epid.PrivateKey, and whose additional text is [Data].
	BlobSize = seal.HeaderSize + epid.PrivateKeySize + DataSize
	// DataSize is the size of Data.
	DataSize = 2 + 16 + 2 + epid.PublicKeySize + 4 + serviceSize + 64 + 4

	serviceSize = 256 // of the attestation service's modulus
)

// What a blob begins with. Intel's are of versions 2, with the parameters of EPID,
// and 3, with what can be computed once and for all.
const (
	blobType    = 0
	blobVersion = 4
)

// Data is the part of a blob that everybody can read: the fields of
// se_plaintext_epid_data_sdk_t (epid_pve_type.h), in its layout. Numbers are
// little-endian, the group's key is as package epid has it.
type Data struct {
	CPUSVN     [16]byte // of the machine when it was provisioned
	PvESVN     uint16   // ISVSVN of the provisioning enclave
	Group      epid.PublicKey
	Service    *rsa.PublicKey   // that signatures are sealed to; 2048 bits
	SigningKey *ecdsa.PublicKey // of the issuer's files; P-256
	XEID       uint32           // extended EPID group ID
}

// AppendBinary appends the 608 bytes.
func (d *Data) AppendBinary(b []byte) ([]byte, error) {
	if d.Service.Size() != serviceSize || d.Service.E < 3 || int64(d.Service.E) > 1<<31-1 {
		return nil, fmt.Errorf("epidqe: the attestation service's key has %d bits, want 2048", 8*d.Service.Size())
	}
	point, err := d.SigningKey.Bytes()
	if err != nil || d.SigningKey.Curve != elliptic.P256() {
		return nil, fmt.Errorf("epidqe: the key of the issuer's files is not on P-256")
	}
	le := binary.LittleEndian
	b = append(append(b, blobType, blobVersion), d.CPUSVN[:]...)
	b = append(le.AppendUint16(b, d.PvESVN), d.Group.Bytes()...)
	b = le.AppendUint32(b, uint32(d.Service.E))
	b = append(b, reversed(d.Service.N.FillBytes(make([]byte, serviceSize)))...)
	b = append(append(b, reversed(point[1:33])...), reversed(point[33:])...)
	return le.AppendUint32(b, d.XEID), nil
}

// UnmarshalBinary reads exactly 608 bytes.
func (d *Data) UnmarshalBinary(b []byte) error {
	if len(b) != DataSize {
		return fmt.Errorf("epidqe: %d bytes of data of a blob, and not %d", len(b), DataSize)
	}
	if b[0] != blobType || b[1] != blobVersion {
		return fmt.Errorf("epidqe: a blob of type %d, version %d, and not %d, %d", b[0], b[1], blobType, blobVersion)
	}
	le := binary.LittleEndian
	take := func(n int) (head []byte) { head, b = b[:n], b[n:]; return head }
	take(2)
	d.CPUSVN = [16]byte(take(16))
	d.PvESVN = le.Uint16(take(2))
	var err error
	if d.Group, err = epid.ParsePublicKey(take(epid.PublicKeySize)); err != nil {
		return err
	}
	e := le.Uint32(take(4))
	d.Service = &rsa.PublicKey{E: int(e & (1<<31 - 1)), N: new(big.Int).SetBytes(reversed(take(serviceSize)))}
	if d.Service.Size() != serviceSize || e>>31 != 0 {
		return fmt.Errorf("epidqe: the attestation service's key in the blob is none")
	}
	x, y := reversed(take(32)), reversed(take(32))
	if d.SigningKey, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y)); err != nil {
		return fmt.Errorf("epidqe: the key of the issuer's files in the blob: %w", err)
	}
	d.XEID = le.Uint32(take(4))
	return nil
}

// ParseData returns what everybody can read of a blob. Nobody has authenticated it
// but the QE.
func ParseData(blob []byte) (*Data, error) {
	s, err := seal.Parse(blob)
	if err != nil {
		return nil, err
	}
	if len(blob) != BlobSize || s.AdditionalLen() != DataSize {
		return nil, fmt.Errorf("epidqe: it is no blob of %d bytes with %d to read", BlobSize, DataSize)
	}
	d := new(Data)
	return d, d.UnmarshalBinary(blob[BlobSize-DataSize:])
}

// Seal seals a blob at the SVNs of self, the caller's own REPORT of a moment ago.
// Enclaves of its signer and product open it, at these SVNs and above.
func Seal(p leaf.Processor, self *isa.Report, d *Data, k epid.PrivateKey) ([]byte, error) {
	text, err := d.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	var id [32]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	request := seal.Request(self, seal.DefaultPolicy(self), id)
	key, err := p.Key(&request)
	if err != nil {
		return nil, err
	}
	return seal.Seal(&request, key, k.Bytes(), text)
}

func reversed(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}
