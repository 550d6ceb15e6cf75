// Code generated from vault.edl by feidi. DO NOT EDIT.

package edge

import (
	"bytes"
	"context"

	"github.com/feidi-dev/feidi/edl/uedge"
)

// Vault calls an enclave. It may be used concurrently, if the enclave may.
type Vault struct{ client *uedge.Client }

var _ VaultECalls = (*Vault)(nil)

// NewVault returns a client of e, which may be an enclave or one of its threads.
func NewVault(e uedge.Enclave) *Vault {
	return &Vault{uedge.NewClient(e)}
}

// Close gives the untrusted memory of the client back.
func (x *Vault) Close() { x.client.Close() }

// MeetBegin makes ECALL 0:
//
//	public void meet_begin([out] uint8_t msg1[576]);
func (x *Vault) MeetBegin(ctx context.Context) (msg1 [576]byte, err error) {
	f := x.client.Frame(8)
	defer f.Free()
	msg1Buf := f.Out(0, 576)
	if err = f.Call(ctx, 0); err != nil {
		return
	}
	copy(msg1[:], f.Back(msg1Buf))
	return
}

// MeetReply makes ECALL 1:
//
//	public void meet_reply([in] uint8_t msg1[576], [out] uint8_t msg2[512]);
func (x *Vault) MeetReply(ctx context.Context, msg1 *[576]byte) (msg2 [512]byte, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	if msg1 != nil {
		copy(f.In(0, 576).Block, msg1[:])
	}
	msg2Buf := f.Out(8, 512)
	if err = f.Call(ctx, 1); err != nil {
		return
	}
	copy(msg2[:], f.Back(msg2Buf))
	return
}

// MeetAnswer makes ECALL 2:
//
//	public void meet_answer([in] uint8_t msg2[512], [out] uint8_t msg3[452], [out] uint8_t mr_enclave[32]);
func (x *Vault) MeetAnswer(ctx context.Context, msg2 *[512]byte) (msg3 [452]byte, mrEnclave [32]byte, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	if msg2 != nil {
		copy(f.In(0, 512).Block, msg2[:])
	}
	msg3Buf := f.Out(8, 452)
	mrEnclaveBuf := f.Out(16, 32)
	if err = f.Call(ctx, 2); err != nil {
		return
	}
	copy(msg3[:], f.Back(msg3Buf))
	copy(mrEnclave[:], f.Back(mrEnclaveBuf))
	return
}

// MeetEnd makes ECALL 3:
//
//	public void meet_end([in] uint8_t msg3[452], [out] uint8_t mr_enclave[32]);
func (x *Vault) MeetEnd(ctx context.Context, msg3 *[452]byte) (mrEnclave [32]byte, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	if msg3 != nil {
		copy(f.In(0, 452).Block, msg3[:])
	}
	mrEnclaveBuf := f.Out(8, 32)
	if err = f.Call(ctx, 3); err != nil {
		return
	}
	copy(mrEnclave[:], f.Back(mrEnclaveBuf))
	return
}

// ProveBegin makes ECALL 4:
//
//	public void prove_begin([in] uint8_t provider[64], [out] uint8_t msg1[68]);
func (x *Vault) ProveBegin(ctx context.Context, provider *[64]byte) (msg1 [68]byte, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	if provider != nil {
		copy(f.In(0, 64).Block, provider[:])
	}
	msg1Buf := f.Out(8, 68)
	if err = f.Call(ctx, 4); err != nil {
		return
	}
	copy(msg1[:], f.Back(msg1Buf))
	return
}

// Prove makes ECALL 5:
//
//	public void prove([in, size=n] const uint8_t* msg2, size_t n, [out, size=room] uint8_t* msg3, size_t room, [out] size_t* size);
func (x *Vault) Prove(ctx context.Context, msg2 []byte, room uint64) (msg3 []byte, size uint64, err error) {
	f := x.client.Frame(40)
	defer f.Free()
	n := uint64(len(msg2))
	copy(f.In(0, len(msg2)).Block, msg2)
	f.PutU64(8, n)
	msg3Buf := f.Out(16, room)
	f.PutU64(24, room)
	sizeBuf := f.Out(32, 8)
	if err = f.Call(ctx, 5); err != nil {
		return
	}
	msg3 = bytes.Clone(f.Back(msg3Buf))
	size = f.Back(sizeBuf).U64(0)
	return
}

// Keep makes ECALL 6:
//
//	public void keep([in, size=n] const uint8_t* encrypted, size_t n, [out, size=room] uint8_t* blob, size_t room, [out] size_t* size);
func (x *Vault) Keep(ctx context.Context, encrypted []byte, room uint64) (blob []byte, size uint64, err error) {
	f := x.client.Frame(40)
	defer f.Free()
	n := uint64(len(encrypted))
	copy(f.In(0, len(encrypted)).Block, encrypted)
	f.PutU64(8, n)
	blobBuf := f.Out(16, room)
	f.PutU64(24, room)
	sizeBuf := f.Out(32, 8)
	if err = f.Call(ctx, 6); err != nil {
		return
	}
	blob = bytes.Clone(f.Back(blobBuf))
	size = f.Back(sizeBuf).U64(0)
	return
}

// Open makes ECALL 7:
//
//	public void open([in, size=n] const uint8_t* blob, size_t n, [out] uint8_t sha256[32]);
func (x *Vault) Open(ctx context.Context, blob []byte) (sha256 [32]byte, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	n := uint64(len(blob))
	copy(f.In(0, len(blob)).Block, blob)
	f.PutU64(8, n)
	sha256Buf := f.Out(16, 32)
	if err = f.Call(ctx, 7); err != nil {
		return
	}
	copy(sha256[:], f.Back(sha256Buf))
	return
}
