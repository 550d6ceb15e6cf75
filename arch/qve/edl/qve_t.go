// Code generated from qve.edl by feidi. DO NOT EDIT.

package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
)

// QveTable is the table of an enclave whose functions are those of impl. The
// context of each is that of the ECALL, and its OCALLs are made with it.
func QveTable(impl QveECalls) tedge.Table {
	s := qveECallServer{impl}
	return tedge.Table{
		ECalls: []tedge.ECall{
			{Name: "get_fmspc_ca_from_quote", Size: 56, Serve: s.getFmspcCaFromQuote},
			{Name: "sgx_qve_get_quote_supplemental_data_size", Size: 16, Serve: s.sgxQveGetQuoteSupplementalDataSize},
			{Name: "sgx_qve_get_quote_supplemental_data_version", Size: 16, Serve: s.sgxQveGetQuoteSupplementalDataVersion},
			{Name: "sgx_qve_verify_quote", Size: 80, Serve: s.sgxQveVerifyQuote},
		},
	}
}

// qveECallServer unpacks ECALLs.
type qveECallServer struct{ impl QveECalls }

func (s qveECallServer) getFmspcCaFromQuote(ctx context.Context, f *edge.Callee) error {
	quoteSize := f.U32(16)
	fmspFromQuoteSize := f.U32(32)
	caFromQuoteSize := f.U32(48)
	quoteBuf := f.Buffer(8, uint64(quoteSize))
	fmspFromQuoteSize_ := uint64(fmspFromQuoteSize)
	fmspFromQuoteBuf := f.Buffer(24, fmspFromQuoteSize_)
	caFromQuoteSize_ := uint64(caFromQuoteSize)
	caFromQuoteBuf := f.Buffer(40, caFromQuoteSize_)
	quote := f.Load(quoteBuf)
	fmspFromQuoteMem := f.Result(fmspFromQuoteBuf, fmspFromQuoteSize_)
	caFromQuoteMem := f.Result(caFromQuoteBuf, caFromQuoteSize_)
	if err := f.Err(); err != nil {
		return err
	}
	ret, fmspFromQuote, caFromQuote, err := s.impl.GetFmspcCaFromQuote(ctx, quote, fmspFromQuoteSize, caFromQuoteSize)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Room("fmsp_from_quote", uint64(len(fmspFromQuote)), fmspFromQuoteSize_)
	copy(fmspFromQuoteMem, fmspFromQuote)
	f.Store(fmspFromQuoteBuf, fmspFromQuoteMem)
	f.Room("ca_from_quote", uint64(len(caFromQuote)), caFromQuoteSize_)
	copy(caFromQuoteMem, caFromQuote)
	f.Store(caFromQuoteBuf, caFromQuoteMem)
	return f.Err()
}

func (s qveECallServer) sgxQveGetQuoteSupplementalDataSize(ctx context.Context, f *edge.Callee) error {
	pDataSizeBuf := f.Buffer(8, 4)
	pDataSizeMem := f.Result(pDataSizeBuf, 4)
	if err := f.Err(); err != nil {
		return err
	}
	ret, pDataSize, err := s.impl.SgxQveGetQuoteSupplementalDataSize(ctx)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	if pDataSizeMem != nil {
		pDataSizeMem.PutU32(0, pDataSize)
		f.Store(pDataSizeBuf, pDataSizeMem)
	}
	return f.Err()
}

func (s qveECallServer) sgxQveGetQuoteSupplementalDataVersion(ctx context.Context, f *edge.Callee) error {
	pVersionBuf := f.Buffer(8, 4)
	pVersionMem := f.Result(pVersionBuf, 4)
	if err := f.Err(); err != nil {
		return err
	}
	ret, pVersion, err := s.impl.SgxQveGetQuoteSupplementalDataVersion(ctx)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	if pVersionMem != nil {
		pVersionMem.PutU32(0, pVersion)
		f.Store(pVersionBuf, pVersionMem)
	}
	return f.Err()
}

func (s qveECallServer) sgxQveVerifyQuote(ctx context.Context, f *edge.Callee) error {
	quoteSize := f.U32(16)
	expirationCheckDate := int64(f.U64(32))
	supplementalDataSize := f.U32(64)
	pQuoteBuf := f.Buffer(8, uint64(quoteSize))
	pQuoteCollateralBuf := f.Buffer(24, 120)
	pCollateralExpirationStatusBuf := f.Buffer(40, 4)
	pQuoteVerificationResultBuf := f.Buffer(48, 4)
	pQveReportInfoBuf := f.Buffer(56, 960)
	pSupplementalDataBuf := f.Buffer(72, uint64(supplementalDataSize))
	pQuote := f.Load(pQuoteBuf)
	pQuoteCollateralMem := f.Load(pQuoteCollateralBuf)
	var pQuoteCollateral *SgxQlQveCollateralT
	if pQuoteCollateralMem != nil {
		pQuoteCollateral = new(SgxQlQveCollateralT)
		pQuoteCollateral.LoadC(f, pQuoteCollateral.UnpackC(f, pQuoteCollateralMem))
	}
	pCollateralExpirationStatusMem := f.Result(pCollateralExpirationStatusBuf, 4)
	pQuoteVerificationResultMem := f.Result(pQuoteVerificationResultBuf, 4)
	pQveReportInfoMem := f.Load(pQveReportInfoBuf)
	var pQveReportInfo *SgxQlQeReportInfoT
	if pQveReportInfoMem != nil {
		pQveReportInfo = new(SgxQlQeReportInfoT)
		pQveReportInfo.DecodeC(pQveReportInfoMem)
	}
	pSupplementalData := f.Load(pSupplementalDataBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, pCollateralExpirationStatus, pQuoteVerificationResult, err := s.impl.SgxQveVerifyQuote(ctx, pQuote, pQuoteCollateral, expirationCheckDate, pQveReportInfo, pSupplementalData)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	if pCollateralExpirationStatusMem != nil {
		pCollateralExpirationStatusMem.PutU32(0, pCollateralExpirationStatus)
		f.Store(pCollateralExpirationStatusBuf, pCollateralExpirationStatusMem)
	}
	if pQuoteVerificationResultMem != nil {
		pQuoteVerificationResultMem.PutU32(0, pQuoteVerificationResult)
		f.Store(pQuoteVerificationResultBuf, pQuoteVerificationResultMem)
	}
	if pQveReportInfoMem != nil {
		pQveReportInfo.EncodeC(pQveReportInfoMem)
		f.Store(pQveReportInfoBuf, pQveReportInfoMem)
	}
	f.Store(pSupplementalDataBuf, pSupplementalData)
	return f.Err()
}
