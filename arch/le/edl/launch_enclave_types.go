// Code generated from launch_enclave.edl by feidi. DO NOT EDIT.

// Package edl is the border of an enclave, as launch_enclave.edl describes it.
package edl

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/isa"
)

// SgxMeasurementT is sgx_measurement_t, whose members the EDL does not know.
type SgxMeasurementT [32]byte

// EncodeC writes v as C has it, 32 bytes.
func (v *SgxMeasurementT) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *SgxMeasurementT) DecodeC(b edge.Block) {
	copy(v[:], b)
}

// TokenT is token_t, whose members the EDL does not know.
type TokenT [304]byte

// EncodeC writes v as C has it, 304 bytes.
func (v *TokenT) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *TokenT) DecodeC(b edge.Block) {
	copy(v[:], b)
}

// LaunchEnclaveECalls are the functions of the enclave: what it implements,
// and what its client calls.
type LaunchEnclaveECalls interface {
	// LeGetLaunchTokenWrapper is ECALL 0:
	//
	//	public int le_get_launch_token_wrapper([in] const sgx_measurement_t* mrenclave, [in] const sgx_measurement_t* mrsigner, [in] const sgx_attributes_t* se_attributes, [out] token_t* lictoken);
	LeGetLaunchTokenWrapper(ctx context.Context, mrenclave, mrsigner *SgxMeasurementT, seAttributes *isa.Attributes) (ret int32, lictoken TokenT, err error)

	// LeInitWhiteListWrapper is ECALL 1:
	//
	//	public uint32_t le_init_white_list_wrapper([in, size=wl_cert_chain_size] const uint8_t* wl_cert_chain, uint32_t wl_cert_chain_size);
	LeInitWhiteListWrapper(ctx context.Context, wlCertChain []byte) (ret uint32, err error)
}
