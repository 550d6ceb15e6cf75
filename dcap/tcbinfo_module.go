package dcap

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// maxModuleIdentities is how many there can be: one a major version, which is
// a byte.
const maxModuleIdentities = 256

// moduleFields are those that a TDX module has by itself and in an identity.
var moduleFields = []string{"mrsigner", "attributes", "attributesMask"}

// moduleField reads the value of the current key if it is one of those, and
// sets the bit of its place in have.
func (p *tcbInfoParser) moduleField(m *TDXModule, have *fields) bool {
	switch p.Key() {
	case "mrsigner":
		*have |= 1
		p.hex(m.MRSigner[:], ErrFormat)
	case "attributes":
		*have |= 2
		p.hex(m.Attributes[:], ErrFormat)
	case "attributesMask":
		*have |= 4
		p.hex(m.AttributesMask[:], ErrFormat)
	default:
		return false
	}
	return true
}

func (p *tcbInfoParser) moduleIdentities() {
	t := &p.info.TCBInfo
	at := p.Start()
	for p.array(ErrInvalid); p.NextElement(); {
		at := p.Start()
		m := p.moduleIdentity()
		// Intel's library takes the first of two.
		for i := range t.TDXModuleIdentities {
			if strings.EqualFold(t.TDXModuleIdentities[i].ID, m.ID) {
				p.Fail(errInvalidDuplicate, at, "two TDX modules have the id "+quoted(m.ID))
			}
		}
		if len(t.TDXModuleIdentities) == maxModuleIdentities {
			p.Fail(errInvalidSize, at, "there are more than "+decimal(maxModuleIdentities)+" TDX modules")
			return
		}
		t.TDXModuleIdentities = append(t.TDXModuleIdentities, m)
	}
	if len(t.TDXModuleIdentities) == 0 {
		p.Fail(ErrInvalid, at, "there is no TDX module identity")
	}
}

func (p *tcbInfoParser) moduleIdentity() TDXModuleIdentity {
	var m TDXModuleIdentity
	var have fields
	for p.object(ErrFormat); p.NextKey(); {
		switch p.Key() {
		case "id":
			have |= 1 << 3
			m.ID = p.text(ErrFormat)
		case "tcbLevels":
			have |= 1 << 4
			m.Levels = p.moduleLevels()
		default:
			if !p.moduleField(&m.TDXModule, &have) {
				p.Skip()
			}
		}
	}
	p.need(have, ErrFormat, moduleFields...)
	p.need(have>>3, ErrFormat, "id", "tcbLevels")
	return m
}

func (p *tcbInfoParser) moduleLevels() []TDXModuleLevel {
	at := p.Start()
	var levels []TDXModuleLevel
	for p.array(ErrFormat); p.NextElement(); {
		levels = append(levels, p.moduleLevel())
	}
	slices.SortStableFunc(levels, func(a, b TDXModuleLevel) int { return cmp.Compare(b.ISVSVN, a.ISVSVN) })
	for i := 1; i < len(levels); i++ {
		if levels[i-1].ISVSVN == levels[i].ISVSVN {
			p.Fail(errFormatDuplicate, at, "two levels have isvsvn "+decimal(int(levels[i].ISVSVN)))
		}
	}
	if len(levels) == 0 {
		p.Fail(ErrFormat, at, "there is no level")
	}
	return levels
}

func (p *tcbInfoParser) moduleLevel() TDXModuleLevel {
	var l TDXModuleLevel
	var have fields
	for p.object(ErrFormat); p.NextKey(); {
		switch p.Key() {
		case "tcb":
			have |= 1
			l.ISVSVN = p.isvsvn(ErrFormat)
		case "tcbDate":
			have |= 2
			l.Date = p.date(ErrFormat)
		case "tcbStatus":
			have |= 4
			l.Status = p.status(false, ErrFormat)
		case "advisoryIDs":
			l.AdvisoryIDs = p.advisories(&p.ids, ErrFormat)
		default:
			p.Skip()
		}
	}
	p.need(have, ErrFormat, "tcb", "tcbDate", "tcbStatus")
	return l
}

// isvsvn reads {"isvsvn": n}, the TCB of a module and of an enclave.
func (r *jsonReader) isvsvn(wrong error) uint16 {
	var svn uint16
	var have fields
	for r.object(ErrFormat); r.NextKey(); {
		if r.Key() == "isvsvn" {
			have |= 1
			svn = uint16(r.uint(math.MaxUint16, wrong))
		} else {
			r.Skip()
		}
	}
	r.need(have, ErrFormat, "isvsvn")
	return svn
}
