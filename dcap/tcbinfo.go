package dcap

import "time"

// MaxJSONSize is the largest TCB info or enclave identity that is read.
const MaxJSONSize = 1 << 20

// TCBStatus is Intel's word about a level of TCB. The zero value is no status.
type TCBStatus uint8

// The statuses of TCB levels, and the two that only an evaluation yields.
const (
	TCBUnknown TCBStatus = iota
	UpToDate
	SWHardeningNeeded
	ConfigurationNeeded
	ConfigurationAndSWHardeningNeeded
	OutOfDate
	OutOfDateConfigurationNeeded
	Revoked
	RelaunchAdvised                    // TDX 1.5: the running module is current, the guest began on an older
	RelaunchAdvisedConfigurationNeeded // the same, and the platform's configuration is wanting
)

// IDs of a TCB info.
const (
	TCBInfoSGX = "SGX"
	TCBInfoTDX = "TDX"
)

// TCBComponent is one of the sixteen parts of a TCB.
type TCBComponent struct {
	SVN      uint8
	Category string // such as "BIOS"; may be empty
	Type     string // such as "Early Microcode Update"; may be empty
}

// TCBLevel is a level of a platform's TCB and what Intel says of it.
type TCBLevel struct {
	SGX         [16]TCBComponent
	TDX         [16]TCBComponent // only in a TCB info for TDX
	PCESVN      uint16
	Date        time.Time
	Status      TCBStatus
	AdvisoryIDs []string
}

// TDXModule describes the TDX module (SEAM module) that may run.
type TDXModule struct {
	MRSigner       [48]byte
	Attributes     [8]byte
	AttributesMask [8]byte
}

// TDXModuleLevel is a level of a TDX module's TCB.
type TDXModuleLevel struct {
	ISVSVN      uint16
	Date        time.Time
	Status      TCBStatus // UpToDate, OutOfDate or Revoked
	AdvisoryIDs []string
}

// TDXModuleIdentity describes one major version of the TDX module.
type TDXModuleIdentity struct {
	ID string // "TDX_" and the major version, two hexadecimal digits of either case
	TDXModule
	Levels []TDXModuleLevel // in descending order of ISVSVN
}

// TCBInfo is Intel's statement about the TCB levels of all platforms with one
// FMSPC (PCS API v4, "TcbInfo"; version 2 is that of API v3).
type TCBInfo struct {
	ID                   string // TCBInfoSGX or TCBInfoTDX; version 2 has none and means SGX
	Version              uint32 // 2 or 3
	IssueDate            time.Time
	NextUpdate           time.Time
	FMSPC                [6]byte
	PCEID                [2]byte
	TCBType              uint32
	EvaluationDataNumber uint32

	TDXModule           *TDXModule          // TDX only
	TDXModuleIdentities []TDXModuleIdentity // TDX only, may be empty

	// Levels are in descending order of their SVNs, as Intel's library
	// sorts them, whatever their order in the document.
	Levels []TCBLevel
}

// Signed is what a signed JSON document has besides its content.
type Signed struct {
	Raw       []byte   // the document
	Body      []byte   // the bytes of it that the signature covers, exactly as served
	Signature [64]byte // R and S, big endian
}
