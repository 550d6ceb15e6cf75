// Code generated from pve.edl by feidi. DO NOT EDIT.

// Package edl is the border of an enclave, as pve.edl describes it.
package edl

import (
	"context"
)

// PveECalls are the functions of the enclave: what it implements,
// and what its client calls.
type PveECalls interface {
	// GenProvMsg1Data is ECALL 0:
	//
	//	public uint32_t gen_prov_msg1_data([out, size=msg1_size] uint8_t* msg1, uint32_t msg1_size);
	GenProvMsg1Data(ctx context.Context, msg1Size uint32) (ret uint32, msg1 []byte, err error)

	// ProcProvMsg2Data is ECALL 1:
	//
	//	public uint32_t proc_prov_msg2_data([in, size=msg2_size] const uint8_t* msg2, uint32_t msg2_size, [out, size=msg3_size] uint8_t* msg3, uint32_t msg3_size);
	ProcProvMsg2Data(ctx context.Context, msg2 []byte, msg3Size uint32) (ret uint32, msg3 []byte, err error)

	// ProcProvMsg4Data is ECALL 2:
	//
	//	public uint32_t proc_prov_msg4_data([in, size=msg4_size] const uint8_t* msg4, uint32_t msg4_size, [out, size=blob_size] uint8_t* blob, uint32_t blob_size);
	ProcProvMsg4Data(ctx context.Context, msg4 []byte, blobSize uint32) (ret uint32, blob []byte, err error)
}
