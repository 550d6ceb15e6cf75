package world

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/dcap"
)

// firstEvaluation is the TCB evaluation data number of a new world.
const firstEvaluation = 17

// standardDelay is when the standard update of TCB info follows the early one:
// the months that Intel gives to who has machines.
const standardDelay = 12

// DefaultFMSPC is the family of machines that are not given another. It is not one
// of Intel's.
var DefaultFMSPC = [6]byte{0x00, 0xfe, 0x1d, 0x20, 0x00, 0x00}

// DefaultCPUSVN is the CPUSVN of the first machines of a family.
var DefaultCPUSVN = [16]byte{4, 4, 2, 2, 255, 1, 0, 5}

// evaluation is a state of all TCB infos and identities.
type evaluation struct {
	Number   uint32    `json:"number"`
	Event    time.Time `json:"event"`    // when it was published, as the early update
	Standard time.Time `json:"standard"` // when it becomes the standard one
}

// family is all machines with one FMSPC.
type family struct {
	FMSPC  octets    `json:"fmspc"`
	PCEID  uint16    `json:"pce_id"`
	Made   time.Time `json:"made"`
	Levels []level   `json:"levels"` // oldest first; each is above the one before
}

// level is a TCB level: with the newest, machines are up to date.
type level struct {
	CPUSVN     octets   `json:"cpu_svn"`              // component i of the TCB is byte i
	PCESVN     uint16   `json:"pce_svn"`              //
	Evaluation uint32   `json:"evaluation"`           // with which it appeared
	Advisories []string `json:"advisories,omitempty"` // that it answers: they are of all levels below
}

// floor is the lowest level of a family: every machine meets it, so that each has
// a PCK certificate. Its PCESVN is not zero because the PPID derives from the
// provisioning key of that.
func floor() level { return level{CPUSVN: make([]byte, 16), PCESVN: 1, Evaluation: firstEvaluation} }

// newFamily returns a family whose machines are up to date with a CPUSVN.
func newFamily(fmspc [6]byte, cpuSVN [16]byte, now time.Time) family {
	f := family{FMSPC: slices.Clone(fmspc[:]), Made: now, Levels: []level{floor()}}
	f.Levels = append(f.Levels, level{CPUSVN: slices.Clone(cpuSVN[:]), PCESVN: build.PCE.SVN, Evaluation: firstEvaluation})
	return f
}

func (f *family) newest() *level { return &f.Levels[len(f.Levels)-1] }

// atMost reports whether no component of a is above that of b.
func atMost(a, b []byte) bool {
	for i, svn := range a {
		if svn > b[i] {
			return false
		}
	}
	return true
}

func (f *family) check(state *factory) error {
	if len(f.FMSPC) != 6 || len(f.Levels) == 0 {
		return errors.New("an FMSPC has 6 bytes, and a family a level")
	}
	for i := range f.Levels {
		l := &f.Levels[i]
		if len(l.CPUSVN) != 16 {
			return fmt.Errorf("levels[%d]: a CPUSVN has 16 bytes", i)
		}
		if i > 0 {
			below := &f.Levels[i-1]
			if !atMost(below.CPUSVN, l.CPUSVN) || below.PCESVN > l.PCESVN || below.Evaluation > l.Evaluation {
				return fmt.Errorf("levels[%d] is not above the one before", i)
			}
		}
		if !slices.ContainsFunc(state.Evaluations, func(e evaluation) bool { return e.Number == l.Evaluation }) {
			return fmt.Errorf("levels[%d]: there is no evaluation %d", i, l.Evaluation)
		}
		for _, a := range l.Advisories {
			if err := checkAdvisory(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkAdvisory asks whether a text can be an advisory's ID, such as
// INTEL-SA-00615.
func checkAdvisory(id string) error {
	if !machineName.MatchString(id) {
		return fmt.Errorf("%.80q is no ID of an advisory", id)
	}
	return nil
}

// Selection says of which TCB evaluation a document is wanted. The zero value is
// the standard one, which who has machines has had a year to reach.
type Selection struct {
	Number uint32 // of that TCB evaluation data number, if it is not 0
	Early  bool   // the newest; not looked at if there is a number
}

// choose returns the evaluation that is selected.
func (f *factory) choose(s Selection, now time.Time) (*evaluation, error) {
	oldest, newest := f.Evaluations[0].Number, f.Evaluations[len(f.Evaluations)-1].Number
	switch {
	case s.Number > newest:
		return nil, fmt.Errorf("%d: %w: the newest is %d", s.Number, ErrNotPublished, newest)
	case s.Number != 0 && s.Number < oldest:
		return nil, fmt.Errorf("%d: %w: the oldest is %d", s.Number, ErrWithdrawn, oldest)
	case s.Number != 0:
		return &f.Evaluations[s.Number-oldest], nil
	case s.Early:
		return &f.Evaluations[len(f.Evaluations)-1], nil
	}
	standard := &f.Evaluations[0]
	for i := range f.Evaluations {
		if e := &f.Evaluations[i]; !e.Standard.After(now) {
			standard = e
		}
	}
	return standard, nil
}

// levelsAt returns the levels of a family as an evaluation has them, the highest
// first.
func (f *factory) levelsAt(m *family, e *evaluation, tee dcap.TEEType) []dcap.TCBLevel {
	var list []dcap.TCBLevel
	var advisories []string // of the levels above
	for _, l := range slices.Backward(m.Levels) {
		if l.Evaluation > e.Number {
			continue
		}
		t := dcap.TCBLevel{
			SGX: components([16]byte(l.CPUSVN)), PCESVN: l.PCESVN,
			Date: f.Evaluations[l.Evaluation-f.Evaluations[0].Number].Event, Status: dcap.OutOfDate,
			AdvisoryIDs: slices.Clone(advisories),
		}
		if tee == dcap.TEETDX {
			t.TDX = tdxComponents([16]byte(l.CPUSVN))
		}
		if len(list) == 0 {
			t.Status = dcap.UpToDate
		}
		list = append(list, t)
		advisories = append(advisories, l.Advisories...)
		slices.Sort(advisories)
		advisories = slices.Compact(advisories)
	}
	return list
}

// components are those of a TCB, with what Intel calls them.
func components(cpuSVN [16]byte) (c [16]dcap.TCBComponent) {
	c = [16]dcap.TCBComponent{
		0: {Category: "BIOS", Type: "Early Microcode Update"},
		1: {Category: "OS/VMM", Type: "SGX Late Microcode Update"},
		2: {Category: "OS/VMM", Type: "TXT SINIT"},
		3: {Category: "BIOS"}, 4: {Category: "BIOS"}, 5: {Category: "BIOS"},
		7: {Category: "OS/VMM", Type: "SEAMLDR ACM"},
	}
	for i := range c {
		c[i].SVN = cpuSVN[i]
	}
	return c
}

// The TDX module that is up to date, by the major versions that there are.
const (
	moduleSVN1 = 6 // of TDX_01
	moduleSVN3 = 3 // of TDX_03
)

// tdxComponents are those of TDX at a level. The first two are of the module, and
// are looked at only where it has no identity of its own.
func tdxComponents(cpuSVN [16]byte) [16]dcap.TCBComponent {
	c := [16]dcap.TCBComponent{
		{Category: "OS/VMM", Type: "TDX Module"},
		{Category: "OS/VMM", Type: "TDX Module"},
		{SVN: cpuSVN[0], Category: "OS/VMM", Type: "TDX Late Microcode Update"},
	}
	if cpuSVN[0] > 0 {
		c[0].SVN = moduleSVN3
	}
	return c
}
