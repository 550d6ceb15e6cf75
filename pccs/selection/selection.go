// Package selection chooses the PCK certificate for a platform's TCB, as
// Intel's PCK certificate selection library does.
//
// A platform reports its raw TCB: the CPUSVN and the ISVSVN of its PCE. The
// CPUSVN is opaque by architecture. The TCB info of the platform's FMSPC says how
// it is made up (tcbType), and of the one type that there is, 0, its bytes are
// the SGX TCB components, which compare one by one. Of the certificates that are
// for no higher a TCB than the raw one, the best is the one in which a verifier
// finds the highest level of the TCB info.
//
// Sources: Intel SGX DCAP, tools/PCKCertSelection; Intel PCCS 1.27,
// pckCertSelection.
package selection

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/dcap"
)

// MaxCandidates is how many certificates are chosen among. Intel's service has
// some ten for a platform.
const MaxCandidates = 512

var (
	// ErrNone: no certificate is for a TCB that the platform reaches.
	ErrNone = errors.New("no PCK certificate is for a TCB as low as this platform's")
	// ErrInput: certificates and TCB info do not belong together, or are of a
	// kind that nothing can be chosen by.
	ErrInput = errors.New("no PCK certificate can be chosen")
)

// Candidate is a certificate that there is, by what it is for.
type Candidate struct {
	TCBm   string    // 36 digits: CPUSVN, and PCESVN little endian
	TCB    [16]uint8 // SGX TCB components of the certificate's extension
	PCESVN uint16
}

// FromTCBm returns the candidate that a TCBm stands for where the TCB type is 0:
// its components are the bytes of its CPUSVN. The error is ErrInput.
func FromTCBm(tcbm string) (Candidate, error) {
	cpuSVN, pceSVN, err := parseTCBm(tcbm)
	return Candidate{TCBm: tcbm, TCB: cpuSVN, PCESVN: pceSVN}, err
}

// Select returns the index of the best certificate for the raw TCB of a platform.
//
// The certificates are put into groups: each into that of the first level of the
// TCB info, which are in descending order, that it reaches in all components and
// the PCESVN; and one that reaches none into a last group. Of those which the raw
// TCB reaches, the best is of the first group, and in it the highest: components
// count from the first on, then the PCESVN. So of two of a group of which neither
// is above the other, the choice is the same in whatever order they come.
//
// The TCB info is that for SGX, also on behalf of TDX. Errors are ErrNone and
// ErrInput.
func Select(cpuSVN [16]byte, pceSVN uint16, pceID [2]byte, fmspc [6]byte, list []Candidate, tcb *dcap.TCBInfo) (int, error) {
	if err := check(pceID, fmspc, list, tcb); err != nil {
		return 0, err
	}
	best, group := -1, 0
	for i := range list {
		c := &list[i]
		if !reaches(cpuSVN, pceSVN, c.TCB, c.PCESVN) {
			continue
		}
		g := c.group(tcb.Levels)
		if best < 0 || g < group || g == group && c.above(&list[best]) {
			best, group = i, g
		}
	}
	if best < 0 {
		return 0, fmt.Errorf("%w (CPUSVN %X, PCESVN %d; %d certificates)", ErrNone, cpuSVN, pceSVN, len(list))
	}
	return best, nil
}

func check(pceID [2]byte, fmspc [6]byte, list []Candidate, tcb *dcap.TCBInfo) error {
	switch {
	case tcb.ID == dcap.TCBInfoTDX:
		return fmt.Errorf("%w: the TCB info is that for TDX; it takes the one for SGX", ErrInput)
	case tcb.TCBType != 0:
		return fmt.Errorf("%w: the TCB info is of type %d; how its CPUSVN is made up is known of type 0 only", ErrInput, tcb.TCBType)
	case tcb.FMSPC != fmspc:
		return fmt.Errorf("%w: the TCB info is of FMSPC %X, the certificates are of %X", ErrInput, tcb.FMSPC, fmspc)
	case tcb.PCEID != pceID:
		return fmt.Errorf("%w: the TCB info is of PCE ID %X, the platform's is %X", ErrInput, tcb.PCEID, pceID)
	case len(tcb.Levels) == 0:
		return fmt.Errorf("%w: the TCB info has no levels", ErrInput)
	case len(list) > MaxCandidates:
		return fmt.Errorf("%w: %d certificates are more than %d", ErrInput, len(list), MaxCandidates)
	}
	for i := range list {
		c := &list[i]
		svn, pceSVN, err := parseTCBm(c.TCBm)
		if err != nil {
			return err
		}
		// They are the same if the type is 0. A certificate in which they are
		// not must not be chosen: the key may not be derivable.
		if svn != c.TCB || pceSVN != c.PCESVN {
			return fmt.Errorf("%w: the certificate for TCBm %s has the components %X and PCESVN %d", ErrInput, c.TCBm, c.TCB, c.PCESVN)
		}
	}
	return nil
}

// parseTCBm reads the TCB that a certificate is for.
func parseTCBm(s string) (cpuSVN [16]byte, pceSVN uint16, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(cpuSVN)+2 {
		return cpuSVN, 0, fmt.Errorf("%w: TCBm %.40q is not 36 hexadecimal digits", ErrInput, s)
	}
	return [16]byte(b), binary.LittleEndian.Uint16(b[16:]), nil
}

// group is the index of the first level that the certificate reaches.
func (c *Candidate) group(levels []dcap.TCBLevel) int {
	for i := range levels {
		var svn [16]uint8
		for j, component := range levels[i].SGX {
			svn[j] = component.SVN
		}
		if reaches(c.TCB, c.PCESVN, svn, levels[i].PCESVN) {
			return i
		}
	}
	return len(levels)
}

// above reports whether c comes before d in a group. If c is at least d in
// everything and not the same, it does.
func (c *Candidate) above(d *Candidate) bool {
	if n := bytes.Compare(c.TCB[:], d.TCB[:]); n != 0 {
		return n > 0
	}
	return c.PCESVN > d.PCESVN
}

// reaches reports whether nothing of a TCB is below another.
func reaches(a [16]uint8, aPCE uint16, b [16]uint8, bPCE uint16) bool {
	for i := range a {
		if a[i] < b[i] {
			return false
		}
	}
	return aPCE >= bPCE
}
