package qe

import (
	"crypto/rand"
	"encoding/binary"
	"slices"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/pce"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/seal"
)

// BlobSize is the size of a blob in bytes: sealed data (package seal) whose
// plaintext is secret, and whose additional text is [Data].
const BlobSize = seal.HeaderSize + secretSize + DataSize

// secretSize is the size of the secret part of a blob in bytes
// (ref_ciphertext_ecdsa_data_sdk_t of qe3.h, packed): the attestation key,
// little endian; whether the PPID is in the clear; and either 16 bytes, or the
// crypto suite, a size and so many bytes.
const secretSize = 32 + 1 + 1 + 4 + pce.EncryptedPPIDSize

// secret is the secret part of a blob.
type secret struct {
	private   [32]byte // big endian
	clear     bool
	ppid      [16]byte                    // if clear
	encrypted [pce.EncryptedPPIDSize]byte // else; zero if there is none
}

func (s *secret) encode() []byte {
	b := make([]byte, 0, secretSize)
	b = append(b, s.private[:]...)
	slices.Reverse(b)
	if s.clear {
		b = append(append(b, 1), s.ppid[:]...)
		return b[:secretSize]
	}
	b = append(b, 0, pce.SuiteRSAOAEP)
	b = binary.LittleEndian.AppendUint32(b, pce.EncryptedPPIDSize)
	return append(b, s.encrypted[:]...)
}

func (s *secret) decode(b []byte) {
	s.private = [32]byte(b)
	slices.Reverse(s.private[:])
	s.clear = b[32] == 1
	if s.clear {
		s.ppid = [16]byte(b[33:])
	} else {
		s.encrypted = [pce.EncryptedPPIDSize]byte(b[38:])
	}
}

// sealInto seals a blob at the SVNs of self, the QE's own REPORT of a moment ago.
func (q *QE) sealInto(blob []byte, self *isa.Report, d *Data, s *secret) uint32 {
	var id [32]byte
	if _, err := rand.Read(id[:]); err != nil {
		return ErrorUnexpected
	}
	request := seal.Request(self, seal.DefaultPolicy(self), id)
	key, err := q.processor.Key(&request)
	if err != nil {
		return ErrorUnexpected
	}
	text, err := d.AppendBinary(make([]byte, 0, DataSize))
	if err != nil {
		return ErrorUnexpected
	}
	b, err := seal.Seal(&request, key, s.encode(), text)
	if err != nil || copy(blob, b) != BlobSize {
		return ErrorUnexpected
	}
	return Success
}

// open opens a blob and returns the QE's own REPORT with it. What was sealed at
// other SVNs is sealed anew, and changes the blob.
func (q *QE) open(blob []byte) (d *Data, s *secret, self *isa.Report, resealed bool, ret uint32) {
	fail := func(ret uint32) (*Data, *secret, *isa.Report, bool, uint32) { return nil, nil, nil, false, ret }
	sealed, err := seal.Parse(blob)
	if err != nil || sealed.PlaintextLen() != secretSize || sealed.AdditionalLen() != DataSize {
		return fail(ErrorBlob)
	}
	if self, err = q.processor.Report(nil, [64]byte{}); err != nil {
		return fail(ErrorUnexpected)
	}
	request := sealed.Request()
	if seal.NeedsKSS(&request) && self.Attributes.Flags&isa.AttrKSS == 0 {
		return fail(ErrorBlob) // EGETKEY would be a fault
	}
	key, err := q.processor.Key(&request)
	if err != nil {
		return fail(ErrorBlob)
	}
	plain, text, err := sealed.Open(key)
	if err != nil {
		return fail(ErrorBlob)
	}
	d, s = new(Data), new(secret)
	if err := d.UnmarshalBinary(text); err != nil || d.Type != 0 || d.Version != 0 {
		return fail(ErrorBlob)
	}
	s.decode(plain)
	if request.CPUSVN != self.CPUSVN || request.ISVSVN != self.ISVSVN {
		if ret := q.sealInto(blob, self, d, s); ret != Success {
			return fail(ret)
		}
		resealed = true
	}
	return d, s, self, resealed, Success
}

// id returns the QE ID.
func (q *QE) id() ([16]byte, uint32) {
	request := derive.SealRequest([16]byte{}, 0)
	key, err := q.processor.Key(&request)
	if err != nil {
		return [16]byte{}, ErrorCrypto
	}
	return derive.QEID(key), Success
}
