package verify_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// quoteRows are about the signatures of a quote and what it belongs to.
func quoteRows() []row {
	return []row{
		{from: "V3/1 V4/1 V5/1", name: "FMSPC of another platform", want: verdict{quote: verify.StatusTCBInfoMismatch},
			edit: func(w *world) { w.info().FMSPC[5]++ }},
		{from: "V3/2 V4/2 V5/2", name: "PCE ID of another platform", want: verdict{quote: verify.StatusTCBInfoMismatch},
			edit: func(w *world) { w.info().PCEID[0]++ }},
		{from: "V3/3 V4/3 V5/3", name: "revocation list of the root in place of the PCK CA's",
			want: verdict{pck: verify.StatusSGXCRLUnknownIssuer, quote: verify.StatusInvalidPCKCRL},
			made: func(w *world) { w.c.PCKCRL = w.c.RootCRL }},
		{from: "V3/4 V4/4 V5/4", name: "revocation list of the other PCK CA",
			want: verdict{pck: verify.StatusSGXCRLUnknownIssuer, quote: verify.StatusInvalidPCKCRL},
			made: func(w *world) { w.c.PCKCRL = w.pki.ProcessorCA.CRL() }},
		{from: "V3/5 V4/5 V5/5", name: "PCK certificate revoked",
			want: verdict{pck: verify.StatusSGXPCKRevoked, quote: verify.StatusPCKRevoked},
			edit: func(w *world) { w.pki.PlatformCA.Revoke(w.m.PCK) }},
		{from: "V3/6 V4/6 V5/6", name: "attestation key of zeros", want: verdict{quote: verify.StatusInvalidQEReportData},
			edit: func(w *world) {
				w.q.EditSigned = func(p *testpki.Parts) { p.PublicKey = make([]byte, 64) }
			}},
		{from: "V3/7 V4/7 V5/7 IT-QUOTE/13 IT-QUOTE/15 IT-QUOTE/22 IT-REPORT/4", name: "SGX, all good", kinds: sgxKinds,
			check: func(t *testing.T, r *verify.Result) {
				if len(r.AdvisoryIDs()) != 0 || !r.TCBDate().Equal(r.TCBInfo.Levels[0].Date) || r.Current != r.Launch {
					t.Errorf("advisories %q, date %v, now %v", r.AdvisoryIDs(), r.TCBDate(), r.Current)
				}
			}},
		{from: "V3/8 V4/14 V5/19", name: "no PCK certificate by its name",
			want: verdict{pck: verify.StatusSGXPCKMissing, quote: verify.StatusInvalidPCKCert},
			edit: func(w *world) { w.reissue(func(t *testpki.Template) { t.Subject = dcap.Name{} }) }},
		{from: "V3/9.1", name: "encrypted PPID of another platform", edit: otherPPID(dcap.CertPPIDRSA2048)},
		{from: "V3/9.2", name: "the same of the other size", edit: otherPPID(dcap.CertPPIDRSA3072)},
		{from: "V3/10 V4/15 V5/20", name: "quote signature changed", want: verdict{quote: verify.StatusInvalidQuoteSignature},
			edit: func(w *world) { w.q.EditSigned = func(p *testpki.Parts) { p.Signature[0] ^= 0xff } }},
		{from: "V3/11 V4/16 V5/21", name: "QE report signature changed", want: verdict{quote: verify.StatusInvalidQEReportSignature},
			edit: func(w *world) { w.q.EditSigned = func(p *testpki.Parts) { p.QEReportSignature[0] ^= 0xff } }},

		// What the identity of the quoting enclave says. 10 to 12 are judged
		// with the TCB, after all else; Intel's mocks stop before.
		{from: "V3/24.1 V4/28.1 V5/33.1", name: "identity matches"},
		{from: "V3/24.3 V4/28.3 V5/33.3", name: "identity of no known form",
			want: verdict{id: verify.StatusSGXEnclaveIdentityUnsupportedFormat, quote: verify.StatusUnsupportedQEIdentityFormat},
			made: identityEdit(`"tcbStatus"`, `"status"`)},
		{from: "V3/24.4 V4/28.4 V5/33.4", name: "identity with an invalid value",
			want: verdict{id: verify.StatusSGXEnclaveIdentityInvalid, quote: verify.StatusUnsupportedQEIdentityFormat},
			made: identityEdit(`"mrsigner":"`, `"mrsigner":"00`)},
		{from: "V3/24.5 V4/28.5 V5/33.5", name: "identity of an unknown version",
			want: verdict{id: verify.StatusSGXEnclaveIdentityUnsupportedVersion, quote: verify.StatusUnsupportedQEIdentityFormat},
			made: identityEdit(`"version":2`, `"version":3`)},
		{from: "V3/24.6 V4/28.6 V5/33.6", name: "MISCSELECT of another enclave", want: verdict{quote: verify.StatusQEIdentityMismatch},
			edit: func(w *world) { w.q.QEReport.MiscSelect ^= 1 }},
		{from: "V3/24.7 V4/28.7 V5/33.7", name: "ATTRIBUTES of another enclave", want: verdict{quote: verify.StatusQEIdentityMismatch},
			edit: func(w *world) { w.q.QEReport.Attributes.Flags |= 1 << 1 }},
		{from: "V3/24.8 V4/28.8 V5/33.8", name: "MRSIGNER of another enclave", want: verdict{quote: verify.StatusQEIdentityMismatch},
			edit: func(w *world) { w.q.QEReport.MRSigner[31] ^= 1 }},
		{from: "V3/24.9 V4/28.9 V5/33.9", name: "ISVPRODID of another enclave", want: verdict{quote: verify.StatusQEIdentityMismatch},
			edit: func(w *world) { w.q.QEReport.ISVProdID++ }},
		{from: "V3/24.10 V4/28.10 V5/33.10", name: "quoting enclave revoked", want: verdict{quote: verify.StatusTCBRevoked},
			edit: func(w *world) { w.q.QEReport.ISVSVN = 1 }},
		{from: "V3/24.11 V4/28.11 V5/33.11", name: "quoting enclave out of date", want: verdict{quote: verify.StatusTCBOutOfDate},
			edit: func(w *world) { w.q.QEReport.ISVSVN = w.identity().Levels[1].ISVSVN }},
		{from: "V3/24.12 V4/28.12 V5/33.12 V3/23", name: "quoting enclave below all levels", want: verdict{quote: verify.StatusTCBNotSupported},
			edit: func(w *world) { w.q.QEReport.ISVSVN = 0 }},
	}
}

