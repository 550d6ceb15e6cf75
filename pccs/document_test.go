package pccs_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/testpki"
)

// In each mode, what is asked for is there or not, and the service behind knows it
// or not. The statuses are those of Intel's service.
func TestModes(t *testing.T) {
	unknown := sgxInfo
	unknown.FMSPC = "0123456789AB"
	bad := sgxInfo
	bad.FMSPC = "0123456789"
	elsewhere := collateral.Item{Kind: collateral.CRL, API: 4, URI: "https://example.com/root.crl"}
	sandbox := collateral.Item{Kind: collateral.CRL, API: 4, URI: "https://sbx-certificates.trustedservices.intel.com/IntelSGXRootCA.der"}
	for _, c := range []struct {
		name   string
		mode   pccs.Mode
		item   collateral.Item
		fault  int // status of the service behind; 0: it works
		status int // 0: a document
		reason pccs.Reason
		says   string
	}{
		{"there is one", pccs.Lazy, sgxInfo, 0, 0, "", ""},
		{"another kind", pccs.Lazy, collateral.Item{Kind: collateral.Evaluations, API: 4, TEE: dcap.TEETDX}, 0, 0, "", ""},
		{"a list", pccs.Lazy, collateral.Item{Kind: collateral.FMSPCs, API: 4, Platform: "all"}, 0, 0, "", ""},
		{"by its address", pccs.Lazy, collateral.Item{Kind: collateral.CRL, API: 4, URI: "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"}, 0, 0, "", ""},
		{"CRLs have no version", pccs.Lazy, collateral.Item{Kind: collateral.PCKCRL, API: 3, CA: "platform"}, 0, 0, "", ""},
		{"unknown FMSPC", pccs.Lazy, unknown, 0, 404, pccs.UpstreamUnknown, "not known to the service"},
		{"no item", pccs.Lazy, bad, 0, 400, pccs.BadRequest, "there is no such document"},
		{"foreign address", pccs.Lazy, elsewhere, 0, 400, pccs.BadRequest, "example.com"},
		{"address of another environment", pccs.Lazy, sandbox, 0, 404, pccs.WrongEnvironment, "below a root that is not trusted"},
		{"retired", pccs.Lazy, oldInfo, 0, 410, pccs.APIRetired, "ask for version 4"},
		{"key", pccs.Lazy, sgxInfo, 401, 502, pccs.KeyRejected, "portal.trustedservices.intel.com"},
		{"limit", pccs.Lazy, sgxInfo, 429, 502, pccs.UpstreamBusy, ""},
		{"broken", pccs.Lazy, sgxInfo, 500, 502, pccs.UpstreamBusy, ""},
		{"REQ", pccs.Req, sgxInfo, 0, 404, pccs.NotCached, "PCKIDRetrievalTool"},
		{"REQ, retired", pccs.Req, oldInfo, 0, 404, pccs.NotCached, ""},
		{"OFFLINE", pccs.Offline, sgxInfo, 0, 404, pccs.NotCached, "feidi pccs put"},
		{"OFFLINE, retired", pccs.Offline, oldInfo, 0, 404, pccs.NotCached, ""},
		{"OFFLINE, no item", pccs.Offline, bad, 0, 400, pccs.BadRequest, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := newIntel(t)
			if c.fault != 0 {
				in.fails(c.fault, "/tcb")
			}
			s := in.service(t, c.mode)
			d, err := s.Document(t.Context(), c.item)
			if c.status != 0 {
				wantError(t, err, c.status, c.reason, c.says)
			} else if err != nil {
				t.Fatal(err)
			} else if len(d.Body) == 0 || !d.Fetched.Equal(in.clock()) || d.Expired || d.Stale != nil {
				t.Errorf("got %+v", d)
			}
			if c.mode != pccs.Lazy && in.total() > 0 {
				t.Error("the service behind was asked")
			}
		})
	}
}

// What is fetched is kept, to the byte, and served by others who never ask.
func TestKept(t *testing.T) {
	in := newIntel(t)
	lazy := in.service(t, pccs.Lazy)
	changes := 0
	lazy.OnChange(func() { changes++ })
	items := []collateral.Item{rootCRL, platform, processor, sgxInfo, earlyInfo, tdxInfo, qe, tdqe, qve}
	for _, i := range items {
		get(t, lazy, i)
	}
	if changes != len(items) {
		t.Errorf("%d changes were told, want %d", changes, len(items))
	}
	in.total()
	offline := in.service(t, pccs.Offline)
	for _, i := range items {
		a, b := get(t, lazy, i), get(t, offline, i)
		if !bytes.Equal(a.Body, b.Body) || !bytes.Equal(a.Chain, b.Chain) {
			t.Errorf("%s: another document", i)
		}
		if i.Kind != collateral.RootCRL && len(a.Chain) == 0 {
			t.Errorf("%s: no chain", i)
		}
	}
	if n := in.total(); n > 0 {
		t.Errorf("the service behind was asked %d times", n)
	}
	if got := get(t, offline, platform).Issued; !got.Equal(in.pki.Now.AddDate(0, 0, -12)) {
		t.Errorf("the CRL was issued at %v", got)
	}
}

