// Code generated from calls.edl by feidi. DO NOT EDIT.

package calls

import (
	"bytes"
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
)

// Calls calls an enclave. It may be used concurrently, if the enclave may.
type Calls struct{ client *uedge.Client }

var _ CallsECalls = (*Calls)(nil)

// NewCalls returns a client of e, which may be an enclave or one of its threads.
// OCALLs of its calls are served by ocalls; if that is nil, as the loader of the
// enclave said.
func NewCalls(e uedge.Enclave, ocalls CallsOCalls) *Calls {
	if ocalls == nil {
		return &Calls{uedge.NewClient(e)}
	}
	s := callsOCallServer{ocalls}
	return &Calls{uedge.NewClient(e,
		uedge.Server{Name: "ask", Size: 16, Serve: s.ask},
		uedge.Server{Name: "descend", Size: 16, Serve: s.descend},
	)}
}

// Close gives the untrusted memory of the client back.
func (x *Calls) Close() { x.client.Close() }

// Empty makes ECALL 0:
//
//	public void empty();
func (x *Calls) Empty(ctx context.Context) error {
	f := x.client.Frame(0)
	defer f.Free()
	return f.Call(ctx, 0)
}

// Add makes ECALL 1:
//
//	public uint64_t add(uint64_t a, uint64_t b);
func (x *Calls) Add(ctx context.Context, a, b uint64) (ret uint64, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	f.PutU64(8, a)
	f.PutU64(16, b)
	if err = f.Call(ctx, 1); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// Flip makes ECALL 2:
//
//	public void flip([in, size=n] const uint8_t* src, [out, size=n] uint8_t* dst, size_t n);
func (x *Calls) Flip(ctx context.Context, src []byte) (dst []byte, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	n := uint64(len(src))
	copy(f.In(0, len(src)).Block, src)
	dstBuf := f.Out(8, n)
	f.PutU64(16, n)
	if err = f.Call(ctx, 2); err != nil {
		return
	}
	dst = bytes.Clone(f.Back(dstBuf))
	return
}

// Forward makes ECALL 3:
//
//	public uint64_t forward(uint64_t v);
func (x *Calls) Forward(ctx context.Context, v uint64) (ret uint64, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	f.PutU64(8, v)
	if err = f.Call(ctx, 3); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// Nest makes ECALL 4:
//
//	public uint64_t nest(uint64_t depth);
func (x *Calls) Nest(ctx context.Context, depth uint64) (ret uint64, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	f.PutU64(8, depth)
	if err = f.Call(ctx, 4); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// Fall makes ECALL 5:
//
//	public void fall([in, string] const char* why);
func (x *Calls) Fall(ctx context.Context, why string) error {
	f := x.client.Frame(16)
	defer f.Free()
	f.Text("why", 0, why)
	f.PutU64(8, uint64(edge.TextSize(why)))
	return f.Call(ctx, 5)
}

// Leave makes ECALL 6:
//
//	public void leave(int code);
func (x *Calls) Leave(ctx context.Context, code int32) error {
	f := x.client.Frame(4)
	defer f.Free()
	f.PutU32(0, uint32(code))
	return f.Call(ctx, 6)
}

// Deeper makes ECALL 7:
//
//	uint64_t deeper(uint64_t depth);
func (x *Calls) Deeper(ctx context.Context, depth uint64) (ret uint64, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	f.PutU64(8, depth)
	if err = f.Call(ctx, 7); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// callsOCallServer unpacks OCALLs.
type callsOCallServer struct{ impl CallsOCalls }

func (s callsOCallServer) ask(ctx context.Context, f *edge.Callee) error {
	v := f.U64(8)
	ret, err := s.impl.Ask(ctx, v)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

func (s callsOCallServer) descend(ctx context.Context, f *edge.Callee) error {
	depth := f.U64(8)
	ret, err := s.impl.Descend(ctx, depth)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}
