package world

import (
	"bytes"
	"fmt"

	"github.com/feidi-dev/feidi/dcap"
)

// Standing is what the factory says of a machine.
type Standing struct {
	// Certified is whether there are PCK certificates for it: always for a machine of
	// one package, for one of several once it is registered.
	Certified bool
	Revoked   bool
	// TCB is the status of its CPUSVN by the standard TCB info, if it has the system
	// enclaves of this version; Advisories are those that concern it.
	TCB        dcap.TCBStatus
	Advisories []string
}

// Standing returns what the factory says of a machine now. The error is ErrNotAdopted
// if it knows nothing of it, or ErrUnknownFMSPC.
func (w *World) Standing(m *Machine) (*Standing, error) {
	if m.World == "" {
		return nil, fmt.Errorf("%s: %w", m.Name, ErrNotAdopted)
	}
	s, err := w.state()
	if err != nil {
		return nil, err
	}
	family := s.family(m.FMSPC[:])
	if family == nil {
		return nil, fmt.Errorf("%s, FMSPC %X: %w", m.Name, m.FMSPC, ErrUnknownFMSPC)
	}
	st := &Standing{}
	for i := range s.Platforms {
		if p := &s.Platforms[i]; bytes.Equal(p.RootProvisioningKey, m.file.RootProvisioningKey) {
			st.Certified, st.Revoked = true, p.Revoked != nil
		}
	}
	e, err := s.choose(Selection{}, w.now())
	if err != nil {
		return nil, err
	}
	for _, l := range s.levelsAt(family, e, dcap.TEESGX) {
		reached := true
		for i, c := range l.SGX {
			reached = reached && c.SVN <= m.CPUSVN[i]
		}
		if reached {
			st.TCB, st.Advisories = l.Status, l.AdvisoryIDs
			break
		}
	}
	return st, nil
}
