// Code generated from vault.edl by feidi. DO NOT EDIT.

package edge

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
)

// VaultTable is the table of an enclave whose functions are those of impl. The
// context of each is that of the ECALL, and its OCALLs are made with it.
func VaultTable(impl VaultECalls) tedge.Table {
	s := vaultECallServer{impl}
	return tedge.Table{
		ECalls: []tedge.ECall{
			{Name: "meet_begin", Size: 8, Serve: s.meetBegin},
			{Name: "meet_reply", Size: 16, Serve: s.meetReply},
			{Name: "meet_answer", Size: 24, Serve: s.meetAnswer},
			{Name: "meet_end", Size: 16, Serve: s.meetEnd},
			{Name: "prove_begin", Size: 16, Serve: s.proveBegin},
			{Name: "prove", Size: 40, Serve: s.prove},
			{Name: "keep", Size: 40, Serve: s.keep},
			{Name: "open", Size: 24, Serve: s.open},
		},
	}
}

// vaultECallServer unpacks ECALLs.
type vaultECallServer struct{ impl VaultECalls }

func (s vaultECallServer) meetBegin(ctx context.Context, f *edge.Callee) error {
	msg1Buf := f.Buffer(0, 576)
	msg1Mem := f.Result(msg1Buf, 576)
	if err := f.Err(); err != nil {
		return err
	}
	msg1, err := s.impl.MeetBegin(ctx)
	if err != nil {
		return err
	}
	if msg1Mem != nil {
		copy(msg1Mem, msg1[:])
		f.Store(msg1Buf, msg1Mem)
	}
	return f.Err()
}

func (s vaultECallServer) meetReply(ctx context.Context, f *edge.Callee) error {
	msg1Buf := f.Buffer(0, 576)
	msg2Buf := f.Buffer(8, 512)
	msg1Mem := f.Load(msg1Buf)
	var msg1 *[576]byte
	if msg1Mem != nil {
		msg1 = new([576]byte)
		copy(msg1[:], msg1Mem)
	}
	msg2Mem := f.Result(msg2Buf, 512)
	if err := f.Err(); err != nil {
		return err
	}
	msg2, err := s.impl.MeetReply(ctx, msg1)
	if err != nil {
		return err
	}
	if msg2Mem != nil {
		copy(msg2Mem, msg2[:])
		f.Store(msg2Buf, msg2Mem)
	}
	return f.Err()
}

func (s vaultECallServer) meetAnswer(ctx context.Context, f *edge.Callee) error {
	msg2Buf := f.Buffer(0, 512)
	msg3Buf := f.Buffer(8, 452)
	mrEnclaveBuf := f.Buffer(16, 32)
	msg2Mem := f.Load(msg2Buf)
	var msg2 *[512]byte
	if msg2Mem != nil {
		msg2 = new([512]byte)
		copy(msg2[:], msg2Mem)
	}
	msg3Mem := f.Result(msg3Buf, 452)
	mrEnclaveMem := f.Result(mrEnclaveBuf, 32)
	if err := f.Err(); err != nil {
		return err
	}
	msg3, mrEnclave, err := s.impl.MeetAnswer(ctx, msg2)
	if err != nil {
		return err
	}
	if msg3Mem != nil {
		copy(msg3Mem, msg3[:])
		f.Store(msg3Buf, msg3Mem)
	}
	if mrEnclaveMem != nil {
		copy(mrEnclaveMem, mrEnclave[:])
		f.Store(mrEnclaveBuf, mrEnclaveMem)
	}
	return f.Err()
}

