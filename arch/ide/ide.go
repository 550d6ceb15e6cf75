// Package ide is the ID enclave: it says the QE ID of a platform on behalf of
// those who have no quoting enclave at hand, and gets the PCE to encrypt the PPID,
// so that a platform can be registered before it makes a quote.
//
// It is of the QE's signer and product, and so has the QE's ID. Package
// arch/ide/enclave is the program. Source: quote_wrapper/quote/id_enclave of
// Intel's DCAP, of which no code is used.
package ide

import (
	"bytes"
	"context"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/ide/edl"
	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/pce"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
)

// IDE serves the ECALLs of the enclave. It has no state.
type IDE struct {
	processor leaf.Processor
	ppidKey   []byte
}

var _ edl.IdEnclaveECalls = (*IDE)(nil)

// New returns the IDE of a processor. The key, of ppid.KeySize bytes, is the one
// that PPIDs are encrypted to; there may be none.
func New(p leaf.Processor, ppidKey []byte) *IDE {
	return &IDE{p, bytes.Clone(ppidKey)}
}

// IdeGetId implements [edl.IdEnclaveECalls].
func (i *IDE) IdeGetId(context.Context) (ret status.Code, id edl.SgxKey128bitT, err error) {
	request := derive.SealRequest([16]byte{}, 0)
	key, err := i.processor.Key(&request)
	if err != nil {
		return status.ErrUnexpected, id, nil
	}
	return status.Success, derive.QEID(key), nil
}

// IdeGetPceEncryptKey implements [edl.IdEnclaveECalls]. The kind is
// dcap.CertPPIDRSA3072.
func (i *IDE) IdeGetPceEncryptKey(_ context.Context, target *isa.TargetInfo, suite uint8, kind uint16, size uint32) (ret status.Code, report isa.Report, key []byte, err error) {
	if target == nil || suite != pce.SuiteRSAOAEP || size != ppid.KeySize ||
		kind != uint16(dcap.CertPPIDRSA3072) || !ppid.Trusts(target) {
		return status.ErrInvalidParameter, report, nil, nil
	}
	if len(i.ppidKey) != ppid.KeySize {
		return status.ErrInvalidState, report, nil, nil
	}
	r, err := ppid.Report(i.processor, target, i.ppidKey)
	if err != nil {
		return status.ErrUnexpected, report, nil, nil
	}
	return status.Success, *r, i.ppidKey, nil
}
