package pccs

import (
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

// levelsOf notes that the TCB levels of an FMSPC are new: certificates may be
// chosen otherwise, and if there were others before there may be new ones.
func (s *Service) levelsOf(item collateral.Item, old, row *store.Document) {
	if item.Kind != collateral.TCBInfo || item.TEE != dcap.TEESGX || item.API == 3 || item.Evaluation != 0 {
		return
	}
	if old != nil && sameLevels(old.Body, row.Body) {
		return
	}
	s.mu.Lock()
	s.reselect[item.FMSPC] = true
	if old != nil {
		s.changed[item.FMSPC] = s.cfg.Now()
	}
	s.mu.Unlock()
}

func sameLevels(a, b []byte) bool {
	x, err := dcap.ParseTCBInfo(a)
	y, err2 := dcap.ParseTCBInfo(b)
	if err != nil || err2 != nil || len(x.Levels) != len(y.Levels) {
		return false
	}
	for i := range x.Levels {
		p, q := &x.Levels[i], &y.Levels[i]
		if p.PCESVN != q.PCESVN || svns(p) != svns(q) {
			return false
		}
	}
	return true
}

func svns(l *dcap.TCBLevel) (s [16]uint8) {
	for i, c := range l.SGX {
		s[i] = c.SVN
	}
	return s
}
