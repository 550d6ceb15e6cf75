package dcap

import (
	"math"

	"github.com/feidi-dev/feidi/internal/strictjson"
)

// SignedTCBInfo is a TCB info and what its signature covers.
type SignedTCBInfo struct {
	TCBInfo
	Signed
}

// ParseTCBInfo reads a TCB info as it is served: {"tcbInfo": {...},
// "signature": "..."}, of version 2 or 3. Keys that it does not know are
// skipped: the signature covers those, too. Nothing of it has been verified.
//
// Errors are a *ParseError. As to its kind, it is ErrInvalid where Intel's
// library answers STATUS_SGX_TCB_INFO_INVALID, and else ErrFormat, for
// STATUS_SGX_TCB_INFO_UNSUPPORTED_FORMAT; a closer kind may come with either:
// ErrVersion (with ErrInvalid), ErrDuplicate, ErrTooLarge, ErrTruncated,
// ErrTrailing. Where a document has several faults, the first counts.
//
// It is stricter than Intel's library in this: no key twice, no SVN that does
// not fit its field, no TDX module identity twice, no status of a module but
// the three that there are, no signature in digits of both cases, valid UTF-8.
func ParseTCBInfo(doc []byte) (*SignedTCBInfo, error) {
	p := tcbInfoParser{info: new(SignedTCBInfo)}
	s := &p.info.Signed
	for p.begin(doc, s); p.nextBody("tcbInfo", s); {
		p.body()
	}
	p.endSigned("tcbInfo", ErrInvalid, s)
	if err := p.parseError("TCB info"); err != nil {
		return nil, err
	}
	return p.info, nil
}

type tcbInfoParser struct {
	jsonReader
	info *SignedTCBInfo

	// An id of another type is an error in version 3, and no matter in 2.
	idText bool
	idAt   int
	later  []postponed

	ids []string // advisory IDs of all levels
}

// postponed is a value whose form depends on one that has not come yet.
type postponed struct {
	key string
	at  *strictjson.Reader
}

// Fields of the body.
const (
	infoVersion fields = 1 << iota
	infoIssueDate
	infoNextUpdate
	infoFMSPC
	infoPCEID
	infoTCBType
	infoEvaluationDataNumber
	infoID
	infoLevels
	infoTDXModule
)

func (p *tcbInfoParser) body() {
	t := &p.info.TCBInfo
	var have fields
	for p.object(ErrFormat); p.NextKey(); {
		switch key := p.Key(); key {
		case "version":
			have |= infoVersion
			p.version()
		case "id":
			have |= infoID
			p.id()
		case "issueDate":
			have |= infoIssueDate
			t.IssueDate = p.date(ErrInvalid)
		case "nextUpdate":
			have |= infoNextUpdate
			t.NextUpdate = p.date(ErrInvalid)
		case "fmspc":
			have |= infoFMSPC
			p.hex(t.FMSPC[:], ErrInvalid)
		case "pceId":
			have |= infoPCEID
			p.hex(t.PCEID[:], ErrInvalid)
		case "tcbType":
			have |= infoTCBType
			// There is only 0 (QVL §4.1.2.7.4).
			t.TCBType = uint32(p.uint(0, ErrInvalid))
		case "tcbEvaluationDataNumber":
			have |= infoEvaluationDataNumber
			t.EvaluationDataNumber = uint32(p.uint(math.MaxUint32, ErrInvalid))
		case "tcbLevels", "tdxModule", "tdxModuleIdentities":
			switch key {
			case "tcbLevels":
				have |= infoLevels
			case "tdxModule":
				have |= infoTDXModule
			}
			if t.Version != 0 && (t.Version == 2 || have&infoID != 0) {
				p.dependent(key)
				break
			}
			p.later = append(p.later, postponed{key, p.Fork()})
			p.Skip()
		default:
			p.Skip()
		}
	}
	p.need(have, ErrFormat, "version", "issueDate", "nextUpdate", "fmspc", "pceId", "tcbType", "tcbEvaluationDataNumber")
	if t.Version == 3 {
		p.need(have>>7, ErrFormat, "id")
	}
	p.need(have>>8, ErrInvalid, "tcbLevels")
	if t.ID == TCBInfoTDX {
		p.need(have>>9, ErrInvalid, "tdxModule")
	}
	for _, l := range p.later {
		if p.Err() != nil {
			return
		}
		end := p.Fork()
		p.Reader = *l.at
		if p.dependent(l.key); p.Err() == nil {
			p.Reader = *end
		}
	}
}

// version reads the version, and settles the ID.
func (p *tcbInfoParser) version() {
	at := p.Start()
	v := p.uint(math.MaxUint32, ErrInvalid)
	if v != 2 && v != 3 {
		p.Fail(errInvalidVersion, at, "TCB info is read of version 2 and 3, and this is "+decimal(int(v)))
		return
	}
	p.info.Version = uint32(v)
	p.settleID()
}

// id reads the ID, and settles it.
func (p *tcbInfoParser) id() {
	p.idAt = p.Start()
	if p.idText = p.Peek() == '"'; p.idText {
		p.info.ID = p.String()
	} else {
		p.info.ID = "?"
		p.Skip()
	}
	p.settleID()
}

// settleID judges the ID once it and the version are known. Version 2 has none,
// and whatever is called so is another thing.
func (p *tcbInfoParser) settleID() {
	t := &p.info.TCBInfo
	switch {
	case t.Version == 2:
		t.ID = TCBInfoSGX
	case t.Version == 0 || p.idAt == 0:
	case !p.idText:
		p.Fail(ErrInvalid, p.idAt, "the id is no string")
	case t.ID != TCBInfoSGX && t.ID != TCBInfoTDX:
		p.Fail(ErrInvalid, p.idAt, "the id is SGX or TDX, and not "+quoted(t.ID))
	}
}

// dependent reads a value whose form depends on version and ID.
func (p *tcbInfoParser) dependent(key string) {
	t := &p.info.TCBInfo
	switch {
	case key == "tcbLevels":
		p.levels()
	case t.Version == 2:
		p.Skip()
	case t.ID != TCBInfoTDX:
		p.Fail(ErrInvalid, p.Start(), "a TCB info for SGX has no such field")
	case key == "tdxModule":
		t.TDXModule = new(TDXModule)
		var have fields
		for p.object(ErrFormat); p.NextKey(); {
			if !p.moduleField(t.TDXModule, &have) {
				p.Skip()
			}
		}
		p.need(have, ErrFormat, moduleFields...)
	default:
		p.moduleIdentities()
	}
}
