package policy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
)

// everything has every option and every field, and so every key.
var everything = []policy.Option{
	policy.ReportDataPrefix([]byte("nonce")),
	policy.AcceptTCB(dcap.SWHardeningNeeded, dcap.ConfigurationNeeded),
	policy.OutOfDateGrace(90*24*time.Hour, policy.FromNewerLevel),
	policy.RequireQEUpToDate(),
	policy.MinTCBDate(time.Date(2023, 2, 15, 1, 0, 0, 0, time.FixedZone("", 3600))),
	policy.DenyAdvisories("INTEL-SA-00334", "intel-sa-00615"),
	policy.AllowAdvisories("INTEL-SA-00289"), policy.AllowAdvisories("INTEL-DOC-12345"),
	policy.ExpiredCollateralGrace(36 * time.Hour), policy.MaxCollateralAge(7 * 24 * time.Hour), policy.MinEvaluationDataNumber(17),
	policy.IntelRoot(), policy.Roots(fill32(0x0f)), policy.QuoteVersions(3, 4), policy.CAs(verify.PlatformCA, verify.ProcessorCA),
	policy.FMSPCs([6]byte{0, 0xa0, 0x67}), policy.DenyFMSPCs([6]byte{1}, [6]byte{2}),
	policy.SGXTypes(dcap.SGXStandard, dcap.SGXScalable, dcap.SGXScalableWithIntegrity),
	policy.PlatformInstances(fill16(1)), policy.PPIDs(fill16(2)),
	policy.ForbidDynamicPlatform(), policy.ForbidCachedKeys(), policy.ForbidSMT(),
	policy.Enclave{
		Name: `the "one"`, MREnclave: [][32]byte{fill32(1), fill32(2)}, MRSigner: [][32]byte{fill32(3)}, ISVProdID: []uint16{0, 65535}, MinISVSVN: 9,
		ConfigID: [][64]byte{{1}}, MinConfigSVN: 8, ISVExtProdID: [][16]byte{fill16(4)}, ISVFamilyID: [][16]byte{fill16(5)},
		AttributesRequired: isa.AttrKSS | 1<<40, AttributesForbidden: isa.AttrCET, XFRMRequired: isa.XFRMAVX, XFRMForbidden: 1 << 63,
		MiscSelectRequired: isa.MiscEXINFO, MiscSelectForbidden: isa.MiscCPINFO | 1<<31, AllowDebug: true, AllowProvisionKey: true,
	},
	&policy.Enclave{Any: true},
	policy.TD{
		Name: "飛", MRTD: [][48]byte{fill48(1)}, RTMR: [4][][48]byte{{fill48(2)}, {fill48(3), fill48(4)}, {fill48(5)}, {fill48(6)}},
		MRSEAM: [][48]byte{fill48(7)}, MRSignerSEAM: [][48]byte{{}}, MRConfigID: [][48]byte{fill48(8)}, MROwner: [][48]byte{fill48(9)},
		MROwnerConfig: [][48]byte{fill48(10)}, MRServiceTD: [][48]byte{fill48(11)},
		AttributesRequired: dcap.TDSEPTVEDisable, AttributesForbidden: dcap.TDPerfmon, XFAMRequired: 7, XFAMForbidden: 1 << 12,
		MinTEETCBSVN: [16]byte{5, 1}, AllowDebug: true, AllowMigratable: true,
	},
	policy.TD{Any: true},
}

