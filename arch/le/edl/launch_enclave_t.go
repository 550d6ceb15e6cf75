// Code generated from launch_enclave.edl by feidi. DO NOT EDIT.

package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/isa"
)

// LaunchEnclaveTable is the table of an enclave whose functions are those of impl. The
// context of each is that of the ECALL, and its OCALLs are made with it.
func LaunchEnclaveTable(impl LaunchEnclaveECalls) tedge.Table {
	s := launchEnclaveECallServer{impl}
	return tedge.Table{
		ECalls: []tedge.ECall{
			{Name: "le_get_launch_token_wrapper", Size: 40, Serve: s.leGetLaunchTokenWrapper},
			{Name: "le_init_white_list_wrapper", Size: 24, Serve: s.leInitWhiteListWrapper},
		},
	}
}

// launchEnclaveECallServer unpacks ECALLs.
type launchEnclaveECallServer struct{ impl LaunchEnclaveECalls }

func (s launchEnclaveECallServer) leGetLaunchTokenWrapper(ctx context.Context, f *edge.Callee) error {
	mrenclaveBuf := f.Buffer(8, 32)
	mrsignerBuf := f.Buffer(16, 32)
	seAttributesBuf := f.Buffer(24, 16)
	lictokenBuf := f.Buffer(32, 304)
	mrenclaveMem := f.Load(mrenclaveBuf)
	var mrenclave *SgxMeasurementT
	if mrenclaveMem != nil {
		mrenclave = new(SgxMeasurementT)
		mrenclave.DecodeC(mrenclaveMem)
	}
	mrsignerMem := f.Load(mrsignerBuf)
	var mrsigner *SgxMeasurementT
	if mrsignerMem != nil {
		mrsigner = new(SgxMeasurementT)
		mrsigner.DecodeC(mrsignerMem)
	}
	seAttributesMem := f.Load(seAttributesBuf)
	var seAttributes *isa.Attributes
	if seAttributesMem != nil {
		seAttributes = new(isa.Attributes)
		edge.GetBinary(seAttributes, seAttributesMem)
	}
	lictokenMem := f.Result(lictokenBuf, 304)
	if err := f.Err(); err != nil {
		return err
	}
	ret, lictoken, err := s.impl.LeGetLaunchTokenWrapper(ctx, mrenclave, mrsigner, seAttributes)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	if lictokenMem != nil {
		lictoken.EncodeC(lictokenMem)
		f.Store(lictokenBuf, lictokenMem)
	}
	return f.Err()
}

func (s launchEnclaveECallServer) leInitWhiteListWrapper(ctx context.Context, f *edge.Callee) error {
	wlCertChainSize := f.U32(16)
	wlCertChainBuf := f.Buffer(8, uint64(wlCertChainSize))
	wlCertChain := f.Load(wlCertChainBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, err := s.impl.LeInitWhiteListWrapper(ctx, wlCertChain)
	if err != nil {
		return err
	}
	f.PutU32(0, ret)
	f.Return(4)
	return f.Err()
}
