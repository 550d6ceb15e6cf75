// Code generated from vault.edl by feidi. DO NOT EDIT.

// Package edge is the border of an enclave, as vault.edl describes it.
package edge

import (
	"context"
)

// VaultECalls are the functions of the enclave: what it implements,
// and what its client calls.
type VaultECalls interface {
	// MeetBegin is ECALL 0:
	//
	//	public void meet_begin([out] uint8_t msg1[576]);
	MeetBegin(ctx context.Context) (msg1 [576]byte, err error)

	// MeetReply is ECALL 1:
	//
	//	public void meet_reply([in] uint8_t msg1[576], [out] uint8_t msg2[512]);
	MeetReply(ctx context.Context, msg1 *[576]byte) (msg2 [512]byte, err error)

	// MeetAnswer is ECALL 2:
	//
	//	public void meet_answer([in] uint8_t msg2[512], [out] uint8_t msg3[452], [out] uint8_t mr_enclave[32]);
	MeetAnswer(ctx context.Context, msg2 *[512]byte) (msg3 [452]byte, mrEnclave [32]byte, err error)

	// MeetEnd is ECALL 3:
	//
	//	public void meet_end([in] uint8_t msg3[452], [out] uint8_t mr_enclave[32]);
	MeetEnd(ctx context.Context, msg3 *[452]byte) (mrEnclave [32]byte, err error)

	// ProveBegin is ECALL 4:
	//
	//	public void prove_begin([in] uint8_t provider[64], [out] uint8_t msg1[68]);
	ProveBegin(ctx context.Context, provider *[64]byte) (msg1 [68]byte, err error)

	// Prove is ECALL 5:
	//
	//	public void prove([in, size=n] const uint8_t* msg2, size_t n, [out, size=room] uint8_t* msg3, size_t room, [out] size_t* size);
	Prove(ctx context.Context, msg2 []byte, room uint64) (msg3 []byte, size uint64, err error)

	// Keep is ECALL 6:
	//
	//	public void keep([in, size=n] const uint8_t* encrypted, size_t n, [out, size=room] uint8_t* blob, size_t room, [out] size_t* size);
	Keep(ctx context.Context, encrypted []byte, room uint64) (blob []byte, size uint64, err error)

	// Open is ECALL 7:
	//
	//	public void open([in, size=n] const uint8_t* blob, size_t n, [out] uint8_t sha256[32]);
	Open(ctx context.Context, blob []byte) (sha256 [32]byte, err error)
}
