package dcap

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
)

// levels reads the levels and sorts them.
func (p *tcbInfoParser) levels() {
	t := &p.info.TCBInfo
	at := p.Start()
	// Levels are large, and to move them as their slice grows is half of all
	// work. Each has one Z, that of its date; the bound is for who writes
	// nothing but Z.
	const smallest = 200 // bytes of a level
	rest := p.info.Raw[at:]
	levels := make([]TCBLevel, 0, min(bytes.Count(rest, []byte("Z")), len(rest)/smallest)+1)
	sorted := true
	for p.array(ErrInvalid); p.NextElement(); {
		n := len(levels) + 1
		levels = slices.Grow(levels, 1)[:n]
		p.level(&levels[n-1])
		sorted = sorted && (n == 1 || compareLevels(&levels[n-2], &levels[n-1]) < 0)
	}
	if !sorted {
		slices.SortFunc(levels, func(a, b TCBLevel) int { return compareLevels(&a, &b) })
		for i := 1; i < len(levels); i++ {
			if compareLevels(&levels[i-1], &levels[i]) == 0 {
				p.Fail(errInvalidDuplicate, at, "two levels have the same SVNs")
			}
		}
	}
	if len(levels) == 0 {
		p.Fail(ErrInvalid, at, "there is no level")
	}
	t.Levels = levels
}

// compareLevels sorts in descending order: by the SGX components, the first of
// them before all, by PCESVN, and by the TDX components, which are 0 in a TCB
// info for SGX.
func compareLevels(a, b *TCBLevel) int {
	if c := compareComponents(&b.SGX, &a.SGX); c != 0 {
		return c
	}
	if c := cmp.Compare(b.PCESVN, a.PCESVN); c != 0 {
		return c
	}
	return compareComponents(&b.TDX, &a.TDX)
}

func compareComponents(a, b *[16]TCBComponent) int {
	for i := range a {
		if a[i].SVN != b[i].SVN {
			return int(a[i].SVN) - int(b[i].SVN)
		}
	}
	return 0
}

func (p *tcbInfoParser) level(l *TCBLevel) {
	var have fields
	for p.object(ErrFormat); p.NextKey(); {
		switch p.Key() {
		case "tcb":
			have |= 1
			p.tcb(l)
		case "tcbDate":
			have |= 2
			l.Date = p.date(ErrInvalid)
		case "tcbStatus":
			have |= 4
			l.Status = p.status(true, ErrFormat)
		case "advisoryIDs":
			l.AdvisoryIDs = p.advisories(&p.ids, ErrInvalid)
		default:
			p.Skip()
		}
	}
	p.need(have, ErrFormat, "tcb", "tcbDate", "tcbStatus")
}

func (p *tcbInfoParser) tcb(l *TCBLevel) {
	var have fields
	var components fields // of version 2
	for p.object(ErrFormat); p.NextKey(); {
		key := p.Key()
		switch {
		case key == "pcesvn":
			have |= 1
			l.PCESVN = uint16(p.uint(math.MaxUint16, ErrFormat))
		case p.info.Version == 2:
			if i := componentIndex(key); i >= 0 {
				components |= 1 << i
				l.SGX[i].SVN = uint8(p.uint(math.MaxUint8, ErrInvalid))
			} else {
				p.Skip()
			}
		case key == "sgxtcbcomponents":
			have |= 2
			p.components(&l.SGX)
		case key == "tdxtcbcomponents" && p.info.ID == TCBInfoTDX:
			have |= 4
			p.components(&l.TDX)
		default:
			p.Skip()
		}
	}
	switch {
	case p.info.Version == 2:
		p.need(have, ErrFormat, "pcesvn")
		p.need(components, ErrFormat, componentKeys[:]...)
	case p.info.ID == TCBInfoTDX:
		p.need(have, ErrFormat, "pcesvn", "sgxtcbcomponents", "tdxtcbcomponents")
	default:
		p.need(have, ErrFormat, "pcesvn", "sgxtcbcomponents")
	}
}

// componentKeys are the names of the components in version 2.
var componentKeys = func() (keys [16]string) {
	for i := range keys {
		keys[i] = "sgxtcbcomp" + string(rune('0'+(i+1)/10)) + string(rune('0'+(i+1)%10)) + "svn"
	}
	return keys
}()

// componentIndex is the place of a component of version 2, from 0, or -1.
func componentIndex(key string) int {
	if len(key) != len("sgxtcbcomp01svn") || !strings.HasPrefix(key, "sgxtcbcomp") {
		return -1
	}
	n, ok := twoDigits(key[len("sgxtcbcomp"):])
	if !ok || n < 1 || n > 16 || key != componentKeys[n-1] {
		return -1
	}
	return n - 1
}

// components reads the sixteen of a level of version 3.
func (p *tcbInfoParser) components(dst *[16]TCBComponent) {
	at, n := p.Start(), 0
	for p.array(ErrFormat); p.NextElement(); n++ {
		if n == len(dst) {
			p.Fail(ErrFormat, at, "there are more than 16 components")
			break
		}
		c := &dst[n]
		if svn, ok := p.OnlyUint(`{"svn":`, math.MaxUint8); ok {
			c.SVN = uint8(svn)
			continue
		}
		var have fields
		for p.object(ErrFormat); p.NextKey(); {
			switch p.Key() {
			case "svn":
				have |= 1
				c.SVN = uint8(p.uint(math.MaxUint8, ErrFormat))
			case "category":
				c.Category = p.text(ErrFormat)
			case "type":
				c.Type = p.text(ErrFormat)
			default:
				p.Skip()
			}
		}
		if have == 0 {
			p.need(have, ErrFormat, "svn")
		}
	}
	if n < len(dst) {
		p.Fail(ErrFormat, at, "there are "+decimal(n)+" components, and should be 16")
	}
}
