package cli

import (
	"github.com/feidi-dev/feidi/edl/value"
)

// typedCall is one call in the JSON object of call.
type typedCall struct {
	Call     string      `json:"call"`
	Function string      `json:"function"`
	Index    int         `json:"index"`
	Status   string      `json:"status"`
	Error    string      `json:"error,omitempty"`
	Result   value.Value `json:"result"`
	Out      value.Value `json:"out"`
	OCalls   []ocalled   `json:"ocalls"`
	LeftOut  int         `json:"ocalls_left_out,omitempty"`
	CallMS   float64     `json:"call_ms"`
}

// typedCalls is the JSON object of call with --edl.
type typedCalls struct {
	File   string            `json:"file"`
	EDL    string            `json:"edl"`
	Calls  []*typedCall      `json:"calls"`
	Leaves map[string]uint64 `json:"leaves"` // of all calls
}

// typedCall makes the calls of the verb call with --edl.
func (a *app) typedCall(file string, expressions []string, l *loading, t *typing) (err error) {
	s, err := a.newSession(file, l, t)
	if err != nil {
		return err
	}
	calls := make([]*value.Call, len(expressions))
	for i, x := range expressions {
		if calls[i], err = s.parse(x); err != nil {
			return err
		}
	}
	ctx, stop := interruptible()
	defer stop()
	if err := s.load(ctx); err != nil {
		return err
	}
	before := s.loaded.leaves.counts()
	r := &typedCalls{File: file, EDL: t.edl, Calls: []*typedCall{}}
	for i, c := range calls {
		var done *typedCall
		done, err = s.call(ctx, expressions[i], c)
		if done != nil {
			r.Calls = append(r.Calls, done)
		}
		if err != nil {
			break
		}
	}
	r.Leaves = since(s.loaded.leaves.counts(), before)
	if cerr := s.close(); err == nil {
		err = cerr
	}
	if a.json && len(r.Calls) > 0 {
		if jerr := a.writeJSON(r); jerr != nil {
			return jerr
		}
	}
	return err
}

// since subtracts the counts of before.
func since(counts, before map[string]uint64) map[string]uint64 {
	for k, v := range before {
		if counts[k] -= v; counts[k] == 0 {
			delete(counts, k)
		}
	}
	return counts
}
