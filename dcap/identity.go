package dcap

import "time"

// IDs of enclave identities.
const (
	IdentityQE   = "QE"
	IdentityQVE  = "QVE"
	IdentityTDQE = "TD_QE"
)

// IdentityLevel is a level of an enclave's TCB.
type IdentityLevel struct {
	ISVSVN      uint16
	Date        time.Time
	Status      TCBStatus // UpToDate, OutOfDate or Revoked
	AdvisoryIDs []string
}

// EnclaveIdentity is Intel's statement about one of its enclaves: QE, QvE or
// TD QE (PCS API v4, "EnclaveIdentity", version 2).
type EnclaveIdentity struct {
	ID                   string // IdentityQE, IdentityQVE or IdentityTDQE
	Version              uint32
	IssueDate            time.Time
	NextUpdate           time.Time
	EvaluationDataNumber uint32
	MiscSelect           uint32
	MiscSelectMask       uint32
	Attributes           [16]byte
	AttributesMask       [16]byte
	MRSigner             [32]byte
	ISVProdID            uint16
	Levels               []IdentityLevel // in descending order of ISVSVN, then of date
}