// otherPPID puts into the quote what the PCK certificate is asked for with, of
// another platform: it is not compared.
func otherPPID(kind dcap.CertificationType) func(*world) {
	return func(w *world) {
		w.q.CertType = kind
		w.q.EditUnsigned = func(p *testpki.Parts) { p.CertData[0]++ }
	}
}

// identityEdit replaces a text in the identity, which is signed as it is then.
func identityEdit(old, new string) func(*world) {
	return func(w *world) {
		w.c.QEIdentity = w.pki.IdentityJSON(w.identity(), func(d *testpki.Document) {
			if !strings.Contains(string(d.Body), old) {
				panic("no " + old)
			}
			d.Body = []byte(strings.ReplaceAll(string(d.Body), old, new))
		})
	}
}

// infoEdit is the same for TCB info.
func infoEdit(old, new string) func(*world) {
	return func(w *world) {
		w.c.TCBInfo = w.pki.TCBInfoJSON(w.info(), func(d *testpki.Document) {
			if !strings.Contains(string(d.Body), old) {
				panic("no " + old)
			}
			d.Body = []byte(strings.ReplaceAll(string(d.Body), old, new))
		})
	}
}

// sgxLevel is a level of the rows below.
type sgxLevel struct {
	cpusvn   [16]byte
	pcesvn   uint16
	status   dcap.TCBStatus
	advisory string
}

