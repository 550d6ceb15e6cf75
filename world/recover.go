package world

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/arch/build"
)

// RecoverOptions say what a TCB recovery brings.
type RecoverOptions struct {
	// CPUSVN is the machine's new one. If it is zero, a machine that is behind gets
	// that of the newest level, unless there are advisories to be answered; else
	// components 1 and 2, the microcode, become one more than both the machine's
	// and the newest level's.
	CPUSVN [16]byte
	// Advisories are what a new level of TCB answers, such as INTEL-SA-00615: all
	// levels below have them from then on.
	Advisories []string
	// Early is whether the new evaluation is for who asks for early updates only,
	// and becomes the standard one a year later.
	Early bool
}

// Recover plays a TCB recovery. A machine gets new microcode: its CPUSVN goes up,
// which takes effect when it is switched on the next time. If that is above the
// newest level of TCB of its family, there is a new TCB evaluation, in which this
// level is up to date and those below are out of date. If not, the machine only
// catches up with others.
//
// Errors: ErrNoMachine, ErrNotAdopted, ErrOtherWorld; ErrLowerSVN if a component
// would go down, for the machine or from the newest level to the new; ErrOptions.
func (w *World) Recover(name string, o RecoverOptions) (*Machine, error) {
	for _, a := range o.Advisories {
		if err := checkAdvisory(a); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOptions, err)
		}
	}
	var m *Machine
	err := w.locked(func() (err error) {
		if m, err = w.Machine(name); err != nil {
			return err
		}
		if m.World == "" {
			return fmt.Errorf("%s: %w", name, ErrNotAdopted)
		}
		s, err := w.state()
		if err != nil {
			return err
		}
		family := s.family(m.FMSPC[:])
		if family == nil {
			return fmt.Errorf("%s, FMSPC %X: %w", name, m.FMSPC, ErrUnknownFMSPC)
		}
		to, err := o.target(m, family.newest().CPUSVN)
		if err != nil {
			return err
		}
		m.file.CPUSVN = to
		if !atMost(to, family.newest().CPUSVN) {
			if err := w.change(func(f *factory) error { return w.raise(f, f.family(m.FMSPC[:]), to, &o) }); err != nil {
				return err
			}
		}
		return m.write(false)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// target returns the CPUSVN that a recovery leads to.
func (o *RecoverOptions) target(m *Machine, newest []byte) ([]byte, error) {
	to := slices.Clone(o.CPUSVN[:])
	behind := !bytes.Equal(m.CPUSVN[:], newest) && atMost(m.CPUSVN[:], newest)
	switch {
	case o.CPUSVN != [16]byte{}:
	case behind && len(o.Advisories) == 0 && !o.Early:
		to = slices.Clone(newest)
	default:
		to = highest(m.CPUSVN[:], newest)
		for i := range 2 {
			if to[i]++; to[i] == 0 {
				return nil, fmt.Errorf("%w: component %d is 255, the highest", ErrOptions, i+1)
			}
		}
	}
	switch {
	case !atMost(m.CPUSVN[:], to):
		return nil, fmt.Errorf("%w: %s has CPUSVN %x, and %x is below it in a byte", ErrLowerSVN, m.Name, m.CPUSVN, to)
	case bytes.Equal(m.CPUSVN[:], to):
		return nil, fmt.Errorf("%w: %s has CPUSVN %x already", ErrOptions, m.Name, to)
	case !atMost(to, newest) && !atMost(newest, to):
		return nil, fmt.Errorf("%w: the newest level has CPUSVN %x, and %x is neither above nor below it in each byte", ErrLowerSVN, newest, to)
	case atMost(to, newest) && (o.Early || len(o.Advisories) > 0):
		return nil, fmt.Errorf("%w: CPUSVN %x is nothing new, and so answers no advisory", ErrOptions, to)
	}
	return to, nil
}

// raise adds a level to a family, and an evaluation in which it appears.
func (w *World) raise(f *factory, m *family, cpuSVN []byte, o *RecoverOptions) error {
	if len(f.Evaluations) == maxEvaluations {
		return fmt.Errorf("%w: there were %d TCB evaluations", ErrOptions, maxEvaluations)
	}
	now := w.now()
	e := evaluation{Number: f.Evaluations[len(f.Evaluations)-1].Number + 1, Event: now, Standard: now}
	if o.Early {
		e.Standard = now.AddDate(0, standardDelay, 0)
	}
	f.Evaluations = append(f.Evaluations, e)
	m.Levels = append(m.Levels, level{
		CPUSVN: cpuSVN, PCESVN: max(build.PCE.SVN, m.newest().PCESVN), Evaluation: e.Number, Advisories: slices.Clone(o.Advisories),
	})
	f.TCBChanged = now
	f.crlsChange(now) // revoked platforms have more certificates
	return nil
}
