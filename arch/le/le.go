// Package le is the launch enclave. On a machine without flexible launch control,
// whose IA32_SGXLEPUBKEYHASH is that of this enclave's signer, EINIT lets an enclave
// of any other signer run only with an EINITTOKEN, and only this enclave can make
// one. It decides:
//
//   - debug enclaves may be launched, whoever has signed them;
//   - production enclaves may be launched if their signer is on the white list;
//   - of either, PROVISION_KEY may be had only by those of some signers.
//
// It does what Intel's LE does, check for check and in the same order. Other than
// Intel's it does not have the root of white lists and the signers of provisioning
// enclaves built in: its own signer names them, see [Policy].
//
// The list is in the enclave's memory. It cannot be replaced with an older one, but
// a host can restart the enclave and give it one, as it can with Intel's.
//
// Package arch/le/enclave is the program. Sources: psw/ae/le of Intel's SGX SDK, of
// which no code is used; SDM Vol. 3D, "EINIT".
package le

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/feidi-dev/feidi/arch/le/edl"
	"github.com/feidi-dev/feidi/arch/le/whitelist"
	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/isa"
)

// reserved are the bits of ATTRIBUTES that no enclave may ask for: 3 and 56 to 63,
// which mean nothing yet, and something for security once they do. EINITTOKEN_KEY is
// none of them, for EINIT refuses it to all signers but this enclave's, with and
// without a token.
const reserved isa.AttributeFlags = 0xFF00_0000_0000_0008

// LE serves the ECALLs of the enclave. Its state is the white list.
type LE struct {
	processor leaf.Processor
	policy    Policy
	replacing sync.Mutex // held from comparing versions to storing a list
	list      atomic.Pointer[whitelist.List]
}

var _ edl.LaunchEnclaveECalls = (*LE)(nil)

// New returns the LE of a processor. With the zero value of a policy it takes no
// white list.
func New(p leaf.Processor, policy Policy) *LE { return &LE{processor: p, policy: policy} }

// LeGetLaunchTokenWrapper implements [edl.LaunchEnclaveECalls].
func (e *LE) LeGetLaunchTokenWrapper(_ context.Context, mrEnclave, mrSigner *edl.SgxMeasurementT, attributes *isa.Attributes) (ret int32, token edl.TokenT, err error) {
	if mrEnclave == nil || mrSigner == nil || attributes == nil {
		return InvalidParameter, token, nil
	}
	if attributes.Flags&reserved != 0 {
		return InvalidAttribute, token, nil
	}
	self, err := e.processor.Report(nil, [64]byte{})
	if err != nil {
		return UnexpectedError, token, nil
	}
	if ret = e.allows(self.MRSigner, *mrSigner, attributes.Flags); ret != Success {
		return ret, token, nil
	}
	t, ret := newToken(e.processor, &self.ReportBody, isa.EinitToken{MREnclave: *mrEnclave, MRSigner: *mrSigner, Attributes: *attributes})
	if ret != Success {
		return ret, token, nil
	}
	b, _ := t.AppendBinary(nil) // has no errors
	return Success, edl.TokenT(b), nil
}

// allows decides whether an enclave of a signer may be launched with flags. own is
// the MRSIGNER of this enclave.
func (e *LE) allows(own, mrSigner [32]byte, flags isa.AttributeFlags) int32 {
	if flags&isa.AttrProvisionKey != 0 && mrSigner != own && !e.policy.mayProvision(mrSigner) {
		return InvalidAttribute
	}
	if flags&isa.AttrDebug != 0 {
		return Success
	}
	switch list := e.list.Load(); {
	case list == nil:
		return WhiteListUninitialized
	case !list.Allows(mrSigner):
		return InvalidPrivilege
	}
	return Success
}

// LeInitWhiteListWrapper implements [edl.LaunchEnclaveECalls]. The list must be for
// the ISVPRODID of this enclave and of a higher version than the one that it has.
func (e *LE) LeInitWhiteListWrapper(_ context.Context, chain []byte) (ret uint32, err error) {
	c, err := whitelist.Parse(chain)
	if err != nil {
		return InvalidParameter, nil
	}
	e.replacing.Lock()
	defer e.replacing.Unlock()
	if old := e.list.Load(); old != nil && c.List.Version <= old.Version {
		return AlreadyUpdated, nil
	}
	if e.policy.WhiteListRoot == nil || c.Verify(e.policy.WhiteListRoot) != nil {
		return InvalidParameter, nil
	}
	self, err := e.processor.Report(nil, [64]byte{})
	if err != nil {
		return UnexpectedError, nil
	}
	if self.ISVProdID != c.List.LEProdID {
		return InvalidParameter, nil
	}
	list := c.List // without the rest of the chain
	e.list.Store(&list)
	return Success, nil
}
