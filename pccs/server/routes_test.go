package server

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
)

// encoded is what JavaScript's encodeURIComponent makes of PEM, letter by letter.
func encoded(pem []byte) string {
	var b strings.Builder
	for _, c := range pem {
		if strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// The answers to GET are, to the byte, the documents of Intel's, under the names
// and media types of Intel's service.
func TestDocuments(t *testing.T) {
	f := newFixture(t)
	tcbChain := encoded(f.pki.TCBChainPEM())
	pckChain := encoded(append(append([]byte{}, f.platform.CA().PEM()...), f.pki.RootPEM()...))
	fmspc := f.fmspc()
	rootCRL := f.pki.Root.CRL()
	crl := f.platform.CA().CRL()
	for _, c := range []struct {
		name, path   string
		media, chain string
		chainValue   string
	}{
		{"TCB info", sgx4 + "tcb?fmspc=" + fmspc, typeJSON, "TCB-Info-Issuer-Chain", tcbChain},
		{"lower case", sgx4 + "tcb?fmspc=" + strings.ToLower(fmspc) + "&update=STANDARD", typeJSON, "TCB-Info-Issuer-Chain", tcbChain},
		{"early", sgx4 + "tcb?update=early&fmspc=" + fmspc, typeJSON, "TCB-Info-Issuer-Chain", tcbChain},
		{"TDX", tdx4 + "tcb?fmspc=" + fmspc, typeJSON, "TCB-Info-Issuer-Chain", tcbChain},
		{"QE identity", sgx4 + "qe/identity", typeJSON, "SGX-Enclave-Identity-Issuer-Chain", tcbChain},
		{"TD QE identity", tdx4 + "qe/identity?update=standard", typeJSON, "SGX-Enclave-Identity-Issuer-Chain", tcbChain},
		{"QvE identity", sgx4 + "qve/identity", typeJSON, "SGX-Enclave-Identity-Issuer-Chain", tcbChain},
		{"evaluations", tdx4 + "tcbevaluationdatanumbers", typeJSON, "TCB-Evaluation-Data-Numbers-Issuer-Chain", tcbChain},
		{"FMSPCs", sgx4 + "fmspcs", typeJSON, "", ""},
		{"PCK CRL", sgx4 + "pckcrl?ca=Platform", "application/x-pem-file; charset=utf-8", "SGX-PCK-CRL-Issuer-Chain", pckChain},
		{"PCK CRL, DER", sgx4 + "pckcrl?ca=platform&encoding=der", "application/pkix-crl", "SGX-PCK-CRL-Issuer-Chain", pckChain},
		{"root CRL", sgx4 + "rootcacrl", "application/pkix-crl; charset=utf-8", "", ""},
		{"CRL by address", sgx4 + "crl?uri=https://certificates.trustedservices.intel.com/IntelSGXRootCA.der", "application/pkix-crl", "", ""},
		{"version 3: PCK CRL", sgx3 + "pckcrl?ca=platform", "application/x-pem-file; charset=utf-8", "SGX-PCK-CRL-Issuer-Chain", pckChain},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := ask(t, f, "GET", c.path, "")
			if g.status != 200 {
				t.Fatalf("%d %q: %v", g.status, g.body, g.header)
			}
			if got := g.first("Content-Type"); got != c.media {
				t.Errorf("Content-Type %q, want %q", got, c.media)
			}
			if c.chain != "" && g.first(c.chain) != c.chainValue {
				t.Errorf("%s is %.80q, want %.80q", c.chain, g.first(c.chain), c.chainValue)
			}
			sum := sha1.Sum([]byte(g.body))
			if want := fmt.Sprintf(`W/"%x-%s"`, len(g.body), base64.RawStdEncoding.EncodeToString(sum[:])); g.first("ETag") != want {
				t.Errorf("ETag %q, want %q", g.first("ETag"), want)
			}
			if g.first("Content-Length") != fmt.Sprint(len(g.body)) {
				t.Errorf("Content-Length %q of %d bytes", g.first("Content-Length"), len(g.body))
			}
			if g.first("Age") != "0" || g.first("Last-Modified") != f.pki.Now.Format("Mon, 02 Jan 2006 15:04:05 GMT") {
				t.Errorf("Age %q, Last-Modified %q", g.first("Age"), g.first("Last-Modified"))
			}
			if next, err := time.Parse(time.RFC3339, g.first("Next-Update")); c.name != "FMSPCs" && (err != nil || !next.After(f.pki.Now)) {
				t.Errorf("Next-Update %q", g.first("Next-Update"))
			}
			if g.first("Error-Code") != "" || strings.HasPrefix(c.path, sgx4) && g.first("Warning") != "" {
				t.Errorf("header %v", g.header)
			}
			if strings.HasPrefix(c.path, sgx3) != strings.HasPrefix(g.first("Warning"), `299 - "`) {
				t.Errorf("Warning %q", g.first("Warning"))
			}
			var want []byte
			switch {
			case strings.HasPrefix(c.name, "PCK CRL, DER"):
				want = tbs(t, crl)
			case strings.Contains(c.name, "PCK CRL"):
				want = tbs(t, crl)
				b, err := hex.DecodeString(g.body)
				if err != nil {
					t.Fatal(err)
				}
				g.body = string(b)
			case c.name == "root CRL":
				want = tbs(t, rootCRL)
				b, err := hex.DecodeString(g.body)
				if err != nil {
					t.Fatal(err)
				}
				g.body = string(b)
			case c.name == "CRL by address":
				want = tbs(t, rootCRL)
			default:
				if !f.sent[g.body] {
					t.Errorf("Intel did not send %q", g.body)
				}
				return
			}
			if got := tbs(t, []byte(g.body)); !bytes.Equal(got, want) {
				t.Errorf("another CRL: %x, want %x", got, want)
			}
		})
	}
}