// A service that lies gets nothing into the cache, and what is there stays.
func TestLies(t *testing.T) {
	others := testpki.New(testpki.Seed("others"))
	for _, c := range []struct {
		name   string
		tell   func(in *intel, w http.ResponseWriter)
		status int
		reason pccs.Reason
	}{
		{"other root", func(in *intel, w http.ResponseWriter) {
			w.Header().Set("TCB-Info-Issuer-Chain", escape(others.TCBChainPEM()))
			info := *in.m.TCBInfo(dcap.TEESGX)
			w.Write(others.TCBInfoJSON(&info))
		}, 404, pccs.WrongEnvironment},
		{"wrong signature", func(in *intel, w http.ResponseWriter) {
			w.Header().Set("TCB-Info-Issuer-Chain", escape(in.pki.TCBChainPEM()))
			w.Write(others.TCBInfoJSON(in.m.TCBInfo(dcap.TEESGX)))
		}, 460, pccs.UpstreamForged},
		{"other FMSPC", func(in *intel, w http.ResponseWriter) {
			info := *in.m.TCBInfo(dcap.TEESGX)
			info.FMSPC[0]++
			w.Header().Set("TCB-Info-Issuer-Chain", escape(in.pki.TCBChainPEM()))
			w.Write(in.pki.TCBInfoJSON(&info))
		}, 460, pccs.UpstreamForged},
		{"for TDX", func(in *intel, w http.ResponseWriter) {
			w.Header().Set("TCB-Info-Issuer-Chain", escape(in.pki.TCBChainPEM()))
			w.Write(in.pki.TCBInfoJSON(in.m.TCBInfo(dcap.TEETDX)))
		}, 460, pccs.UpstreamForged},
		{"expired", func(in *intel, w http.ResponseWriter) {
			info := *in.m.TCBInfo(dcap.TEESGX)
			info.IssueDate, info.NextUpdate = in.pki.Now.AddDate(0, -2, 0), in.pki.Now.AddDate(0, -1, 0)
			w.Header().Set("TCB-Info-Issuer-Chain", escape(in.pki.TCBChainPEM()))
			w.Write(in.pki.TCBInfoJSON(&info))
		}, 502, pccs.UpstreamOld},
		{"older", func(in *intel, w http.ResponseWriter) {
			info := *in.m.TCBInfo(dcap.TEESGX)
			info.IssueDate = info.IssueDate.Add(-time.Hour)
			w.Header().Set("TCB-Info-Issuer-Chain", escape(in.pki.TCBChainPEM()))
			w.Write(in.pki.TCBInfoJSON(&info))
		}, 502, pccs.UpstreamOld},
		{"a page", func(in *intel, w http.ResponseWriter) {
			w.Write([]byte("<html><title>Welcome to the hotel</title></html>"))
		}, 460, pccs.UpstreamForged},
		{"nothing", func(*intel, http.ResponseWriter) {}, 460, pccs.UpstreamForged},
	} {
		t.Run(c.name, func(t *testing.T) {
			lie := func(in *intel) {
				in.setFault(func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/sgx/certification/v4/tcb" {
						return false
					}
					c.tell(in, w)
					return true
				})
			}
			if c.name != "older" {
				in := newIntel(t)
				lie(in)
				s := in.service(t, pccs.Lazy)
				_, err := s.Document(t.Context(), sgxInfo)
				wantError(t, err, c.status, c.reason, "")
				if st, err := s.Status(t.Context()); err != nil || len(st.Documents) != 0 || len(st.Failures) != 1 || st.Failures[0].Reason != string(c.reason) {
					t.Errorf("status %+v, %v", st, err)
				}
			}
			in := newIntel(t)
			s := in.service(t, pccs.Lazy)
			before := get(t, s, sgxInfo)
			lie(in)
			in.wait(25 * time.Hour)
			s.Pass(t.Context())
			after := get(t, s, sgxInfo)
			if !bytes.Equal(before.Body, after.Body) || !before.Fetched.Equal(after.Fetched) {
				t.Error("the old copy is gone")
			}
			if after.Stale == nil {
				t.Error("it is not said that it is stale")
			}
			st, err := s.Status(t.Context())
			if err != nil || len(st.Documents) != 1 || st.Documents[0].Failures != 1 || st.Documents[0].Reason != c.reason {
				t.Errorf("status %+v, %v", st, err)
			}
		})
	}
}
