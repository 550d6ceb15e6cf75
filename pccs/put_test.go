package pccs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testpki"
)

// brought is what an administrator brings for the platform.
func (in *intel) brought() *pccs.Collateral {
	chain := in.pki.TCBChainPEM()
	doc := func(i collateral.Item, body, chain []byte) collateral.Document {
		return collateral.Document{Item: i, Body: body, Chain: chain}
	}
	old := *in.m.TCBInfo(dcap.TEESGX)
	old.Version = 2
	ca := func(c *testpki.Cert) []byte { return append(c.PEM(), in.pki.RootPEM()...) }
	low := level{add: -1}
	return &pccs.Collateral{
		RootCRL: in.pki.Root.CRL(),
		Documents: []collateral.Document{
			doc(sgxInfo, in.pki.TCBInfoJSON(in.m.TCBInfo(dcap.TEESGX)), chain),
			doc(tdxInfo, in.pki.TCBInfoJSON(in.m.TCBInfo(dcap.TEETDX)), chain),
			doc(oldInfo, in.pki.TCBInfoJSON(&old), chain),
			doc(qe, in.pki.IdentityJSON(in.pki.QE), chain),
			doc(platform, in.pki.PlatformCA.CRL(), ca(in.pki.PlatformCA)),
			doc(processor, in.pki.ProcessorCA.CRL(), ca(in.pki.ProcessorCA)),
		},
		Platforms: []store.Platform{{
			PlatformID: store.PlatformID{QEID: strings.ToLower(in.id().QEID), PCEID: "0000"}, EncryptedPPID: in.m.EncryptedPPID[:],
			Issuers: ca(in.pki.PlatformCA),
			TCBs: []store.RawTCB{
				{CPUSVN: in.query().CPUSVN, PCESVN: in.query().PCESVN},
				{CPUSVN: in.at(low).CPUSVN, PCESVN: in.at(low).PCESVN},
			},
			Certs: []store.PCKCert{{TCBm: strings.ToLower(in.tcbm(level{})), Cert: in.cert(level{})}, {TCBm: in.tcbm(low), Cert: in.cert(low)}},
		}},
	}
}

