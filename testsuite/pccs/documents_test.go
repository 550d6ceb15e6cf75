package pccs

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// document is an answer with one of the fleet's documents.
func document(f *fleet.Fleet, name, issuers string) answer {
	body, ok := f.Documents[name]
	if !ok {
		panic("the fleet has no " + name)
	}
	return answer{status: 200, kind: typeJSON, body: string(body), header: []string{issuers + ": " + fleet.Escape(f.TCBChain)}}
}

const (
	tcbIssuers      = "TCB-Info-Issuer-Chain"
	identityIssuers = "SGX-Enclave-Identity-Issuer-Chain"
)

// tcbInfos are requests for TCB infos.
func tcbInfos(f *fleet.Fleet) []row {
	id, low := f.Multi.FMSPC(), strings.ToLower(f.Multi.FMSPC())
	standard := document(f, "sgx/tcb "+id, tcbIssuers)
	early := document(f, "sgx/tcb "+id+" early", tcbIssuers)
	rows := []row{
		{name: "TCB info", send: get("v4/tcb?fmspc=" + id), want: standard},
		{name: "of the other machine", send: get("v4/tcb?fmspc=" + f.Single.FMSPC()), want: document(f, "sgx/tcb "+f.Single.FMSPC(), tcbIssuers)},
		{name: "lower case", send: get("v4/tcb?fmspc=" + low), want: standard},
		{name: "early", send: get("v4/tcb?update=early&fmspc=" + id), want: early},
		{name: "early in capitals", send: get("v4/tcb?update=EARLY&fmspc=" + id), want: early},
		{name: "standard", send: get("v4/tcb?fmspc=" + id + "&update=Standard"), want: standard},
		{name: "of a TD", send: get("tdx/tcb?fmspc=" + id), want: document(f, "tdx/tcb "+id, tcbIssuers)},
		{name: "of a TD, early", send: get("tdx/tcb?fmspc=" + id + "&update=early"), want: document(f, "tdx/tcb "+id+" early", tcbIssuers)},
		{name: "the first of two", send: get("v4/tcb?fmspc=" + id + "&fmspc=000000000000"), want: standard},
		{name: "the first of two, unknown", send: get("v4/tcb?fmspc=000000000000&fmspc=" + id), want: noCacheData},
		{name: "the first of two updates", send: get("v4/tcb?fmspc=" + id + "&update=early&update=standard"), want: early},
		{name: "customParameter", send: get("v4/tcb?fmspc=" + id + "&update=standard&customParameter=YQ%3D%3D"), want: standard},
		{name: "HEAD", send: head("v4/tcb?fmspc=" + id), want: standard},
		{name: "HEAD of an unknown FMSPC", send: head("v4/tcb?fmspc=000000000000"), want: noCacheData},
		{name: "unknown FMSPC", send: get("v4/tcb?fmspc=000000000000"), want: noCacheData},
		{name: "unknown FMSPC, TD", send: get("tdx/tcb?fmspc=000000000000"), want: noCacheData},
		{name: "v3", send: get("v3/tcb?fmspc=" + id), want: document(f, "v3/tcb "+id, "SGX-"+tcbIssuers).v3()},
		{name: "v3, early", send: get("v3/tcb?fmspc=" + id + "&update=early"), want: noCacheData.v3()},
		{name: "v3, unknown FMSPC", send: get("v3/tcb?fmspc=000000000000"), want: noCacheData.v3()},
		{name: "v3, malformed", send: get("v3/tcb?fmspc=1"), want: badRequest.v3()},
		{name: "no v3 of TDX", send: get("/tdx/certification/v3/tcb?fmspc=" + id), want: noRoute("GET", "/tdx/certification/v3/tcb")},
		{name: "TCB evaluation data number", send: get("v4/tcb?fmspc=" + id + "&tcbEvaluationDataNumber=7"), want: standard,
			ours: &noCacheData, why: "Intel's service takes no notice of the number that is asked for"},
		{name: "parameter in brackets", send: get("v4/tcb?fmspc[]=" + id), want: standard,
			ours: &badRequest, why: "arrays of Express are no part of the interface"},
		{name: "update in brackets", send: get("v4/tcb?update[a]=early&fmspc=" + id), want: failed,
			ours: &standard, why: "a client's nonsense is no failure of the server's; what it does not know it passes over"},
	}
	for _, q := range []string{
		"", "?fmspc=", "?fmspc=123", "?fmspc=" + id + "0", "?fmspc=00000000000G", "?FMSPC=" + id, "?fmspc=%zz", "?fmspc=%00",
		"?fmspc=%20" + id, "?fmspc=+" + id, "?fmspc=" + id + "%0a", "?fmspc=" + id + ";update=early", "?fmspc[a]=" + id,
		"?fmspc=" + id + "&update=bogus", "?fmspc=" + id + "&update=", "?fmspc=" + id + "&update=all",
	} {
		rows = append(rows, row{name: "malformed " + strings.ReplaceAll(q, id, "FMSPC"), send: get("v4/tcb" + q), want: badRequest})
	}
	return rows
}

