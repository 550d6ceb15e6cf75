package pccs

import (
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// TestIntelLazy proves the table of LAZY mode by Intel's service, which is to
// have an empty database. The test serves at FEIDI_PCCS_UPSTREAM, a host and port,
// what that service is to have as its uri, and it is to take any certificate there:
//
//	"uri": "https://127.0.0.1:PORT/sgx/certification/v4/", NODE_TLS_REJECT_UNAUTHORIZED=0
func TestIntelLazy(t *testing.T) {
	p := intel(t, "FEIDI_PCCS_INTEL_LAZY")
	l, err := net.Listen("tcp", os.Getenv("FEIDI_PCCS_UPSTREAM"))
	if err != nil {
		t.Fatal(err)
	}
	f := fleet.New()
	upstream(t, f, l)
	p.lazy(t, f)
}

// TestLazy runs them against ours.
func TestLazy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := fleet.New()
	upstream(t, f, l)
	client, err := pcs.New(pcs.Config{URL: "https://" + l.Addr().String(), InsecureTLS: true, Attempts: 1, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	check, err := collateral.NewChecker(f.PKI.Root.DER)
	if err != nil {
		t.Fatal(err)
	}
	p := ours(t, f, pccs.Lazy, collateral.NewClient(client, check))
	p.lazy(t, f)
}

// upstream serves the fleet's Intel over TLS.
func upstream(t *testing.T, f *fleet.Fleet, l net.Listener) {
	s := httptest.NewUnstartedServer(f.PKI.PCS())
	_ = s.Listener.Close()
	s.Listener = l
	s.StartTLS()
	t.Cleanup(s.Close)
}

// lazy asks a service that has nothing, and one behind it that has all.
func (p *peer) lazy(t *testing.T, f *fleet.Fleet) {
	admin, user := "admin-token: "+p.admin, "user-token: "+p.user
	// The root's CRL is where the root's certificate says, which is nowhere
	// here, so the administrator brings it.
	p.check(t, send("PUT", "v4/platformcollateral", string(f.Roots()), admin), done())

	m, other := f.Multi, f.Single
	id := m.FMSPC()
	qeid, _ := m.ID()
	top := m.Seen[0]
	cert := func(m *fleet.Machine, ca string) answer {
		c := m.Certs[0]
		return answer{status: 200, kind: "application/x-pem-file", body: string(c.PEM), header: []string{
			"SGX-TCBm: " + c.TCBm(), "SGX-FMSPC: " + m.FMSPC(), "SGX-PCK-Certificate-CA-Type: " + ca,
			"SGX-PCK-Certificate-Issuer-Chain: " + fleet.Escape(m.Issuers()),
		}}
	}
	fetched := cert(m, "PLATFORM")
	fetched.kind += "; charset=utf-8"
	of := func(m *fleet.Machine, ppid string) request {
		q := m.Query(m.Seen[0])
		return get("v4/pckcert?" + strings.Replace(q, m.PPID(), ppid, 1))
	}
	without := func(m *fleet.Machine) request {
		return get("v4/pckcert?" + strings.Replace(m.Query(m.Seen[0]), "encrypted_ppid="+m.PPID()+"&", "", 1))
	}
	missing := noCacheData.because(pccs.UpstreamUnknown)
	never := noCacheData.because(pccs.NotRegistered)
	retired := failure(410, "The Intel PCS API version 3 reached planned EOL. Accordingly, collateral from this API version cannot be retrieved any longer.", pccs.APIRetired).v3()
	register := func(m *fleet.Machine) request {
		qeid, _ := m.ID()
		return send("POST", "v4/platforms", registration(qeid, m.Seen[0], m.PPID()), user)
	}
	der := answer{status: 200, kind: "application/pkix-crl", body: string(f.PKI.ProcessorCA.CRL()),
		header: []string{"SGX-PCK-CRL-Issuer-Chain: " + fleet.Escape(other.Issuers())}}
	stranger := testpki.New().Platform()

	p.run(t, []row{
		{name: "no encrypted PPID, unknown", send: without(m), want: badRequest.because(pccs.NotRegistered)},
		{name: "zeros, unknown", send: of(m, strings.Repeat("0", 768)), want: never},
		{name: "encrypted PPID that the PCS has not", send: get("v4/pckcert?" + strings.NewReplacer(qeid, "AA", m.PPID(), fmt.Sprintf("%X", stranger.EncryptedPPID)).Replace(m.Query(top))), want: missing},
		{name: "as the client asks", send: of(m, m.PPID()), want: fetched,
			ours: ptr(cert(m, "PLATFORM")), why: "the type of an answer does not depend on where it is from"},
		{name: "once it is there, zeros", send: of(m, strings.Repeat("0", 768)), want: cert(m, "PLATFORM")},
		{name: "once it is there, none", send: without(m), want: cert(m, "PLATFORM")},
		{name: "it is cached", send: get("v4/platforms?source=["+id+"]", admin), want: list(cached(m, top)...)},
		{name: "v3 of what is there", send: get("v3/pckcert?" + m.Query(top)), want: cert(m, "PLATFORM").v3()},
		{name: "registration", send: register(other), want: done()},
		{name: "registered", send: without(other), want: cert(other, "PROCESSOR")},
		{name: "registration of the known", send: register(m), want: done()},
		{name: "registration of one that the PCS has not", send: send("POST", "v4/platforms", registration("AB", top, fmt.Sprintf("%x", stranger.EncryptedPPID)), user), want: missing},
		{name: "nothing is queued", send: get("v4/platforms", admin), want: list()},

		{name: "TCB info", send: get("v4/tcb?fmspc=" + id), want: document(f, "sgx/tcb "+id, tcbIssuers)},
		{name: "early", send: get("v4/tcb?fmspc=" + id + "&update=early"), want: document(f, "sgx/tcb "+id+" early", tcbIssuers)},
		{name: "of a TD", send: get("tdx/tcb?fmspc=" + id), want: document(f, "tdx/tcb "+id, tcbIssuers)},
		{name: "unknown FMSPC", send: get("v4/tcb?fmspc=000000000000"), want: missing},
		{name: "v3", send: get("v3/tcb?fmspc=" + id), want: retired},
		{name: "QE", send: get("v4/qe/identity"), want: document(f, "sgx/qe", identityIssuers)},
		{name: "QE, early", send: get("v4/qe/identity?update=early"), want: document(f, "sgx/qe early", identityIssuers)},
		{name: "QvE", send: get("v4/qve/identity"), want: document(f, "sgx/qve", identityIssuers)},
		{name: "TD QE", send: get("tdx/qe/identity"), want: document(f, "tdx/qe", identityIssuers)},
		{name: "v3 QE", send: get("v3/qe/identity"), want: retired},
		{name: "CRL", send: get("v4/pckcrl?ca=processor&encoding=der"), want: der},
		{name: "v3 CRL of what is there", send: get("v3/pckcrl?ca=processor&encoding=der"), want: der.v3()},

		{name: "refresh of certificates", send: request{method: "POST", target: path("v4/refresh?type=certs&fmspc=" + id), header: []string{admin}}, want: done()},
		{name: "after it", send: of(m, m.PPID()), want: cert(m, "PLATFORM")},
	})
	if !p.ours {
		return // it asks the root's CRL of the real Intel, and fails as a whole if it cannot
	}
	p.run(t, []row{
		{name: "refresh", send: request{method: "POST", target: path("v4/refresh"), header: []string{admin}}, want: done()},
		{name: "after that, too", send: get("v4/tcb?fmspc=" + id), want: document(f, "sgx/tcb "+id, tcbIssuers)},
	})
}
