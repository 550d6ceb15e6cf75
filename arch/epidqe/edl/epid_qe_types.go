// Code generated from epid_qe.edl by feidi. DO NOT EDIT.

// Package edl is the border of an enclave, as epid_qe.edl describes it.
package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/isa"
)

// SgxCpuSvnT is sgx_cpu_svn_t, whose members the EDL does not know.
type SgxCpuSvnT [16]byte

// EncodeC writes v as C has it, 16 bytes.
func (v *SgxCpuSvnT) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *SgxCpuSvnT) DecodeC(b edge.Block) {
	copy(v[:], b)
}

// SgxSpidT is sgx_spid_t, whose members the EDL does not know.
type SgxSpidT [16]byte

// EncodeC writes v as C has it, 16 bytes.
func (v *SgxSpidT) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *SgxSpidT) DecodeC(b edge.Block) {
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

// EpidQeECalls are the functions of the enclave: what it implements,
// and what its client calls.
type EpidQeECalls interface {
	// VerifyBlob is ECALL 0:
	//
	//	public uint32_t verify_blob([in, out, size=blob_size] uint8_t* p_blob, uint32_t blob_size, [out] uint8_t* p_is_resealed, [out] sgx_cpu_svn_t* p_cpusvn);
	VerifyBlob(ctx context.Context, pBlob []byte) (ret uint32, pIsResealed uint8, pCpusvn SgxCpuSvnT, err error)

	// GetQuote is ECALL 1:
	//
	//	public uint32_t get_quote([in, out, size=blob_size] uint8_t* p_blob, uint32_t blob_size, [in] const sgx_report_t* p_report, sgx_quote_sign_type_t quote_type, [in] const sgx_spid_t* p_spid, [in] const sgx_quote_nonce_t* p_nonce, [in, size=sig_rl_size] const uint8_t* p_sig_rl, uint32_t sig_rl_size, [out] sgx_report_t* qe_report, [out, size=quote_size] uint8_t* p_quote, uint32_t quote_size, sgx_isv_svn_t pce_isvsvn);
	GetQuote(ctx context.Context, pBlob []byte, pReport *isa.Report, quoteType uint32, pSpid *SgxSpidT, pNonce *SgxQuoteNonceT, pSigRl []byte, quoteSize uint32, pceIsvsvn uint16) (ret uint32, qeReport isa.Report, pQuote []byte, err error)
}