// everythingTOML is the same, as a person would write it.
var everythingTOML = `# A policy with all keys.
report_data_prefix = "6E6F6E6365"
tcb.accept = ['SWHardeningNeeded', "ConfigurationNeeded"]
tcb.out_of_date_grace = "90d"
tcb.out_of_date_grace_from = "newer_level"
tcb.qe_up_to_date = true
tcb.min_tcb_date = 2023-02-15 00:00:00Z
tcb.denied_advisories = ["INTEL-SA-00334", "INTEL-SA-00615"]
tcb.allowed_advisories = ["INTEL-SA-00289", "INTEL-DOC-12345"]

[collateral]
expired_grace = "36h"
max_age = "168h" # a week
min_evaluation_data_number = 0x11

[platform]
roots = ["intel", "sha256:` + strings.Repeat("0f", 32) + `"]
quote_versions = [3, 4]
ca = ["platform", "processor"]
fmspc = "00a067000000"
denied_fmspc = ["010000000000", "020000000000"]
sgx_types = ["standard", "scalable", "scalable-with-integrity"]
platform_instances = [` + hexes("01", 16) + `]
ppids = [` + hexes("02", 16) + `]
forbid_dynamic_platform = true
forbid_cached_keys = true
forbid_smt = true

[[sgx]]
name = 'the "one"'
any = false
mrenclave = [` + hexes("01", 32) + ", " + hexes("02", 32) + `]
mrsigner = ` + hexes("03", 32) + `
isvprodid = [0, 65_535]
min_isvsvn = 9
configid = "01` + strings.Repeat("00", 63) + `"
min_configsvn = 8
isvextprodid = ` + hexes("04", 16) + `
isvfamilyid = ` + hexes("05", 16) + `
attributes_required = ["KSS", "0x10000000000"]
attributes_forbidden = "CET"
xfrm_required = ["AVX"]
xfrm_forbidden = ["0x8000000000000000"]
miscselect_required = ["EXINFO"]
miscselect_forbidden = ["0x80000000", "CPINFO"]
allow_debug = true
allow_provision_key = true

[[sgx]]
any = true

[[tdx]]
name = "\u98db"
mrtd = ` + hexes("01", 48) + `
rtmr0 = ` + hexes("02", 48) + `
rtmr1 = [` + hexes("03", 48) + ", " + hexes("04", 48) + `]
rtmr2 = ` + hexes("05", 48) + `
rtmr3 = ` + hexes("06", 48) + `
mrseam = ` + hexes("07", 48) + `
mrsignerseam = ` + hexes("00", 48) + `
mrconfigid = ` + hexes("08", 48) + `
mrowner = ` + hexes("09", 48) + `
mrownerconfig = ` + hexes("0a", 48) + `
mrservicetd = ` + hexes("0b", 48) + `
attributes_required = "SEPT_VE_DISABLE"
attributes_forbidden = "PERFMON"
xfam_required = ["x87", "SSE", "AVX"]
xfam_forbidden = "CET_S"
min_tee_tcb_svn = "05010000000000000000000000000000"
allow_debug = true
allow_migratable = true

[[tdx]]
any = true
`

// TestFileForms reads the same policy from options, TOML and JSON.
func TestFileForms(t *testing.T) {
	want, err := policy.New(everything...)
	if err != nil {
		t.Fatal(err)
	}
	for key := range policy.Keys() {
		if _, name, _ := strings.Cut(key, "."); key != "report_data" && !strings.Contains(everythingTOML, name) {
			t.Errorf("the test has no %s", key)
		}
	}
	fromTOML := parse(t, everythingTOML)
	if !policy.Equal(fromTOML, want) {
		t.Errorf("from TOML:\n%s\nfrom options:\n%s", fromTOML.AppendTOML(nil), want.AppendTOML(nil))
	}
	again, err := policy.ParseTOML(want.AppendTOML(nil))
	if err != nil || !policy.Equal(again, want) {
		t.Errorf("written in TOML and read again: %v\n%s", err, want.AppendTOML(nil))
	}
	if again, err = policy.ParseJSON(want.AppendJSON(nil)); err != nil || !policy.Equal(again, want) {
		t.Errorf("written in JSON and read again: %v\n%s", err, want.AppendJSON(nil))
	}
	// A minimal policy has no more in it than was asked for.
	least, err := policy.New(policy.AnyIdentity())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(least.AppendTOML(nil)), "[[sgx]]\nany = true\n\n[[tdx]]\nany = true\n"; got != want {
		t.Errorf("AnyIdentity in TOML is %q, want %q", got, want)
	}
	if got, want := string(least.AppendJSON(nil)), "{\n  \"sgx\": [\n    {\n      \"any\": true\n    }\n  ],\n  \"tdx\": [\n    {\n      \"any\": true\n    }\n  ]\n}\n"; got != want {
		t.Errorf("AnyIdentity in JSON is %q, want %q", got, want)
	}
	none, err := policy.New(policy.AnyIdentity(), policy.AllowAdvisories())
	if again, err2 := policy.ParseTOML(none.AppendTOML(nil)); err != nil || err2 != nil || !policy.Equal(again, none) || policy.Equal(none, least) {
		t.Errorf("no advisory at all: %v, %v\n%s", err, err2, none.AppendTOML(nil))
	}
}

