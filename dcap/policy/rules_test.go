package policy_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
)

const (
	anySGX = "[[sgx]]\nany = true\n"
	anyTDX = "[[tdx]]\nany = true\n"
)

func hexes(digits string, bytes int) string { return `"` + strings.Repeat(digits, bytes) + `"` }

// A ruleCase is a policy, and a result that it accepts or not. Results are of
// an enclave, or of a TD if the policy has a section tdx.
type ruleCase struct {
	policy string
	change func(*verify.Result)
	fails  string // rules, separated by spaces
}

func asIs(*verify.Result) {}

// TestRules has every rule both ways.
func TestRules(t *testing.T) {
	tested := map[string][2]bool{} // holds, fails
	for _, c := range slices.Concat(tcbCases, collateralCases, platformCases, enclaveCases, tdCases) {
		r := sgxResult()
		if strings.Contains(c.policy, "[[tdx]]") {
			r = tdResult()
		}
		c.change(r)
		v := parse(t, c.policy).Check(r)
		got := strings.Join(rules(v), " ")
		if got != c.fails || v.Accepted != (c.fails == "") || (v.Err() == nil) != v.Accepted {
			t.Errorf("accepted %v, fails %q, want %q: %v\n%s", v.Accepted, got, c.fails, v.Err(), c.policy)
		}
		for _, f := range v.Failures {
			s := f.Error()
			if f.Wanted == "" || f.Found == "" || f.Advice == "" || strings.ContainsAny(s, "\r\n") || len(s) > 600 {
				t.Errorf("a failure that does not tell: %q", s)
			}
			x := tested[f.Rule]
			tested[f.Rule] = [2]bool{x[0], true}
		}
		section := ""
		for l := range strings.Lines(c.policy) {
			if name, ok := strings.CutPrefix(strings.TrimSpace(l), "["); ok {
				section = strings.Trim(name, "[]") + "."
				continue
			}
			key, _, _ := strings.Cut(l, " ")
			x := tested[section+key]
			tested[section+key] = [2]bool{x[0] || v.Accepted, x[1]}
		}
	}
	keys := policy.Keys()
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if x := tested[key]; !x[0] || keys[key] && !x[1] {
			t.Errorf("%s: tested to hold %v, to fail %v", key, x[0], x[1])
		}
	}
}

func withStatus(s dcap.TCBStatus, advisories ...string) func(*verify.Result) {
	return func(r *verify.Result) { status(r, s, advisories...) }
}
func withLevel(i int) func(*verify.Result) { return func(r *verify.Result) { level(r, i) } }
func at(date string) func(*verify.Result)  { return func(r *verify.Result) { r.At = day(date) } }
func both(f ...func(*verify.Result)) func(*verify.Result) {
	return func(r *verify.Result) {
		for _, f := range f {
			f(r)
		}
	}
}

// fresh lets collateral be of the time that is asked about, which then is not
// what fails.
func fresh(r *verify.Result) { r.Validity = verify.Validity{EvaluationDataNumber: 17} }

func oldQE(r *verify.Result) {
	r.Launch.QE = &r.QEIdentity.Levels[1]
	r.Launch.Status, r.Launch.Date, r.TCBStatus = dcap.OutOfDate, r.Launch.QE.Date, dcap.OutOfDate
}

