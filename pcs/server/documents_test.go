package server

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

// Statuses of all kinds of parameters.
func TestParameters(t *testing.T) {
	f := theWorld(t)
	s := New(f.World, Options{})
	fmspc := fmt.Sprintf("%x", f.single.FMSPC)
	q := f.pckQuery(t)
	pck := func(change ...string) string {
		v := url.Values{}
		for name := range q {
			v.Set(name, q.Get(name))
		}
		for i := 0; i < len(change); i += 2 {
			if v.Set(change[i], change[i+1]); change[i+1] == "-" {
				v.Del(change[i])
			}
		}
		return "pckcert?" + v.Encode()
	}
	other := f.encrypt(t, [16]byte{1, 2, 3})
	broken, err := hex.DecodeString(q.Get("encrypted_ppid"))
	if err != nil {
		t.Fatal(err)
	}
	broken[383] ^= 1
	for path, want := range map[string]int{
		pck(): 200,
		pck("cpusvn", strings.ToUpper(q.Get("cpusvn")), "encrypted_ppid", strings.ToUpper(q.Get("encrypted_ppid"))): 200,
		pck("qeid", "zz", "", "x"):                        200, // nobody's business
		pck("cpusvn", "-"):                                400,
		pck("cpusvn", ""):                                 400,
		pck("cpusvn", strings.Repeat("0", 31)):            400,
		pck("cpusvn", strings.Repeat("0", 33)):            400,
		pck("cpusvn", strings.Repeat("0", 34)):            400,
		pck("cpusvn", strings.Repeat("g", 32)):            400,
		pck("cpusvn", "0x"+strings.Repeat("0", 30)):       400,
		pck("cpusvn", strings.Repeat("0", 32)):            200, // the lowest level
		pck("pcesvn", "-"):                                400,
		pck("pcesvn", "000"):                              400,
		pck("pcesvn", "0000"):                             404,
		pck("pcesvn", "0001"):                             200, // 256
		pck("pceid", "-"):                                 400,
		pck("pceid", "00"):                                400,
		pck("pceid", "0100"):                              404,
		pck("encrypted_ppid", "-"):                        400,
		pck("encrypted_ppid", strings.Repeat("0", 766)):   400,
		pck("encrypted_ppid", strings.Repeat("0", 770)):   400,
		pck("encrypted_ppid", strings.Repeat("0", 768)):   404,
		pck("encrypted_ppid", strings.Repeat("f", 768)):   404,
		pck("encrypted_ppid", hex.EncodeToString(other)):  404,
		pck("encrypted_ppid", hex.EncodeToString(broken)): 404,
		pck() + "&pceid=0000":                             400, // twice
		pck() + "&%zz":                                    400,
		pck() + "&x=" + strings.Repeat("x", 8<<10):        400,

		"pckcerts?encrypted_ppid=" + q.Get("encrypted_ppid") + "&pceid=0000": 200,
		"pckcerts?encrypted_ppid=" + q.Get("encrypted_ppid"):                 400,
		"pckcerts?pceid=0000": 400,

		"pckcrl": 400, "pckcrl?ca=": 400, "pckcrl?ca=root": 400, "pckcrl?ca=Platform": 400,
		"pckcrl?ca=platform": 200, "pckcrl?ca=processor&encoding=pem": 200, "pckcrl?ca=platform&encoding=der": 200,
		"pckcrl?ca=platform&encoding=": 400, "pckcrl?ca=platform&encoding=DER": 400, "pckcrl?ca=platform&ca=platform": 400,

		"tcb": 400, "tcb?fmspc=": 400, "tcb?fmspc=" + fmspc[2:]: 400, "tcb?fmspc=" + fmspc + "00": 400, "tcb?fmspc=00000000000g": 400,
		"tcb?fmspc=" + strings.ToUpper(fmspc): 200, "tcb?fmspc=ffffffffffff": 404,
		"tcb?fmspc=" + fmspc + "&update=late":                                     400,
		"tcb?fmspc=" + fmspc + "&update=early&tcbEvaluationDataNumber=17":         400,
		"tcb?fmspc=" + fmspc + "&update=standard&tcbEvaluationDataNumber=17":      400,
		"tcb?fmspc=" + fmspc + "&tcbEvaluationDataNumber=":                        400,
		"tcb?fmspc=" + fmspc + "&tcbEvaluationDataNumber=-1":                      400,
		"tcb?fmspc=" + fmspc + "&tcbEvaluationDataNumber=+17":                     400,
		"tcb?fmspc=" + fmspc + "&tcbEvaluationDataNumber=1e1":                     400,
		"tcb?fmspc=" + fmspc + "&tcbEvaluationDataNumber=0":                       410,
		"tcb?fmspc=" + fmspc + "&tcbEvaluationDataNumber=16":                      410,
		"tcb?fmspc=" + fmspc + "&tcbEvaluationDataNumber=000017":                  200,
		"tcb?fmspc=" + fmspc + "&tcbEvaluationDataNumber=18":                      200,
		"tcb?fmspc=" + fmspc + "&tcbEvaluationDataNumber=19":                      404,
		"tcb?fmspc=" + fmspc + "&tcbEvaluationDataNumber=4294967313":              404, // 17 in 32 bits
		"tcb?fmspc=" + fmspc + "&tcbEvaluationDataNumber=99999999999999999999999": 404,

		"qe/identity": 200, "qve/identity?update=early": 200, "qe/identity?tcbEvaluationDataNumber=16": 410, "qve/identity?tcbEvaluationDataNumber=19": 404,
		"qe/identity?update=": 400, "qae/identity": 404, "fmspcs": 200, "fmspcs?platform=E5": 200, "fmspcs?platform=e5": 400, "fmspcs?platform=": 400,
		"tcbevaluationdatanumbers": 200, "rootcacrl": 200, "crl": 400, "crl?uri=http://elsewhere/x": 400,
		"": 404, "pckcert/": 404, "pckcerts/config": 404, "../v4/tcb": 404, "/tcb": 404, "TCB": 404,
	} {
		if got := get(t, s, "/sgx/certification/v4/"+path); got.status != want {
			t.Errorf("%s: %d (%s), want %d", path, got.status, got.header.Get("Error-Message"), want)
		}
	}
	for path, want := range map[string]int{
		"/": 404, "/sgx/certification/v5/tcb": 404, "/sgx/certification/v3/tcb?fmspc=" + fmspc: 410, "/sgx/certification/v2/pckcrl": 410, "/sgx/certification/v1/x": 410,
		"/tdx/certification/v3/tcb": 404, "/tdx/certification/v4/pckcrl?ca=platform": 404, "/tdx/certification/v4/qve/identity": 404,
		"/tdx/certification/v4/tcb?fmspc=" + fmspc: 200, "/tdx/certification/v4/qe/identity": 200, "/tdx/certification/v4/tcbevaluationdatanumbers": 200,
		"/IntelSGXRootCA.der": 200,
	} {
		got := get(t, s, path)
		if got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
		if (got.header.Get("Warning") != "") != (want == 410) {
			t.Errorf("%s: warning %q", path, got.header.Get("Warning"))
		}
	}
	// Who cannot be decrypted and who is not known are not to be told apart.
	a, b := get(t, s, sgx+pck("encrypted_ppid", hex.EncodeToString(other))), get(t, s, sgx+pck("encrypted_ppid", hex.EncodeToString(broken)))
	a.header.Del("Request-ID")
	b.header.Del("Request-ID")
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("%v\n%v", a, b)
	}
}

