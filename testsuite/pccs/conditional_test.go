package pccs

import (
	"net/http"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// conditional asks again for what it has, as caches do.
func (p *peer) conditional(t *testing.T, f *fleet.Fleet) {
	for _, r := range []struct {
		target, issuers string
	}{
		{"v4/qe/identity", identityIssuers}, {"tdx/tcb?fmspc=" + f.Multi.FMSPC(), tcbIssuers},
		{"v4/pckcert?" + f.Multi.Query(f.Multi.Seen[0]), "SGX-PCK-Certificate-Issuer-Chain"},
		{"v4/pckcrl?ca=platform", "SGX-PCK-CRL-Issuer-Chain"}, {"v4/rootcacrl", ""},
	} {
		t.Run(r.target[:min(len(r.target), 20)], func(t *testing.T) {
			first := p.do(t, get(r.target))
			tag := first.header.Get("Etag")
			if first.status != 200 || !strings.HasPrefix(tag, `W/"`) {
				t.Fatalf("status %d, ETag %q, want a weak one", first.status, tag)
			}
			same := answer{status: http.StatusNotModified, header: []string{"ETag: " + tag}}
			if r.issuers != "" { // who asks again learns the issuers again
				same.header = append(same.header, r.issuers+": "+first.header.Get(r.issuers))
			}
			whole := answer{status: 200, body: string(first.body), header: same.header}
			p.run(t, []row{
				{name: "the same", send: get(r.target, "If-None-Match: "+tag), want: same},
				{name: "strong", send: get(r.target, "If-None-Match: "+strings.TrimPrefix(tag, "W/")), want: same},
				{name: "one of two", send: get(r.target, `If-None-Match: "x", `+tag), want: same},
				{name: "any", send: get(r.target, "If-None-Match: *"), want: same},
				{name: "HEAD", send: head(r.target, "If-None-Match: "+tag), want: same},
				{name: "another", send: get(r.target, `If-None-Match: "x"`), want: whole},
				{name: "no cache", send: get(r.target, "If-None-Match: "+tag, "Cache-Control: no-cache"), want: whole},
			})
		})
	}
}

// requestIDs sends identifiers of its own.
func (p *peer) requestIDs(t *testing.T) {
	for id, honoured := range map[string]bool{
		"abc-DEF_123": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "a b": false, "": false,
	} {
		got := p.do(t, get("v4/qe/identity", "Request-ID: "+id)).header.Get("Request-Id")
		if p.ours && honoured {
			if got != id { // at Intel's a misspelt look-up loses it
				t.Errorf("%q came back as %q", id, got)
			}
		} else if !requestID.MatchString(got) {
			t.Errorf("%q came back as %q, want an identifier of the service's", id, got)
		}
	}
}
