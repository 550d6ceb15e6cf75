package exchange

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/internal/strictjson"
	"github.com/feidi-dev/feidi/pccs/store"
)

const whatPolicy = "appraisal policy"

// policyKinds are the class IDs of Intel's policies of platforms, and the
// numbers that its PCCS gives to them. That of the TDX quoting enclave goes
// along with others and has none.
var policyKinds = map[string]int{
	"3123ec35-8d38-4ea5-87a5-d6c48b567570": 0, // SGX
	"9eec018b-7481-4b1c-8e1a-9f7c0c8c777f": 1, // TDX 1.0
	"f708b97f-0fb2-4e6b-8b03-8a5bcd1221d3": 2, // TDX 1.5
	"3769258c-75e6-4bc7-8d72-d2b0e224cad2": -1,
}

// ParsePolicy reads the body of PUT /appraisalpolicy:
//
//	{"is_default": true, "fmspc": "00906ED50000", "policy": "JWT"}
//
// The JWT is not verified, as who appraises does that. Its payload says of what
// kind the policy is. Errors are *Error.
func ParsePolicy(body []byte) (store.Policy, error) {
	if len(body) > MaxPolicy {
		return store.Policy{}, &Error{What: whatPolicy, Err: ErrTooLarge, Reason: fmt.Sprintf("it has more than %d bytes", MaxPolicy)}
	}
	var r strictjson.Reader
	r.Init(body)
	var p store.Policy
	var hasDefault, hasPolicy bool
	for r.Object(); r.NextKey(); {
		switch r.Key() {
		case "is_default":
			p.Default, hasDefault = boolean(&r), true
		case "fmspc":
			p.FMSPC = digits(&r, digitsFMSPC, false)
		case "policy":
			p.Body, hasPolicy = strings.Clone(r.String()), true
		default:
			r.Skip()
		}
	}
	r.End()
	if err := r.Err(); err != nil {
		return store.Policy{}, jsonError(whatPolicy, "", err)
	}
	for _, m := range []struct {
		name string
		has  bool
	}{{"is_default", hasDefault}, {"fmspc", p.FMSPC != ""}, {"policy", hasPolicy}} {
		if !m.has {
			return store.Policy{}, &Error{What: whatPolicy, Err: ErrFormat, Reason: "it has no " + m.name}
		}
	}
	var err error
	if p.Kind, err = policyKind(p.Body); err != nil {
		return store.Policy{}, err
	}
	id := sha512.Sum384([]byte(p.Body))
	p.ID = hex.EncodeToString(id[:])
	return p, nil
}

// AppendPolicy appends the body of PUT /appraisalpolicy.
func AppendPolicy(b []byte, p *store.Policy) []byte {
	b = strconv.AppendBool(append(b, `{"is_default":`...), p.Default)
	b = strictjson.AppendString(append(b, `,"fmspc":`...), p.FMSPC)
	b = strictjson.AppendString(append(b, `,"policy":`...), p.Body)
	return append(b, '}')
}

func boolean(r *strictjson.Reader) bool {
	switch at := r.Start(); r.Peek() {
	case 't', 'f':
		yes := r.Peek() == 't'
		r.Skip()
		return yes
	default:
		r.Fail(strictjson.ErrType, at, "it is to be true or false")
		return false
	}
}

// policyKind returns the kind of the first policy of a JWT that has one:
// payload.policy_payload is a string of JSON, whose policy_array has objects with
// environment.class_id.
func policyKind(jwt string) (int, error) {
	bad := func(where, reason string) (int, error) {
		return 0, &Error{What: whatPolicy, Where: where, Err: ErrFormat, Reason: reason}
	}
	parts := strings.Split(jwt, ".")
	if len(parts) < 2 {
		return bad("policy", "it is no JWT: give what tee_appraisal_tool made")
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return bad("policy", "the payload of the JWT is not base64url")
	}
	var r strictjson.Reader
	r.Init(payload)
	inner := ""
	for r.Object(); r.NextKey(); {
		if r.Key() == "policy_payload" {
			inner = r.String()
		} else {
			r.Skip()
		}
	}
	r.End()
	if err := r.Err(); err != nil {
		return 0, jsonError(whatPolicy, "payload of the JWT", err)
	}
	if inner == "" {
		return bad("payload of the JWT", "it has no policy_payload")
	}
	const where = "policy_payload of the JWT"
	ids, err := classIDs(inner)
	if err != nil {
		return 0, jsonError(whatPolicy, where, err)
	}
	for i, id := range ids {
		kind, known := policyKinds[strings.ToLower(id)]
		switch {
		case !known:
			return bad(fmt.Sprintf("%s.policy_array[%d]", where, i), fmt.Sprintf("no class ID of a policy is %.60q", id))
		case kind >= 0:
			return kind, nil
		}
	}
	return bad(where, "it has no policy of a platform")
}

// classIDs returns the class IDs of policies; "" where there is none.
func classIDs(payload string) (ids []string, err error) {
	var r strictjson.Reader
	r.Init([]byte(payload))
	for r.Object(); r.NextKey(); {
		if r.Key() != "policy_array" {
			r.Skip()
			continue
		}
		for r.Array(); r.NextElement(); {
			ids = append(ids, classID(&r))
		}
	}
	r.End()
	return ids, r.Err()
}

func classID(r *strictjson.Reader) (id string) {
	for r.Object(); r.NextKey(); {
		if r.Key() != "environment" {
			r.Skip()
			continue
		}
		for r.Object(); r.NextKey(); {
			if r.Key() == "class_id" {
				id = r.String()
			} else {
				r.Skip()
			}
		}
	}
	return id
}
