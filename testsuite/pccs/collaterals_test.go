package pccs

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// putCollateral is a body of PUT platformcollateral that has something wrong
// or unusual.
type putCollateral struct {
	name string
	edit func(f *fleet.Fleet, body []byte) []byte
	want answer
	ours *answer
	why  string
}

// replace is an edit that replaces text.
func replace(old, with string) func(*fleet.Fleet, []byte) []byte {
	return func(_ *fleet.Fleet, body []byte) []byte { return fleet.Replaced(body, old, with) }
}

const (
	unverified = "Intel's service believes the administrator; nothing is stored here that is not signed"
	unsigned   = "it is not what Intel signed"
)

var (
	ungenuine = forged.because(pccs.NotGenuine)
	strange   = forged.because(pccs.WrongEnvironment)
)

var putCollaterals = []putCollateral{
	{name: "good", edit: func(_ *fleet.Fleet, b []byte) []byte { return b }, want: done()},
	{name: "twice", edit: func(f *fleet.Fleet, b []byte) []byte { return b }, want: done()},
	{name: "FMSPC in lower case", edit: func(f *fleet.Fleet, b []byte) []byte {
		return fleet.Replaced(b, `{"fmspc":"`+f.Multi.FMSPC()+`","sgx`, `{"fmspc":"`+strings.ToLower(f.Multi.FMSPC())+`","sgx`)
	}, want: done()},
	{name: "members of other versions", edit: replace(`"collaterals":{`, `"more":[{"a":1}],"collaterals":{"more":null,`), want: done()},
	{name: "chain of PEM, not escaped", edit: func(f *fleet.Fleet, b []byte) []byte {
		return fleet.Replaced(b, fleet.Escape(f.TCBChain), strings.ReplaceAll(string(f.TCBChain), "\n", `\n`))
	}, want: badRequest, ours: ptr(done()), why: "certificates are certificates"},
	{name: "version 3 below v4", edit: replace(`"version":4`, `"version":3`), want: badRequest},
	{name: "no version", edit: replace(`"version":4,`, ``), want: badRequest},
	{name: "no platforms", edit: replace(`"platforms":[`, `"platform":[`), want: badRequest},
	{name: "no pck_certs", edit: replace(`"pck_certs":[`, `"pck_cert":[`), want: badRequest},
	{name: "no tcbinfos", edit: replace(`"tcbinfos":[`, `"tcbinfo":[`), want: badRequest},
	{name: "no certificates", edit: replace(`"certificates":{`, `"certificate":{`), want: badRequest},
	{name: "no collaterals", edit: replace(`"collaterals":{`, `"collateral":{`), want: badRequest},
	{name: "no QEID", edit: replace(`"qe_id":`, `"qeid":`), want: badRequest},
	{name: "CPUSVN", edit: func(f *fleet.Fleet, b []byte) []byte {
		return fleet.Replaced(b, f.Multi.Seen[0].CPUSVN+`","pce`, `00","pce`)
	}, want: badRequest},
	{name: "tcbm", edit: func(f *fleet.Fleet, b []byte) []byte {
		return fleet.Replaced(b, `"tcbm":"`+f.Multi.Certs[0].TCBm(), `"tcbm":"00`)
	}, want: badRequest},
	{name: "certificate", edit: replace(`"cert":"-----BEGIN`, `"cert":"-----BEGUN`), want: badRequest},
	{name: "component above 255", edit: replace(`"sgxtcbcomp05svn":255`, `"sgxtcbcomp05svn":256`), want: badRequest,
		ours: ptr(done()), why: "the certificate itself says for which TCB it is"},
	{name: "identity is no string", edit: replace(`"qveidentity":"`, `"qveidentity":7,"was":"`), want: badRequest},
	{name: "TCB info is a string", edit: replace(`"sgx_tcbinfo":{"tcbInfo":`, `"sgx_tcbinfo":"x","was":{"tcbInfo":`), want: badRequest, ours: &ungenuine, why: unsigned},
	{name: "no TCB info of the FMSPC", edit: func(f *fleet.Fleet, b []byte) []byte {
		return fleet.Replaced(b, `{"fmspc":"`+f.Multi.FMSPC()+`","sgx`, `{"fmspc":"000000000000","sgx`)
	}, want: badRequest, ours: &ungenuine, why: unsigned},
	{name: "a machine below all certificates", edit: func(f *fleet.Fleet, b []byte) []byte {
		return fleet.Replaced(b, f.Multi.Seen[2].CPUSVN+`","pce`, `01`+f.Multi.Seen[2].CPUSVN[2:]+`","pce`)
	}, want: badRequest.because(pccs.NoCertificate)},
	{name: "chains of two roots", edit: func(f *fleet.Fleet, b []byte) []byte {
		other := testpki.New()
		return fleet.Replaced(b, fleet.Escape(f.TCBChain), fleet.Escape(other.TCBChainPEM()))
	}, want: strange},

	{name: "TCB info is not as signed", edit: replace(`"pcesvn":15}`, `"pcesvn":14}`), want: done(), ours: &ungenuine, why: unverified},
	{name: "signature", edit: func(f *fleet.Fleet, b []byte) []byte {
		return fleet.Replaced(b, string(f.Documents["sgx/tcb "+f.Multi.FMSPC()]), string(f.Documents["sgx/tcb "+f.Multi.FMSPC()][:200])+string(f.Documents["sgx/tcb "+f.Single.FMSPC()][200:]))
	}, want: done(), ours: &ungenuine, why: unverified},
	{name: "identity is not as signed", edit: replace(`\"isvprodid\":`, `\"isvprodid\":1`), want: done(), ours: &ungenuine, why: unverified},
	{name: "CRL of another CA", edit: func(f *fleet.Fleet, b []byte) []byte {
		return fleet.Replaced(b, hex.EncodeToString(f.PCKCRL["platform"]), hex.EncodeToString(f.PCKCRL["processor"]))
	}, want: done(), ours: &ungenuine, why: unverified},
	{name: "root CRL of another root", edit: func(f *fleet.Fleet, b []byte) []byte {
		return fleet.Replaced(b, hex.EncodeToString(f.RootCRL), hex.EncodeToString(testpki.New().Root.CRL()))
	}, want: done(), ours: &strange, why: unverified},
	{name: "certificate of another machine", edit: func(f *fleet.Fleet, b []byte) []byte {
		return fleet.Replaced(b, fleet.Escape(f.Multi.Certs[1].PEM), fleet.Escape(fleet.In(f.PKI).Multi.Certs[1].PEM))
	}, want: badRequest, ours: &ungenuine, why: "the certificate names another FMSPC than its neighbours"},
	{name: "another Intel", edit: func(*fleet.Fleet, []byte) []byte { return fleet.New().Body(4) }, want: done(),
		ours: &strange, why: "at Intel's whatever root is brought takes the place of the one that was there"},
}

