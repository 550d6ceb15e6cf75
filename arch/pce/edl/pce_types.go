// Code generated from pce.edl by feidi. DO NOT EDIT.

// Package edl is the border of an enclave, as pce.edl describes it.
package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/isa"
)

// Psvn is struct psvn, 18 bytes in C.
type Psvn struct {
	CpuSvn [16]byte
	IsvSvn uint16
}

// EncodeC writes v as C has it, 18 bytes.
func (v *Psvn) EncodeC(b edge.Block) {
	copy(b, v.CpuSvn[:])
	b.PutU16(16, v.IsvSvn)
}

// DecodeC reads v as C has it.
func (v *Psvn) DecodeC(b edge.Block) {
	copy(v.CpuSvn[:], b)
	v.IsvSvn = b.U16(16)
}

// PceInfo is struct pce_info, 4 bytes in C.
type PceInfo struct {
	IsvSvn uint16
	Id     uint16
}

// EncodeC writes v as C has it, 4 bytes.
func (v *PceInfo) EncodeC(b edge.Block) {
	b.PutU16(0, v.IsvSvn)
	b.PutU16(2, v.Id)
}

// DecodeC reads v as C has it.
func (v *PceInfo) DecodeC(b edge.Block) {
	v.IsvSvn = b.U16(0)
	v.Id = b.U16(2)
}

// PceECalls are the functions of the enclave: what it implements,
// and what its client calls.
type PceECalls interface {
	// GetPcInfo is ECALL 0:
	//
	//	public uint32_t get_pc_info([in] const sgx_report_t* report, [in, size=key_size] const uint8_t* public_key, uint32_t key_size, uint8_t crypto_suite, [out, size=encrypted_ppid_buf_size] uint8_t* encrypted_ppid, uint32_t encrypted_ppid_buf_size, [out] uint32_t* encrypted_ppid_out_size, [out] struct pce_info* pce_info, [out] uint8_t* signature_scheme);
	GetPcInfo(ctx context.Context, report *isa.Report, publicKey []byte, cryptoSuite uint8, encryptedPpidBufSize uint32) (ret uint32, encryptedPpid []byte, encryptedPpidOutSize uint32, pceInfo PceInfo, signatureScheme uint8, err error)

	// CertifyEnclave is ECALL 1:
	//
	//	public uint32_t certify_enclave([in] const struct psvn* cert_psvn, [in] const sgx_report_t* report, [out, size=signature_buf_size] uint8_t* signature, uint32_t signature_buf_size, [out] uint32_t* signature_out_size);
	CertifyEnclave(ctx context.Context, certPsvn *Psvn, report *isa.Report, signatureBufSize uint32) (ret uint32, signature []byte, signatureOutSize uint32, err error)

	// GetPcInfoWithoutPpid is ECALL 2:
	//
	//	public uint32_t get_pc_info_without_ppid([out] struct pce_info* pce_info);
	GetPcInfoWithoutPpid(ctx context.Context) (ret uint32, pceInfo PceInfo, err error)
}