// tbs is what of a CRL does not change when it is signed anew.
func tbs(t *testing.T, der []byte) []byte {
	t.Helper()
	crl, err := dcap.ParseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	return crl.RawTBS
}

// What is expired, or cannot be renewed, says so; and where the configuration
// refuses it, there is none.
func TestExpired(t *testing.T) {
	f, strict := newFixture(t), newFixture(t, func(s *pccs.Options, _ *Options) { s.RefuseExpired = true })
	const path = sgx4 + "qe/identity"
	for _, x := range []*fixture{f, strict} {
		if g := ask(t, x, "GET", path, ""); g.status != 200 || g.first("Warning") != "" {
			t.Fatalf("%d %v", g.status, g.header)
		}
		x.pcs.Fault = func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		x.pass(40 * 24 * time.Hour)
	}
	g := ask(t, f, "GET", path, "")
	if g.status != 200 || g.first("Age") != "3456000" || !strings.HasPrefix(g.first("Warning"), `110 - "past its next update`) {
		t.Errorf("%d %v", g.status, g.header)
	}
	if g := ask(t, strict, "GET", path, ""); g.status != 503 || g.first("Error-Code") != "Expired" || g.body != bodies[503] {
		t.Errorf("where it is refused: %d %v", g.status, g.header)
	}
}

