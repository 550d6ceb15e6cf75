package policy

import (
	"slices"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
)

// Enclave describes SGX enclaves that are accepted: those that match every
// field that is not zero. It is an option of New; a quote has to match one of
// the enclaves or TDs of a policy.
//
// It must name an MRENCLAVE or an MRSIGNER. An MRSIGNER alone stands for all
// that its owner ever signed, old versions with known faults included: give
// ISVProdID and MinISVSVN, too.
type Enclave struct {
	Name string // for messages and Verdict.Identity; up to 64 printable characters
	Any  bool   // accept whatever enclave matches the other fields: it then has no MREnclave and MRSigner

	MREnclave [][32]byte // one of these
	MRSigner  [][32]byte
	ISVProdID []uint16
	MinISVSVN uint16

	// What enclaves with key separation and sharing have (KSS); the host
	// chooses CONFIGID and CONFIGSVN.
	ConfigID     [][64]byte
	MinConfigSVN uint16
	ISVExtProdID [][16]byte
	ISVFamilyID  [][16]byte

	AttributesRequired, AttributesForbidden isa.AttributeFlags
	XFRMRequired, XFRMForbidden             isa.XFRM
	MiscSelectRequired, MiscSelectForbidden isa.MiscSelect

	AllowDebug        bool // ATTRIBUTES.DEBUG: the host reads and writes its memory
	AllowProvisionKey bool // ATTRIBUTES.PROVISIONKEY: it can tell platforms apart for ever
}

// TD describes TDX guests that are accepted: those that match every field that
// is not zero. It is an option of New; a quote has to match one of the enclaves
// or TDs of a policy.
//
// It must name an MRTD, the measurement of what a TD starts with (its firmware).
// RTMRs say what that firmware says it loaded, so that they mean nothing
// without it, and MRCONFIGID, MROWNER and MROWNERCONFIG are what the host says.
type TD struct {
	Name string // for messages and Verdict.Identity; up to 64 printable characters
	Any  bool   // accept whatever TD matches the other fields: it then has no MRTD

	MRTD [][48]byte    // one of these
	RTMR [4][][48]byte // of each register one of these

	MRSEAM        [][48]byte // the TDX module, which Intel's TCB info judges in any case
	MRSignerSEAM  [][48]byte // its signer; zero is Intel
	MRConfigID    [][48]byte
	MROwner       [][48]byte
	MROwnerConfig [][48]byte
	MRServiceTD   [][48]byte // the service TDs bound to it (TDX 1.5); zero is none

	AttributesRequired, AttributesForbidden dcap.TDAttributes
	XFAMRequired, XFAMForbidden             uint64

	// MinTEETCBSVN is the least that each byte of TEE_TCB_SVN may be, at the
	// launch of the TD and now.
	MinTEETCBSVN [16]byte

	AllowDebug      bool // any of ATTRIBUTES.TUD, the lowest byte: the host sees inside
	AllowMigratable bool // ATTRIBUTES.MIGRATABLE without MRServiceTD: the host chooses who may take the TD elsewhere
}

func (e *Enclave) clone() Enclave {
	c := *e
	c.MREnclave, c.MRSigner, c.ISVProdID = slices.Clone(e.MREnclave), slices.Clone(e.MRSigner), slices.Clone(e.ISVProdID)
	c.ConfigID, c.ISVExtProdID, c.ISVFamilyID = slices.Clone(e.ConfigID), slices.Clone(e.ISVExtProdID), slices.Clone(e.ISVFamilyID)
	return c
}

func (t *TD) clone() TD {
	c := *t
	c.MRTD, c.MRSEAM, c.MRSignerSEAM = slices.Clone(t.MRTD), slices.Clone(t.MRSEAM), slices.Clone(t.MRSignerSEAM)
	for i := range c.RTMR {
		c.RTMR[i] = slices.Clone(t.RTMR[i])
	}
	c.MRConfigID, c.MROwner, c.MROwnerConfig = slices.Clone(t.MRConfigID), slices.Clone(t.MROwner), slices.Clone(t.MROwnerConfig)
	c.MRServiceTD = slices.Clone(t.MRServiceTD)
	return c
}

// migratable reports whether a TD may be one that can be moved: the service
// TDs, of which the migration TD is one, are known, or do not matter.
func (t *TD) migratable() bool { return t.AllowMigratable || len(t.MRServiceTD) > 0 }