var tcbCases = []ruleCase{
	// Statuses.
	{anySGX, asIs, ""},
	{anySGX, withStatus(dcap.SWHardeningNeeded), "tcb.accept"},
	{anySGX, withStatus(dcap.ConfigurationNeeded), "tcb.accept"},
	{anySGX, withStatus(dcap.ConfigurationAndSWHardeningNeeded), "tcb.accept"},
	{anySGX, withStatus(dcap.OutOfDate), "tcb.accept"},
	{anySGX, withStatus(dcap.OutOfDateConfigurationNeeded), "tcb.accept"},
	{anySGX, withStatus(dcap.Revoked), "tcb.accept"},
	{anySGX, withStatus(dcap.TCBUnknown), "tcb.accept"},
	{anySGX, withStatus(dcap.TCBStatus(200)), "tcb.accept"},
	{"[tcb]\naccept = \"SWHardeningNeeded\"\n" + anySGX, withStatus(dcap.SWHardeningNeeded), ""},
	{"[tcb]\naccept = [\"UpToDate\", \"ConfigurationNeeded\"]\n" + anySGX, withStatus(dcap.ConfigurationNeeded), ""},
	{"[tcb]\naccept = [\"UpToDate\", \"ConfigurationNeeded\"]\n" + anySGX, withStatus(dcap.ConfigurationAndSWHardeningNeeded), "tcb.accept"},
	{"[tcb]\naccept = [\"SWHardeningNeeded\"]\n" + anySGX, asIs, ""},
	{"[tcb]\naccept = [\"OutOfDate\", \"OutOfDateConfigurationNeeded\"]\n" + anySGX, withStatus(dcap.OutOfDateConfigurationNeeded), ""},
	// A TD that began on an old module.
	{anyTDX, relaunchAdvised, "tcb.accept"},
	{"[tcb]\naccept = [\"TDRelaunchAdvised\"]\n" + anyTDX, relaunchAdvised, ""},
	{"[tcb]\naccept = [\"OutOfDate\"]\n" + anyTDX, relaunchAdvised, "tcb.accept"},
	{"[tcb]\naccept = [\"TDRelaunchAdvised\"]\n" + anyTDX, both(relaunchAdvised, func(r *verify.Result) { r.Current.Status = dcap.SWHardeningNeeded }), "tcb.accept"},
	{"[tcb]\naccept = [\"TDRelaunchAdvised\", \"SWHardeningNeeded\"]\n" + anyTDX, both(relaunchAdvised, func(r *verify.Result) { r.Current.Status = dcap.SWHardeningNeeded }), ""},
	{anyTDX, both(relaunchAdvised, func(r *verify.Result) {
		r.TCBStatus, r.Launch.Status, r.Current.Status = dcap.UpToDate, dcap.UpToDate, dcap.OutOfDate
	}), "tcb.accept"},
	{"[tcb]\nout_of_date_grace = \"700d\"\n" + anyTDX, relaunchAdvised, ""},
	{"[tcb]\nout_of_date_grace = \"600d\"\n" + anyTDX, relaunchAdvised, "tcb.out_of_date_grace"},
	{"[tcb]\nout_of_date_grace = \"450d\"\nout_of_date_grace_from = \"newer_level\"\n" + anyTDX, relaunchAdvised, ""},
	{"[tcb]\nout_of_date_grace = \"440d\"\nout_of_date_grace_from = \"newer_level\"\n" + anyTDX, relaunchAdvised, "tcb.out_of_date_grace"},
	// Grace periods, to the day: level 1 is of 2023-08-09, and level 0 of 2024-03-13.
	{"[tcb]\nout_of_date_grace = \"90d\"\n" + anySGX, asIs, ""},
	{"[tcb]\nout_of_date_grace = \"90d\"\n" + anySGX, both(withLevel(1), fresh, at("2023-11-07")), ""},
	{"[tcb]\nout_of_date_grace = \"90d\"\n" + anySGX, both(withLevel(1), fresh, at("2023-11-08")), "tcb.out_of_date_grace"},
	{"[tcb]\nout_of_date_grace = \"90d\"\nout_of_date_grace_from = \"tcb_date\"\n" + anySGX, both(withLevel(1), fresh, at("2023-11-08")), "tcb.out_of_date_grace"},
	{"[tcb]\nout_of_date_grace = \"90d\"\nout_of_date_grace_from = \"newer_level\"\n" + anySGX, both(withLevel(1), fresh, at("2024-06-11")), ""},
	{"[tcb]\nout_of_date_grace = \"90d\"\nout_of_date_grace_from = \"newer_level\"\n" + anySGX, both(withLevel(1), fresh, at("2024-06-12")), "tcb.out_of_date_grace"},
	// Level 2 is older than level 1, so that it was missed from 2023-08-09 on.
	{"[tcb]\nout_of_date_grace = \"90d\"\nout_of_date_grace_from = \"newer_level\"\n" + anySGX, both(withLevel(2), fresh, at("2023-11-07")), ""},
	{"[tcb]\nout_of_date_grace = \"90d\"\nout_of_date_grace_from = \"newer_level\"\n" + anySGX, both(withLevel(2), fresh, at("2023-11-08")), "tcb.out_of_date_grace"},
	// No newer level: nothing to count from.
	{"[tcb]\nout_of_date_grace = \"36500d\"\nout_of_date_grace_from = \"newer_level\"\n" + anySGX, withStatus(dcap.OutOfDate), "tcb.out_of_date_grace"},
	// Nor does a level count that is newer by its SVNs and not by its date.
	{"[tcb]\nout_of_date_grace = \"36500d\"\nout_of_date_grace_from = \"newer_level\"\n" + anySGX, both(withLevel(1), func(r *verify.Result) { r.TCBInfo.Levels[0].Date = day("2023-08-08") }), "tcb.out_of_date_grace"},
	// The quoting enclave is of 2021-11-10; its newer level of 2024-03-13.
	{"[tcb]\nout_of_date_grace = \"30d\"\n" + anySGX, both(oldQE, fresh, at("2021-12-10")), ""},
	{"[tcb]\nout_of_date_grace = \"30d\"\n" + anySGX, both(oldQE, fresh, at("2021-12-11")), "tcb.out_of_date_grace"},
	{"[tcb]\nout_of_date_grace = \"30d\"\nout_of_date_grace_from = \"newer_level\"\n" + anySGX, both(oldQE, fresh, at("2024-04-12")), ""},
	{"[tcb]\nout_of_date_grace = \"30d\"\nout_of_date_grace_from = \"newer_level\"\n" + anySGX, both(oldQE, fresh, at("2024-04-13")), "tcb.out_of_date_grace"},
	// Grace is for what is out of date, and nothing else.
	{"[tcb]\nout_of_date_grace = \"36500d\"\n" + anySGX, withStatus(dcap.SWHardeningNeeded), "tcb.accept"},
	{"[tcb]\nout_of_date_grace = \"36500d\"\n" + anySGX, withStatus(dcap.Revoked), "tcb.accept"},
	{"[tcb]\nout_of_date_grace = \"36500d\"\n" + anySGX, withStatus(dcap.TCBUnknown), "tcb.accept"},
	{"[tcb]\nout_of_date_grace = \"36500d\"\n" + anySGX, withLevel(3), "tcb.accept"},
	{"[tcb]\naccept = \"ConfigurationNeeded\"\nout_of_date_grace = \"36500d\"\n" + anySGX, withLevel(3), ""},
	{"[tcb]\nout_of_date_grace = \"36500d\"\n" + anySGX, both(withStatus(dcap.SWHardeningNeeded), oldQE), "tcb.accept"},
	{"[tcb]\naccept = \"SWHardeningNeeded\"\nout_of_date_grace = \"36500d\"\n" + anySGX, both(withStatus(dcap.SWHardeningNeeded), oldQE), ""},
	// Results that package verify does not make, but a caller could.
	{anySGX, func(r *verify.Result) { r.Current = nil }, ""},
	{"[tcb]\nmin_tcb_date = 2024-03-14\n" + anySGX, func(r *verify.Result) { r.Current = nil }, "tcb.min_tcb_date"},
	{"[tcb]\nout_of_date_grace = \"36500d\"\n" + anySGX, both(withLevel(1), func(r *verify.Result) { r.Launch.Platform = nil }), "tcb.accept"},
	{"[tcb]\nout_of_date_grace = \"36500d\"\nout_of_date_grace_from = \"newer_level\"\n" + anySGX, both(withLevel(1), func(r *verify.Result) { r.Launch.Platform, r.Launch.QE = nil, nil }), "tcb.accept"},
	{"[tcb]\nout_of_date_grace = \"36500d\"\nout_of_date_grace_from = \"newer_level\"\n" + anySGX, both(withLevel(1), func(r *verify.Result) { r.Launch.Index = 99 }), ""},
	// The quoting enclave alone.
	{"[tcb]\nqe_up_to_date = true\n" + anySGX, asIs, ""},
	{"[tcb]\nqe_up_to_date = true\naccept = [\"OutOfDate\"]\n" + anySGX, oldQE, "tcb.qe_up_to_date"},
	{"[tcb]\naccept = [\"OutOfDate\"]\n" + anySGX, oldQE, ""},
	// Dates.
	{"[tcb]\nmin_tcb_date = 2024-03-13\n" + anySGX, asIs, ""},
	{"[tcb]\nmin_tcb_date = 2024-03-13T00:00:01Z\n" + anySGX, asIs, "tcb.min_tcb_date"},
	{"[tcb]\nmin_tcb_date = \"2024-03-14\"\n" + anySGX, asIs, "tcb.min_tcb_date"},
	{"[tcb]\naccept = [\"TDRelaunchAdvised\"]\nmin_tcb_date = 2023-08-10\n" + anyTDX, relaunchAdvised, "tcb.min_tcb_date"},
	// Advisories.
	{"[tcb]\naccept = [\"SWHardeningNeeded\"]\ndenied_advisories = [\"INTEL-SA-00334\"]\n" + anySGX, withStatus(dcap.SWHardeningNeeded, "INTEL-SA-00615"), ""},
	{"[tcb]\naccept = [\"SWHardeningNeeded\"]\ndenied_advisories = [\"INTEL-SA-00334\", \"intel-sa-00615\"]\n" + anySGX, withStatus(dcap.SWHardeningNeeded, "INTEL-SA-00615"), "tcb.denied_advisories"},
	{"[tcb]\naccept = [\"TDRelaunchAdvised\"]\ndenied_advisories = \"INTEL-SA-01036\"\n" + anyTDX, relaunchAdvised, "tcb.denied_advisories"},
	{"[tcb]\naccept = [\"SWHardeningNeeded\"]\nallowed_advisories = [\"INTEL-SA-00334\", \"INTEL-SA-00615\"]\n" + anySGX, withStatus(dcap.SWHardeningNeeded, "INTEL-SA-00615"), ""},
	{"[tcb]\naccept = [\"SWHardeningNeeded\"]\nallowed_advisories = [\"INTEL-SA-00334\"]\n" + anySGX, withStatus(dcap.SWHardeningNeeded, "INTEL-SA-00334", "INTEL-SA-00615"), "tcb.allowed_advisories"},
	{"[tcb]\naccept = [\"SWHardeningNeeded\"]\nallowed_advisories = []\n" + anySGX, withStatus(dcap.SWHardeningNeeded), ""},
	{"[tcb]\naccept = [\"SWHardeningNeeded\"]\nallowed_advisories = []\n" + anySGX, withStatus(dcap.SWHardeningNeeded, "INTEL-SA-00615"), "tcb.allowed_advisories"},
	{"[tcb]\naccept = [\"TDRelaunchAdvised\"]\nallowed_advisories = []\n" + anyTDX, both(relaunchAdvised, func(r *verify.Result) { r.Launch.AdvisoryIDs, r.Current.AdvisoryIDs = nil, []string{"INTEL-SA-1"} }), "tcb.allowed_advisories"},
}