func TestPCKCert(t *testing.T) {
	f := newFixture(t)
	q := f.pckQuery()
	g := ask(t, f, "GET", sgx4+"pckcert?"+q.Encode(), "")
	e := f.platform.SGX
	for name, want := range map[string]string{
		"Content-Type": "application/x-pem-file", "SGX-FMSPC": f.fmspc(), "SGX-PCK-Certificate-CA-Type": "PLATFORM",
		"SGX-TCBm":                         fmt.Sprintf("%X%02X%02X", e.CPUSVN, byte(e.PCESVN), byte(e.PCESVN>>8)),
		"SGX-PCK-Certificate-Issuer-Chain": encoded(append(append([]byte{}, f.platform.CA().PEM()...), f.pki.RootPEM()...)),
	} {
		if g.first(name) != want {
			t.Errorf("%s is %q, want %q", name, g.first(name), want)
		}
	}
	if g.status != 200 || g.body != string(f.platform.PCK.PEM()) {
		t.Errorf("%d: %q", g.status, g.body)
	}
	v3 := ask(t, f, "GET", sgx3+"pckcert?"+q.Encode(), "")
	if v3.status != 200 || v3.body != g.body || !strings.HasPrefix(v3.first("Warning"), "299 - ") {
		t.Errorf("version 3: %d, %q", v3.status, v3.first("Warning"))
	}
	list := ask(t, f, "GET", sgx4+"pckcerts?"+q.Encode(), "")
	want := `[{"tcb":{`
	for i, svn := range e.TCB {
		want += fmt.Sprintf(`"sgxtcbcomp%02dsvn":%d,`, i+1, svn)
	}
	want += fmt.Sprintf(`"pcesvn":%d},"tcbm":"%s","cert":"%s"}]`, e.PCESVN, g.first("SGX-TCBm"), encoded(f.platform.PCK.PEM()))
	if list.status != 200 || list.body != want || list.first("SGX-FMSPC") != f.fmspc() {
		t.Errorf("pckcerts: %d: %s, want %s", list.status, list.body, want)
	}
	q.Del("encrypted_ppid") // it is known by now
	if again := ask(t, f, "GET", sgx4+"pckcert?"+q.Encode(), ""); again.status != 200 || again.body != g.body {
		t.Errorf("by QE ID: %d", again.status)
	}
}

// What is wrong with a request is said in the words of Intel's service, and in a
// header for programs.
func TestErrors(t *testing.T) {
	f := newFixture(t)
	offline := newFixture(t, offlineMode)
	q := f.pckQuery()
	with := func(name, value string) string {
		v := url.Values{}
		for k, x := range q {
			v[k] = x
		}
		if value == "-" {
			v.Del(name)
		} else {
			v.Set(name, value)
		}
		return sgx4 + "pckcert?" + v.Encode()
	}
	const (
		b400 = "Invalid request parameters."
		b404 = "No cache data for this platform."
	)
	for _, c := range []struct {
		f              *fixture
		method, target string
		status         int
		code, body     string
	}{
		{f, "GET", sgx4 + "tcb", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "tcb?fmspc=", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "tcb?fmspc=00fe1d10000", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "tcb?fmspc=00fe1d10000g", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "tcb?fmspc=xxx&fmspc=" + f.fmspc(), 400, "BadRequest", b400}, // the first counts
		{f, "GET", sgx4 + "tcb?fmspc=" + f.fmspc() + "&update=", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "tcb?fmspc=" + f.fmspc() + "&update=bogus", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "tcb?fmspc=" + f.fmspc() + "&tcbEvaluationDataNumber=0", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "tcb?fmspc=" + f.fmspc() + "&tcbEvaluationDataNumber=1&update=early", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "qe/identity?update=bogus", 400, "BadRequest", b400}, // 500 in Intel's of old
		{f, "GET", sgx4 + "pckcrl", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "pckcrl?ca=root", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "crl", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "crl?uri=http://169.254.169.254/latest", 400, "BadRequest", b400},
		{f, "GET", sgx4 + "crl?uri=https://certificates.trustedservices.intel.com/" + strings.Repeat("x", 2048), 400, "BadRequest", b400},
		{f, "GET", sgx4 + "fmspcs?platform=E7", 400, "BadRequest", b400},
		{f, "GET", with("qeid", "-"), 400, "BadRequest", b400},
		{f, "GET", with("qeid", strings.Repeat("a", 261)), 400, "BadRequest", b400},
		{f, "GET", with("cpusvn", "00"), 400, "BadRequest", b400},
		{f, "GET", with("pcesvn", "0x0b"), 400, "BadRequest", b400},
		{f, "GET", with("pceid", "-"), 400, "BadRequest", b400},
		{f, "GET", with("encrypted_ppid", ""), 400, "BadRequest", b400},
		{f, "GET", sgx4 + "tcb?fmspc=AAAAAAAAAAAA", 404, "UpstreamNotFound", b404},
		{f, "GET", with("encrypted_ppid", strings.Repeat("0", 768)), 404, "NotRegistered", b404},
		{f, "GET", sgx3 + "tcb?fmspc=" + f.fmspc(), 410, "APIRetired", "The Intel PCS API version 3 reached planned EOL. Accordingly, collateral from this API version cannot be retrieved any longer."},
		{f, "GET", sgx4 + "appraisalpolicy?fmspc=" + f.fmspc(), 404, "NotCached", b404},
		{offline, "GET", sgx4 + "tcb?fmspc=" + f.fmspc(), 404, "NotCached", b404},
		{offline, "GET", with("pceid", "0000"), 461, "NotRegistered", "The platform was not found in the cache."},
		{offline, "GET", sgx4 + "rootcacrl", 404, "NotCached", b404},
	} {
		g := ask(t, c.f, c.method, c.target, "")
		if g.status != c.status || g.first("Error-Code") != c.code || g.body != c.body || g.first("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s %.120s: %d %s %q (%s)", c.method, c.target, g.status, g.first("Error-Code"), g.body, g.first("Error-Message"))
		}
		if g.first("Error-Message") == "" || g.first("Age") != "" {
			t.Errorf("%.120s: Error-Message %q, Age %q", c.target, g.first("Error-Message"), g.first("Age"))
		}
		if !strings.Contains(c.f.log.String(), "request_id="+g.first("Request-ID")) {
			t.Errorf("%.120s: not in the log", c.target)
		}
		if strings.HasPrefix(c.target, sgx3) && !strings.HasPrefix(g.first("Warning"), "299 - ") {
			t.Errorf("%.120s: no warning", c.target)
		}
	}
}

