// Code generated from tstdc.edl by feidi. DO NOT EDIT.

package tstdc

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
)

// Tstdc calls an enclave. It may be used concurrently, if the enclave may.
type Tstdc struct{ client *uedge.Client }

var _ TstdcECalls = (*Tstdc)(nil)

// NewTstdc returns a client of e, which may be an enclave or one of its threads.
// OCALLs of its calls are served by ocalls; if that is nil, as the loader of the
// enclave said.
func NewTstdc(e uedge.Enclave, ocalls TstdcOCalls) *Tstdc {
	if ocalls == nil {
		return &Tstdc{uedge.NewClient(e)}
	}
	s := tstdcOCallServer{ocalls}
	return &Tstdc{uedge.NewClient(e,
		uedge.Server{Name: "sgx_oc_cpuidex", Size: 16, Serve: s.sgxOcCpuidex},
		uedge.Server{Name: "sgx_thread_wait_untrusted_event_ocall", Size: 16, Serve: s.sgxThreadWaitUntrustedEventOcall},
		uedge.Server{Name: "sgx_thread_set_untrusted_event_ocall", Size: 16, Serve: s.sgxThreadSetUntrustedEventOcall},
		uedge.Server{Name: "sgx_thread_setwait_untrusted_events_ocall", Size: 24, Serve: s.sgxThreadSetwaitUntrustedEventsOcall},
		uedge.Server{Name: "sgx_thread_set_multiple_untrusted_events_ocall", Size: 24, Serve: s.sgxThreadSetMultipleUntrustedEventsOcall},
	)}
}

// Close gives the untrusted memory of the client back.
func (x *Tstdc) Close() { x.client.Close() }

// EcallUnused makes ECALL 0:
//
//	public void ecall_unused();
func (x *Tstdc) EcallUnused(ctx context.Context) error {
	f := x.client.Frame(0)
	defer f.Free()
	return f.Call(ctx, 0)
}

// tstdcOCallServer unpacks OCALLs.
type tstdcOCallServer struct{ impl TstdcOCalls }

func (s tstdcOCallServer) sgxOcCpuidex(ctx context.Context, f *edge.Callee) error {
	leaf := int32(f.U32(8))
	subleaf := int32(f.U32(12))
	cpuinfoBuf := f.Buffer(0, 16)
	cpuinfoMem := f.Result(cpuinfoBuf, 16)
	if err := f.Err(); err != nil {
		return err
	}
	cpuinfo, err := s.impl.SgxOcCpuidex(ctx, leaf, subleaf)
	if err != nil {
		return err
	}
	if cpuinfoMem != nil {
		edge.PutInts(cpuinfoMem, cpuinfo[:])
		f.Store(cpuinfoBuf, cpuinfoMem)
	}
	return f.Err()
}

func (s tstdcOCallServer) sgxThreadWaitUntrustedEventOcall(ctx context.Context, f *edge.Callee) error {
	self := f.U64(8)
	ret, err := s.impl.SgxThreadWaitUntrustedEventOcall(ctx, self)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	return f.Err()
}

func (s tstdcOCallServer) sgxThreadSetUntrustedEventOcall(ctx context.Context, f *edge.Callee) error {
	waiter := f.U64(8)
	ret, err := s.impl.SgxThreadSetUntrustedEventOcall(ctx, waiter)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	return f.Err()
}

func (s tstdcOCallServer) sgxThreadSetwaitUntrustedEventsOcall(ctx context.Context, f *edge.Callee) error {
	waiter := f.U64(8)
	self := f.U64(16)
	ret, err := s.impl.SgxThreadSetwaitUntrustedEventsOcall(ctx, waiter, self)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	return f.Err()
}

func (s tstdcOCallServer) sgxThreadSetMultipleUntrustedEventsOcall(ctx context.Context, f *edge.Callee) error {
	total := f.U64(16)
	waitersBuf := f.Buffer(8, f.Mul(total, 8))
	waiters := edge.Ints[edge.Pointer](f.Load(waitersBuf))
	if err := f.Err(); err != nil {
		return err
	}
	ret, err := s.impl.SgxThreadSetMultipleUntrustedEventsOcall(ctx, waiters)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	return f.Err()
}
