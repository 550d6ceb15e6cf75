// Code generated from epid_qe.edl by feidi. DO NOT EDIT.

package edl

import (
	"bytes"
	"context"
	"math"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/isa"
)

// EpidQe calls an enclave. It may be used concurrently, if the enclave may.
type EpidQe struct{ client *uedge.Client }

var _ EpidQeECalls = (*EpidQe)(nil)

// NewEpidQe returns a client of e, which may be an enclave or one of its threads.
func NewEpidQe(e uedge.Enclave) *EpidQe {
	return &EpidQe{uedge.NewClient(e)}
}

// Close gives the untrusted memory of the client back.
func (x *EpidQe) Close() { x.client.Close() }

// VerifyBlob makes ECALL 0:
//
//	public uint32_t verify_blob([in, out, size=blob_size] uint8_t* p_blob, uint32_t blob_size, [out] uint8_t* p_is_resealed, [out] sgx_cpu_svn_t* p_cpusvn);
func (x *EpidQe) VerifyBlob(ctx context.Context, pBlob []byte) (ret uint32, pIsResealed uint8, pCpusvn SgxCpuSvnT, err error) {
	f := x.client.Frame(40)
	defer f.Free()
	blobSize := f.Len("blob_size", math.MaxUint32, edge.Items(pBlob))
	pBlobBuf := f.In(8, len(pBlob))
	copy(pBlobBuf.Block, pBlob)
	f.PutU32(16, uint32(blobSize))
	pIsResealedBuf := f.Out(24, 1)
	pCpusvnBuf := f.Out(32, 16)
	if err = f.Call(ctx, 0); err != nil {
		return
	}
	ret = f.U32(0)
	copy(pBlob, f.Back(pBlobBuf))
	pIsResealed = f.Back(pIsResealedBuf).U8(0)
	pCpusvn.DecodeC(f.Back(pCpusvnBuf))
	return
}

// GetQuote makes ECALL 1:
//
//	public uint32_t get_quote([in, out, size=blob_size] uint8_t* p_blob, uint32_t blob_size, [in] const sgx_report_t* p_report, sgx_quote_sign_type_t quote_type, [in] const sgx_spid_t* p_spid, [in] const sgx_quote_nonce_t* p_nonce, [in, size=sig_rl_size] const uint8_t* p_sig_rl, uint32_t sig_rl_size, [out] sgx_report_t* qe_report, [out, size=quote_size] uint8_t* p_quote, uint32_t quote_size, sgx_isv_svn_t pce_isvsvn);
func (x *EpidQe) GetQuote(ctx context.Context, pBlob []byte, pReport *isa.Report, quoteType uint32, pSpid *SgxSpidT, pNonce *SgxQuoteNonceT, pSigRl []byte, quoteSize uint32, pceIsvsvn uint16) (ret uint32, qeReport isa.Report, pQuote []byte, err error) {
	f := x.client.Frame(96)
	defer f.Free()
	blobSize := f.Len("blob_size", math.MaxUint32, edge.Items(pBlob))
	sigRlSize := f.Len("sig_rl_size", math.MaxUint32, edge.Items(pSigRl))
	pBlobBuf := f.In(8, len(pBlob))
	copy(pBlobBuf.Block, pBlob)
	f.PutU32(16, uint32(blobSize))
	if pReport != nil {
		edge.PutBinary(pReport, f.In(24, 432).Block)
	}
	f.PutU32(32, quoteType)
	if pSpid != nil {
		pSpid.EncodeC(f.In(40, 16).Block)
	}
	if pNonce != nil {
		pNonce.EncodeC(f.In(48, 16).Block)
	}
	copy(f.In(56, len(pSigRl)).Block, pSigRl)
	f.PutU32(64, uint32(sigRlSize))
	qeReportBuf := f.Out(72, 432)
	pQuoteBuf := f.Out(80, uint64(quoteSize))
	f.PutU32(88, quoteSize)
	f.PutU16(92, pceIsvsvn)
	if err = f.Call(ctx, 1); err != nil {
		return
	}
	ret = f.U32(0)
	copy(pBlob, f.Back(pBlobBuf))
	edge.GetBinary(&qeReport, f.Back(qeReportBuf)[:432])
	pQuote = bytes.Clone(f.Back(pQuoteBuf))
	return
}