// identities are requests for the identities of enclaves.
func identities(f *fleet.Fleet) (rows []row) {
	for route, name := range map[string]string{"v4/qe/identity": "sgx/qe", "v4/qve/identity": "sgx/qve", "tdx/qe/identity": "tdx/qe"} {
		for query, want := range map[string]answer{
			"":                              document(f, name, identityIssuers),
			"?":                             document(f, name, identityIssuers),
			"?update=early":                 document(f, name+" early", identityIssuers),
			"?update=STANDARD":              document(f, name, identityIssuers),
			"?update=standard&update=early": document(f, name, identityIssuers),
			"?fmspc=x":                      document(f, name, identityIssuers),
			"?update=bogus":                 badRequest,
			"?update=":                      badRequest,
			"?update=all":                   badRequest,
		} {
			rows = append(rows, row{name: route + query, send: get(route + query), want: want})
		}
	}
	return append(rows,
		row{name: "v3 QE", send: get("v3/qe/identity"), want: document(f, "sgx/qe", identityIssuers).v3()},
		row{name: "v3 QvE", send: get("v3/qve/identity"), want: document(f, "sgx/qve", identityIssuers).v3()},
		row{name: "v3 QE, early", send: get("v3/qe/identity?update=early"), want: noCacheData.v3()},
		row{name: "no QvE of TDX", send: get("tdx/qve/identity"), want: noRoute("GET", "/tdx/certification/v4/qve/identity")},
		row{name: "HEAD", send: head("v4/qve/identity"), want: document(f, "sgx/qve", identityIssuers)},
	)
}

// crls are requests for revocation lists: in hexadecimal, whatever the type
// says, unless DER is asked for.
func crls(f *fleet.Fleet) []row {
	const typeHex, typeDER, typeHexRoot = "application/x-pem-file; charset=utf-8", "application/pkix-crl", "application/pkix-crl; charset=utf-8"
	issuers := map[string]string{
		"platform":  "SGX-PCK-CRL-Issuer-Chain: " + fleet.Escape(f.Multi.Issuers()),
		"processor": "SGX-PCK-CRL-Issuer-Chain: " + fleet.Escape(f.Single.Issuers()),
	}
	digits := func(ca string) answer {
		return answer{status: 200, kind: typeHex, body: hex.EncodeToString(f.PCKCRL[ca]), header: []string{issuers[ca]}}
	}
	der := func(ca string) answer {
		return answer{status: 200, kind: typeDER, body: string(f.PCKCRL[ca]), header: []string{issuers[ca]}}
	}
	root := answer{status: 200, kind: typeHexRoot, body: hex.EncodeToString(f.RootCRL)}
	rootDER := answer{status: 200, kind: typeDER, body: string(f.RootCRL)}
	rows := []row{
		{name: "root", send: get("v4/rootcacrl"), want: root},
		{name: "root, HEAD", send: head("v4/rootcacrl"), want: root},
		{name: "root, v3", send: get("v3/rootcacrl"), want: root.v3()},
		{name: "root, nothing but digits", send: get("v4/rootcacrl?encoding=der"), want: root},
		{name: "root by its address", send: get("v4/crl?uri=" + f.RootCDP), want: rootDER},
		{name: "root by its address, escaped", send: get("v4/crl?uri=" + fleet.Escape([]byte(f.RootCDP))), want: rootDER},
		{name: "root by its address, v3", send: get("v3/crl?uri=" + f.RootCDP), want: rootDER.v3()},
		{name: "another file of the same host", send: get("v4/crl?uri=" + strings.Replace(f.RootCDP, ".der", ".crl", 1)), want: noCacheData,
			ours: &rootDER, why: "Intel has the same list there; older root certificates name this address"},
		{name: "of the PCS", send: get("v4/crl?uri=https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der"), want: noCacheData,
			ours: ptr(answer{status: 200, kind: typeDER, body: string(f.PCKCRL["platform"])}), why: "it is the list that pckcrl has"},
		{name: "no TDX", send: get("tdx/pckcrl?ca=platform"), want: noRoute("GET", "/tdx/certification/v4/pckcrl")},
	}
	for query, want := range map[string]answer{
		"?ca=processor": digits("processor"), "?ca=platform": digits("platform"), "?ca=PLATFORM": digits("platform"),
		"?ca=platform&encoding=der": der("platform"), "?ca=Processor&encoding=DER": der("processor"),
		"?ca=platform&encoding=pem": digits("platform"), "?ca=platform&encoding=": digits("platform"),
		"?ca=platform&ca=processor": digits("platform"), "": badRequest, "?ca=": badRequest, "?ca=root": badRequest,
	} {
		rows = append(rows, row{name: "pckcrl" + query, send: get("v4/pckcrl" + query), want: want},
			row{name: "v3 pckcrl" + query, send: get("v3/pckcrl" + query), want: want.v3()})
	}
	for _, uri := range []string{"", "?uri=", "?uri=https://example.com/x.crl", "?uri=" + strings.Replace(f.RootCDP, "https", "http", 1),
		"?uri=file:///etc/passwd", "?uri=" + f.RootCDP + strings.Repeat("A", 2048)} {
		rows = append(rows, row{name: fmt.Sprintf("crl%.40s", uri), send: get("v4/crl" + uri), want: badRequest})
	}
	return rows
}

