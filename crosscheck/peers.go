package crosscheck

import (
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
)

// Peer is a verifier that others wrote.
type Peer interface {
	// Name is what the table of differences calls it.
	Name() string

	// Reads reports whether the quote is of a kind that the peer is for.
	Reads(*Set) bool

	// Takes reports whether the peer accepts a genuine quote from a
	// platform of that status.
	Takes(dcap.TCBStatus) bool

	// Verify returns the peer's answer, or an error if it gave none.
	Verify(*Set) (Answer, error)
}

// Answer is what a verifier says of a quote.
type Answer struct {
	Accepted bool
	TCB      dcap.TCBStatus // TCBUnknown if it does not tell
	Reason   string         // why not, one line
	Steps    []string       // Intel's four status codes, if it gives them
}

// String is what the table of differences compares.
func (a Answer) String() string {
	switch {
	case a.Steps != nil:
		return strings.Join(a.Steps, " ")
	case !a.Accepted:
		return "rejected " + a.Reason
	case a.TCB != dcap.TCBUnknown:
		return "accepted " + a.TCB.String()
	}
	return "accepted"
}

// Status is the code of the first of the four steps that is not OK, as Intel's
// callers get it.
func (a Answer) Status() string {
	for _, s := range a.Steps {
		if s != "STATUS_OK" {
			return s
		}
	}
	return "STATUS_OK"
}

// Agree reports whether the peer's answer is what follows from ours.
//
// Of Intel's library all four codes must be the same. A peer that accepts has
// to accept what we found to be genuine, in its time, and of a status that it
// takes; one that tells the status must tell the same.
func Agree(p Peer, theirs, ours Answer) bool {
	if theirs.Steps != nil {
		return slices.Equal(theirs.Steps, ours.Steps)
	}
	if theirs.Accepted != (ours.Accepted && p.Takes(ours.TCB)) {
		return false
	}
	return !theirs.Accepted || theirs.TCB == dcap.TCBUnknown || theirs.TCB == ours.TCB
}

func upToDate(s dcap.TCBStatus) bool { return s == dcap.UpToDate }

// notRevoked is for peers that leave all else to their caller.
func notRevoked(s dcap.TCBStatus) bool { return s != dcap.TCBUnknown && s != dcap.Revoked }

func tdx4(s *Set) bool { return s.TEE() == dcap.TEETDX && s.Version() == dcap.QuoteV4 }
