package seal

import (
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// What of ATTRIBUTES and MISCSELECT a seal key depends on unless the caller
// wants otherwise (tseal_migration_attr.h): INIT, DEBUG, the reserved bits 3
// and 63:56 of the flags, nothing of XFRM, bits 31:28 of MISCSELECT. Sealed
// data thus survives a change of what has no bearing on security, and a debug
// enclave cannot open a production enclave's data.
const (
	DefaultFlagsMask isa.AttributeFlags = 0xFF00_0000_0000_000B
	DefaultXFRMMask  isa.XFRM           = 0
	DefaultMiscMask  isa.MiscSelect     = 0xF000_0000
)

// policyKSS are the policy bits that sgx_seal_data adds for an enclave with
// KSS. NOISVPRODID is not among them: products stay apart.
const policyKSS = isa.PolicyConfigID | isa.PolicyISVFamilyID | isa.PolicyISVExtProdID

// DefaultPolicy returns the policy that sgx_seal_data chooses for the enclave
// that a REPORT describes: MRSIGNER, so that later versions of an enclave open
// what earlier ones sealed, and with KSS also CONFIGID and the extended
// product identifiers.
func DefaultPolicy(report *isa.Report) isa.KeyPolicy {
	if report.Attributes.Flags&isa.AttrKSS != 0 {
		return isa.PolicyMRSigner | policyKSS
	}
	return isa.PolicyMRSigner
}

// Request returns the request for a seal key of the enclave that report
// describes, with its present CPUSVN, ISVSVN and CONFIGSVN and the default
// masks, which the caller may change (sgx_seal_data_ex). keyID must be random
// and new.
//
// The REPORT is the enclave's own, made by EREPORT a moment ago, not one that
// somebody sent.
func Request(report *isa.Report, policy isa.KeyPolicy, keyID [32]byte) isa.KeyRequest {
	return isa.KeyRequest{
		KeyName:       isa.KeySeal,
		KeyPolicy:     policy,
		ISVSVN:        report.ISVSVN,
		CPUSVN:        report.CPUSVN,
		AttributeMask: isa.Attributes{Flags: DefaultFlagsMask, XFRM: DefaultXFRMMask},
		KeyID:         keyID,
		MiscMask:      DefaultMiscMask,
		ConfigSVN:     report.ConfigSVN,
	}
}

// CheckRequest reports whether a request is one for sealing. The host chooses
// the request of a blob that it hands to an enclave, therefore Parse makes
// the checks, too:
//
//   - the key is SEAL_KEY;
//   - the policy has MRENCLAVE or MRSIGNER, without which every enclave on the
//     machine gets the same key and can forge a blob;
//   - the masks keep INIT and DEBUG, as the SDK demands;
//   - what EGETKEY answers with a fault, not with an error, is zero: reserved
//     fields and policy bits.
//
// One fault is left, which depends on the enclave: see NeedsKSS. NOISVPRODID
// passes, though sgx_seal_data_ex refuses it: the key is then shared by all
// products of one signer. Who does not want that looks at KeyPolicy.
func CheckRequest(q *isa.KeyRequest) error {
	const identity = isa.PolicyMREnclave | isa.PolicyMRSigner
	const always = isa.AttrInit | isa.AttrDebug
	switch {
	case q.KeyName != isa.KeySeal:
		return fmt.Errorf("%w: KEYNAME is %v (%d), not SEAL_KEY", ErrRequest, q.KeyName, uint16(q.KeyName))
	case q.KeyPolicy&isa.PolicyReserved != 0:
		return fmt.Errorf("%w: KEYPOLICY %#x has reserved bits", ErrRequest, uint16(q.KeyPolicy))
	case q.KeyPolicy&identity == 0:
		return fmt.Errorf("%w: KEYPOLICY %#x has neither MRENCLAVE nor MRSIGNER", ErrRequest, uint16(q.KeyPolicy))
	case q.AttributeMask.Flags&always != always:
		return fmt.Errorf("%w: ATTRIBUTEMASK %#x lacks INIT or DEBUG", ErrRequest, uint64(q.AttributeMask.Flags))
	case q.Reserved1 != 0 || q.Reserved2 != [434]byte{}:
		return fmt.Errorf("%w: reserved fields of KEYREQUEST are not zero", ErrRequest)
	}
	return nil
}

// NeedsKSS reports whether EGETKEY faults on a request unless the enclave has
// ATTRIBUTES.KSS. Ask before executing EGETKEY for a blob of the host's.
func NeedsKSS(q *isa.KeyRequest) bool {
	return q.KeyPolicy&isa.PolicyKSS != 0 || q.ConfigSVN != 0
}
