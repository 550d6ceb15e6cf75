package pccs

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// The kinds of appraisal policy, by the class of the environment that is in them.
const (
	classSGX   = "3123ec35-8d38-4ea5-87a5-d6c48b567570"
	classTDX10 = "9eec018b-7481-4b1c-8e1a-9f7c0c8c777f"
	classTDX15 = "f708b97f-0fb2-4e6b-8b03-8a5bcd1221d3"
	classTDQE  = "3769258c-75e6-4bc7-8d72-d2b0e224cad2"
)

// token is an appraisal policy in the form of a JSON Web Token.
func token(signature string, classes ...string) string {
	var list []string
	for _, c := range classes {
		list = append(list, fmt.Sprintf(`{\"environment\":{\"class_id\":\"%s\"}}`, c))
	}
	payload := `{"policy_payload":"{\"policy_array\":[` + strings.Join(list, ",") + `]}"}`
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + "." + signature
}

func sha384(s string) string {
	sum := sha512.Sum384([]byte(s))
	return hex.EncodeToString(sum[:])
}

func sha512Hex(s string) string {
	sum := sha512.Sum512([]byte(s))
	return hex.EncodeToString(sum[:])
}

// policies are what an administrator says of appraisal, and what clients read.
func (p *peer) policies(f *fleet.Fleet) []row {
	fmspc := f.Multi.FMSPC()
	put := func(isDefault bool, policy string) request {
		body := fmt.Sprintf(`{"is_default":%v,"fmspc":"%s","policy":"%s"}`, isDefault, fmspc, policy)
		return send("PUT", "v4/appraisalpolicy", body, "admin-token: "+p.admin)
	}
	id := func(policy string) answer { return text(sha384(policy)) }
	sgx, sgx2, tdx, rare := token("AAAA", classSGX), token("BBBB", classSGX), token("CCCC", classTDQE, classTDX15), token("DDDD", classTDX10)
	all := "v4/appraisalpolicy?fmspc=" + fmspc
	rows := []row{
		{name: "none", send: get(all), want: noCacheData},
		{name: "first", send: put(true, sgx), want: id(sgx)},
		{name: "is served", send: get(all), want: text(sgx)},
		{name: "lower case", send: get("v4/appraisalpolicy?fmspc=" + strings.ToLower(fmspc)), want: text(sgx)},
		{name: "v3", send: get("v3/appraisalpolicy?fmspc=" + fmspc), want: text(sgx).v3()},
		{name: "in its place", send: put(true, sgx2), want: id(sgx2)},
		{name: "is served, too", send: get(all), want: text(sgx2)},
		{name: "no default", send: put(false, rare), want: id(rare)},
		{name: "is not served", send: get(all), want: text(sgx2)},
		{name: "of another kind", send: put(true, tdx), want: id(tdx)},
		{name: "both are served", send: get(all), want: text(tdx),
			ours: ptr(text(sgx2 + "," + tdx)), why: "at Intel's the default of one kind puts out those of the others, though the answer is a list"},
		{name: "unknown class", send: put(true, token("E", "00000000-0000-0000-0000-000000000000")), want: badRequest},
		{name: "TD QE alone", send: put(true, token("E", classTDQE)), want: badRequest},
		{name: "no classes", send: put(true, token("E")), want: badRequest},
		{name: "no token of JSON", send: put(true, "abc"), want: badRequest},
		{name: "payload is no JSON", send: put(true, "a.b.c"), want: badRequest},
		{name: "payload is empty", send: put(true, "a.e30.c"), want: badRequest},
		{name: "malformed", send: get("v4/appraisalpolicy?fmspc=1"), want: badRequest},
		{name: "unknown FMSPC", send: get("v4/appraisalpolicy?fmspc=000000000000"), want: noCacheData},
		{name: "empty body", send: send("PUT", "v4/appraisalpolicy", "{}", "admin-token: "+p.admin), want: badRequest},
		{name: "no admin token", send: send("PUT", "v4/appraisalpolicy", "{}"), want: unauthorized},
		{name: "the other token", send: send("PUT", "v4/appraisalpolicy", "{}", "admin-token: "+p.user), want: unauthorized},
	}
	return rows
}
