package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/strictjson"
)

// EvaluationNumbers says which states of TCB data Intel serves for a TEE (PCS API
// v4, "TcbEvaluationDataNumbers").
type EvaluationNumbers struct {
	ID         string // dcap.TCBInfoSGX or dcap.TCBInfoTDX
	IssueDate  time.Time
	NextUpdate time.Time
	Numbers    []uint32 // TCB evaluation data numbers, in the order of the document
}

// EvaluationNumbers verifies a list of TCB evaluation data numbers as TCBInfo does
// a TCB info, and with the codes of that: Intel's library does not know the list.
func (v *Verifier) EvaluationNumbers(doc, chain, rootCRL []byte, at time.Time) (*EvaluationNumbers, error) {
	s := v.lone(rootCRL, at)
	n, bad := s.verifyNumbers(doc, chain)
	genuine, err := s.outcome("TCB evaluation data numbers", bad)
	if !genuine {
		return nil, err
	}
	return n, err
}

func (s *session) verifyNumbers(doc, chain []byte) (*EvaluationNumbers, *Error) {
	n, body, signature, err := parseNumbers(doc)
	if err != nil {
		return nil, fail(StatusSGXTCBInfoUnsupportedFormat, "%w", err)
	}
	ch, bad := s.verifySigner(chain)
	if bad != nil {
		return nil, bad
	}
	if digest := sha256.Sum256(body); !ch.top.key.verifies(&digest, &signature) {
		return nil, fail(StatusTCBInfoInvalidSignature, "the list of numbers is not signed with the key of %s", name(&ch.top.Subject))
	}
	if err := s.signerInTime(ch); err != nil {
		return n, err
	}
	if err := s.documentInTime("list of numbers", n.IssueDate, n.NextUpdate, StatusSGXTCBInfoExpired); err != nil {
		return n, err
	}
	return n, s.begun(StatusSGXSigningCertChainExpired, ch.root, ch.top)
}

// parseNumbers reads the list, and what of it the signature covers.
func parseNumbers(doc []byte) (n *EvaluationNumbers, body []byte, signature [64]byte, err error) {
	if len(doc) > dcap.MaxJSONSize {
		return nil, nil, signature, errors.New("the list of numbers is too large")
	}
	n = &EvaluationNumbers{}
	var r strictjson.Reader
	r.Init(doc)
	for r.Object(); r.NextKey(); {
		switch r.Key() {
		case "tcbEvaluationDataNumbers":
			start := r.Start()
			n.read(&r)
			if r.Err() == nil {
				body = doc[start:r.Pos()]
			}
		case "signature":
			at := r.Start()
			b, err := hex.DecodeString(r.String())
			if err != nil || len(b) != len(signature) {
				r.Fail(dcap.ErrFormat, at, "the signature is not 128 hexadecimal digits")
				break
			}
			signature = [64]byte(b)
		default:
			r.Skip()
		}
	}
	r.End()
	switch err := r.Err(); {
	case err != nil:
		return nil, nil, signature, err
	case body == nil || n.ID != dcap.TCBInfoSGX && n.ID != dcap.TCBInfoTDX || n.IssueDate.IsZero() || n.NextUpdate.IsZero() || len(n.Numbers) == 0:
		return nil, nil, signature, errors.New("a list of TCB evaluation data numbers has the id SGX or TDX, issueDate, nextUpdate and at least one number")
	}
	return n, body, signature, nil
}

func (n *EvaluationNumbers) read(r *strictjson.Reader) {
	date := func() time.Time {
		at := r.Start()
		t, err := time.Parse("2006-01-02T15:04:05Z", r.String())
		if err != nil {
			r.Fail(dcap.ErrInvalid, at, "no time such as 2026-01-31T12:00:00Z")
		}
		return t
	}
	for r.Object(); r.NextKey(); {
		switch r.Key() {
		case "id":
			n.ID = r.String()
		case "issueDate":
			n.IssueDate = date()
		case "nextUpdate":
			n.NextUpdate = date()
		case "tcbEvalNumbers", "tcbNumbers": // the second is in an example of the manual
			for r.Array(); r.NextElement(); {
				n.number(r)
			}
		default:
			r.Skip()
		}
	}
}

func (n *EvaluationNumbers) number(r *strictjson.Reader) {
	at, have := r.Start(), false
	for r.Object(); r.NextKey(); {
		if r.Key() != "tcbEvaluationDataNumber" {
			r.Skip()
			continue
		}
		n.Numbers, have = append(n.Numbers, uint32(r.Uint(math.MaxUint32))), true
	}
	if !have {
		r.Fail(dcap.ErrInvalid, at, "an entry has no tcbEvaluationDataNumber")
	}
}