func TestPutCollateral(t *testing.T) {
	for _, mode := range []pccs.Mode{pccs.Lazy, pccs.Req, pccs.Offline} {
		in := newIntel(t)
		s := in.service(t, mode)
		changes := 0
		s.OnChange(func() { changes++ })
		if err := s.PutCollateral(t.Context(), in.brought()); err != nil {
			t.Fatal(err)
		}
		if changes != 1 {
			t.Errorf("%d changes were told", changes)
		}
		in.total()
		for _, i := range []collateral.Item{rootCRL, sgxInfo, tdxInfo, oldInfo, qe, platform, processor} {
			if d := get(t, s, i); !d.Fetched.Equal(in.clock()) || d.Stale != nil {
				t.Errorf("%s: of %v, %v", i, d.Fetched, d.Stale)
			}
		}
		for _, l := range []level{{}, {add: -1}} {
			p := wantPCK(t, s, in.at(l), in.tcbm(l))
			if p.FMSPC != fmspc || p.CA != "platform" || p.Cert != in.cert(l) {
				t.Errorf("got %+v", p)
			}
			m, err := in.store(t).Match(t.Context(), in.id(), in.tcbm(l)[:32], in.tcbm(l)[32:])
			if err != nil || m.TCBm != in.tcbm(l) {
				t.Errorf("recorded is %+v, %v", m, err)
			}
		}
		if n := in.total(); n > 0 {
			t.Errorf("%s: %d requests", mode, n)
		}
		// Of version 3 nothing can be refreshed.
		in.wait(48 * time.Hour)
		d := get(t, s, oldInfo)
		if (d.Stale != nil) != (mode != pccs.Offline) {
			t.Errorf("%s: stale: %v", mode, d.Stale)
		}
		// What comes again keeps the TCBs that were seen.
		c := in.brought()
		c.Platforms[0].TCBs, c.Platforms[0].EncryptedPPID = nil, nil
		if err := s.PutCollateral(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		list, err := s.Platforms(t.Context(), nil)
		if err != nil || len(list) != 2 || len(list[0].EncryptedPPID) != 384 {
			t.Errorf("platforms %+v, %v", list, err)
		}
	}
}

// If one thing is wrong, nothing comes in.
func TestPutCollateralBad(t *testing.T) {
	others := testpki.New(testpki.Seed("others"))
	stranger := others.Platform()
	for _, c := range []struct {
		name   string
		spoil  func(in *intel, c *pccs.Collateral)
		status int
		reason pccs.Reason
	}{
		{"signature", func(in *intel, c *pccs.Collateral) {
			c.Documents[1].Body = others.TCBInfoJSON(in.m.TCBInfo(dcap.TEETDX))
		}, 460, pccs.NotGenuine},
		{"other root", func(in *intel, c *pccs.Collateral) {
			c.Documents[1].Body, c.Documents[1].Chain = others.TCBInfoJSON(in.m.TCBInfo(dcap.TEETDX)), others.TCBChainPEM()
		}, 460, pccs.WrongEnvironment},
		{"one for the other", func(_ *intel, c *pccs.Collateral) {
			c.Documents[0].Item = earlyInfo
			c.Documents[0].Item.TEE = dcap.TEETDX
		}, 460, pccs.NotGenuine},
		{"no item", func(_ *intel, c *pccs.Collateral) { c.Documents[0].Item.Kind = "crt" }, 400, pccs.BadRequest},
		{"CRL of the other CA", func(_ *intel, c *pccs.Collateral) { c.Documents[4].Item.CA = "processor" }, 460, pccs.NotGenuine},
		{"root CRL", func(_ *intel, c *pccs.Collateral) { c.RootCRL = others.Root.CRL() }, 460, pccs.WrongEnvironment},
		{"revoked signer", func(in *intel, c *pccs.Collateral) {
			in.pki.Root.Revoke(in.pki.TCBSigning)
			c.RootCRL = in.pki.Root.CRL()
		}, 460, pccs.NotGenuine},
		{"no certificates", func(_ *intel, c *pccs.Collateral) { c.Platforms[0].Certs = nil }, 400, pccs.BadRequest},
		{"certificate of another", func(_ *intel, c *pccs.Collateral) { c.Platforms[0].Certs[1].Cert = string(stranger.PCK.PEM()) }, 460, pccs.NotGenuine},
		{"no certificate", func(_ *intel, c *pccs.Collateral) { c.Platforms[0].Certs[1].Cert = "x" }, 460, pccs.NotGenuine},
		{"TCBm of another", func(_ *intel, c *pccs.Collateral) { c.Platforms[0].Certs[1].TCBm = c.Platforms[0].Certs[0].TCBm }, 460, pccs.NotGenuine},
		{"TCBm", func(_ *intel, c *pccs.Collateral) { c.Platforms[0].Certs[1].TCBm = "00" }, 400, pccs.BadRequest},
		{"issuers of another", func(_ *intel, c *pccs.Collateral) {
			c.Platforms[0].Issuers = append(others.PlatformCA.PEM(), others.RootPEM()...)
		}, 460, pccs.NotGenuine},
		{"QE ID", func(_ *intel, c *pccs.Collateral) { c.Platforms[0].QEID = "" }, 400, pccs.BadRequest},
		{"PCE ID", func(_ *intel, c *pccs.Collateral) { c.Platforms[0].PCEID = "0001" }, 460, pccs.NotGenuine},
		{"raw TCB", func(_ *intel, c *pccs.Collateral) { c.Platforms[0].TCBs[0].PCESVN = "0" }, 400, pccs.BadRequest},
		{"raw TCB below all", func(_ *intel, c *pccs.Collateral) { c.Platforms[0].TCBs[0].PCESVN = "0000" }, 400, pccs.NoCertificate},
		{"no TCB info", func(_ *intel, c *pccs.Collateral) { c.Documents = c.Documents[3:] }, 400, pccs.NotCached},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := newIntel(t)
			s := in.service(t, pccs.Offline)
			b := in.brought()
			c.spoil(in, b)
			wantError(t, s.PutCollateral(t.Context(), b), c.status, c.reason, "")
			if st, err := s.Status(t.Context()); err != nil || len(st.Documents)+len(st.Platforms) > 0 {
				t.Errorf("something came in: %+v, %v", st, err)
			}
		})
	}
}

// What is older than what is here does not replace it; what has expired is served
// by the policy.
func TestPutCollateralOld(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Offline)
	old := in.brought()
	info := in.m.TCBInfo(dcap.TEESGX)
	info.IssueDate = info.IssueDate.Add(time.Hour)
	if err := s.PutCollateral(t.Context(), in.brought()); err != nil {
		t.Fatal(err)
	}
	in.wait(time.Hour)
	if err := s.PutCollateral(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if d := get(t, s, sgxInfo); !d.Issued.Equal(info.IssueDate) {
		t.Errorf("issued %v, want %v", d.Issued, info.IssueDate)
	}
	in.wait(60 * 24 * time.Hour)
	expired := newIntel(t)
	expired.wait(60 * 24 * time.Hour)
	s = expired.service(t, pccs.Offline)
	if err := s.PutCollateral(t.Context(), expired.brought()); err != nil {
		t.Fatal(err)
	}
	if d := get(t, s, sgxInfo); !d.Expired {
		t.Error("not expired")
	}
	_, err := expired.service(t, pccs.Offline, func(o *pccs.Options) { o.RefuseExpired = true }).Document(t.Context(), sgxInfo)
	wantError(t, err, 503, pccs.Expired, "feidi pccs put")
}
