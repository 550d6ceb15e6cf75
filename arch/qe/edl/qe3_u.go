// Code generated from qe3.edl by feidi. DO NOT EDIT.

package edl

import (
	"bytes"
	"context"
	"math"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/isa"
)

// Qe3 calls an enclave. It may be used concurrently, if the enclave may.
type Qe3 struct{ client *uedge.Client }

var _ Qe3ECalls = (*Qe3)(nil)

// NewQe3 returns a client of e, which may be an enclave or one of its threads.
func NewQe3(e uedge.Enclave) *Qe3 {
	return &Qe3{uedge.NewClient(e)}
}

// Close gives the untrusted memory of the client back.
func (x *Qe3) Close() { x.client.Close() }

// GetPceEncryptKey makes ECALL 0:
//
//	public uint32_t get_pce_encrypt_key([in] const sgx_target_info_t* pce_target_info, [out] sgx_report_t* qe_report, uint8_t crypto_suite, uint16_t cert_key_type, uint32_t key_size, [out, size=key_size] uint8_t* public_key);
func (x *Qe3) GetPceEncryptKey(ctx context.Context, pceTargetInfo *isa.TargetInfo, cryptoSuite uint8, certKeyType uint16, keySize uint32) (ret uint32, qeReport isa.Report, publicKey []byte, err error) {
	f := x.client.Frame(40)
	defer f.Free()
	if pceTargetInfo != nil {
		edge.PutBinary(pceTargetInfo, f.In(8, 512).Block)
	}
	qeReportBuf := f.Out(16, 432)
	f.PutU8(24, cryptoSuite)
	f.PutU16(26, certKeyType)
	f.PutU32(28, keySize)
	publicKeyBuf := f.Out(32, uint64(keySize))
	if err = f.Call(ctx, 0); err != nil {
		return
	}
	ret = f.U32(0)
	edge.GetBinary(&qeReport, f.Back(qeReportBuf)[:432])
	publicKey = bytes.Clone(f.Back(publicKeyBuf))
	return
}

// GenAttKey makes ECALL 1:
//
//	public uint32_t gen_att_key([in, out, size=blob_size] uint8_t* blob, uint32_t blob_size, [in] const sgx_target_info_t* pce_target_info, [out] sgx_report_t* qe_report, [in, size=authentication_data_size] uint8_t* authentication_data, uint32_t authentication_data_size);
func (x *Qe3) GenAttKey(ctx context.Context, blob []byte, pceTargetInfo *isa.TargetInfo, authenticationData []byte) (ret uint32, qeReport isa.Report, err error) {
	f := x.client.Frame(56)
	defer f.Free()
	blobSize := f.Len("blob_size", math.MaxUint32, edge.Items(blob))
	authenticationDataSize := f.Len("authentication_data_size", math.MaxUint32, edge.Items(authenticationData))
	blobBuf := f.In(8, len(blob))
	copy(blobBuf.Block, blob)
	f.PutU32(16, uint32(blobSize))
	if pceTargetInfo != nil {
		edge.PutBinary(pceTargetInfo, f.In(24, 512).Block)
	}
	qeReportBuf := f.Out(32, 432)
	copy(f.In(40, len(authenticationData)).Block, authenticationData)
	f.PutU32(48, uint32(authenticationDataSize))
	if err = f.Call(ctx, 1); err != nil {
		return
	}
	ret = f.U32(0)
	copy(blob, f.Back(blobBuf))
	edge.GetBinary(&qeReport, f.Back(qeReportBuf)[:432])
	return
}

// VerifyBlob makes ECALL 2:
//
//	public uint32_t verify_blob([in, out, size=blob_size] uint8_t* blob, uint32_t blob_size, [out] uint8_t* is_resealed, [out] sgx_report_body_t* report, uint32_t pub_key_id_size, [out, size=pub_key_id_size] uint8_t* pub_key_id);
func (x *Qe3) VerifyBlob(ctx context.Context, blob []byte, pubKeyIdSize uint32) (ret uint32, isResealed uint8, report SgxReportBodyT, pubKeyId []byte, err error) {
	f := x.client.Frame(56)
	defer f.Free()
	blobSize := f.Len("blob_size", math.MaxUint32, edge.Items(blob))
	blobBuf := f.In(8, len(blob))
	copy(blobBuf.Block, blob)
	f.PutU32(16, uint32(blobSize))
	isResealedBuf := f.Out(24, 1)
	reportBuf := f.Out(32, 384)
	f.PutU32(40, pubKeyIdSize)
	pubKeyIdBuf := f.Out(48, uint64(pubKeyIdSize))
	if err = f.Call(ctx, 2); err != nil {
		return
	}
	ret = f.U32(0)
	copy(blob, f.Back(blobBuf))
	isResealed = f.Back(isResealedBuf).U8(0)
	report.DecodeC(f.Back(reportBuf))
	pubKeyId = bytes.Clone(f.Back(pubKeyIdBuf))
	return
}

