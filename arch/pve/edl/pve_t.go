// Code generated from pve.edl by feidi. DO NOT EDIT.

package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
)

// PveTable is the table of an enclave whose functions are those of impl. The
// context of each is that of the ECALL, and its OCALLs are made with it.
func PveTable(impl PveECalls) tedge.Table {
	s := pveECallServer{impl}
	return tedge.Table{
		ECalls: []tedge.ECall{
			{Name: "gen_prov_msg1_data", Size: 24, Serve: s.genProvMsg1Data},
			{Name: "proc_prov_msg2_data", Size: 40, Serve: s.procProvMsg2Data},
			{Name: "proc_prov_msg4_data", Size: 40, Serve: s.procProvMsg4Data},
		},
	}
}

// pveECallServer unpacks ECALLs.
type pveECallServer struct{ impl PveECalls }

func (s pveECallServer) genProvMsg1Data(ctx context.Context, f *edge.Callee) error {
	msg1Size := f.U32(16)
	msg1Size_ := uint64(msg1Size)
	msg1Buf := f.Buffer(8, msg1Size_)
	msg1Mem := f.Result(msg1Buf, msg1Size_)
	if err := f.Err(); err != nil {
		return err
	}
	ret, msg1, err := s.impl.GenProvMsg1Data(ctx, msg1Size)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Room("msg1", uint64(len(msg1)), msg1Size_)
	copy(msg1Mem, msg1)
	f.Store(msg1Buf, msg1Mem)
	return f.Err()
}

func (s pveECallServer) procProvMsg2Data(ctx context.Context, f *edge.Callee) error {
	msg2Size := f.U32(16)
	msg3Size := f.U32(32)
	msg2Buf := f.Buffer(8, uint64(msg2Size))
	msg3Size_ := uint64(msg3Size)
	msg3Buf := f.Buffer(24, msg3Size_)
	msg2 := f.Load(msg2Buf)
	msg3Mem := f.Result(msg3Buf, msg3Size_)
	if err := f.Err(); err != nil {
		return err
	}
	ret, msg3, err := s.impl.ProcProvMsg2Data(ctx, msg2, msg3Size)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Room("msg3", uint64(len(msg3)), msg3Size_)
	copy(msg3Mem, msg3)
	f.Store(msg3Buf, msg3Mem)
	return f.Err()
}

func (s pveECallServer) procProvMsg4Data(ctx context.Context, f *edge.Callee) error {
	msg4Size := f.U32(16)
	blobSize := f.U32(32)
	msg4Buf := f.Buffer(8, uint64(msg4Size))
	blobSize_ := uint64(blobSize)
	blobBuf := f.Buffer(24, blobSize_)
	msg4 := f.Load(msg4Buf)
	blobMem := f.Result(blobBuf, blobSize_)
	if err := f.Err(); err != nil {
		return err
	}
	ret, blob, err := s.impl.ProcProvMsg4Data(ctx, msg4, blobSize)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	f.Room("blob", uint64(len(blob)), blobSize_)
	copy(blobMem, blob)
	f.Store(blobBuf, blobMem)
	return f.Err()
}