// Evaluations: standard is the old one for a year after a recovery, early the new.
func TestEvaluations(t *testing.T) {
	f := theWorld(t)
	s := New(f.World, Options{})
	for update, want := range map[string]uint32{
		"": 17, "&update=standard": 17, "&update=early": 18, "&tcbEvaluationDataNumber=17": 17, "&tcbEvaluationDataNumber=18": 18,
	} {
		for _, tee := range []string{"sgx", "tdx"} {
			info, err := dcap.ParseTCBInfo(get(t, s, fmt.Sprintf("/%s/certification/v4/tcb?fmspc=%x%s", tee, f.single.FMSPC, update)).body)
			if err != nil {
				t.Fatal(err)
			}
			if info.EvaluationDataNumber != want || info.ID != strings.ToUpper(tee) {
				t.Errorf("%s %q: %s %d", tee, update, info.ID, info.EvaluationDataNumber)
			}
			id, err := dcap.ParseEnclaveIdentity(get(t, s, fmt.Sprintf("/%s/certification/v4/qe/identity?%s", tee, strings.TrimPrefix(update, "&"))).body)
			if err != nil {
				t.Fatal(err)
			}
			if wantID := map[string]string{"sgx": "QE", "tdx": "TD_QE"}[tee]; id.EvaluationDataNumber != want || id.ID != wantID {
				t.Errorf("%s %q: identity %s %d", tee, update, id.ID, id.EvaluationDataNumber)
			}
		}
	}
}