// odd are requests that say what a path is, and what is not one.
func odd(f *fleet.Fleet) []row {
	root := answer{status: 200, body: hex.EncodeToString(f.RootCRL)}
	qe := document(f, "sgx/qe", identityIssuers)
	rows := []row{
		{name: "case", send: get("/SGX/Certification/V4/RootCaCRL"), want: root},
		{name: "slash at the end", send: get("v4/rootcacrl/"), want: root},
		{name: "two slashes", send: get("v4//rootcacrl"), want: root,
			ours: ptr(noRoute("GET", "/sgx/certification/v4//rootcacrl")), why: "a path is written in one way, but for case and the slash at the end"},
		{name: "body of a GET", send: request{"GET", path("v4/qe/identity"), nil, []byte("xx")}, want: qe},
		{name: "JSON with a GET", send: send("GET", "v4/qe/identity", "xx"), want: badRequest,
			ours: &qe, why: "a GET has no body to parse"},
		{name: "OPTIONS", send: request{method: "OPTIONS", target: path("v4/tcb")}, want: text("GET,HEAD").with("Allow: GET,HEAD")},
		{name: "OPTIONS of two", send: request{method: "OPTIONS", target: path("v4/platforms")}, want: text("POST,GET,HEAD").with("Allow: POST,GET,HEAD"),
			ours: ptr(text("GET,HEAD,POST").with("Allow: GET,HEAD,POST")), why: "their order says nothing"},
		{name: "long address", send: get("v4/tcb?fmspc=" + strings.Repeat("A", 20000)), want: answer{status: 431},
			ours: &badRequest, why: "Go takes more header than Node; the limit is ours, and the address is malformed in any case"},
		{name: "range", send: get("v4/qe/identity", "Range: bytes=0-3"), want: qe},
		{name: "compression", send: get("v4/qe/identity", "Accept-Encoding: gzip, deflate, br"), want: qe},
		{name: "dots", send: get("v4/../v4/qe/identity"), want: noRoute("GET", "/sgx/certification/v4/../v4/qe/identity")},
		{name: "escaped letters", send: get("v4/%71e/identity"), want: noRoute("GET", "/sgx/certification/v4/%71e/identity")},
		{name: "markup", send: get("/<b>&"), want: noRoute("GET", "/%3Cb%3E&")},
		{name: "pckcerts", send: get("v4/pckcerts"), want: noRoute("GET", "/sgx/certification/v4/pckcerts"),
			ours: &badRequest, why: "a route of the PCS that we have, too"},
	}
	for _, r := range []request{
		get("/"), get("v4/nothing"), get("/sgx/certification/v2/rootcacrl"), get("/sgx/certification/v5/rootcacrl"),
		{method: "POST", target: path("v4/tcb")}, {method: "DELETE", target: path("v4/rootcacrl")}, {method: "POST", target: path("v4/pckcert")},
		{method: "DELETE", target: path("v4/appraisalpolicy")},
	} {
		rows = append(rows, row{name: "no route " + r.method + r.target, send: r, want: noRoute(r.method, r.target)})
	}
	return rows
}