func expiredStep(r *verify.Result) {
	r.Steps.TCBInfo = verify.Step{Status: verify.StatusSGXTCBInfoExpired, Err: errors.New("expired")}
}

var collateralCases = []ruleCase{
	{anySGX, both(expiredStep, at("2025-06-20")), "collateral.expired_grace"},
	{anySGX, at("2025-06-20"), "collateral.expired_grace"}, // the dates say so, though no step does
	{anySGX, expiredStep, "collateral.expired_grace"},      // a step says so, though no date does
	{"[collateral]\nexpired_grace = \"7d\"\n" + anySGX, asIs, ""},
	{"[collateral]\nexpired_grace = \"7d\"\n" + anySGX, both(expiredStep, at("2025-06-26")), ""},
	{"[collateral]\nexpired_grace = \"7d\"\n" + anySGX, both(expiredStep, at("2025-06-27")), "collateral.expired_grace"},
	{"[collateral]\nexpired_grace = \"7d\"\n" + anySGX, expiredStep, "collateral.expired_grace"},
	{"[collateral]\nexpired_grace = \"36500d\"\n" + anySGX, both(expiredStep, at("2025-05-27")), "not_yet_valid"},
	{"[collateral]\nexpired_grace = \"36500d\"\n" + anySGX, at("2025-05-27"), "not_yet_valid"},
	{anySGX, both(expiredStep, at("2025-05-27"), func(r *verify.Result) { r.Validity.EarliestExpiration = day("2025-05-26") }), "not_yet_valid collateral.expired_grace"},
	{"[collateral]\nmax_age = \"12d\"\n" + anySGX, asIs, ""},
	{"[collateral]\nmax_age = \"287h\"\n" + anySGX, asIs, "collateral.max_age"}, // TCB info of 12 days ago
	{"[collateral]\nmax_age = \"6d\"\n" + anySGX, func(r *verify.Result) { r.TCBInfo.IssueDate = r.At }, "collateral.max_age"},
	{"[collateral]\nmin_evaluation_data_number = 17\n" + anySGX, asIs, ""},
	{"[collateral]\nmin_evaluation_data_number = 18\n" + anySGX, asIs, "collateral.min_evaluation_data_number"},
}

