// Code generated from qe3.edl by feidi. DO NOT EDIT.

package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/isa"
)

// Qe3Table is the table of an enclave whose functions are those of impl. The
// context of each is that of the ECALL, and its OCALLs are made with it.
func Qe3Table(impl Qe3ECalls) tedge.Table {
	s := qe3ECallServer{impl}
	return tedge.Table{
		ECalls: []tedge.ECall{
			{Name: "get_pce_encrypt_key", Size: 40, Serve: s.getPceEncryptKey},
			{Name: "gen_att_key", Size: 56, Serve: s.genAttKey},
			{Name: "verify_blob", Size: 56, Serve: s.verifyBlob},
			{Name: "store_cert_data", Size: 56, Serve: s.storeCertData},
			{Name: "gen_quote", Size: 88, Serve: s.genQuote},
			{Name: "gen_quote_version", Size: 88, Serve: s.genQuoteVersion},
		},
	}
}

// qe3ECallServer unpacks ECALLs.
type qe3ECallServer struct{ impl Qe3ECalls }

func (s qe3ECallServer) getPceEncryptKey(ctx context.Context, f *edge.Callee) error {
	cryptoSuite := f.U8(24)
	certKeyType := f.U16(26)
	keySize := f.U32(28)
	pceTargetInfoBuf := f.Buffer(8, 512)
	qeReportBuf := f.Buffer(16, 432)
	publicKeySize := uint64(keySize)
	publicKeyBuf := f.Buffer(32, publicKeySize)
	pceTargetInfoMem := f.Load(pceTargetInfoBuf)
	var pceTargetInfo *isa.TargetInfo
	if pceTargetInfoMem != nil {
		pceTargetInfo = new(isa.TargetInfo)
		edge.GetBinary(pceTargetInfo, pceTargetInfoMem)
	}
	qeReportMem := f.Result(qeReportBuf, 432)
	publicKeyMem := f.Result(publicKeyBuf, publicKeySize)
	if err := f.Err(); err != nil {
		return err
	}
	ret, qeReport, publicKey, err := s.impl.GetPceEncryptKey(ctx, pceTargetInfo, cryptoSuite, certKeyType, keySize)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	if qeReportMem != nil {
		edge.PutBinary(&qeReport, qeReportMem[:432:432])
		f.Store(qeReportBuf, qeReportMem)
	}
	f.Room("public_key", uint64(len(publicKey)), publicKeySize)
	copy(publicKeyMem, publicKey)
	f.Store(publicKeyBuf, publicKeyMem)
	return f.Err()
}

