// Code generated from id_enclave.edl by feidi. DO NOT EDIT.

package edl

import (
	"bytes"
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
)

// IdEnclave calls an enclave. It may be used concurrently, if the enclave may.
type IdEnclave struct{ client *uedge.Client }

var _ IdEnclaveECalls = (*IdEnclave)(nil)

// NewIdEnclave returns a client of e, which may be an enclave or one of its threads.
func NewIdEnclave(e uedge.Enclave) *IdEnclave {
	return &IdEnclave{uedge.NewClient(e)}
}

// Close gives the untrusted memory of the client back.
func (x *IdEnclave) Close() { x.client.Close() }

// IdeGetId makes ECALL 0:
//
//	public sgx_status_t ide_get_id([out] sgx_key_128bit_t* id);
func (x *IdEnclave) IdeGetId(ctx context.Context) (ret status.Code, id SgxKey128bitT, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	idBuf := f.Out(8, 16)
	if err = f.Call(ctx, 0); err != nil {
		return
	}
	ret = status.Code(f.U32(0))
	id.DecodeC(f.Back(idBuf))
	return
}

// IdeGetPceEncryptKey makes ECALL 1:
//
//	public sgx_status_t ide_get_pce_encrypt_key([in] const sgx_target_info_t* pce_target_info, [out] sgx_report_t* ide_report, uint8_t crypto_suite, uint16_t cert_key_type, uint32_t key_size, [out, size=key_size] uint8_t* public_key);
func (x *IdEnclave) IdeGetPceEncryptKey(ctx context.Context, pceTargetInfo *isa.TargetInfo, cryptoSuite uint8, certKeyType uint16, keySize uint32) (ret status.Code, ideReport isa.Report, publicKey []byte, err error) {
	f := x.client.Frame(40)
	defer f.Free()
	if pceTargetInfo != nil {
		edge.PutBinary(pceTargetInfo, f.In(8, 512).Block)
	}
	ideReportBuf := f.Out(16, 432)
	f.PutU8(24, cryptoSuite)
	f.PutU16(26, certKeyType)
	f.PutU32(28, keySize)
	publicKeyBuf := f.Out(32, uint64(keySize))
	if err = f.Call(ctx, 1); err != nil {
		return
	}
	ret = status.Code(f.U32(0))
	edge.GetBinary(&ideReport, f.Back(ideReportBuf)[:432])
	publicKey = bytes.Clone(f.Back(publicKeyBuf))
	return
}