// certificates are requests for PCK certificates.
func certificates(f *fleet.Fleet) []row {
	m := f.Multi
	cert := func(m *fleet.Machine, i int, ca string) answer {
		c := &m.Certs[i]
		return answer{status: 200, kind: "application/x-pem-file", body: string(c.PEM), header: []string{
			"SGX-TCBm: " + c.TCBm(), "SGX-FMSPC: " + m.FMSPC(), "SGX-PCK-Certificate-CA-Type: " + ca,
			"SGX-PCK-Certificate-Issuer-Chain: " + fleet.Escape(m.Issuers()),
		}}
	}
	qeid, pceid := m.ID()
	tcb := func(cpusvn, pcesvn string) string {
		return fmt.Sprintf("v4/pckcert?qeid=%s&cpusvn=%s&pcesvn=%s&pceid=%s", qeid, cpusvn, pcesvn, pceid)
	}
	top := m.Seen[0]
	plain := tcb(top.CPUSVN, top.PCESVN)
	highest := cert(m, 0, "PLATFORM")
	none := failure(462, "Certificates are not available for certain TCBs.", pccs.NoCertificate)
	rows := []row{
		{name: "as Intel's client asks", send: get("v4/pckcert?" + m.Query(top)), want: highest},
		{name: "one package", send: get("v4/pckcert?" + f.Single.Query(f.Single.Seen[1])), want: cert(f.Single, 1, "PROCESSOR")},
		{name: "a lower TCB", send: get("v4/pckcert?" + m.Query(m.Seen[2])), want: cert(m, 2, "PLATFORM")},
		{name: "no encrypted PPID", send: get(plain), want: highest},
		{name: "encrypted PPID of zeros", send: get(plain + "&encrypted_ppid=" + strings.Repeat("0", 768)), want: highest},
		{name: "encrypted PPID of another", send: get(plain + "&encrypted_ppid=" + strings.Repeat("1", 768)), want: highest},
		{name: "lower case", send: get(strings.ToLower(plain)), want: highest},
		{name: "HEAD", send: head(plain), want: highest},
		{name: "the first of two", send: get(plain + "&qeid=00"), want: highest},
		{name: "v3", send: get("v3/" + strings.TrimPrefix(plain, "v4/")), want: highest.v3()},
		{name: "unseen, above all", send: get(tcb("0A0A0202FF0100050000000000000000", "1000")), want: highest},
		{name: "unseen, between", send: get(tcb("07070202FF0100050000000000000000", "0D00")), want: cert(m, 2, "PLATFORM")},
		{name: "unseen, PCE below", send: get(tcb("09090202FF0100050000000000000000", "0E00")), want: cert(m, 1, "PLATFORM")},
		{name: "unseen, not comparable", send: get(tcb("FF050202FF0100050000000000000000", "FFFF")), want: cert(m, 2, "PLATFORM")},
		{name: "unseen, below all", send: get(tcb("01010202FF0100050000000000000000", "0D00")), want: noCacheData,
			ours: &none, why: "the interface has a status for it, which Intel's client knows, too"},
		{name: "unknown QEID", send: get("v4/pckcert?qeid=00&cpusvn=" + top.CPUSVN + "&pcesvn=0F00&pceid=0000"), want: unknown},
		{name: "unknown QEID, v3", send: get("v3/pckcert?qeid=00&cpusvn=" + top.CPUSVN + "&pcesvn=0F00&pceid=0000"), want: unknown.v3()},
		{name: "unknown PCEID", send: get("v4/pckcert?qeid=" + qeid + "&cpusvn=" + top.CPUSVN + "&pcesvn=0F00&pceid=0001"), want: unknown},
		{name: "long QEID", send: get("v4/pckcert?qeid=" + strings.Repeat("A", 260) + "&cpusvn=" + top.CPUSVN + "&pcesvn=0F00&pceid=0000"), want: unknown},
		{name: "QEID is any text", send: get("v4/pckcert?qeid=hello%20world&cpusvn=" + top.CPUSVN + "&pcesvn=0F00&pceid=0000"), want: unknown,
			ours: &badRequest, why: "a QEID is made of digits"},
	}
	for name, target := range map[string]string{
		"nothing": "v4/pckcert", "long QEID": "v4/pckcert?qeid=" + strings.Repeat("A", 261) + "&cpusvn=" + top.CPUSVN + "&pcesvn=0F00&pceid=0000",
		"no QEID":             strings.Replace(plain, "qeid=", "q=", 1),
		"empty QEID":          strings.Replace(plain, "qeid="+qeid, "qeid=", 1),
		"no CPUSVN":           strings.Replace(plain, "cpusvn=", "c=", 1),
		"no PCESVN":           strings.Replace(plain, "pcesvn=", "p=", 1),
		"no PCEID":            strings.Replace(plain, "pceid=", "p=", 1),
		"short CPUSVN":        tcb("0909", "0F00"),
		"CPUSVN not digits":   tcb("G9090202FF0100050000000000000000", "0F00"),
		"long PCESVN":         tcb(top.CPUSVN, "0F0000"),
		"short encrypted":     plain + "&encrypted_ppid=12",
		"empty encrypted":     plain + "&encrypted_ppid=",
		"encrypted no digits": plain + "&encrypted_ppid=" + strings.Repeat("x", 768),
	} {
		rows = append(rows, row{name: "malformed " + name, send: get(target), want: badRequest})
	}
	return rows
}