// Paths are found as Express finds them, and what is not there is said as it says it.
func TestPaths(t *testing.T) {
	f := newFixture(t)
	fmspc := "?fmspc=" + f.fmspc()
	for target, status := range map[string]int{
		"/SGX/Certification/V4/Tcb" + fmspc: 200, sgx4 + "tcb/" + fmspc: 200, sgx4 + "tcb" + fmspc + "&x=%zz&=&&;": 200,
		sgx4 + "tcb?%66mspc=" + f.fmspc(): 200, sgx4 + "tcb" + fmspc + "&fmspc=xxx": 200, sgx4 + "tcb//" + fmspc: 404, "/" + sgx4 + "tcb" + fmspc: 404,
		sgx4 + "%74cb" + fmspc: 404, tdx4 + "pckcert": 404, "/tdx/certification/v3/tcb": 404, "/sgx/certification/v2/tcb": 404, "/": 404, sgx3 + "fmspcs": 404,
		"/sgx/certification/v4": 404,
	} {
		if g := ask(t, f, "GET", target, ""); g.status != status {
			t.Errorf("%s: %d, want %d: %s", target, g.status, status, g.first("Error-Message"))
		}
	}
	g := ask(t, f, "POST", sgx4+"t%3Cb%3E'?x", "{}")
	const want = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n" +
		"<pre>Cannot POST /sgx/certification/v4/t%3Cb%3E&#39;</pre>\n</body>\n</html>\n"
	if g.status != 404 || g.body != want || g.first("Content-Security-Policy") != "default-src 'none'" || g.first("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %q, %v", g.status, g.body, g.header)
	}
	if g.first("Error-Code") != "NoSuchInterface" {
		t.Errorf("%v", g.header)
	}
	if g := ask(t, f, "DELETE", sgx4+"tcb"+fmspc, ""); g.status != 404 || !strings.Contains(g.body, "Cannot DELETE /sgx/certification/v4/tcb<") {
		t.Errorf("DELETE: %d %q", g.status, g.body)
	}
	if g := ask(t, f, "OPTIONS", sgx4+"tcb", ""); g.status != 200 || g.body != "GET,HEAD" || g.first("Allow") != "GET,HEAD" {
		t.Errorf("OPTIONS: %d %q %v", g.status, g.body, g.header)
	}
	if g := ask(t, f, "GET", sgx3+"nothing", ""); g.status != 404 || !strings.HasPrefix(g.first("Warning"), "299") {
		t.Errorf("version 3: %d %v", g.status, g.header)
	}
}