// collaterals runs them. Each has a fleet of its own, and f is as it was in
// the end.
func (p *peer) collaterals(t *testing.T, f *fleet.Fleet) {
	admin := "admin-token: " + p.admin
	for _, r := range putCollaterals {
		t.Run(r.name, func(t *testing.T) {
			g := fleet.In(f.PKI)
			want := r.want
			if p.ours && r.ours != nil {
				want = *r.ours
			}
			p.check(t, send("PUT", "v4/platformcollateral", string(r.edit(g, g.Body(4))), admin), want)
			// What is refused leaves nothing behind.
			if want.status != 200 {
				p.check(t, get("v4/tcb?fmspc="+g.Multi.FMSPC()), noCacheData)
				p.check(t, get("v4/pckcert?"+g.Multi.Query(g.Multi.Seen[0])), unknown)
			}
			// What was there is there.
			if p.ours {
				p.check(t, get("v4/tcb?fmspc="+f.Multi.FMSPC()), document(f, "sgx/tcb "+f.Multi.FMSPC(), tcbIssuers))
			}
		})
	}
	p.fill(t, f)
}

// bodies are requests whose body is none of JSON.
func (p *peer) bodies(f *fleet.Fleet) []row {
	admin := "admin-token: " + p.admin
	put := func(body string) request { return send("PUT", "v4/platformcollateral", body, admin) }
	typed := func(line string) request {
		return request{"PUT", path("v4/platformcollateral"), []string{admin, line}, f.Body(4)}
	}
	return []row{
		{name: "empty object", send: put("{}"), want: badRequest},
		{name: "array", send: put("[]"), want: badRequest},
		{name: "number", send: put("3"), want: badRequest},
		{name: "cut", send: put(string(f.Body(4)[:3000])), want: badRequest},
		{name: "nothing", send: put(""), want: badRequest},
		{name: "deep", send: put(strings.Repeat("[", 100000)), want: badRequest},
		{name: "text/plain", send: typed("Content-Type: text/plain"), want: badRequest},
		{name: "no type", send: typed("X: y"), want: badRequest},
		{name: "a form", send: typed("Content-Type: application/x-www-form-urlencoded"), want: badRequest},
		{name: "more than 2 MB", send: put(string(bytes.Repeat([]byte(" "), 2<<20+1))), want: tooLarge},
		{name: "no token", send: send("PUT", "v4/platformcollateral", "{}"), want: unauthorized},
		{name: "wrong token", send: send("PUT", "v4/platformcollateral", "{}", "admin-token: x"), want: unauthorized},
		{name: "the other token", send: send("PUT", "v4/platformcollateral", "{}", "admin-token: "+p.user), want: unauthorized},
		{name: "no token, v3", send: send("PUT", "v3/platformcollateral", "{}"), want: unauthorized.v3()},
		{name: "GET without token", send: get("v4/platformcollateral"), want: unauthorized},
		{name: "GET", send: get("v4/platformcollateral", admin), want: noRoute("GET", path("v4/platformcollateral"))},
		{name: "machines below v3", send: send("PUT", "v3/platformcollateral", string(fleet.Replaced(f.Body(3), `"pck_certs":[]`, `"pck_certs":[`+f.MachineOfV3()+`]`)), admin), want: badRequest.v3(),
			ours: ptr(done().v3()), why: "at Intel's the selection of certificates fails by TCB infos of version 2"},
	}
}
