package aesm

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Sizes of attestation key IDs in bytes.
const (
	AttKeyIDSize = 256 // sgx_att_key_id_t, as it is in messages
	keyBaseSize  = 158 // sgx_ql_att_key_id_t in front of it, which says which key it is
	keyListSize  = 8   // what stands before a list
	maxKeys      = 10  // in a list, as in Intel's service
	mrSignerSize = 32  // SHA-256; there is room for SHA-384
	maxKeyList   = maxKeys*AttKeyIDSize + keyListSize
)

// Algorithm is the algorithm of an attestation key (sgx_ql_attestation_algorithm_id_t).
type Algorithm uint32

// Algorithms. 1 is reserved.
const (
	AlgorithmEPID      Algorithm = 0 // EPID 2.0
	AlgorithmECDSAP256 Algorithm = 2
	AlgorithmECDSAP384 Algorithm = 3 // not in use
)

// String returns the name of the algorithm, or its number.
func (a Algorithm) String() string {
	switch a {
	case AlgorithmEPID:
		return "EPID"
	case AlgorithmECDSAP256:
		return "ECDSA-P256"
	case AlgorithmECDSAP384:
		return "ECDSA-P384"
	}
	return fmt.Sprintf("algorithm %d", uint32(a))
}

// AttKeyID is sgx_att_key_id_ext_t, 256 bytes, which programs see as an opaque
// sgx_att_key_id_t: which quoting enclave has an attestation key, and of which
// algorithm the key is. It does not name one key among those of many machines.
type AttKeyID struct {
	ID             uint16 // of the structure: 0
	Version        uint16 // of the structure: 0
	MRSignerLength uint16 // bytes of MRSigner that count: 32
	MRSigner       [48]byte
	ProdID         uint32
	ExtendedProdID [16]byte
	ConfigID       [64]byte
	FamilyID       [16]byte
	Algorithm      Algorithm

	// What follows is for EPID only, and tells no keys apart.
	SPID      [16]byte
	QuoteType uint16 // 0 unlinkable, 1 linkable
	Reserved  [80]byte
}

// ECDSAKeyID returns the ID of the ECDSA-P256 key of the quoting enclave that
// has this MRSIGNER and ISVPRODID 1, as quoting enclaves of SGX have.
func ECDSAKeyID(mrSigner [32]byte) AttKeyID {
	k := AttKeyID{MRSignerLength: mrSignerSize, ProdID: 1, Algorithm: AlgorithmECDSAP256}
	copy(k.MRSigner[:], mrSigner[:])
	return k
}

// DefaultECDSAKeyID returns the ID of the ECDSA-P256 key of Intel's quoting
// enclave. Some clients, such as Gramine, know no other and do not ask.
func DefaultECDSAKeyID() AttKeyID {
	return ECDSAKeyID([32]byte{
		0x8c, 0x4f, 0x57, 0x75, 0xd7, 0x96, 0x50, 0x3e, 0x96, 0x13, 0x7f, 0x77, 0xc6, 0x8a, 0x82, 0x9a,
		0x00, 0x56, 0xac, 0x8d, 0xed, 0x70, 0x14, 0x0b, 0x08, 0x1b, 0x09, 0x44, 0x90, 0xc5, 0x7b, 0xff,
	})
}

// Same reports whether both are IDs of the same key: whether all but SPID,
// QuoteType and Reserved are equal.
func (k *AttKeyID) Same(other *AttKeyID) bool {
	a, b := *k, *other
	a.SPID, a.QuoteType, a.Reserved = b.SPID, b.QuoteType, b.Reserved
	return a == b
}

// String returns the algorithm and the quoting enclave's identity in one line.
func (k *AttKeyID) String() string {
	n := min(int(k.MRSignerLength), len(k.MRSigner))
	return fmt.Sprintf("%v of MRSIGNER %s, ISVPRODID %d", k.Algorithm, hex.EncodeToString(k.MRSigner[:n]), k.ProdID)
}

