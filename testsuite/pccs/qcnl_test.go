package pccs

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// TestIntelQCNL replays the client against Intel's service, which proves the replay.
func TestIntelQCNL(t *testing.T) {
	p, f := intel(t, "FEIDI_PCCS_INTEL"), fleet.New()
	p.fill(t, f)
	p.qcnl(t, f)
	p.retrievalTool(t, f)
}

// variant is a configuration of Intel's client that decides what it asks.
type variant struct{ api, version string } // of pccs_url, and pccs_api_version

var variants = []variant{{"v4", "3.0"}, {"v4", "3.1"}, {"v3", "3.0"}}

// qcnl sends what Intel's client sends for a quote and for verifying it, to
// the byte, and does with the answers what it does. The bytes were captured from
// the client with libcurl 7.88.
func (p *peer) qcnl(t *testing.T, f *fleet.Fleet) {
	m := f.Multi
	fmspc := m.FMSPC()
	for _, v := range variants {
		t.Run(v.api+" "+v.version, func(t *testing.T) {
			base := "/sgx/certification/" + v.api + "/"
			tdx := strings.Replace(base, "/sgx/", "/tdx/", 1)
			ask := func(target string) *curled { return p.curl(t, target) }

			// Quote generation.
			for _, q := range []string{m.Query(m.Seen[0]), strings.Replace(m.Query(m.Seen[0]), m.PPID(), strings.Repeat("0", 768), 1)} {
				r := ask(base + "pckcert?" + q)
				if tcbm := r.value["sgx-tcbm"]; !tcbmDigits.MatchString(tcbm) || tcbm != m.Certs[0].TCBm() {
					t.Errorf("sgx-tcbm %q, want %q", tcbm, m.Certs[0].TCBm())
				}
				r.is(t, string(m.Certs[0].PEM))
				r.issuers(t, "sgx-pck-certificate-issuer-chain", m.Issuers())
			}

			// Verification, of a quote of an enclave and of a TD.
			crl := ask(base + "pckcrl?ca=platform" + map[string]string{"3.1": "&encoding=der"}[v.version])
			crl.is(t, v.digits(f.PCKCRL["platform"]))
			crl.issuers(t, "sgx-pck-crl-issuer-chain", m.Issuers())
			for _, tee := range []struct{ base, tcb, qe, header string }{
				{base, "sgx/tcb " + fmspc, "sgx/qe", "tcb-info-issuer-chain"}, {tdx, "tdx/tcb " + fmspc, "tdx/qe", "tcb-info-issuer-chain"},
			} {
				if v.api == "v3" {
					tee.tcb, tee.header = "v3/tcb "+fmspc, "sgx-tcb-info-issuer-chain"
				}
				tcb := ask(tee.base + "tcb?fmspc=" + fmspc + "&update=standard")
				qe := ask(tee.base + "qe/identity?update=standard")
				if tee.base == "/tdx/certification/v3/" {
					if tcb.status != 404 || qe.status != 404 { // SGX_QCNL_ERROR_STATUS_NO_CACHE_DATA
						t.Errorf("v3 of TDX: %d, %d", tcb.status, qe.status)
					}
					continue
				}
				tcb.is(t, string(f.Documents[tee.tcb]))
				tcb.issuers(t, tee.header, f.TCBChain)
				qe.is(t, string(f.Documents[tee.qe]))
				qe.issuers(t, "sgx-enclave-identity-issuer-chain", f.TCBChain)
			}
			qve := ask(base + "qve/identity?update=standard")
			qve.is(t, string(f.Documents["sgx/qve"]))
			qve.issuers(t, "sgx-enclave-identity-issuer-chain", f.TCBChain)
			root := base + "rootcacrl"
			if v.version == "3.1" {
				root = base + "crl?uri=" + f.RootCDP // as it is: the client escapes nothing
			}
			ask(root).is(t, v.digits(f.RootCRL))

			// Nothing of it: the client tells its callers by the status alone.
			for target, status := range map[string]int{
				"pckcert?" + strings.Replace(m.Query(m.Seen[0]), "qeid=", "qeid=00", 1): 461,
				"tcb?fmspc=000000000000&update=standard":                                404,
				"appraisalpolicy?fmspc=000000000000":                                    404,
			} {
				if r := ask(base + target); r.status != status {
					t.Errorf("%.40s: %d, want %d", target, r.status, status)
				}
			}
		})
	}
}

var tcbmDigits = regexp.MustCompile(`^[0-9a-fA-F]{36}$`)

// digits is a CRL in the form that the variant has it.
func (v variant) digits(crl []byte) string {
	if v.version == "3.1" {
		return string(crl)
	}
	return hex.EncodeToString(crl)
}

// curled is an answer as Intel's client sees it.
type curled struct {
	*reply
	value map[string]string // of the header, the first of each name
}

// curl sends a GET as libcurl writes it.
func (p *peer) curl(t *testing.T, target string) *curled {
	t.Helper()
	r := p.raw(t, "GET", fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n", target, p.addr))
	c := &curled{r, map[string]string{}}
	for _, line := range r.lines {
		if name, value, ok := strings.Cut(line, ": "); ok && c.value[strings.ToLower(name)] == "" {
			c.value[strings.ToLower(name)] = value
		}
	}
	return c
}

// is checks status and body. The client counts the bytes of a document, its
// issuers and two zeros in 16 bits.
func (c *curled) is(t *testing.T, body string) {
	t.Helper()
	if c.status != 200 || string(c.body) != body {
		t.Errorf("status %d, %.200q, want %.200q", c.status, c.body, body)
	}
	if len(c.body) == 0 || len(c.body) > 1<<16-1-8<<10 {
		t.Errorf("a body of %d bytes", len(c.body))
	}
}

// issuers checks a chain as the client makes it of the header: it is unescaped
// by a loop that leaves out the last two characters, unless they are the end of
// an escape, and then any text with a percent sign that is none.
func (c *curled) issuers(t *testing.T, name string, want []byte) {
	t.Helper()
	var b strings.Builder
	s := c.value[name]
	for i := 0; i < len(s)-2; i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		v, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			t.Errorf("%s: %.3q is no escape", name, s[i:])
		}
		b.WriteByte(byte(v))
		i += 2
	}
	if b.String() != string(want) {
		t.Errorf("%s: %.300q, want %.300q", name, b.String(), want)
	}
	if _, err := url.PathUnescape(s); err != nil || strings.Contains(s, "+") {
		t.Errorf("%s is not as a client unescapes it: %v", name, err)
	}
}

// retrievalTool registers as Intel's PCKIDRetrievalTool does: with libcurl, too.
func (p *peer) retrievalTool(t *testing.T, f *fleet.Fleet) {
	body := registration("00112233445566778899AABBCCDDEEFF", f.Multi.Seen[0], f.Multi.PPID())
	r := p.raw(t, "POST", fmt.Appendf(nil, "POST /sgx/certification/v4/platforms HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\nContent-Type: application/json\r\nuser-token: %s\r\nContent-Length: %d\r\n\r\n%s",
		p.addr, p.user, len(body), body))
	if r.status != 200 || string(r.body) != "Operation successful." {
		t.Errorf("registration: %d %q", r.status, r.body)
	}
	p.check(t, get("v4/platforms", "admin-token: "+p.admin), list(queued("00112233445566778899AABBCCDDEEFF", f.Multi.Seen[0], f.Multi.PPID(), "")))
}
