// Code generated from pce.edl by feidi. DO NOT EDIT.

// Package pce is the border of an enclave, as pce.edl describes it.
package pce

import (
	"context"

	"github.com/feidi-dev/feidi/isa"
)

// PceECalls are the functions of the enclave: what it implements,
// and what its client calls.
type PceECalls interface {
	// GetPcInfo is ECALL 0:
	//
	//	public uint32_t get_pc_info([in] const sgx_report_t* report, [in, size=key_size] const uint8_t* public_key, uint32_t key_size, uint8_t crypto_suite, [out, size=encrypted_ppid_buf_size] uint8_t* encrypted_ppid, uint32_t encrypted_ppid_buf_size, [out] uint32_t* encrypted_ppid_out_size, [out] pce_info_t* pce_info, [out] uint8_t* signature_scheme);
	GetPcInfo(ctx context.Context, report *isa.Report, publicKey []byte, cryptoSuite uint8, encryptedPpidBufSize uint32) (ret uint32, encryptedPpid []byte, encryptedPpidOutSize uint32, pceInfo Info, signatureScheme uint8, err error)

	// CertifyEnclave is ECALL 1:
	//
	//	public uint32_t certify_enclave([in] const psvn_t* cert_psvn, [in] const sgx_report_t* report, [out, size=signature_buf_size] uint8_t* signature, uint32_t signature_buf_size, [out] uint32_t* signature_out_size);
	CertifyEnclave(ctx context.Context, certPsvn *PSVN, report *isa.Report, signatureBufSize uint32) (ret uint32, signature []byte, signatureOutSize uint32, err error)

	// GetPcInfoWithoutPpid is ECALL 2:
	//
	//	public uint32_t get_pc_info_without_ppid([out] pce_info_t* pce_info);
	GetPcInfoWithoutPpid(ctx context.Context) (ret uint32, pceInfo Info, err error)
}
