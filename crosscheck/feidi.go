package crosscheck

import (
	"encoding/pem"
	"errors"

	"github.com/feidi-dev/feidi/dcap/verify"
)

// verifier returns one of ours that trusts the root of the set.
func (s *Set) verifier(options ...verify.Option) (*verify.Verifier, error) {
	block, _ := pem.Decode(s.Root)
	if block == nil {
		return nil, errors.New("root is no PEM certificate")
	}
	return verify.New(append(options, verify.WithRoots(block.Bytes))...)
}

// Ours is the answer of Feidi's verifier.
func Ours(s *Set) (Answer, error) {
	v, err := s.verifier()
	if err != nil {
		return Answer{}, err
	}
	r, err := v.Verify(s.Quote, &s.Collateral, s.At)
	a := Answer{Accepted: r.Authentic() && !r.Expired(), TCB: r.TCBStatus}
	if err != nil {
		a.Reason = err.Error()
	}
	for _, step := range []verify.Step{r.Steps.PCKChain, r.Steps.TCBInfo, r.Steps.QEIdentity, r.Steps.Quote} {
		a.Steps = append(a.Steps, step.Status.String())
	}
	return a, nil
}
