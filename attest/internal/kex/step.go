package kex

// Step is where one side of an exchange is. The zero value is Fresh.
type Step int

// The steps.
const (
	Fresh   Step = iota
	Waiting      // for the peer's answer
	Over
)

// Enter reports whether a call is due that is to be made at step due. In any
// case the exchange is over until the call, having succeeded, says what comes
// next: what fails fails for good.
func (s *Step) Enter(due Step) bool {
	was := *s
	*s = Over
	return was == due
}
