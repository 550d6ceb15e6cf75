package main

import (
	"encoding/json"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/verifyd/wire"
)

// question is what the page asks.
type question struct {
	quote      []byte // raw, hexadecimal digits or base64
	collateral []byte // JSON, as dcap.ParseCollateral takes it
	at         string // RFC 3339, or a date
	root       []byte // PEM, to be trusted in place of Intel's; may be empty
}

// answer is the verdict as JSON, or an error if the question is none.
func answer(q question) ([]byte, error) {
	raw, err := wire.DecodeQuote(q.quote)
	if err != nil {
		return nil, err
	}
	if _, err := dcap.ParseQuote(raw); err != nil {
		return nil, err
	}
	collateral, err := dcap.ParseCollateral(q.collateral)
	if err != nil {
		return nil, err
	}
	at, err := wire.ParseTime(q.at)
	if err != nil {
		return nil, err
	}
	var roots []*dcap.Certificate
	if len(q.root) > 0 {
		if roots, err = dcap.ParseChain(q.root); err != nil {
			return nil, err
		}
	}
	v, judge, err := trusting(roots)
	if err != nil {
		return nil, err
	}
	r, _ := v.Verify(raw, collateral, at) // the result has the error
	a := judge.Answer(r, nil)
	a.Explanation = r.Explain()
	return json.Marshal(a)
}

// trusting makes a verifier and a judge that trust the roots, or Intel's if
// there are none.
func trusting(roots []*dcap.Certificate) (*verify.Verifier, *wire.Judge, error) {
	var options []verify.Option
	for _, c := range roots {
		options = append(options, verify.WithRoots(c.Raw))
	}
	v, err := verify.New(options...)
	if err != nil {
		return nil, nil, err
	}
	judge, err := wire.Default(roots)
	return v, judge, err
}
