// Code generated from qve.edl by feidi. DO NOT EDIT.

package edl

import (
	"bytes"
	"context"
	"math"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
)

// Qve calls an enclave. It may be used concurrently, if the enclave may.
type Qve struct{ client *uedge.Client }

var _ QveECalls = (*Qve)(nil)

// NewQve returns a client of e, which may be an enclave or one of its threads.
func NewQve(e uedge.Enclave) *Qve {
	return &Qve{uedge.NewClient(e)}
}

// Close gives the untrusted memory of the client back.
func (x *Qve) Close() { x.client.Close() }

// GetFmspcCaFromQuote makes ECALL 0:
//
//	public quote3_error_t get_fmspc_ca_from_quote([in, size=quote_size] const uint8_t* quote, uint32_t quote_size, [out, size=fmsp_from_quote_size] unsigned char* fmsp_from_quote, uint32_t fmsp_from_quote_size, [out, size=ca_from_quote_size] unsigned char* ca_from_quote, uint32_t ca_from_quote_size);
func (x *Qve) GetFmspcCaFromQuote(ctx context.Context, quote []byte, fmspFromQuoteSize, caFromQuoteSize uint32) (ret uint32, fmspFromQuote, caFromQuote []byte, err error) {
	f := x.client.Frame(56)
	defer f.Free()
	quoteSize := f.Len("quote_size", math.MaxUint32, edge.Items(quote))
	copy(f.In(8, len(quote)).Block, quote)
	f.PutU32(16, uint32(quoteSize))
	fmspFromQuoteBuf := f.Out(24, uint64(fmspFromQuoteSize))
	f.PutU32(32, fmspFromQuoteSize)
	caFromQuoteBuf := f.Out(40, uint64(caFromQuoteSize))
	f.PutU32(48, caFromQuoteSize)
	if err = f.Call(ctx, 0); err != nil {
		return
	}
	ret = f.U32(0)
	fmspFromQuote = bytes.Clone(f.Back(fmspFromQuoteBuf))
	caFromQuote = bytes.Clone(f.Back(caFromQuoteBuf))
	return
}

// SgxQveGetQuoteSupplementalDataSize makes ECALL 1:
//
//	public quote3_error_t sgx_qve_get_quote_supplemental_data_size([out, count=1] uint32_t* p_data_size);
func (x *Qve) SgxQveGetQuoteSupplementalDataSize(ctx context.Context) (ret, pDataSize uint32, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	pDataSizeBuf := f.Out(8, 4)
	if err = f.Call(ctx, 1); err != nil {
		return
	}
	ret = f.U32(0)
	pDataSize = f.Back(pDataSizeBuf).U32(0)
	return
}

// SgxQveGetQuoteSupplementalDataVersion makes ECALL 2:
//
//	public quote3_error_t sgx_qve_get_quote_supplemental_data_version([out, count=1] uint32_t* p_version);
func (x *Qve) SgxQveGetQuoteSupplementalDataVersion(ctx context.Context) (ret, pVersion uint32, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	pVersionBuf := f.Out(8, 4)
	if err = f.Call(ctx, 2); err != nil {
		return
	}
	ret = f.U32(0)
	pVersion = f.Back(pVersionBuf).U32(0)
	return
}

// SgxQveVerifyQuote makes ECALL 3:
//
//	public quote3_error_t sgx_qve_verify_quote([in, size=quote_size] const uint8_t* p_quote, uint32_t quote_size, [in, count=1] const struct _sgx_ql_qve_collateral_t* p_quote_collateral, time_t expiration_check_date, [out, count=1] uint32_t* p_collateral_expiration_status, [out, count=1] sgx_ql_qv_result_t* p_quote_verification_result, [in, out, count=1] struct _sgx_ql_qe_report_info_t* p_qve_report_info, uint32_t supplemental_data_size, [in, out, size=supplemental_data_size] uint8_t* p_supplemental_data);
func (x *Qve) SgxQveVerifyQuote(ctx context.Context, pQuote []byte, pQuoteCollateral *SgxQlQveCollateralT, expirationCheckDate int64, pQveReportInfo *SgxQlQeReportInfoT, pSupplementalData []byte) (ret, pCollateralExpirationStatus, pQuoteVerificationResult uint32, err error) {
	f := x.client.Frame(80)
	defer f.Free()
	quoteSize := f.Len("quote_size", math.MaxUint32, edge.Items(pQuote))
	supplementalDataSize := f.Len("supplemental_data_size", math.MaxUint32, edge.Items(pSupplementalData))
	copy(f.In(8, len(pQuote)).Block, pQuote)
	f.PutU32(16, uint32(quoteSize))
	if pQuoteCollateral != nil {
		pQuoteCollateral.PackC(&f.Caller, f.In(24, 120).Block)
	}
	f.PutU64(32, uint64(expirationCheckDate))
	pCollateralExpirationStatusBuf := f.Out(40, 4)
	pQuoteVerificationResultBuf := f.Out(48, 4)
	var pQveReportInfoBuf edge.Region
	if pQveReportInfo != nil {
		pQveReportInfoBuf = f.In(56, 960)
		pQveReportInfo.EncodeC(pQveReportInfoBuf.Block)
	}
	f.PutU32(64, uint32(supplementalDataSize))
	pSupplementalDataBuf := f.In(72, len(pSupplementalData))
	copy(pSupplementalDataBuf.Block, pSupplementalData)
	if err = f.Call(ctx, 3); err != nil {
		return
	}
	ret = f.U32(0)
	pCollateralExpirationStatus = f.Back(pCollateralExpirationStatusBuf).U32(0)
	pQuoteVerificationResult = f.Back(pQuoteVerificationResultBuf).U32(0)
	if pQveReportInfo != nil {
		pQveReportInfo.DecodeC(f.Back(pQveReportInfoBuf))
	}
	copy(pSupplementalData, f.Back(pSupplementalDataBuf))
	return
}
