// Code generated from calls.edl by feidi. DO NOT EDIT.

package calls

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
)

// CallsTable is the table of an enclave whose functions are those of impl. The
// context of each is that of the ECALL, and its OCALLs are made with it.
func CallsTable(impl CallsECalls) tedge.Table {
	s := callsECallServer{impl}
	return tedge.Table{
		ECalls: []tedge.ECall{
			{Name: "empty", Size: 0, Serve: s.empty},
			{Name: "add", Size: 24, Serve: s.add},
			{Name: "flip", Size: 24, Serve: s.flip},
			{Name: "forward", Size: 16, Serve: s.forward},
			{Name: "nest", Size: 16, Serve: s.nest},
			{Name: "fall", Size: 16, Serve: s.fall},
			{Name: "leave", Size: 4, Serve: s.leave},
			{Name: "deeper", Size: 16, Serve: s.deeper, Private: true},
		},
		Allowed: [][]bool{
			1: {7: true}, // descend
		},
	}
}

// callsECallServer unpacks ECALLs.
type callsECallServer struct{ impl CallsECalls }

func (s callsECallServer) empty(ctx context.Context, f *edge.Callee) error {
	return s.impl.Empty(ctx)
}

func (s callsECallServer) add(ctx context.Context, f *edge.Callee) error {
	a := f.U64(8)
	b := f.U64(16)
	ret, err := s.impl.Add(ctx, a, b)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

func (s callsECallServer) flip(ctx context.Context, f *edge.Callee) error {
	n := f.U64(16)
	srcBuf := f.Buffer(0, n)
	dstSize := n
	dstBuf := f.Buffer(8, dstSize)
	src := f.Load(srcBuf)
	dstMem := f.Result(dstBuf, dstSize)
	if err := f.Err(); err != nil {
		return err
	}
	dst, err := s.impl.Flip(ctx, src)
	if err != nil {
		return err
	}
	f.Room("dst", uint64(len(dst)), dstSize)
	copy(dstMem, dst)
	f.Store(dstBuf, dstMem)
	return f.Err()
}

func (s callsECallServer) forward(ctx context.Context, f *edge.Callee) error {
	v := f.U64(8)
	ret, err := s.impl.Forward(ctx, v)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

func (s callsECallServer) nest(ctx context.Context, f *edge.Callee) error {
	depth := f.U64(8)
	ret, err := s.impl.Nest(ctx, depth)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

func (s callsECallServer) fall(ctx context.Context, f *edge.Callee) error {
	whyBuf := f.Buffer(0, f.U64(8))
	why := f.LoadText(whyBuf)
	if err := f.Err(); err != nil {
		return err
	}
	return s.impl.Fall(ctx, why)
}

func (s callsECallServer) leave(ctx context.Context, f *edge.Callee) error {
	code := int32(f.U32(0))
	return s.impl.Leave(ctx, code)
}

func (s callsECallServer) deeper(ctx context.Context, f *edge.Callee) error {
	depth := f.U64(8)
	ret, err := s.impl.Deeper(ctx, depth)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

// CallsHost calls the host, with the context of the ECALL under way.
type CallsHost struct{}

var _ CallsOCalls = CallsHost{}

// Ask makes OCALL 0:
//
//	uint64_t ask(uint64_t v);
func (CallsHost) Ask(ctx context.Context, v uint64) (ret uint64, err error) {
	f := tedge.NewFrame(ctx, 16)
	defer f.Free()
	f.PutU64(8, v)
	if err = f.Call(0, 8); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// Descend makes OCALL 1:
//
//	uint64_t descend(uint64_t depth) allow(deeper);
func (CallsHost) Descend(ctx context.Context, depth uint64) (ret uint64, err error) {
	f := tedge.NewFrame(ctx, 16)
	defer f.Free()
	f.PutU64(8, depth)
	if err = f.Call(1, 8); err != nil {
		return
	}
	ret = f.U64(0)
	return
}