func otherRoot(r *verify.Result) {
	r.Root = verify.Root{Key: [64]byte{1}, Subject: dcap.Name{CommonName: "SOFTWARE - NOT HARDWARE\n"}}
}

// otherRootKey is SHA-256 of 04 01 and 63 zeros, as sha256sum prints it.
const otherRootKey = `"555c8e5b78c8391f505c779a1080eb228fa2fb6362aa6a2608e5ba064fe02091"`

func configuration(change func(*dcap.PCKExtension)) func(*verify.Result) {
	return func(r *verify.Result) { change(r.PCK.SGX) }
}

func ofProcessorCA(e *dcap.PCKExtension) {
	e.HasPlatform, e.PlatformInstanceID, e.Configuration = false, [16]byte{}, dcap.PCKConfiguration{}
}

var platformCases = []ruleCase{
	{anySGX, otherRoot, "platform.roots"},
	{"[platform]\nroots = [\"intel\"]\n" + anySGX, asIs, ""},
	{"[platform]\nroots = [\"intel\"]\n" + anySGX, otherRoot, "platform.roots"},
	{"[platform]\nroots = [" + otherRootKey + "]\n" + anySGX, otherRoot, ""},
	{"[platform]\nroots = [" + otherRootKey + "]\n" + anySGX, asIs, "platform.roots"},
	{"[platform]\nroots = [\"intel\", " + otherRootKey + "]\n" + anySGX, asIs, ""},
	{"[platform]\nroots = [\"intel\", " + otherRootKey + "]\n" + anySGX, otherRoot, ""},
	{"[platform]\nroots = " + hexes("00", 32) + "\n" + anySGX, otherRoot, "platform.roots"},
	{"[platform]\nquote_versions = [3, 4]\n" + anySGX, asIs, ""},
	{"[platform]\nquote_versions = [3, 4]\n" + anyTDX, asIs, "platform.quote_versions"},
	{"[platform]\nca = \"platform\"\n" + anySGX, asIs, ""},
	{"[platform]\nca = \"processor\"\n" + anySGX, asIs, "platform.ca"},
	{"[platform]\nfmspc = [\"00a067110000\", \"00906EA10000\"]\n" + anySGX, asIs, ""},
	{"[platform]\nfmspc = [\"00906EA10000\"]\n" + anySGX, asIs, "platform.fmspc"},
	{"[platform]\ndenied_fmspc = [\"00906EA10000\"]\n" + anySGX, asIs, ""},
	{"[platform]\ndenied_fmspc = [\"00906EA10000\", \"00A067110000\"]\n" + anySGX, asIs, "platform.denied_fmspc"},
	{"[platform]\nsgx_types = [\"scalable\", \"scalable-with-integrity\"]\n" + anySGX, asIs, ""},
	{"[platform]\nsgx_types = [\"standard\", \"scalable-with-integrity\"]\n" + anySGX, asIs, "platform.sgx_types"},
	{"[platform]\nplatform_instances = " + hexes("11", 16) + "\n" + anySGX, asIs, ""},
	{"[platform]\nplatform_instances = " + hexes("22", 16) + "\n" + anySGX, asIs, "platform.platform_instances"},
	{"[platform]\nplatform_instances = " + hexes("00", 16) + "\n" + anySGX, configuration(ofProcessorCA), "platform.platform_instances"},
	{"[platform]\nppids = " + hexes("22", 16) + "\n" + anySGX, asIs, ""},
	{"[platform]\nppids = " + hexes("11", 16) + "\n" + anySGX, asIs, "platform.ppids"},
	{anySGX, configuration(func(e *dcap.PCKExtension) {
		e.Configuration = dcap.PCKConfiguration{DynamicPlatform: dcap.True, CachedKeys: dcap.True, SMTEnabled: dcap.True}
	}), ""},
	{"[platform]\nforbid_dynamic_platform = true\n" + anySGX, asIs, ""},
	{"[platform]\nforbid_dynamic_platform = true\n" + anySGX, configuration(func(e *dcap.PCKExtension) { e.Configuration.DynamicPlatform = dcap.True }), "platform.forbid_dynamic_platform"},
	{"[platform]\nforbid_dynamic_platform = true\n" + anySGX, configuration(func(e *dcap.PCKExtension) { e.Configuration.DynamicPlatform = dcap.Undefined }), "platform.forbid_dynamic_platform"},
	{"[platform]\nforbid_dynamic_platform = true\n" + anySGX, configuration(ofProcessorCA), ""},
	{"[platform]\nforbid_cached_keys = true\n" + anySGX, asIs, ""},
	{"[platform]\nforbid_cached_keys = true\n" + anySGX, configuration(func(e *dcap.PCKExtension) { e.Configuration.CachedKeys = dcap.True }), "platform.forbid_cached_keys"},
	{"[platform]\nforbid_cached_keys = true\n" + anySGX, configuration(ofProcessorCA), ""},
	{"[platform]\nforbid_smt = true\n" + anySGX, asIs, ""},
	{"[platform]\nforbid_smt = true\n" + anySGX, configuration(func(e *dcap.PCKExtension) { e.Configuration.SMTEnabled = dcap.True }), "platform.forbid_smt"},
	{"[platform]\nforbid_smt = true\n" + anySGX, configuration(ofProcessorCA), "platform.forbid_smt"},
}

