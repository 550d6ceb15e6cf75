// Code generated from pve.edl by feidi. DO NOT EDIT.

package edl

import (
	"bytes"
	"context"
	"math"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
)

// Pve calls an enclave. It may be used concurrently, if the enclave may.
type Pve struct{ client *uedge.Client }

var _ PveECalls = (*Pve)(nil)

// NewPve returns a client of e, which may be an enclave or one of its threads.
func NewPve(e uedge.Enclave) *Pve {
	return &Pve{uedge.NewClient(e)}
}

// Close gives the untrusted memory of the client back.
func (x *Pve) Close() { x.client.Close() }

// GenProvMsg1Data makes ECALL 0:
//
//	public uint32_t gen_prov_msg1_data([out, size=msg1_size] uint8_t* msg1, uint32_t msg1_size);
func (x *Pve) GenProvMsg1Data(ctx context.Context, msg1Size uint32) (ret uint32, msg1 []byte, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	msg1Buf := f.Out(8, uint64(msg1Size))
	f.PutU32(16, msg1Size)
	if err = f.Call(ctx, 0); err != nil {
		return
	}
	ret = f.U32(0)
	msg1 = bytes.Clone(f.Back(msg1Buf))
	return
}

// ProcProvMsg2Data makes ECALL 1:
//
//	public uint32_t proc_prov_msg2_data([in, size=msg2_size] const uint8_t* msg2, uint32_t msg2_size, [out, size=msg3_size] uint8_t* msg3, uint32_t msg3_size);
func (x *Pve) ProcProvMsg2Data(ctx context.Context, msg2 []byte, msg3Size uint32) (ret uint32, msg3 []byte, err error) {
	f := x.client.Frame(40)
	defer f.Free()
	msg2Size := f.Len("msg2_size", math.MaxUint32, edge.Items(msg2))
	copy(f.In(8, len(msg2)).Block, msg2)
	f.PutU32(16, uint32(msg2Size))
	msg3Buf := f.Out(24, uint64(msg3Size))
	f.PutU32(32, msg3Size)
	if err = f.Call(ctx, 1); err != nil {
		return
	}
	ret = f.U32(0)
	msg3 = bytes.Clone(f.Back(msg3Buf))
	return
}

// ProcProvMsg4Data makes ECALL 2:
//
//	public uint32_t proc_prov_msg4_data([in, size=msg4_size] const uint8_t* msg4, uint32_t msg4_size, [out, size=blob_size] uint8_t* blob, uint32_t blob_size);
func (x *Pve) ProcProvMsg4Data(ctx context.Context, msg4 []byte, blobSize uint32) (ret uint32, blob []byte, err error) {
	f := x.client.Frame(40)
	defer f.Free()
	msg4Size := f.Len("msg4_size", math.MaxUint32, edge.Items(msg4))
	copy(f.In(8, len(msg4)).Block, msg4)
	f.PutU32(16, uint32(msg4Size))
	blobBuf := f.Out(24, uint64(blobSize))
	f.PutU32(32, blobSize)
	if err = f.Call(ctx, 2); err != nil {
		return
	}
	ret = f.U32(0)
	blob = bytes.Clone(f.Back(blobBuf))
	return
}