// HEAD is GET without the body.
func TestHead(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{sgx4 + "qe/identity", sgx4 + "tcb?fmspc=xx", sgx4 + "rootcacrl", "/healthz", "/openapi.json"} {
		get, head := ask(t, f, "GET", path, ""), ask(t, f, "HEAD", path, "")
		delete(get.header, "Request-ID")
		delete(head.header, "Request-ID")
		if head.status != get.status || head.body != "" || fmt.Sprint(head.header) != fmt.Sprint(get.header) {
			t.Errorf("%s: %d %q %v, want %d %v", path, head.status, head.body, head.header, get.status, get.header)
		}
	}
}

// Who has a body already gets 304, by the rules of RFC 9110.
func TestConditional(t *testing.T) {
	f := newFixture(t)
	const path = sgx4 + "qe/identity"
	tag := ask(t, f, "GET", path, "").first("ETag")
	had := f.pki.Now.Format(http.TimeFormat)
	for _, c := range []struct {
		header []string
		status int
	}{
		{nil, 200},
		{[]string{"If-None-Match", tag}, 304},
		{[]string{"If-None-Match", strings.TrimPrefix(tag, "W/")}, 304},
		{[]string{"If-None-Match", `"a", ` + tag}, 304},
		{[]string{"If-None-Match", "*"}, 304},
		{[]string{"If-None-Match", `W/"a"`}, 200},
		{[]string{"If-None-Match", tag, "Cache-Control", "no-cache"}, 200},
		{[]string{"If-Modified-Since", had}, 304},
		{[]string{"If-Modified-Since", f.pki.Now.Add(-time.Second).Format(http.TimeFormat)}, 200},
		{[]string{"If-Modified-Since", "yesterday"}, 200},
		{[]string{"If-None-Match", `W/"a"`, "If-Modified-Since", had}, 200},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			g := ask(t, f, method, path, "", c.header...)
			if g.status != c.status || g.first("ETag") != tag {
				t.Errorf("%s %v: %d", method, c.header, g.status)
			}
			if c.status == 304 && (g.body != "" || g.first("Content-Type") != "" || g.first("Content-Length") != "") {
				t.Errorf("%s %v: %q %v", method, c.header, g.body, g.header)
			}
		}
	}
	if g := ask(t, f, "GET", sgx4+"tcb?fmspc=xx", "", "If-None-Match", "*"); g.status != 400 {
		t.Errorf("an error is known: %d", g.status)
	}
}

func TestRequestID(t *testing.T) {
	f := newFixture(t)
	seen := map[string]bool{}
	for id, taken := range map[string]bool{
		"": false, "a": true, "0123456789abcdef0123456789ABCDEF": true, strings.Repeat("x", 64): true, "A-b_c.d~e": true,
		strings.Repeat("x", 65): false, "a b": false, "a\"b": false, "ä": false, "a/b": false, "a\x1b": false,
	} {
		g := ask(t, f, "GET", sgx4+"qe/identity", "", "Request-ID", id)
		got := g.first("Request-ID")
		if taken && got != id || !taken && (len(got) != 32 || strings.Trim(got, "0123456789abcdef") != "") || seen[got] {
			t.Errorf("%q: %q", id, got)
		}
		seen[got] = true
		if !strings.Contains(f.log.String(), "request_id="+got) {
			t.Errorf("%q is not in the log", got)
		}
	}
}

// TestRequestIDUpstream: Intel is asked under the ID of who asked here, also from
// the fetch that many may wait for.
func TestRequestIDUpstream(t *testing.T) {
	f := newFixture(t)
	if g := ask(t, f, "GET", sgx4+"qe/identity", "", "Request-ID", "of-the-client"); g.status != 200 {
		t.Fatal(g.status, g.body)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ids["of-the-client"] || len(f.ids) != 1 {
		t.Errorf("Intel got the Request-IDs %v", f.ids)
	}
}
