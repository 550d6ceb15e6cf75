// Code generated from id_enclave.edl by feidi. DO NOT EDIT.

// Package edl is the border of an enclave, as id_enclave.edl describes it.
package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
)

// SgxKey128bitT is sgx_key_128bit_t, whose members the EDL does not know.
type SgxKey128bitT [16]byte

// EncodeC writes v as C has it, 16 bytes.
func (v *SgxKey128bitT) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *SgxKey128bitT) DecodeC(b edge.Block) {
	copy(v[:], b)
}

// IdEnclaveECalls are the functions of the enclave: what it implements,
// and what its client calls.
type IdEnclaveECalls interface {
	// IdeGetId is ECALL 0:
	//
	//	public sgx_status_t ide_get_id([out] sgx_key_128bit_t* id);
	IdeGetId(ctx context.Context) (ret status.Code, id SgxKey128bitT, err error)

	// IdeGetPceEncryptKey is ECALL 1:
	//
	//	public sgx_status_t ide_get_pce_encrypt_key([in] const sgx_target_info_t* pce_target_info, [out] sgx_report_t* ide_report, uint8_t crypto_suite, uint16_t cert_key_type, uint32_t key_size, [out, size=key_size] uint8_t* public_key);
	IdeGetPceEncryptKey(ctx context.Context, pceTargetInfo *isa.TargetInfo, cryptoSuite uint8, certKeyType uint16, keySize uint32) (ret status.Code, ideReport isa.Report, publicKey []byte, err error)
}