func (s qe3ECallServer) genAttKey(ctx context.Context, f *edge.Callee) error {
	blobSize := f.U32(16)
	authenticationDataSize := f.U32(48)
	blobBuf := f.Buffer(8, uint64(blobSize))
	pceTargetInfoBuf := f.Buffer(24, 512)
	qeReportBuf := f.Buffer(32, 432)
	authenticationDataBuf := f.Buffer(40, uint64(authenticationDataSize))
	blob := f.Load(blobBuf)
	pceTargetInfoMem := f.Load(pceTargetInfoBuf)
	var pceTargetInfo *isa.TargetInfo
	if pceTargetInfoMem != nil {
		pceTargetInfo = new(isa.TargetInfo)
		edge.GetBinary(pceTargetInfo, pceTargetInfoMem)
	}
	qeReportMem := f.Result(qeReportBuf, 432)
	authenticationData := f.Load(authenticationDataBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, qeReport, err := s.impl.GenAttKey(ctx, blob, pceTargetInfo, authenticationData)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Store(blobBuf, blob)
	if qeReportMem != nil {
		edge.PutBinary(&qeReport, qeReportMem[:432:432])
		f.Store(qeReportBuf, qeReportMem)
	}
	return f.Err()
}

func (s qe3ECallServer) verifyBlob(ctx context.Context, f *edge.Callee) error {
	blobSize := f.U32(16)
	pubKeyIdSize := f.U32(40)
	blobBuf := f.Buffer(8, uint64(blobSize))
	isResealedBuf := f.Buffer(24, 1)
	reportBuf := f.Buffer(32, 384)
	pubKeyIdSize_ := uint64(pubKeyIdSize)
	pubKeyIdBuf := f.Buffer(48, pubKeyIdSize_)
	blob := f.Load(blobBuf)
	isResealedMem := f.Result(isResealedBuf, 1)
	reportMem := f.Result(reportBuf, 384)
	pubKeyIdMem := f.Result(pubKeyIdBuf, pubKeyIdSize_)
	if err := f.Err(); err != nil {
		return err
	}
	ret, isResealed, report, pubKeyId, err := s.impl.VerifyBlob(ctx, blob, pubKeyIdSize)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Store(blobBuf, blob)
	if isResealedMem != nil {
		isResealedMem.PutU8(0, isResealed)
		f.Store(isResealedBuf, isResealedMem)
	}
	if reportMem != nil {
		report.EncodeC(reportMem)
		f.Store(reportBuf, reportMem)
	}
	f.Room("pub_key_id", uint64(len(pubKeyId)), pubKeyIdSize_)
	copy(pubKeyIdMem, pubKeyId)
	f.Store(pubKeyIdBuf, pubKeyIdMem)
	return f.Err()
}

func (s qe3ECallServer) storeCertData(ctx context.Context, f *edge.Callee) error {
	certificationKeyType := f.U32(16)
	encryptedPpidSize := f.U32(32)
	blobSize := f.U32(48)
	plaintextDataBuf := f.Buffer(8, 1223)
	encryptedPpidBuf := f.Buffer(24, uint64(encryptedPpidSize))
	blobBuf := f.Buffer(40, uint64(blobSize))
	plaintextDataMem := f.Load(plaintextDataBuf)
	var plaintextData *RefPlaintextEcdsaDataSdkT
	if plaintextDataMem != nil {
		plaintextData = new(RefPlaintextEcdsaDataSdkT)
		plaintextData.DecodeC(plaintextDataMem)
	}
	encryptedPpid := f.Load(encryptedPpidBuf)
	blob := f.Load(blobBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, err := s.impl.StoreCertData(ctx, plaintextData, certificationKeyType, encryptedPpid, blob)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Store(blobBuf, blob)
	return f.Err()
}

func (s qe3ECallServer) genQuote(ctx context.Context, f *edge.Callee) error {
	blobSize := f.U32(16)
	quoteSize := f.U32(64)
	pceIsvSvn := f.U16(68)
	certDataSize := f.U32(80)
	blobBuf := f.Buffer(8, uint64(blobSize))
	appReportBuf := f.Buffer(24, 432)
	nonceBuf := f.Buffer(32, 16)
	appTargetInfoBuf := f.Buffer(40, 512)
	qeReportBuf := f.Buffer(48, 432)
	quoteBuf := f.Buffer(56, uint64(quoteSize))
	certDataBuf := f.Buffer(72, uint64(certDataSize))
	blob := f.Load(blobBuf)
	appReportMem := f.Load(appReportBuf)
	var appReport *isa.Report
	if appReportMem != nil {
		appReport = new(isa.Report)
		edge.GetBinary(appReport, appReportMem)
	}
	nonceMem := f.Load(nonceBuf)
	var nonce *SgxQuoteNonceT
	if nonceMem != nil {
		nonce = new(SgxQuoteNonceT)
		nonce.DecodeC(nonceMem)
	}
	appTargetInfoMem := f.Load(appTargetInfoBuf)
	var appTargetInfo *isa.TargetInfo
	if appTargetInfoMem != nil {
		appTargetInfo = new(isa.TargetInfo)
		edge.GetBinary(appTargetInfo, appTargetInfoMem)
	}
	qeReportMem := f.Result(qeReportBuf, 432)
	quote := f.Load(quoteBuf)
	certData := f.Load(certDataBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, qeReport, err := s.impl.GenQuote(ctx, blob, appReport, nonce, appTargetInfo, quote, pceIsvSvn, certData)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Store(blobBuf, blob)
	if qeReportMem != nil {
		edge.PutBinary(&qeReport, qeReportMem[:432:432])
		f.Store(qeReportBuf, qeReportMem)
	}
	f.Store(quoteBuf, quote)
	return f.Err()
}

func (s qe3ECallServer) genQuoteVersion(ctx context.Context, f *edge.Callee) error {
	version := f.U16(4)
	blobSize := f.U32(16)
	quoteSize := f.U32(64)
	pceIsvSvn := f.U16(68)
	certDataSize := f.U32(80)
	blobBuf := f.Buffer(8, uint64(blobSize))
	appReportBuf := f.Buffer(24, 432)
	nonceBuf := f.Buffer(32, 16)
	appTargetInfoBuf := f.Buffer(40, 512)
	qeReportBuf := f.Buffer(48, 432)
	quoteBuf := f.Buffer(56, uint64(quoteSize))
	certDataBuf := f.Buffer(72, uint64(certDataSize))
	blob := f.Load(blobBuf)
	appReportMem := f.Load(appReportBuf)
	var appReport *isa.Report
	if appReportMem != nil {
		appReport = new(isa.Report)
		edge.GetBinary(appReport, appReportMem)
	}
	nonceMem := f.Load(nonceBuf)
	var nonce *SgxQuoteNonceT
	if nonceMem != nil {
		nonce = new(SgxQuoteNonceT)
		nonce.DecodeC(nonceMem)
	}
	appTargetInfoMem := f.Load(appTargetInfoBuf)
	var appTargetInfo *isa.TargetInfo
	if appTargetInfoMem != nil {
		appTargetInfo = new(isa.TargetInfo)
		edge.GetBinary(appTargetInfo, appTargetInfoMem)
	}
	qeReportMem := f.Result(qeReportBuf, 432)
	quote := f.Load(quoteBuf)
	certData := f.Load(certDataBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, qeReport, err := s.impl.GenQuoteVersion(ctx, version, blob, appReport, nonce, appTargetInfo, quote, pceIsvSvn, certData)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Store(blobBuf, blob)
	if qeReportMem != nil {
		edge.PutBinary(&qeReport, qeReportMem[:432:432])
		f.Store(qeReportBuf, qeReportMem)
	}
	f.Store(quoteBuf, quote)
	return f.Err()
}