// AppendBinary appends the 256-byte encoding.
func (k *AttKeyID) AppendBinary(b []byte) ([]byte, error) {
	le := binary.LittleEndian
	b = le.AppendUint16(b, k.ID)
	b = le.AppendUint16(b, k.Version)
	b = le.AppendUint16(b, k.MRSignerLength)
	b = append(b, k.MRSigner[:]...)
	b = le.AppendUint32(b, k.ProdID)
	b = append(b, k.ExtendedProdID[:]...)
	b = append(b, k.ConfigID[:]...)
	b = append(b, k.FamilyID[:]...)
	b = le.AppendUint32(b, uint32(k.Algorithm))
	b = append(b, k.SPID[:]...)
	b = le.AppendUint16(b, k.QuoteType)
	return append(b, k.Reserved[:]...), nil
}

// UnmarshalBinary reads exactly AttKeyIDSize bytes.
func (k *AttKeyID) UnmarshalBinary(b []byte) error {
	if err := wantSize("attestation key ID", b, AttKeyIDSize); err != nil {
		return err
	}
	le := binary.LittleEndian
	k.ID, k.Version, k.MRSignerLength = le.Uint16(b), le.Uint16(b[2:]), le.Uint16(b[4:])
	copy(k.MRSigner[:], b[6:])
	k.ProdID = le.Uint32(b[54:])
	copy(k.ExtendedProdID[:], b[58:])
	copy(k.ConfigID[:], b[74:])
	copy(k.FamilyID[:], b[138:])
	k.Algorithm = Algorithm(le.Uint32(b[154:]))
	copy(k.SPID[:], b[keyBaseSize:])
	k.QuoteType = le.Uint16(b[174:])
	copy(k.Reserved[:], b[176:])
	return nil
}

// AppendAttKeyIDs appends a list of keys that a verifier takes, as
// SelectAttKeyID has it (sgx_ql_att_key_id_list_t): 8 bytes, and 256 for each key.
func AppendAttKeyIDs(b []byte, keys []AttKeyID) []byte {
	b = append(b, 0, 0, 0, 0) // ID and version of the structure
	b = binary.LittleEndian.AppendUint32(b, uint32(len(keys)))
	return appendKeys(b, keys)
}

// ParseAttKeyIDs reads a list of at least one and at most ten keys, as
// AppendAttKeyIDs writes it.
func ParseAttKeyIDs(b []byte) ([]AttKeyID, error) {
	if len(b) < keyListSize || len(b) > maxKeyList {
		return nil, fmt.Errorf("%w: a list of 1 to %d attestation key IDs is not %d bytes", ErrFormat, maxKeys, len(b))
	}
	if v := binary.LittleEndian.Uint32(b); v != 0 {
		return nil, fmt.Errorf("%w: list of attestation key IDs has ID and version %#x, not 0", ErrFormat, v)
	}
	if n := binary.LittleEndian.Uint32(b[4:]); uint64(n)*AttKeyIDSize+keyListSize != uint64(len(b)) || n == 0 {
		return nil, fmt.Errorf("%w: a list of %d attestation key IDs is not %d bytes", ErrFormat, n, len(b))
	}
	return parseKeys(b[keyListSize:])
}

// appendKeys appends the keys alone.
func appendKeys(b []byte, keys []AttKeyID) []byte {
	for i := range keys {
		b, _ = keys[i].AppendBinary(b) // has no errors
	}
	return b
}

// parseKeys reads the keys alone.
func parseKeys(b []byte) ([]AttKeyID, error) {
	if len(b)%AttKeyIDSize != 0 {
		return nil, fmt.Errorf("%w: %d bytes are no whole number of attestation key IDs", ErrFormat, len(b))
	}
	keys := make([]AttKeyID, len(b)/AttKeyIDSize)
	for i := range keys {
		if err := keys[i].UnmarshalBinary(b[i*AttKeyIDSize:][:AttKeyIDSize]); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func wantSize(what string, b []byte, size int) error {
	if len(b) != size {
		return fmt.Errorf("%w: %s is %d bytes, got %d", ErrFormat, what, size, len(b))
	}
	return nil
}
