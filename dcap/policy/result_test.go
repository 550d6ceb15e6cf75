package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
)

// day is a day of which the tests speak.
func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func fill48(b byte) (a [48]byte) { return [48]byte([]byte(strings.Repeat(string(rune(b)), 48))) }
func fill32(b byte) (a [32]byte) { return [32]byte([]byte(strings.Repeat(string(rune(b)), 32))) }
func fill16(b byte) (a [16]byte) { return [16]byte([]byte(strings.Repeat(string(rune(b)), 16))) }

// platformResult is a result without its body: of Intel's root, up to date,
// asked about on 1 June 2025.
func platformResult() *verify.Result {
	r := &verify.Result{
		At:   day("2025-06-01"),
		CA:   verify.PlatformCA,
		PCK:  &dcap.Certificate{SGX: &dcap.PCKExtension{FMSPC: [6]byte{0, 0xA0, 0x67, 0x11}, SGXType: dcap.SGXScalable, HasPlatform: true, PlatformInstanceID: fill16(0x11), PPID: fill16(0x22)}},
		Root: verify.Root{Intel: true, Subject: dcap.Name{CommonName: "Intel SGX Root CA"}},
		TCBInfo: &dcap.TCBInfo{IssueDate: day("2025-05-20"), Levels: []dcap.TCBLevel{
			{Status: dcap.UpToDate, Date: day("2024-03-13")},
			{Status: dcap.OutOfDate, Date: day("2023-08-09"), AdvisoryIDs: []string{"INTEL-SA-00837"}},
			{Status: dcap.OutOfDate, Date: day("2022-11-09"), AdvisoryIDs: []string{"INTEL-SA-00767", "INTEL-SA-00837"}},
			{Status: dcap.OutOfDateConfigurationNeeded, Date: day("2021-11-10")},
		}},
		QEIdentity: &dcap.EnclaveIdentity{IssueDate: day("2025-05-25"), Levels: []dcap.IdentityLevel{
			{ISVSVN: 8, Status: dcap.UpToDate, Date: day("2024-03-13")},
			{ISVSVN: 6, Status: dcap.OutOfDate, Date: day("2021-11-10")},
			{ISVSVN: 5, Status: dcap.OutOfDate, Date: day("2020-11-11")},
		}},
		Validity: verify.Validity{
			EarliestIssue: day("2018-05-21"), LatestIssue: day("2025-05-28"),
			EarliestExpiration: day("2025-06-19"), LatestExpiration: day("2049-12-31"), EvaluationDataNumber: 17,
		},
	}
	r.PCK.SGX.Configuration = dcap.PCKConfiguration{DynamicPlatform: dcap.False, CachedKeys: dcap.False, SMTEnabled: dcap.False}
	level(r, 0)
	return r
}

// level sets the TCB level that the platform of a result meets.
func level(r *verify.Result, index int) {
	l := &r.TCBInfo.Levels[index]
	e := &verify.Evaluation{Status: l.Status, Date: l.Date, AdvisoryIDs: l.AdvisoryIDs, Platform: l, Index: index, QE: &r.QEIdentity.Levels[0]}
	r.Launch, r.Current, r.TCBStatus = e, e, l.Status
}

// status sets the status of a platform at level 0.
func status(r *verify.Result, s dcap.TCBStatus, advisories ...string) {
	r.TCBInfo.Levels[0].Status, r.TCBInfo.Levels[0].AdvisoryIDs = s, advisories
	level(r, 0)
}

// sgxResult is that of a quote of version 3.
func sgxResult() *verify.Result {
	r := platformResult()
	body := &dcap.EnclaveReport{ReportBody: isa.ReportBody{
		MREnclave: fill32(0x01), MRSigner: fill32(0x02), ISVProdID: 7, ISVSVN: 3, ConfigSVN: 4,
		ISVExtProdID: fill16(0x05), ISVFamilyID: fill16(0x06), MiscSelect: isa.MiscEXINFO,
		Attributes: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit | isa.AttrKSS, XFRM: isa.XFRMLegacy | isa.XFRMAVX},
	}}
	body.ConfigID[0] = 0x04
	copy(body.ReportData[:], "nonce")
	r.Quote = &dcap.Quote{Header: dcap.QuoteHeader{Version: dcap.QuoteV3}, Body: body}
	return r
}

func sgxBody(r *verify.Result) *isa.ReportBody { return &r.Quote.Body.(*dcap.EnclaveReport).ReportBody }

// tdResult is that of a quote of version 5 of a TD of TDX 1.5.
func tdResult() *verify.Result {
	r := platformResult()
	body := &dcap.TDReport15{TDReport10: dcap.TDReport10{
		MRTD: fill48(0x0a), MRSEAM: fill48(0x0b), MRConfigID: fill48(0x0c), MROwner: fill48(0x0d), MROwnerConfig: fill48(0x0e),
		RTMR: [4][48]byte{fill48(0x10), fill48(0x11), fill48(0x12), fill48(0x13)}, TEETCBSVN: [16]byte{5, 1, 2},
		TDAttributes: dcap.TDSEPTVEDisable, XFAM: 0xE7,
	}, TEETCBSVN2: [16]byte{6, 1, 2}, MRServiceTD: fill48(0x14)}
	copy(body.ReportData[:], "nonce")
	r.Quote = &dcap.Quote{Header: dcap.QuoteHeader{Version: dcap.QuoteV5, TEEType: dcap.TEETDX}, Body: body}
	modules := &dcap.TDXModuleIdentity{ID: "TDX_01", Levels: []dcap.TDXModuleLevel{
		{ISVSVN: 6, Status: dcap.UpToDate, Date: day("2024-03-13")},
		{ISVSVN: 5, Status: dcap.OutOfDate, Date: day("2023-08-09")},
		{ISVSVN: 2, Status: dcap.OutOfDate, Date: day("2023-02-15")},
	}}
	r.Launch.Module, r.Launch.ModuleLevel = modules, &modules.Levels[0]
	return r
}

func tdBody(r *verify.Result) *dcap.TDReport15 { return r.Quote.Body.(*dcap.TDReport15) }

// relaunchAdvised lets a TD have begun on a module that is out of date.
func relaunchAdvised(r *verify.Result) {
	current, launch := *r.Launch, *r.Launch
	launch.ModuleLevel = &launch.Module.Levels[1]
	launch.Status, launch.Date = dcap.OutOfDate, launch.ModuleLevel.Date
	launch.AdvisoryIDs = []string{"INTEL-SA-01036"}
	r.Launch, r.Current, r.TCBStatus = &launch, &current, dcap.RelaunchAdvised
}

func parse(t *testing.T, toml string) *policy.Policy {
	t.Helper()
	p, err := policy.ParseTOML([]byte(toml))
	if err != nil {
		t.Fatalf("%v in\n%s", err, toml)
	}
	return p
}

// rules are the names of the rules that fail.
func rules(v *policy.Verdict) (names []string) {
	for _, f := range v.Failures {
		names = append(names, f.Rule)
	}
	return names
}