func body(change func(*isa.ReportBody)) func(*verify.Result) {
	return func(r *verify.Result) { change(sgxBody(r)) }
}

var enclaveCases = []ruleCase{
	{"[[sgx]]\nname = \"one\"\nmrenclave = " + hexes("01", 32), asIs, ""},
	{"[[sgx]]\nmrenclave = [" + hexes("0A", 32) + ", " + hexes("01", 32) + "]", asIs, ""},
	{"[[sgx]]\nmrenclave = " + hexes("0A", 32), asIs, "sgx.mrenclave"},
	{"[[sgx]]\nmrsigner = " + hexes("02", 32) + "\nisvprodid = 7\nmin_isvsvn = 3", asIs, ""},
	{"[[sgx]]\nmrsigner = " + hexes("03", 32) + "\nisvprodid = 7\nmin_isvsvn = 3", asIs, "sgx.mrsigner"},
	{"[[sgx]]\nmrsigner = " + hexes("02", 32) + "\nisvprodid = [0, 8]\nmin_isvsvn = 3", asIs, "sgx.isvprodid"},
	{"[[sgx]]\nmrsigner = " + hexes("02", 32) + "\nisvprodid = 0", asIs, "sgx.isvprodid"},
	{"[[sgx]]\nmrsigner = " + hexes("02", 32) + "\nisvprodid = 7\nmin_isvsvn = 4", asIs, "sgx.min_isvsvn"},
	{"[[sgx]]\nmrsigner = " + hexes("02", 32) + "\nmrenclave = " + hexes("02", 32), asIs, "sgx.mrenclave"},
	{anySGX + "configid = \"04" + strings.Repeat("00", 63) + `"`, asIs, ""},
	{anySGX + "configid = " + hexes("04", 64), asIs, "sgx.configid"},
	{anySGX + "min_configsvn = 4", asIs, ""},
	{anySGX + "min_configsvn = 5", asIs, "sgx.min_configsvn"},
	{anySGX + "isvextprodid = " + hexes("05", 16), asIs, ""},
	{anySGX + "isvextprodid = " + hexes("06", 16), asIs, "sgx.isvextprodid"},
	{anySGX + "isvfamilyid = " + hexes("06", 16), asIs, ""},
	{anySGX + "isvfamilyid = " + hexes("05", 16), asIs, "sgx.isvfamilyid"},
	{anySGX + "attributes_required = [\"KSS\", \"MODE64BIT\"]", asIs, ""},
	{anySGX + "attributes_required = [\"KSS\", \"AEXNOTIFY\"]", asIs, "sgx.attributes_required"},
	{anySGX + "attributes_forbidden = \"CET\"", asIs, ""},
	{anySGX + "attributes_forbidden = [\"CET\", \"0x80\"]", asIs, "sgx.attributes_forbidden"},
	{anySGX + "xfrm_required = [\"x87\", \"AVX\"]", asIs, ""},
	{anySGX + "xfrm_required = [\"PKRU\"]", asIs, "sgx.xfrm_required"},
	{anySGX + "xfrm_forbidden = [\"TILEDATA\"]", asIs, ""},
	{anySGX + "xfrm_forbidden = [\"AVX\"]", asIs, "sgx.xfrm_forbidden"},
	{anySGX + "miscselect_required = [\"EXINFO\"]", asIs, ""},
	{anySGX + "miscselect_required = [\"CPINFO\"]", asIs, "sgx.miscselect_required"},
	{anySGX + "miscselect_forbidden = [\"0xfffffffe\"]", asIs, ""},
	{anySGX + "miscselect_forbidden = [\"0x1\"]", asIs, "sgx.miscselect_forbidden"},
	{anySGX, body(func(b *isa.ReportBody) { b.Attributes.Flags |= isa.AttrDebug }), "sgx.allow_debug"},
	{anySGX + "allow_debug = false", body(func(b *isa.ReportBody) { b.Attributes.Flags |= isa.AttrDebug }), "sgx.allow_debug"},
	{anySGX + "allow_debug = true", body(func(b *isa.ReportBody) { b.Attributes.Flags |= isa.AttrDebug }), ""},
	{anySGX, body(func(b *isa.ReportBody) { b.Attributes.Flags |= isa.AttrProvisionKey }), "sgx.allow_provision_key"},
	{anySGX + "allow_provision_key = true", body(func(b *isa.ReportBody) { b.Attributes.Flags |= isa.AttrProvisionKey }), ""},
	// Report data: "nonce", and zeros.
	{"report_data = \"6e6f6e6365\"\n" + anySGX, asIs, ""},
	{"report_data = \"6e6f6e6365\"\n" + anySGX, body(func(b *isa.ReportBody) { b.ReportData[63] = 1 }), "report_data"},
	{"report_data = \"6e6f6e63\"\n" + anySGX, asIs, "report_data"},
	{"report_data = \"6e6f6e6365" + strings.Repeat("00", 59) + "\"\n" + anySGX, asIs, ""}, // 64 bytes
	{"report_data_prefix = \"6e6f6e63\"\n" + anySGX, asIs, ""},
	{"report_data_prefix = \"6e6f6e6365\"\n" + anySGX, body(func(b *isa.ReportBody) { b.ReportData[63] = 1 }), ""},
	{"report_data_prefix = \"6e6f6e636500\"\n" + anyTDX, func(r *verify.Result) { tdBody(r).ReportData[5] = 1 }, "report_data_prefix"},
	{anySGX, func(r *verify.Result) { *r = *tdResult() }, "tee"},
	{"report_data = \"00\"\n" + anySGX, func(r *verify.Result) { *r = *tdResult() }, "tee report_data"},
}

