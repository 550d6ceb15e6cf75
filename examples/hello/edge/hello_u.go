// Code generated from hello.edl by feidi. DO NOT EDIT.

package edge

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
)

// Hello calls an enclave. It may be used concurrently, if the enclave may.
type Hello struct{ client *uedge.Client }

var _ HelloECalls = (*Hello)(nil)

// NewHello returns a client of e, which may be an enclave or one of its threads.
// OCALLs of its calls are served by ocalls; if that is nil, as the loader of the
// enclave said.
func NewHello(e uedge.Enclave, ocalls HelloOCalls) *Hello {
	if ocalls == nil {
		return &Hello{uedge.NewClient(e)}
	}
	s := helloOCallServer{ocalls}
	return &Hello{uedge.NewClient(e,
		uedge.Server{Name: "ocall_print_string", Size: 8, Serve: s.ocallPrintString},
	)}
}

// Close gives the untrusted memory of the client back.
func (x *Hello) Close() { x.client.Close() }

// EcallHello makes ECALL 0:
//
//	public int ecall_hello([in, string] const char* name);
func (x *Hello) EcallHello(ctx context.Context, name string) (ret int32, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	f.Text("name", 8, name)
	f.PutU64(16, uint64(edge.TextSize(name)))
	if err = f.Call(ctx, 0); err != nil {
		return
	}
	ret = int32(f.U32(0))
	return
}

// helloOCallServer unpacks OCALLs.
type helloOCallServer struct{ impl HelloOCalls }

func (s helloOCallServer) ocallPrintString(ctx context.Context, f *edge.Callee) error {
	strBuf := f.Terminated(0, 1)
	str := strBuf.Text()
	if err := f.Err(); err != nil {
		return err
	}
	return s.impl.OcallPrintString(ctx, str)
}