// TestOptionsWithFiles adds options to a policy.
func TestOptionsWithFiles(t *testing.T) {
	mine := policy.Enclave{MREnclave: [][32]byte{fill32(1)}}
	p, err := policy.ParseTOML([]byte("[tcb]\naccept = \"SWHardeningNeeded\"\n"), mine, policy.AcceptTCB(dcap.ConfigurationNeeded))
	if err != nil {
		t.Fatal(err)
	}
	q, err := policy.ParseJSON([]byte(`{"tcb":{"accept":"SWHardeningNeeded"}}`), mine)
	if err != nil {
		t.Fatal(err)
	}
	before := string(q.AppendTOML(nil))
	q2, err := q.With(policy.AcceptTCB(dcap.ConfigurationNeeded))
	if err != nil || !policy.Equal(p, q2) {
		t.Errorf("%v, from TOML:\n%s\nfrom JSON:\n%s", err, p.AppendTOML(nil), q2.AppendTOML(nil))
	}
	for i := range 3 { // that have the same list to grow
		x, err := q2.With(policy.AcceptTCB(dcap.OutOfDate), policy.ReportData([]byte{byte(i)}))
		if err != nil || !strings.Contains(string(x.AppendTOML(nil)), fmt.Sprintf("report_data = \"%02x\"", i)) {
			t.Errorf("%v\n%s", err, x.AppendTOML(nil))
		}
	}
	mine.MREnclave[0][0] = 99 // the policy has its own
	if after := string(q.AppendTOML(nil)); after != before {
		t.Errorf("With changed the policy that it began with:\n%s", after)
	}
	if _, err := q.With(policy.ReportData(nil)); !errors.Is(err, policy.ErrInvalid) {
		t.Errorf("an empty nonce: %v", err)
	}
}

