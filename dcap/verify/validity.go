package verify

import "time"

// dates gathers how long, and since when, the documents say what they say.
func (s *session) dates() {
	v := &s.result.Validity
	first := true
	span := func(from, to time.Time) {
		if first || from.Before(v.EarliestIssue) {
			v.EarliestIssue = from
		}
		if first || from.After(v.LatestIssue) {
			v.LatestIssue = from
		}
		if first || to.Before(v.EarliestExpiration) {
			v.EarliestExpiration = to
		}
		if first || to.After(v.LatestExpiration) {
			v.LatestExpiration = to
		}
		first = false
	}
	for _, c := range s.seen {
		span(c.NotBefore, c.NotAfter)
	}
	if c := s.rootCRL; c != nil {
		span(c.ThisUpdate, c.NextUpdate)
		v.RootCRLNumber = c.Number
	}
	if c := s.pckCRL; c != nil {
		span(c.ThisUpdate, c.NextUpdate)
		v.PCKCRLNumber = c.Number
	}
	if t := s.tcb; t != nil {
		span(t.IssueDate, t.NextUpdate)
		v.TCBInfoNextUpdate, v.EvaluationDataNumber = t.NextUpdate, t.EvaluationDataNumber
	}
	if i := s.identity; i != nil {
		span(i.IssueDate, i.NextUpdate)
		v.QEIdentityNextUpdate = i.NextUpdate
		if s.tcb == nil || i.EvaluationDataNumber < v.EvaluationDataNumber {
			v.EvaluationDataNumber = i.EvaluationDataNumber
		}
	}
}
