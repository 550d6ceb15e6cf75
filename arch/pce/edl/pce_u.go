// Code generated from pce.edl by feidi. DO NOT EDIT.

package edl

import (
	"bytes"
	"context"
	"math"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/isa"
)

// Pce calls an enclave. It may be used concurrently, if the enclave may.
type Pce struct{ client *uedge.Client }

var _ PceECalls = (*Pce)(nil)

// NewPce returns a client of e, which may be an enclave or one of its threads.
func NewPce(e uedge.Enclave) *Pce {
	return &Pce{uedge.NewClient(e)}
}

// Close gives the untrusted memory of the client back.
func (x *Pce) Close() { x.client.Close() }

// GetPcInfo makes ECALL 0:
//
//	public uint32_t get_pc_info([in] const sgx_report_t* report, [in, size=key_size] const uint8_t* public_key, uint32_t key_size, uint8_t crypto_suite, [out, size=encrypted_ppid_buf_size] uint8_t* encrypted_ppid, uint32_t encrypted_ppid_buf_size, [out] uint32_t* encrypted_ppid_out_size, [out] struct pce_info* pce_info, [out] uint8_t* signature_scheme);
func (x *Pce) GetPcInfo(ctx context.Context, report *isa.Report, publicKey []byte, cryptoSuite uint8, encryptedPpidBufSize uint32) (ret uint32, encryptedPpid []byte, encryptedPpidOutSize uint32, pceInfo PceInfo, signatureScheme uint8, err error) {
	f := x.client.Frame(72)
	defer f.Free()
	keySize := f.Len("key_size", math.MaxUint32, edge.Items(publicKey))
	if report != nil {
		edge.PutBinary(report, f.In(8, 432).Block)
	}
	copy(f.In(16, len(publicKey)).Block, publicKey)
	f.PutU32(24, uint32(keySize))
	f.PutU8(28, cryptoSuite)
	encryptedPpidBuf := f.Out(32, uint64(encryptedPpidBufSize))
	f.PutU32(40, encryptedPpidBufSize)
	encryptedPpidOutSizeBuf := f.Out(48, 4)
	pceInfoBuf := f.Out(56, 4)
	signatureSchemeBuf := f.Out(64, 1)
	if err = f.Call(ctx, 0); err != nil {
		return
	}
	ret = f.U32(0)
	encryptedPpid = bytes.Clone(f.Back(encryptedPpidBuf))
	encryptedPpidOutSize = f.Back(encryptedPpidOutSizeBuf).U32(0)
	pceInfo.DecodeC(f.Back(pceInfoBuf))
	signatureScheme = f.Back(signatureSchemeBuf).U8(0)
	return
}

// CertifyEnclave makes ECALL 1:
//
//	public uint32_t certify_enclave([in] const struct psvn* cert_psvn, [in] const sgx_report_t* report, [out, size=signature_buf_size] uint8_t* signature, uint32_t signature_buf_size, [out] uint32_t* signature_out_size);
func (x *Pce) CertifyEnclave(ctx context.Context, certPsvn *Psvn, report *isa.Report, signatureBufSize uint32) (ret uint32, signature []byte, signatureOutSize uint32, err error) {
	f := x.client.Frame(48)
	defer f.Free()
	if certPsvn != nil {
		certPsvn.EncodeC(f.In(8, 18).Block)
	}
	if report != nil {
		edge.PutBinary(report, f.In(16, 432).Block)
	}
	signatureBuf := f.Out(24, uint64(signatureBufSize))
	f.PutU32(32, signatureBufSize)
	signatureOutSizeBuf := f.Out(40, 4)
	if err = f.Call(ctx, 1); err != nil {
		return
	}
	ret = f.U32(0)
	signature = bytes.Clone(f.Back(signatureBuf))
	signatureOutSize = f.Back(signatureOutSizeBuf).U32(0)
	return
}

// GetPcInfoWithoutPpid makes ECALL 2:
//
//	public uint32_t get_pc_info_without_ppid([out] struct pce_info* pce_info);
func (x *Pce) GetPcInfoWithoutPpid(ctx context.Context) (ret uint32, pceInfo PceInfo, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	pceInfoBuf := f.Out(8, 4)
	if err = f.Call(ctx, 2); err != nil {
		return
	}
	ret = f.U32(0)
	pceInfo.DecodeC(f.Back(pceInfoBuf))
	return
}
