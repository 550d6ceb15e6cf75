// Code generated from epid_qe.edl by feidi. DO NOT EDIT.

package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/isa"
)

// EpidQeTable is the table of an enclave whose functions are those of impl. The
// context of each is that of the ECALL, and its OCALLs are made with it.
func EpidQeTable(impl EpidQeECalls) tedge.Table {
	s := epidQeECallServer{impl}
	return tedge.Table{
		ECalls: []tedge.ECall{
			{Name: "verify_blob", Size: 40, Serve: s.verifyBlob},
			{Name: "get_quote", Size: 96, Serve: s.getQuote},
		},
	}
}

// epidQeECallServer unpacks ECALLs.
type epidQeECallServer struct{ impl EpidQeECalls }

func (s epidQeECallServer) verifyBlob(ctx context.Context, f *edge.Callee) error {
	blobSize := f.U32(16)
	pBlobBuf := f.Buffer(8, uint64(blobSize))
	pIsResealedBuf := f.Buffer(24, 1)
	pCpusvnBuf := f.Buffer(32, 16)
	pBlob := f.Load(pBlobBuf)
	pIsResealedMem := f.Result(pIsResealedBuf, 1)
	pCpusvnMem := f.Result(pCpusvnBuf, 16)
	if err := f.Err(); err != nil {
		return err
	}
	ret, pIsResealed, pCpusvn, err := s.impl.VerifyBlob(ctx, pBlob)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Store(pBlobBuf, pBlob)
	if pIsResealedMem != nil {
		pIsResealedMem.PutU8(0, pIsResealed)
		f.Store(pIsResealedBuf, pIsResealedMem)
	}
	if pCpusvnMem != nil {
		pCpusvn.EncodeC(pCpusvnMem)
		f.Store(pCpusvnBuf, pCpusvnMem)
	}
	return f.Err()
}

func (s epidQeECallServer) getQuote(ctx context.Context, f *edge.Callee) error {
	blobSize := f.U32(16)
	quoteType := f.U32(32)
	sigRlSize := f.U32(64)
	quoteSize := f.U32(88)
	pceIsvsvn := f.U16(92)
	pBlobBuf := f.Buffer(8, uint64(blobSize))
	pReportBuf := f.Buffer(24, 432)
	pSpidBuf := f.Buffer(40, 16)
	pNonceBuf := f.Buffer(48, 16)
	pSigRlBuf := f.Buffer(56, uint64(sigRlSize))
	qeReportBuf := f.Buffer(72, 432)
	pQuoteSize := uint64(quoteSize)
	pQuoteBuf := f.Buffer(80, pQuoteSize)
	pBlob := f.Load(pBlobBuf)
	pReportMem := f.Load(pReportBuf)
	var pReport *isa.Report
	if pReportMem != nil {
		pReport = new(isa.Report)
		edge.GetBinary(pReport, pReportMem)
	}
	pSpidMem := f.Load(pSpidBuf)
	var pSpid *SgxSpidT
	if pSpidMem != nil {
		pSpid = new(SgxSpidT)
		pSpid.DecodeC(pSpidMem)
	}
	pNonceMem := f.Load(pNonceBuf)
	var pNonce *SgxQuoteNonceT
	if pNonceMem != nil {
		pNonce = new(SgxQuoteNonceT)
		pNonce.DecodeC(pNonceMem)
	}
	pSigRl := f.Load(pSigRlBuf)
	qeReportMem := f.Result(qeReportBuf, 432)
	pQuoteMem := f.Result(pQuoteBuf, pQuoteSize)
	if err := f.Err(); err != nil {
		return err
	}
	ret, qeReport, pQuote, err := s.impl.GetQuote(ctx, pBlob, pReport, quoteType, pSpid, pNonce, pSigRl, quoteSize, pceIsvsvn)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Store(pBlobBuf, pBlob)
	if qeReportMem != nil {
		edge.PutBinary(&qeReport, qeReportMem[:432:432])
		f.Store(qeReportBuf, qeReportMem)
	}
	f.Room("p_quote", uint64(len(pQuote)), pQuoteSize)
	copy(pQuoteMem, pQuote)
	f.Store(pQuoteBuf, pQuoteMem)
	return f.Err()
}
