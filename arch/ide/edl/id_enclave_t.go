// Code generated from id_enclave.edl by feidi. DO NOT EDIT.

package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/isa"
)

// IdEnclaveTable is the table of an enclave whose functions are those of impl. The
// context of each is that of the ECALL, and its OCALLs are made with it.
func IdEnclaveTable(impl IdEnclaveECalls) tedge.Table {
	s := idEnclaveECallServer{impl}
	return tedge.Table{
		ECalls: []tedge.ECall{
			{Name: "ide_get_id", Size: 16, Serve: s.ideGetId},
			{Name: "ide_get_pce_encrypt_key", Size: 40, Serve: s.ideGetPceEncryptKey},
		},
	}
}

// idEnclaveECallServer unpacks ECALLs.
type idEnclaveECallServer struct{ impl IdEnclaveECalls }

func (s idEnclaveECallServer) ideGetId(ctx context.Context, f *edge.Callee) error {
	idBuf := f.Buffer(8, 16)
	idMem := f.Result(idBuf, 16)
	if err := f.Err(); err != nil {
		return err
	}
	ret, id, err := s.impl.IdeGetId(ctx)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	if idMem != nil {
		id.EncodeC(idMem)
		f.Store(idBuf, idMem)
	}
	return f.Err()
}

func (s idEnclaveECallServer) ideGetPceEncryptKey(ctx context.Context, f *edge.Callee) error {
	cryptoSuite := f.U8(24)
	certKeyType := f.U16(26)
	keySize := f.U32(28)
	pceTargetInfoBuf := f.Buffer(8, 512)
	ideReportBuf := f.Buffer(16, 432)
	publicKeySize := uint64(keySize)
	publicKeyBuf := f.Buffer(32, publicKeySize)
	pceTargetInfoMem := f.Load(pceTargetInfoBuf)
	var pceTargetInfo *isa.TargetInfo
	if pceTargetInfoMem != nil {
		pceTargetInfo = new(isa.TargetInfo)
		edge.GetBinary(pceTargetInfo, pceTargetInfoMem)
	}
	ideReportMem := f.Result(ideReportBuf, 432)
	publicKeyMem := f.Result(publicKeyBuf, publicKeySize)
	if err := f.Err(); err != nil {
		return err
	}
	ret, ideReport, publicKey, err := s.impl.IdeGetPceEncryptKey(ctx, pceTargetInfo, cryptoSuite, certKeyType, keySize)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	if ideReportMem != nil {
		edge.PutBinary(&ideReport, ideReportMem[:432:432])
		f.Store(ideReportBuf, ideReportMem)
	}
	f.Room("public_key", uint64(len(publicKey)), publicKeySize)
	copy(publicKeyMem, publicKey)
	f.Store(publicKeyBuf, publicKeyMem)
	return f.Err()
}