// TestNewErrors has what no policy may be.
func TestNewErrors(t *testing.T) {
	anyone := policy.AnyIdentity()
	for _, c := range []struct {
		options []policy.Option
		kind    error
		want    string
	}{
		{nil, policy.ErrNoIdentity, "it names no enclave and no TD: write [[sgx]]"},
		{[]policy.Option{policy.ReportData([]byte{1})}, policy.ErrNoIdentity, "no enclave"},
		{[]policy.Option{policy.Enclave{}}, policy.ErrNoIdentity, "sgx[0]: it names no identity: give an mrenclave or an mrsigner, or `any = true`"},
		{[]policy.Option{policy.Enclave{ISVProdID: []uint16{1}, MinISVSVN: 3, Name: "x"}}, policy.ErrNoIdentity, "sgx[0]"},
		{[]policy.Option{policy.TD{}}, policy.ErrNoIdentity, "tdx[0]: it names no identity: give an mrtd"},
		{[]policy.Option{anyone, policy.TD{RTMR: [4][][48]byte{1: {{1}}}}}, policy.ErrNoIdentity, "tdx[1]"},
		{[]policy.Option{policy.Enclave{Any: true, MREnclave: [][32]byte{{}}}}, policy.ErrInvalid, "sgx[0].any: it is given beside an mrenclave"},
		{[]policy.Option{policy.TD{Any: true, MRTD: [][48]byte{{}}}}, policy.ErrInvalid, "tdx[0].any"},
		{[]policy.Option{anyone, policy.AcceptTCB(dcap.Revoked)}, policy.ErrInvalid, `tcb.accept: "Revoked" does not belong here`},
		{[]policy.Option{anyone, policy.AcceptTCB(dcap.TCBUnknown)}, policy.ErrInvalid, `tcb.accept: "Unknown" does not belong here`},
		{[]policy.Option{anyone, policy.AcceptTCB(99)}, policy.ErrInvalid, "tcb.accept"},
		{[]policy.Option{anyone, policy.OutOfDateGrace(time.Hour, 9)}, policy.ErrInvalid, "tcb.out_of_date_grace_from"},
		{[]policy.Option{anyone, policy.OutOfDateGrace(0, policy.FromNewerLevel)}, policy.ErrInvalid, "it needs out_of_date_grace"},
		{[]policy.Option{anyone, policy.OutOfDateGrace(time.Hour, 0), policy.AcceptTCB(dcap.OutOfDate)}, policy.ErrInvalid, "tcb.out_of_date_grace: it has no effect"},
		{[]policy.Option{anyone, policy.OutOfDateGrace(-time.Hour, 0)}, policy.ErrInvalid, "tcb.out_of_date_grace"},
		{[]policy.Option{anyone, policy.OutOfDateGrace(time.Millisecond, 0)}, policy.ErrInvalid, "tcb.out_of_date_grace"},
		{[]policy.Option{anyone, policy.ExpiredCollateralGrace(36501 * 24 * time.Hour)}, policy.ErrInvalid, "collateral.expired_grace"},
		{[]policy.Option{anyone, policy.MaxCollateralAge(-1)}, policy.ErrInvalid, "collateral.max_age"},
		{[]policy.Option{anyone, policy.MinTCBDate(time.Unix(0, 0))}, policy.ErrInvalid, "tcb.min_tcb_date"},
		{[]policy.Option{anyone, policy.MinTCBDate(day("2024-03-13").Add(time.Millisecond))}, policy.ErrInvalid, "tcb.min_tcb_date"},
		{[]policy.Option{anyone, policy.DenyAdvisories("SA-00615")}, policy.ErrInvalid, `tcb.denied_advisories: "SA-00615" does not belong here: write an advisory like "INTEL-SA-00615"`},
		{[]policy.Option{anyone, policy.AllowAdvisories("")}, policy.ErrInvalid, "tcb.allowed_advisories"},
		{[]policy.Option{anyone, policy.ReportData(make([]byte, 65))}, policy.ErrInvalid, "report_data: "},
		{[]policy.Option{anyone, policy.ReportDataPrefix(nil)}, policy.ErrInvalid, "report_data_prefix: "},
		{[]policy.Option{anyone, policy.ReportDataPrefix([]byte{1}), policy.ReportData([]byte{1})}, policy.ErrInvalid, "report_data_prefix: it is given beside report_data"},
		{[]policy.Option{anyone, policy.QuoteVersions(2)}, policy.ErrInvalid, "platform.quote_versions: \"2\" does not belong here: write 3, 4 or 5"},
		{[]policy.Option{anyone, policy.CAs("Platform")}, policy.ErrInvalid, `platform.ca: "Platform" does not belong here: write "processor", "platform"`},
		{[]policy.Option{anyone, policy.SGXTypes(3)}, policy.ErrInvalid, "platform.sgx_types"},
		{[]policy.Option{policy.Enclave{Any: true, Name: "a\nb"}}, policy.ErrInvalid, "sgx[0].name"},
		{[]policy.Option{policy.TD{Any: true, Name: strings.Repeat("x", 65)}}, policy.ErrInvalid, "tdx[0].name"},
		{[]policy.Option{policy.Enclave{Any: true, AttributesRequired: isa.AttrKSS, AttributesForbidden: isa.AttrKSS}}, policy.ErrInvalid, "sgx[0].attributes_forbidden: KSS is required, too"},
		{[]policy.Option{policy.Enclave{Any: true, XFRMRequired: 4, XFRMForbidden: 6}}, policy.ErrInvalid, "sgx[0].xfrm_forbidden: AVX is required"},
		{[]policy.Option{policy.Enclave{Any: true, MiscSelectRequired: 1, MiscSelectForbidden: 1}}, policy.ErrInvalid, "sgx[0].miscselect_forbidden"},
		{[]policy.Option{policy.Enclave{Any: true, AttributesRequired: isa.AttrDebug}}, policy.ErrInvalid, "sgx[0].attributes_required: DEBUG is refused without allow_debug"},
		{[]policy.Option{policy.Enclave{Any: true, AttributesRequired: isa.AttrProvisionKey}}, policy.ErrInvalid, "without allow_provision_key"},
		{[]policy.Option{policy.TD{Any: true, AttributesRequired: dcap.TDPKS, AttributesForbidden: dcap.TDPKS}}, policy.ErrInvalid, "tdx[0].attributes_forbidden"},
		{[]policy.Option{policy.TD{Any: true, XFAMRequired: 1, XFAMForbidden: 1}}, policy.ErrInvalid, "tdx[0].xfam_forbidden"},
		{[]policy.Option{policy.TD{Any: true, AttributesRequired: dcap.TDPerfProf}}, policy.ErrInvalid, "PERF_PROF is refused without allow_debug"},
		{[]policy.Option{policy.TD{Any: true, AttributesRequired: dcap.TDMigratable}}, policy.ErrInvalid, "MIGRATABLE is refused without allow_migratable"},
	} {
		p, err := policy.New(c.options...)
		var errs policy.Errors
		if p != nil || !errors.Is(err, c.kind) || !errors.As(err, &errs) || len(errs) != 1 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want one error with %q that is %v", err, c.want, c.kind)
		}
	}
}