// StoreCertData makes ECALL 3:
//
//	public uint32_t store_cert_data([in] ref_plaintext_ecdsa_data_sdk_t* plaintext_data, sgx_ql_cert_key_type_t certification_key_type, [in, size=encrypted_ppid_size] uint8_t* encrypted_ppid, uint32_t encrypted_ppid_size, [in, out, size=blob_size] uint8_t* blob, uint32_t blob_size);
func (x *Qe3) StoreCertData(ctx context.Context, plaintextData *RefPlaintextEcdsaDataSdkT, certificationKeyType uint32, encryptedPpid, blob []byte) (ret uint32, err error) {
	f := x.client.Frame(56)
	defer f.Free()
	encryptedPpidSize := f.Len("encrypted_ppid_size", math.MaxUint32, edge.Items(encryptedPpid))
	blobSize := f.Len("blob_size", math.MaxUint32, edge.Items(blob))
	if plaintextData != nil {
		plaintextData.EncodeC(f.In(8, 1223).Block)
	}
	f.PutU32(16, certificationKeyType)
	copy(f.In(24, len(encryptedPpid)).Block, encryptedPpid)
	f.PutU32(32, uint32(encryptedPpidSize))
	blobBuf := f.In(40, len(blob))
	copy(blobBuf.Block, blob)
	f.PutU32(48, uint32(blobSize))
	if err = f.Call(ctx, 3); err != nil {
		return
	}
	ret = f.U32(0)
	copy(blob, f.Back(blobBuf))
	return
}

// GenQuote makes ECALL 4:
//
//	public uint32_t gen_quote([in, out, size=blob_size] uint8_t* blob, uint32_t blob_size, [in] const sgx_report_t* app_report, [in] const sgx_quote_nonce_t* nonce, [in] const sgx_target_info_t* app_target_info, [out] sgx_report_t* qe_report, [in, out, size=quote_size] uint8_t* quote, uint32_t quote_size, sgx_isv_svn_t pce_isv_svn, [in, size=cert_data_size] const uint8_t* cert_data, uint32_t cert_data_size);
func (x *Qe3) GenQuote(ctx context.Context, blob []byte, appReport *isa.Report, nonce *SgxQuoteNonceT, appTargetInfo *isa.TargetInfo, quote []byte, pceIsvSvn uint16, certData []byte) (ret uint32, qeReport isa.Report, err error) {
	f := x.client.Frame(88)
	defer f.Free()
	blobSize := f.Len("blob_size", math.MaxUint32, edge.Items(blob))
	quoteSize := f.Len("quote_size", math.MaxUint32, edge.Items(quote))
	certDataSize := f.Len("cert_data_size", math.MaxUint32, edge.Items(certData))
	blobBuf := f.In(8, len(blob))
	copy(blobBuf.Block, blob)
	f.PutU32(16, uint32(blobSize))
	if appReport != nil {
		edge.PutBinary(appReport, f.In(24, 432).Block)
	}
	if nonce != nil {
		nonce.EncodeC(f.In(32, 16).Block)
	}
	if appTargetInfo != nil {
		edge.PutBinary(appTargetInfo, f.In(40, 512).Block)
	}
	qeReportBuf := f.Out(48, 432)
	quoteBuf := f.In(56, len(quote))
	copy(quoteBuf.Block, quote)
	f.PutU32(64, uint32(quoteSize))
	f.PutU16(68, pceIsvSvn)
	copy(f.In(72, len(certData)).Block, certData)
	f.PutU32(80, uint32(certDataSize))
	if err = f.Call(ctx, 4); err != nil {
		return
	}
	ret = f.U32(0)
	copy(blob, f.Back(blobBuf))
	edge.GetBinary(&qeReport, f.Back(qeReportBuf)[:432])
	copy(quote, f.Back(quoteBuf))
	return
}

// GenQuoteVersion makes ECALL 5:
//
//	public uint32_t gen_quote_version(uint16_t version, [in, out, size=blob_size] uint8_t* blob, uint32_t blob_size, [in] const sgx_report_t* app_report, [in] const sgx_quote_nonce_t* nonce, [in] const sgx_target_info_t* app_target_info, [out] sgx_report_t* qe_report, [in, out, size=quote_size] uint8_t* quote, uint32_t quote_size, sgx_isv_svn_t pce_isv_svn, [in, size=cert_data_size] const uint8_t* cert_data, uint32_t cert_data_size);
func (x *Qe3) GenQuoteVersion(ctx context.Context, version uint16, blob []byte, appReport *isa.Report, nonce *SgxQuoteNonceT, appTargetInfo *isa.TargetInfo, quote []byte, pceIsvSvn uint16, certData []byte) (ret uint32, qeReport isa.Report, err error) {
	f := x.client.Frame(88)
	defer f.Free()
	blobSize := f.Len("blob_size", math.MaxUint32, edge.Items(blob))
	quoteSize := f.Len("quote_size", math.MaxUint32, edge.Items(quote))
	certDataSize := f.Len("cert_data_size", math.MaxUint32, edge.Items(certData))
	f.PutU16(4, version)
	blobBuf := f.In(8, len(blob))
	copy(blobBuf.Block, blob)
	f.PutU32(16, uint32(blobSize))
	if appReport != nil {
		edge.PutBinary(appReport, f.In(24, 432).Block)
	}
	if nonce != nil {
		nonce.EncodeC(f.In(32, 16).Block)
	}
	if appTargetInfo != nil {
		edge.PutBinary(appTargetInfo, f.In(40, 512).Block)
	}
	qeReportBuf := f.Out(48, 432)
	quoteBuf := f.In(56, len(quote))
	copy(quoteBuf.Block, quote)
	f.PutU32(64, uint32(quoteSize))
	f.PutU16(68, pceIsvSvn)
	copy(f.In(72, len(certData)).Block, certData)
	f.PutU32(80, uint32(certDataSize))
	if err = f.Call(ctx, 5); err != nil {
		return
	}
	ret = f.U32(0)
	copy(blob, f.Back(blobBuf))
	edge.GetBinary(&qeReport, f.Back(qeReportBuf)[:432])
	copy(quote, f.Back(quoteBuf))
	return
}