// Types and headers, as Intel's documentation lists them.
func TestHeaders(t *testing.T) {
	f := theWorld(t)
	s := New(f.World, Options{})
	q := f.pckQuery(t)
	list := "pckcerts?pceid=0000&encrypted_ppid=" + q.Get("encrypted_ppid")
	for path, want := range map[string]struct {
		media  string
		chain  string // header
		values map[string]string
	}{
		"pckcert?" + q.Encode(): {"application/x-pem-file", "SGX-PCK-Certificate-Issuer-Chain", map[string]string{
			"SGX-TCBm":  fmt.Sprintf("%X", f.single.CPUSVN) + strings.ToUpper(q.Get("pcesvn")),
			"SGX-FMSPC": fmt.Sprintf("%X", f.single.FMSPC), "SGX-PCK-Certificate-CA-Type": "processor",
		}},
		list: {"application/json", "SGX-PCK-Certificate-Issuer-Chain", map[string]string{
			"SGX-FMSPC": fmt.Sprintf("%X", f.single.FMSPC), "SGX-PCK-Certificate-CA-Type": "processor",
		}},
		"pckcrl?ca=processor":                       {"application/x-pem-file", "SGX-PCK-CRL-Issuer-Chain", nil},
		"pckcrl?ca=platform&encoding=der":           {"application/pkix-crl", "SGX-PCK-CRL-Issuer-Chain", nil},
		fmt.Sprintf("tcb?fmspc=%x", f.single.FMSPC): {"application/json", "TCB-Info-Issuer-Chain", nil},
		"qe/identity":                               {"application/json", "SGX-Enclave-Identity-Issuer-Chain", nil},
		"qve/identity":                              {"application/json", "SGX-Enclave-Identity-Issuer-Chain", nil},
		"tcbevaluationdatanumbers":                  {"application/json", "TCB-Evaluation-Data-Numbers-Issuer-Chain", nil},
		"fmspcs":                                    {"application/json", "", nil},
	} {
		got := get(t, s, sgx+path)
		if got.status != 200 || got.header.Get("Content-Type") != want.media {
			t.Errorf("%.40s: %d, %s", path, got.status, got.header.Get("Content-Type"))
		}
		if want.chain != "" {
			chain, err := url.PathUnescape(got.header.Get(want.chain))
			if err != nil || strings.ContainsAny(got.header.Get(want.chain), "+/ \n=") {
				t.Errorf("%.40s: %v, %q", path, err, got.header.Get(want.chain))
			}
			issued(t, f, []byte(chain))
		}
		for name, v := range want.values {
			if got.header.Get(name) != v {
				t.Errorf("%.40s: %s: %q, want %q", path, name, got.header.Get(name), v)
			}
		}
	}
	// Both encodings of a CRL are one document.
	der := get(t, s, sgx+"pckcrl?ca=platform&encoding=der").body
	if block, rest := pem.Decode(get(t, s, sgx+"pckcrl?ca=platform").body); block == nil || block.Type != "X509 CRL" || len(rest) > 0 || !bytes.Equal(block.Bytes, der) {
		t.Error("the CRL in PEM is another")
	}
	if got := get(t, s, sgx+"fmspcs?platform=client").body; string(got) != "[]" {
		t.Errorf("client machines: %s", got)
	}
	if got, want := string(get(t, s, sgx+"fmspcs?platform=all").body), fmt.Sprintf(`[{"fmspc":"%X","platform":"E5"}]`, f.single.FMSPC); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	head := ask(t, s, "HEAD", sgx+"fmspcs", nil)
	if head.status != 200 || len(head.body) != 0 {
		t.Errorf("HEAD: %d, %q", head.status, head.body)
	}
}

// On the wire names of headers have Intel's letters.
func TestWire(t *testing.T) {
	f := theWorld(t)
	h := httptest.NewServer(New(f.World, Options{}))
	defer h.Close()
	c, err := net.Dial("tcp", h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET %spckcert?%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", sgx, f.pckQuery(t).Encode())
	got := map[string]bool{}
	lines := bufio.NewScanner(c)
	lines.Buffer(nil, 64<<10)
	for lines.Scan() && lines.Text() != "" {
		name, _, _ := strings.Cut(lines.Text(), ": ")
		got[name] = true
	}
	for _, name := range []string{"HTTP/1.1 200 OK", "SGX-TCBm", "SGX-FMSPC", "SGX-PCK-Certificate-CA-Type", "SGX-PCK-Certificate-Issuer-Chain", "Request-ID", "Content-Type", "Content-Length"} {
		if !got[name] {
			t.Errorf("no %s in %v", name, got)
		}
	}
}
