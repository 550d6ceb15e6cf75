// Code generated from qe3.edl by feidi. DO NOT EDIT.

// Package edl is the border of an enclave, as qe3.edl describes it.
package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/isa"
)

// SgxReportBodyT is sgx_report_body_t, whose members the EDL does not know.
type SgxReportBodyT [384]byte

// EncodeC writes v as C has it, 384 bytes.
func (v *SgxReportBodyT) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *SgxReportBodyT) DecodeC(b edge.Block) {
	copy(v[:], b)
}

// RefPlaintextEcdsaDataSdkT is ref_plaintext_ecdsa_data_sdk_t, whose members the EDL does not know.
type RefPlaintextEcdsaDataSdkT [1223]byte

// EncodeC writes v as C has it, 1223 bytes.
func (v *RefPlaintextEcdsaDataSdkT) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *RefPlaintextEcdsaDataSdkT) DecodeC(b edge.Block) {
	copy(v[:], b)
}

// SgxQuoteNonceT is sgx_quote_nonce_t, whose members the EDL does not know.
type SgxQuoteNonceT [16]byte

// EncodeC writes v as C has it, 16 bytes.
func (v *SgxQuoteNonceT) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *SgxQuoteNonceT) DecodeC(b edge.Block) {
	copy(v[:], b)
}

// Qe3ECalls are the functions of the enclave: what it implements,
// and what its client calls.
type Qe3ECalls interface {
	// GetPceEncryptKey is ECALL 0:
	//
	//	public uint32_t get_pce_encrypt_key([in] const sgx_target_info_t* pce_target_info, [out] sgx_report_t* qe_report, uint8_t crypto_suite, uint16_t cert_key_type, uint32_t key_size, [out, size=key_size] uint8_t* public_key);
	GetPceEncryptKey(ctx context.Context, pceTargetInfo *isa.TargetInfo, cryptoSuite uint8, certKeyType uint16, keySize uint32) (ret uint32, qeReport isa.Report, publicKey []byte, err error)

	// GenAttKey is ECALL 1:
	//
	//	public uint32_t gen_att_key([in, out, size=blob_size] uint8_t* blob, uint32_t blob_size, [in] const sgx_target_info_t* pce_target_info, [out] sgx_report_t* qe_report, [in, size=authentication_data_size] uint8_t* authentication_data, uint32_t authentication_data_size);
	GenAttKey(ctx context.Context, blob []byte, pceTargetInfo *isa.TargetInfo, authenticationData []byte) (ret uint32, qeReport isa.Report, err error)

	// VerifyBlob is ECALL 2:
	//
	//	public uint32_t verify_blob([in, out, size=blob_size] uint8_t* blob, uint32_t blob_size, [out] uint8_t* is_resealed, [out] sgx_report_body_t* report, uint32_t pub_key_id_size, [out, size=pub_key_id_size] uint8_t* pub_key_id);
	VerifyBlob(ctx context.Context, blob []byte, pubKeyIdSize uint32) (ret uint32, isResealed uint8, report SgxReportBodyT, pubKeyId []byte, err error)

	// StoreCertData is ECALL 3:
	//
	//	public uint32_t store_cert_data([in] ref_plaintext_ecdsa_data_sdk_t* plaintext_data, sgx_ql_cert_key_type_t certification_key_type, [in, size=encrypted_ppid_size] uint8_t* encrypted_ppid, uint32_t encrypted_ppid_size, [in, out, size=blob_size] uint8_t* blob, uint32_t blob_size);
	StoreCertData(ctx context.Context, plaintextData *RefPlaintextEcdsaDataSdkT, certificationKeyType uint32, encryptedPpid, blob []byte) (ret uint32, err error)

	// GenQuote is ECALL 4:
	//
	//	public uint32_t gen_quote([in, out, size=blob_size] uint8_t* blob, uint32_t blob_size, [in] const sgx_report_t* app_report, [in] const sgx_quote_nonce_t* nonce, [in] const sgx_target_info_t* app_target_info, [out] sgx_report_t* qe_report, [in, out, size=quote_size] uint8_t* quote, uint32_t quote_size, sgx_isv_svn_t pce_isv_svn, [in, size=cert_data_size] const uint8_t* cert_data, uint32_t cert_data_size);
	GenQuote(ctx context.Context, blob []byte, appReport *isa.Report, nonce *SgxQuoteNonceT, appTargetInfo *isa.TargetInfo, quote []byte, pceIsvSvn uint16, certData []byte) (ret uint32, qeReport isa.Report, err error)

	// GenQuoteVersion is ECALL 5:
	//
	//	public uint32_t gen_quote_version(uint16_t version, [in, out, size=blob_size] uint8_t* blob, uint32_t blob_size, [in] const sgx_report_t* app_report, [in] const sgx_quote_nonce_t* nonce, [in] const sgx_target_info_t* app_target_info, [out] sgx_report_t* qe_report, [in, out, size=quote_size] uint8_t* quote, uint32_t quote_size, sgx_isv_svn_t pce_isv_svn, [in, size=cert_data_size] const uint8_t* cert_data, uint32_t cert_data_size);
	GenQuoteVersion(ctx context.Context, version uint16, blob []byte, appReport *isa.Report, nonce *SgxQuoteNonceT, appTargetInfo *isa.TargetInfo, quote []byte, pceIsvSvn uint16, certData []byte) (ret uint32, qeReport isa.Report, err error)
}
