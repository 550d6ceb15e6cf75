package world

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/p256"
	"github.com/feidi-dev/feidi/isa"
)

// documentDays is how many days TCB info and identities are valid.
const documentDays = 30

// tdqe is the quoting enclave of TDX: product and SVN, as nothing is built of it
// yet. The same key signs it and the others, so that its product is its own.
var tdqe = build.Enclave{ProdID: 3, SVN: 6, Attributes: isa.AttrProvisionKey}

// issued returns when what changed at a time is issued today: in the morning, or
// at that time.
func (w *World) issued(changed time.Time) time.Time {
	today := w.now().Truncate(24 * time.Hour)
	if changed.After(today) {
		return changed
	}
	return today
}

// TCBInfo returns the signed TCB info of a family of machines, JSON as a PCS
// serves it. TCBChain has its issuers.
//
// Errors: ErrUnknownFMSPC, ErrNotPublished, ErrWithdrawn, and those of a world
// that is gone or damaged.
func (w *World) TCBInfo(tee dcap.TEEType, fmspc [6]byte, sel Selection) ([]byte, error) {
	s, err := w.state()
	if err != nil {
		return nil, err
	}
	m := s.family(fmspc[:])
	if m == nil {
		return nil, fmt.Errorf("FMSPC %X: %w", fmspc, ErrUnknownFMSPC)
	}
	e, err := s.choose(sel, w.now())
	if err != nil {
		return nil, err
	}
	t := &dcap.TCBInfo{
		ID: dcap.TCBInfoSGX, Version: 3, IssueDate: w.issued(s.TCBChanged), FMSPC: fmspc,
		EvaluationDataNumber: e.Number, Levels: s.levelsAt(m, e, tee),
	}
	t.NextUpdate = t.IssueDate.AddDate(0, 0, documentDays)
	binary.LittleEndian.PutUint16(t.PCEID[:], m.PCEID)
	if tee == dcap.TEETDX {
		day := s.Evaluations[0].Event
		module := dcap.TDXModule{AttributesMask: [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
		identity := func(id string, svn uint16) dcap.TDXModuleIdentity {
			return dcap.TDXModuleIdentity{ID: id, TDXModule: module, Levels: []dcap.TDXModuleLevel{{ISVSVN: svn, Date: day, Status: dcap.UpToDate}}}
		}
		t.ID, t.TDXModule = dcap.TCBInfoTDX, &module
		t.TDXModuleIdentities = []dcap.TDXModuleIdentity{identity("TDX_03", moduleSVN3), identity("TDX_01", moduleSVN1)}
	}
	body := t.AppendJSON(nil)
	sig, err := w.sign(body)
	return dcap.AppendSignedTCBInfo(nil, body, sig), err
}

// Identity returns the signed identity of one of the world's enclaves, JSON as a
// PCS serves it: dcap.IdentityQE, IdentityQVE or IdentityTDQE. TCBChain has its
// issuers.
//
// Errors: ErrUnknownIdentity, ErrNotPublished, ErrWithdrawn, and those of a world
// that is gone or damaged.
func (w *World) Identity(id string, sel Selection) ([]byte, error) {
	s, err := w.state()
	if err != nil {
		return nil, err
	}
	var b build.Enclave
	switch id {
	case dcap.IdentityQE:
		b = build.QE
	case dcap.IdentityQVE:
		b = build.QVE
	case dcap.IdentityTDQE:
		b = tdqe
	default:
		return nil, fmt.Errorf("%.40q: %w", id, ErrUnknownIdentity)
	}
	e, err := s.choose(sel, w.now())
	if err != nil {
		return nil, err
	}
	// All but MODE64BIT, and nothing of XFRM, as Intel's masks have it; and EXINFO
	// is the machine's to have.
	i := &dcap.EnclaveIdentity{
		ID: id, Version: 2, IssueDate: w.issued(s.TCBChanged), EvaluationDataNumber: e.Number,
		MiscSelectMask: uint32(^isa.MiscEXINFO), MRSigner: w.LEPubKeyHash(), ISVProdID: b.ProdID,
		Levels: []dcap.IdentityLevel{{ISVSVN: b.SVN, Date: s.Evaluations[0].Event, Status: dcap.UpToDate}},
	}
	i.NextUpdate = i.IssueDate.AddDate(0, 0, documentDays)
	binary.LittleEndian.PutUint64(i.Attributes[:], uint64(isa.AttrInit|b.Attributes))
	binary.LittleEndian.PutUint64(i.AttributesMask[:], uint64(^isa.AttrMode64Bit))
	body := i.AppendJSON(nil)
	sig, err := w.sign(body)
	return dcap.AppendSignedIdentity(nil, body, sig), err
}

// Evaluations returns the signed list of TCB evaluation data numbers, the newest
// first, JSON as a PCS serves it. TCBChain has its issuers.
func (w *World) Evaluations(tee dcap.TEEType) ([]byte, error) {
	s, err := w.state()
	if err != nil {
		return nil, err
	}
	type number struct {
		Number  uint32    `json:"tcbEvaluationDataNumber"`
		Event   time.Time `json:"tcbRecoveryEventDate"`
		TCBDate time.Time `json:"tcbDate"`
	}
	issued := w.issued(s.TCBChanged)
	list := struct {
		ID         string    `json:"id"`
		Version    int       `json:"version"`
		IssueDate  time.Time `json:"issueDate"`
		NextUpdate time.Time `json:"nextUpdate"`
		Numbers    []number  `json:"tcbEvalNumbers"`
	}{ID: tee.String(), Version: 1, IssueDate: issued, NextUpdate: issued.AddDate(0, 0, documentDays)}
	for _, e := range slices.Backward(s.Evaluations) {
		list.Numbers = append(list.Numbers, number{e.Number, e.Event, e.Event})
	}
	body, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	sig, err := w.sign(body)
	return fmt.Appendf(nil, `{"tcbEvaluationDataNumbers":%s,"signature":"%x"}`, body, sig), err
}

// FMSPC is a family of machines.
type FMSPC struct {
	FMSPC    [6]byte
	Platform string // the segment of the market, as Intel's PCS names it: "E5"
}

// FMSPCs returns the families of which there are machines, the oldest first.
func (w *World) FMSPCs() ([]FMSPC, error) {
	s, err := w.state()
	if err != nil {
		return nil, err
	}
	list := make([]FMSPC, len(s.Families))
	for i, f := range s.Families {
		list[i] = FMSPC{[6]byte(f.FMSPC), "E5"}
	}
	return list, nil
}

// TCBChain returns the certificates behind TCB infos, identities and the list of
// evaluations, in PEM: that of TCB signing, and the root.
func (w *World) TCBChain() []byte { return pemOf(w.certs.tcbSigning, w.certs.root) }

// sign signs a document: R and S, big endian.
func (w *World) sign(body []byte) (sig [64]byte, err error) {
	if sig, err = p256.Sign(w.keys.tcbSigning, body); err != nil {
		return sig, fmt.Errorf("world: signing: %w", err)
	}
	return sig, nil
}