func td(change func(*dcap.TDReport15)) func(*verify.Result) {
	return func(r *verify.Result) { change(tdBody(r)) }
}

func asTDX10(r *verify.Result) { b := tdBody(r).TDReport10; r.Quote.Body = &b }

var tdCases = []ruleCase{
	{"[[tdx]]\nname = \"one\"\nmrtd = " + hexes("0a", 48), asIs, ""},
	{"[[tdx]]\nmrtd = " + hexes("0b", 48), asIs, "tdx.mrtd"},
	{"[[tdx]]\nmrtd = " + hexes("0a", 48) + "\nrtmr0 = " + hexes("10", 48) + "\nrtmr1 = " + hexes("11", 48) + "\nrtmr2 = " + hexes("12", 48) + "\nrtmr3 = " + hexes("13", 48), asIs, ""},
	{"[[tdx]]\nmrtd = " + hexes("0a", 48) + "\nrtmr0 = " + hexes("11", 48) + "\nrtmr1 = " + hexes("12", 48) + "\nrtmr2 = " + hexes("13", 48) + "\nrtmr3 = " + hexes("10", 48), asIs, "tdx.rtmr0 tdx.rtmr1 tdx.rtmr2 tdx.rtmr3"},
	{anyTDX + "mrseam = " + hexes("0b", 48), asIs, ""},
	{anyTDX + "mrseam = " + hexes("0a", 48), asIs, "tdx.mrseam"},
	{anyTDX + "mrsignerseam = " + hexes("00", 48), asIs, ""},
	{anyTDX + "mrsignerseam = " + hexes("01", 48), asIs, "tdx.mrsignerseam"},
	{anyTDX + "mrconfigid = " + hexes("0c", 48), asIs, ""},
	{anyTDX + "mrconfigid = " + hexes("0d", 48), asIs, "tdx.mrconfigid"},
	{anyTDX + "mrowner = " + hexes("0d", 48), asIs, ""},
	{anyTDX + "mrowner = " + hexes("0e", 48), asIs, "tdx.mrowner"},
	{anyTDX + "mrownerconfig = " + hexes("0e", 48), asIs, ""},
	{anyTDX + "mrownerconfig = " + hexes("0c", 48), asIs, "tdx.mrownerconfig"},
	{anyTDX + "mrservicetd = " + hexes("14", 48), asIs, ""},
	{anyTDX + "mrservicetd = " + hexes("15", 48), asIs, "tdx.mrservicetd"},
	{anyTDX + "mrservicetd = " + hexes("00", 48), asTDX10, "tdx.mrservicetd"},
	{anyTDX, asTDX10, ""},
	{anyTDX + "attributes_required = \"SEPT_VE_DISABLE\"", asIs, ""},
	{anyTDX + "attributes_required = \"SEPT_VE_DISABLE\"", td(func(b *dcap.TDReport15) { b.TDAttributes = 0 }), "tdx.attributes_required"},
	{anyTDX + "attributes_forbidden = [\"PKS\"]", asIs, ""},
	{anyTDX + "attributes_forbidden = [\"PKS\", \"SEPT_VE_DISABLE\"]", asIs, "tdx.attributes_forbidden"},
	{anyTDX + "xfam_required = [\"x87\", \"SSE\", \"AVX\"]", asIs, ""},
	{anyTDX + "xfam_required = [\"CET_U\"]", asIs, "tdx.xfam_required"},
	{anyTDX + "xfam_forbidden = [\"0x8000000000000000\"]", asIs, ""},
	{anyTDX + "xfam_forbidden = [\"0xf0\"]", asIs, "tdx.xfam_forbidden"},
	{anyTDX + "min_tee_tcb_svn = \"05010200000000000000000000000000\"", asIs, ""},
	{anyTDX + "min_tee_tcb_svn = \"05010300000000000000000000000000\"", asIs, "tdx.min_tee_tcb_svn"},
	{anyTDX + "min_tee_tcb_svn = \"06010200000000000000000000000000\"", asIs, "tdx.min_tee_tcb_svn"}, // at launch
	{anyTDX + "min_tee_tcb_svn = \"05010200000000000000000000000000\"", td(func(b *dcap.TDReport15) { b.TEETCBSVN2[0] = 4 }), "tdx.min_tee_tcb_svn"},
	{anyTDX, td(func(b *dcap.TDReport15) { b.TDAttributes |= dcap.TDDebug }), "tdx.allow_debug"},
	{anyTDX, td(func(b *dcap.TDReport15) { b.TDAttributes |= 1 << 7 }), "tdx.allow_debug"},
	{anyTDX + "allow_debug = true", td(func(b *dcap.TDReport15) { b.TDAttributes |= dcap.TDUntrustedDebug }), ""},
	{anyTDX, td(func(b *dcap.TDReport15) { b.TDAttributes |= dcap.TDMigratable }), "tdx.allow_migratable"},
	{anyTDX + "allow_migratable = true", td(func(b *dcap.TDReport15) { b.TDAttributes |= dcap.TDMigratable }), ""},
	{anyTDX + "mrservicetd = " + hexes("14", 48), td(func(b *dcap.TDReport15) { b.TDAttributes |= dcap.TDMigratable }), ""},
	{anyTDX, func(r *verify.Result) { *r = *sgxResult() }, "tee"},
}
