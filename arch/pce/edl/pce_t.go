// Code generated from pce.edl by feidi. DO NOT EDIT.

package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/isa"
)

// PceTable is the table of an enclave whose functions are those of impl. The
// context of each is that of the ECALL, and its OCALLs are made with it.
func PceTable(impl PceECalls) tedge.Table {
	s := pceECallServer{impl}
	return tedge.Table{
		ECalls: []tedge.ECall{
			{Name: "get_pc_info", Size: 72, Serve: s.getPcInfo},
			{Name: "certify_enclave", Size: 48, Serve: s.certifyEnclave},
			{Name: "get_pc_info_without_ppid", Size: 16, Serve: s.getPcInfoWithoutPpid},
		},
	}
}

// pceECallServer unpacks ECALLs.
type pceECallServer struct{ impl PceECalls }

func (s pceECallServer) getPcInfo(ctx context.Context, f *edge.Callee) error {
	keySize := f.U32(24)
	cryptoSuite := f.U8(28)
	encryptedPpidBufSize := f.U32(40)
	reportBuf := f.Buffer(8, 432)
	publicKeyBuf := f.Buffer(16, uint64(keySize))
	encryptedPpidSize := uint64(encryptedPpidBufSize)
	encryptedPpidBuf := f.Buffer(32, encryptedPpidSize)
	encryptedPpidOutSizeBuf := f.Buffer(48, 4)
	pceInfoBuf := f.Buffer(56, 4)
	signatureSchemeBuf := f.Buffer(64, 1)
	reportMem := f.Load(reportBuf)
	var report *isa.Report
	if reportMem != nil {
		report = new(isa.Report)
		edge.GetBinary(report, reportMem)
	}
	publicKey := f.Load(publicKeyBuf)
	encryptedPpidMem := f.Result(encryptedPpidBuf, encryptedPpidSize)
	encryptedPpidOutSizeMem := f.Result(encryptedPpidOutSizeBuf, 4)
	pceInfoMem := f.Result(pceInfoBuf, 4)
	signatureSchemeMem := f.Result(signatureSchemeBuf, 1)
	if err := f.Err(); err != nil {
		return err
	}
	ret, encryptedPpid, encryptedPpidOutSize, pceInfo, signatureScheme, err := s.impl.GetPcInfo(ctx, report, publicKey, cryptoSuite, encryptedPpidBufSize)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Room("encrypted_ppid", uint64(len(encryptedPpid)), encryptedPpidSize)
	copy(encryptedPpidMem, encryptedPpid)
	f.Store(encryptedPpidBuf, encryptedPpidMem)
	if encryptedPpidOutSizeMem != nil {
		encryptedPpidOutSizeMem.PutU32(0, encryptedPpidOutSize)
		f.Store(encryptedPpidOutSizeBuf, encryptedPpidOutSizeMem)
	}
	if pceInfoMem != nil {
		pceInfo.EncodeC(pceInfoMem)
		f.Store(pceInfoBuf, pceInfoMem)
	}
	if signatureSchemeMem != nil {
		signatureSchemeMem.PutU8(0, signatureScheme)
		f.Store(signatureSchemeBuf, signatureSchemeMem)
	}
	return f.Err()
}

func (s pceECallServer) certifyEnclave(ctx context.Context, f *edge.Callee) error {
	signatureBufSize := f.U32(32)
	certPsvnBuf := f.Buffer(8, 18)
	reportBuf := f.Buffer(16, 432)
	signatureSize := uint64(signatureBufSize)
	signatureBuf := f.Buffer(24, signatureSize)
	signatureOutSizeBuf := f.Buffer(40, 4)
	certPsvnMem := f.Load(certPsvnBuf)
	var certPsvn *Psvn
	if certPsvnMem != nil {
		certPsvn = new(Psvn)
		certPsvn.DecodeC(certPsvnMem)
	}
	reportMem := f.Load(reportBuf)
	var report *isa.Report
	if reportMem != nil {
		report = new(isa.Report)
		edge.GetBinary(report, reportMem)
	}
	signatureMem := f.Result(signatureBuf, signatureSize)
	signatureOutSizeMem := f.Result(signatureOutSizeBuf, 4)
	if err := f.Err(); err != nil {
		return err
	}
	ret, signature, signatureOutSize, err := s.impl.CertifyEnclave(ctx, certPsvn, report, signatureBufSize)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Room("signature", uint64(len(signature)), signatureSize)
	copy(signatureMem, signature)
	f.Store(signatureBuf, signatureMem)
	if signatureOutSizeMem != nil {
		signatureOutSizeMem.PutU32(0, signatureOutSize)
		f.Store(signatureOutSizeBuf, signatureOutSizeMem)
	}
	return f.Err()
}

func (s pceECallServer) getPcInfoWithoutPpid(ctx context.Context, f *edge.Callee) error {
	pceInfoBuf := f.Buffer(8, 4)
	pceInfoMem := f.Result(pceInfoBuf, 4)
	if err := f.Err(); err != nil {
		return err
	}
	ret, pceInfo, err := s.impl.GetPcInfoWithoutPpid(ctx)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	if pceInfoMem != nil {
		pceInfo.EncodeC(pceInfoMem)
		f.Store(pceInfoBuf, pceInfoMem)
	}
	return f.Err()
}