func (s vaultECallServer) meetEnd(ctx context.Context, f *edge.Callee) error {
	msg3Buf := f.Buffer(0, 452)
	mrEnclaveBuf := f.Buffer(8, 32)
	msg3Mem := f.Load(msg3Buf)
	var msg3 *[452]byte
	if msg3Mem != nil {
		msg3 = new([452]byte)
		copy(msg3[:], msg3Mem)
	}
	mrEnclaveMem := f.Result(mrEnclaveBuf, 32)
	if err := f.Err(); err != nil {
		return err
	}
	mrEnclave, err := s.impl.MeetEnd(ctx, msg3)
	if err != nil {
		return err
	}
	if mrEnclaveMem != nil {
		copy(mrEnclaveMem, mrEnclave[:])
		f.Store(mrEnclaveBuf, mrEnclaveMem)
	}
	return f.Err()
}

func (s vaultECallServer) proveBegin(ctx context.Context, f *edge.Callee) error {
	providerBuf := f.Buffer(0, 64)
	msg1Buf := f.Buffer(8, 68)
	providerMem := f.Load(providerBuf)
	var provider *[64]byte
	if providerMem != nil {
		provider = new([64]byte)
		copy(provider[:], providerMem)
	}
	msg1Mem := f.Result(msg1Buf, 68)
	if err := f.Err(); err != nil {
		return err
	}
	msg1, err := s.impl.ProveBegin(ctx, provider)
	if err != nil {
		return err
	}
	if msg1Mem != nil {
		copy(msg1Mem, msg1[:])
		f.Store(msg1Buf, msg1Mem)
	}
	return f.Err()
}

func (s vaultECallServer) prove(ctx context.Context, f *edge.Callee) error {
	n := f.U64(8)
	room := f.U64(24)
	msg2Buf := f.Buffer(0, n)
	msg3Size := room
	msg3Buf := f.Buffer(16, msg3Size)
	sizeBuf := f.Buffer(32, 8)
	msg2 := f.Load(msg2Buf)
	msg3Mem := f.Result(msg3Buf, msg3Size)
	sizeMem := f.Result(sizeBuf, 8)
	if err := f.Err(); err != nil {
		return err
	}
	msg3, size, err := s.impl.Prove(ctx, msg2, room)
	if err != nil {
		return err
	}
	f.Room("msg3", uint64(len(msg3)), msg3Size)
	copy(msg3Mem, msg3)
	f.Store(msg3Buf, msg3Mem)
	if sizeMem != nil {
		sizeMem.PutU64(0, size)
		f.Store(sizeBuf, sizeMem)
	}
	return f.Err()
}

func (s vaultECallServer) keep(ctx context.Context, f *edge.Callee) error {
	n := f.U64(8)
	room := f.U64(24)
	encryptedBuf := f.Buffer(0, n)
	blobSize := room
	blobBuf := f.Buffer(16, blobSize)
	sizeBuf := f.Buffer(32, 8)
	encrypted := f.Load(encryptedBuf)
	blobMem := f.Result(blobBuf, blobSize)
	sizeMem := f.Result(sizeBuf, 8)
	if err := f.Err(); err != nil {
		return err
	}
	blob, size, err := s.impl.Keep(ctx, encrypted, room)
	if err != nil {
		return err
	}
	f.Room("blob", uint64(len(blob)), blobSize)
	copy(blobMem, blob)
	f.Store(blobBuf, blobMem)
	if sizeMem != nil {
		sizeMem.PutU64(0, size)
		f.Store(sizeBuf, sizeMem)
	}
	return f.Err()
}

func (s vaultECallServer) open(ctx context.Context, f *edge.Callee) error {
	n := f.U64(8)
	blobBuf := f.Buffer(0, n)
	sha256Buf := f.Buffer(16, 32)
	blob := f.Load(blobBuf)
	sha256Mem := f.Result(sha256Buf, 32)
	if err := f.Err(); err != nil {
		return err
	}
	sha256, err := s.impl.Open(ctx, blob)
	if err != nil {
		return err
	}
	if sha256Mem != nil {
		copy(sha256Mem, sha256[:])
		f.Store(sha256Buf, sha256Mem)
	}
	return f.Err()
}
