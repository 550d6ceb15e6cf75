// Code generated from hello.edl by feidi. DO NOT EDIT.

package edge

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
)

// HelloTable is the table of an enclave whose functions are those of impl. The
// context of each is that of the ECALL, and its OCALLs are made with it.
func HelloTable(impl HelloECalls) tedge.Table {
	s := helloECallServer{impl}
	return tedge.Table{
		ECalls: []tedge.ECall{
			{Name: "ecall_hello", Size: 24, Serve: s.ecallHello},
		},
	}
}

// helloECallServer unpacks ECALLs.
type helloECallServer struct{ impl HelloECalls }

func (s helloECallServer) ecallHello(ctx context.Context, f *edge.Callee) error {
	nameBuf := f.Buffer(8, f.U64(16))
	name := f.LoadText(nameBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, err := s.impl.EcallHello(ctx, name)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	return f.Err()
}

// HelloHost calls the host, with the context of the ECALL under way.
type HelloHost struct{}

var _ HelloOCalls = HelloHost{}

// OcallPrintString makes OCALL 0:
//
//	void ocall_print_string([in, string] const char* str);
func (HelloHost) OcallPrintString(ctx context.Context, str string) error {
	f := tedge.NewFrame(ctx, 8)
	defer f.Free()
	f.Text("str", 0, str)
	return f.Call(0, 0)
}
