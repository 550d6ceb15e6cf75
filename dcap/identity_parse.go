package dcap

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// SignedIdentity is an enclave identity and what its signature covers.
type SignedIdentity struct {
	EnclaveIdentity
	Signed
}

// ParseEnclaveIdentity reads an identity as it is served: {"enclaveIdentity":
// {...}, "signature": "..."}, of version 2. Keys that it does not know are
// skipped: the signature covers those, too. Nothing of it has been verified.
//
// Errors are a *ParseError. Its kind is ErrInvalid where Intel's library
// answers STATUS_SGX_ENCLAVE_IDENTITY_INVALID, ErrVersion where it answers
// STATUS_SGX_ENCLAVE_IDENTITY_UNSUPPORTED_VERSION, and else ErrFormat, for
// STATUS_SGX_ENCLAVE_IDENTITY_UNSUPPORTED_FORMAT; a closer kind may come with
// the first and the last. It is stricter as ParseTCBInfo is.
func ParseEnclaveIdentity(doc []byte) (*SignedIdentity, error) {
	p := identityParser{identity: new(SignedIdentity)}
	s := &p.identity.Signed
	for p.begin(doc, s); p.nextBody("enclaveIdentity", s); {
		p.body()
	}
	p.endSigned("enclaveIdentity", ErrFormat, s)
	if err := p.parseError("enclave identity"); err != nil {
		return nil, err
	}
	return p.identity, nil
}

type identityParser struct {
	jsonReader
	identity *SignedIdentity
	ids      []string // advisory IDs of all levels
}

// Fields of the body.
const (
	identityID fields = 1 << iota
	identityVersion
	identityIssueDate
	identityNextUpdate
	identityEvaluationDataNumber
	identityMiscSelect
	identityMiscSelectMask
	identityAttributes
	identityAttributesMask
	identityMRSigner
	identityISVProdID
	identityLevels
)

func (p *identityParser) body() {
	e := &p.identity.EnclaveIdentity
	var have fields
	for p.object(ErrFormat); p.NextKey(); {
		switch p.Key() {
		case "id":
			have |= identityID
			at := p.Start()
			if e.ID = p.text(ErrInvalid); e.ID != IdentityQE && e.ID != IdentityQVE && e.ID != IdentityTDQE {
				p.Fail(ErrInvalid, at, "the id is QE, QVE or TD_QE, and not "+quoted(e.ID))
			}
		case "version":
			have |= identityVersion
			at := p.Start()
			e.Version = uint32(p.uint(math.MaxUint32, ErrInvalid))
			if e.Version != 2 {
				p.Fail(ErrVersion, at, "an identity is read of version 2, and this is "+decimal(int(e.Version)))
			}
		case "issueDate":
			have |= identityIssueDate
			e.IssueDate = p.date(ErrInvalid)
		case "nextUpdate":
			have |= identityNextUpdate
			e.NextUpdate = p.date(ErrInvalid)
		case "tcbEvaluationDataNumber":
			have |= identityEvaluationDataNumber
			e.EvaluationDataNumber = uint32(p.uint(math.MaxUint32, ErrInvalid))
		case "miscselect":
			have |= identityMiscSelect
			e.MiscSelect = p.miscSelect()
		case "miscselectMask":
			have |= identityMiscSelectMask
			e.MiscSelectMask = p.miscSelect()
		case "attributes":
			have |= identityAttributes
			p.hex(e.Attributes[:], ErrInvalid)
		case "attributesMask":
			have |= identityAttributesMask
			p.hex(e.AttributesMask[:], ErrInvalid)
		case "mrsigner":
			have |= identityMRSigner
			p.hex(e.MRSigner[:], ErrInvalid)
		case "isvprodid":
			have |= identityISVProdID
			e.ISVProdID = uint16(p.uint(math.MaxUint16, ErrInvalid))
		case "tcbLevels":
			have |= identityLevels
			e.Levels = p.levels()
		default:
			p.Skip()
		}
	}
	p.need(have, ErrInvalid, "id", "version", "issueDate", "nextUpdate", "tcbEvaluationDataNumber", "miscselect",
		"miscselectMask", "attributes", "attributesMask", "mrsigner", "isvprodid", "tcbLevels")
}

// miscSelect reads four bytes in the order of the report, which is little
// endian.
func (p *identityParser) miscSelect() uint32 {
	var b [4]byte
	p.hex(b[:], ErrInvalid)
	return binary.LittleEndian.Uint32(b[:])
}

// levels reads the levels and sorts them. Two may have the same ISVSVN, if
// their dates differ: the later is the one that counts.
func (p *identityParser) levels() []IdentityLevel {
	at := p.Start()
	var levels []IdentityLevel
	for p.array(ErrInvalid); p.NextElement(); {
		levels = append(levels, p.level())
	}
	slices.SortStableFunc(levels, compareIdentityLevels)
	for i := 1; i < len(levels); i++ {
		if compareIdentityLevels(levels[i-1], levels[i]) == 0 {
			p.Fail(errInvalidDuplicate, at, "two levels have isvsvn "+decimal(int(levels[i].ISVSVN))+" and the same date")
		}
	}
	if len(levels) == 0 {
		p.Fail(ErrInvalid, at, "there is no level")
	}
	return levels
}

func compareIdentityLevels(a, b IdentityLevel) int {
	return cmp.Or(cmp.Compare(b.ISVSVN, a.ISVSVN), b.Date.Compare(a.Date))
}

func (p *identityParser) level() IdentityLevel {
	var l IdentityLevel
	var have fields
	for p.object(ErrFormat); p.NextKey(); {
		switch p.Key() {
		case "tcb":
			have |= 1
			l.ISVSVN = p.isvsvn(ErrInvalid)
		case "tcbDate":
			have |= 2
			l.Date = p.date(ErrInvalid)
		case "tcbStatus":
			have |= 4
			l.Status = p.status(false, ErrInvalid)
		case "advisoryIDs":
			l.AdvisoryIDs = p.advisories(&p.ids, ErrInvalid)
		default:
			p.Skip()
		}
	}
	p.need(have, ErrFormat, "tcb", "tcbDate", "tcbStatus")
	return l
}