// levelRows are about which level a platform meets. The platform has 0x40 in
// all components, and PCESVN 0xbbaa.
func levelRows() []row {
	equal := [16]byte{64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64}
	less, higher, lower := equal, equal, equal
	less[8]--
	higher[6], higher[7], higher[8], higher[9] = 0x3f, 0x3f, 0x41, 0x3f
	lower[6], lower[7], lower[9] = 0x3f, 0x3f, 0x3f
	const pcesvn = 0xbbaa
	const hers, other = "INTEL-SA-00001", "INTEL-SA-00002"

	rows := []struct {
		from, name string
		version    uint32 // of the TCB info
		want       verify.Status
		levels     []sgxLevel
	}{
		{"V3/12 V4/17 V5/22", "the level that is met exactly is revoked", 3, verify.StatusTCBRevoked,
			[]sgxLevel{{equal, pcesvn, dcap.Revoked, hers}}},
		{"V3/13 V4/18 V5/23", "both SVNs of the first level are higher", 3, verify.StatusTCBConfigurationNeeded,
			[]sgxLevel{{lower, 0, dcap.ConfigurationNeeded, hers}, {higher, 0xffff, dcap.Revoked, other}}},
		{"V3/14 V4/19 V5/24", "the same in TCB info of version 2", 2, verify.StatusTCBConfigurationNeeded,
			[]sgxLevel{{lower, 0, dcap.ConfigurationNeeded, hers}, {higher, 0xffff, dcap.Revoked, other}}},
		{"V3/15 V4/20 V5/25", "the same, and the level below is out of date", 2, verify.StatusTCBOutOfDateConfigurationNeeded,
			[]sgxLevel{{lower, 0, dcap.OutOfDateConfigurationNeeded, hers}, {higher, 0xffff, dcap.Revoked, other}}},
		{"V3/16 V4/21 V5/26", "one component of the first level is higher", 3, verify.StatusTCBConfigurationNeeded,
			[]sgxLevel{{lower, pcesvn, dcap.ConfigurationNeeded, hers}, {higher, pcesvn, dcap.Revoked, other}}},
		{"V3/17 V4/22 V5/27", "the same, with hardening", 3, verify.StatusTCBConfigurationAndSWHardeningNeeded,
			[]sgxLevel{{lower, pcesvn, dcap.ConfigurationAndSWHardeningNeeded, hers}, {higher, pcesvn, dcap.Revoked, other}}},
		{"V3/18 V4/23 V5/28", "only PCESVN is higher", 3, verify.StatusTCBNotSupported,
			[]sgxLevel{{equal, 0xffff, dcap.Revoked, other}}},
		{"V3/19 V4/24 V5/29", "only one component is lower", 3, verify.StatusTCBRevoked,
			[]sgxLevel{{less, pcesvn, dcap.Revoked, hers}}},
		{"V3/20 V4/25 V5/30", "only PCESVN is lower", 3, verify.StatusTCBRevoked,
			[]sgxLevel{{equal, 0x2112, dcap.Revoked, hers}}},
		{"V3/21 V4/26 V5/31", "a revoked level below", 3, verify.StatusOK,
			[]sgxLevel{{equal, pcesvn, dcap.UpToDate, ""}, {less, pcesvn - 1, dcap.Revoked, other}}},
		{"V3/22 V4/27 V5/32", "hardening", 3, verify.StatusTCBSWHardeningNeeded,
			[]sgxLevel{{equal, pcesvn, dcap.SWHardeningNeeded, hers}}},
	}
	var list []row
	for _, c := range rows {
		list = append(list, row{from: c.from, name: c.name, kinds: sgxKinds, want: verdict{quote: c.want},
			edit: func(w *world) {
				w.m.SGX.TCB, w.m.SGX.PCESVN = equal, pcesvn
				w.reissue()
				info := w.info()
				info.Version, info.Levels = c.version, nil
				for i, l := range c.levels {
					level := dcap.TCBLevel{PCESVN: l.pcesvn, Status: l.status, Date: w.pki.Now.AddDate(0, -i-1, 0)}
					for i := range level.SGX {
						level.SGX[i].SVN = l.cpusvn[i]
					}
					if l.advisory != "" && c.version == 3 {
						level.AdvisoryIDs = []string{l.advisory}
					}
					info.Levels = append(info.Levels, level)
				}
			},
			check: func(t *testing.T, r *verify.Result) {
				switch want := []string{hers}; {
				case c.want == verify.StatusTCBNotSupported:
					if r.AdvisoryIDs() != nil || !r.TCBDate().IsZero() {
						t.Errorf("no level is met, but advisories are %q", r.AdvisoryIDs())
					}
				case c.version == 2 || c.want == verify.StatusOK:
					if len(r.AdvisoryIDs()) != 0 {
						t.Errorf("advisories %q", r.AdvisoryIDs())
					}
				case !slices.Equal(r.AdvisoryIDs(), want):
					t.Errorf("advisories %q, want %q", r.AdvisoryIDs(), want)
				}
			}})
	}
	return list
}
