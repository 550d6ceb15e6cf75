// Code generated from launch_enclave.edl by feidi. DO NOT EDIT.

package edl

import (
	"context"
	"math"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/isa"
)

// LaunchEnclave calls an enclave. It may be used concurrently, if the enclave may.
type LaunchEnclave struct{ client *uedge.Client }

var _ LaunchEnclaveECalls = (*LaunchEnclave)(nil)

// NewLaunchEnclave returns a client of e, which may be an enclave or one of its threads.
func NewLaunchEnclave(e uedge.Enclave) *LaunchEnclave {
	return &LaunchEnclave{uedge.NewClient(e)}
}

// Close gives the untrusted memory of the client back.
func (x *LaunchEnclave) Close() { x.client.Close() }

// LeGetLaunchTokenWrapper makes ECALL 0:
//
//	public int le_get_launch_token_wrapper([in] const sgx_measurement_t* mrenclave, [in] const sgx_measurement_t* mrsigner, [in] const sgx_attributes_t* se_attributes, [out] token_t* lictoken);
func (x *LaunchEnclave) LeGetLaunchTokenWrapper(ctx context.Context, mrenclave, mrsigner *SgxMeasurementT, seAttributes *isa.Attributes) (ret int32, lictoken TokenT, err error) {
	f := x.client.Frame(40)
	defer f.Free()
	if mrenclave != nil {
		mrenclave.EncodeC(f.In(8, 32).Block)
	}
	if mrsigner != nil {
		mrsigner.EncodeC(f.In(16, 32).Block)
	}
	if seAttributes != nil {
		edge.PutBinary(seAttributes, f.In(24, 16).Block)
	}
	lictokenBuf := f.Out(32, 304)
	if err = f.Call(ctx, 0); err != nil {
		return
	}
	ret = int32(f.U32(0))
	lictoken.DecodeC(f.Back(lictokenBuf))
	return
}

// LeInitWhiteListWrapper makes ECALL 1:
//
//	public uint32_t le_init_white_list_wrapper([in, size=wl_cert_chain_size] const uint8_t* wl_cert_chain, uint32_t wl_cert_chain_size);
func (x *LaunchEnclave) LeInitWhiteListWrapper(ctx context.Context, wlCertChain []byte) (ret uint32, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	wlCertChainSize := f.Len("wl_cert_chain_size", math.MaxUint32, edge.Items(wlCertChain))
	copy(f.In(8, len(wlCertChain)).Block, wlCertChain)
	f.PutU32(16, uint32(wlCertChainSize))
	if err = f.Call(ctx, 1); err != nil {
		return
	}
	ret = f.U32(0)
	return
}
