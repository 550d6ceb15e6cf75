package policy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap/policy"
)

// A fileError is a file with one fault; where it stands, and what is said.
type fileError struct{ file, want string }

// tomlErrors are faults of the form, which the schema finds, too, if there is
// JSON of the kind.
var tomlErrors = []fileError{
	// Keys.
	{"reportdata = \"00\"\n" + anySGX, "1:1: reportdata: there is no such key: write report_data"},
	{anySGX + "  mr-enclave = 1", "3:3: sgx[0].mr-enclave: there is no such key: write mrenclave"},
	{"[tcb]\nquux_and_more = 1\n" + anySGX, "2:1: tcb.quux_and_more: there is no such key"},
	{"[tdcb]\n" + anySGX, "1:2: tdcb: there is no such key: write tcb"},
	{"\"\" = 1\n" + anySGX, "there is no such key"},
	{anySGX + "[sgx.kss]\n", "3:2: sgx[0].kss: there is no such key"}, // in the last [[sgx]]
	{"a.b.c.d.e = 1\n" + anySGX, "1:1: a.b.c.d: no key has so many parts"},
	// Types.
	{"[tcb]\naccept = 1\n" + anySGX, "2:10: tcb.accept: \"1\" does not belong here: write \"UpToDate\", "},
	{"[tcb]\naccept = [\"UpToDate\", \"uptodate\"]\n" + anySGX, "2:23: tcb.accept: \"uptodate\" does not"},
	{"[tcb]\naccept = [\"Revoked\"]\n" + anySGX, "2:11: tcb.accept: \"Revoked\" does not"},
	{"[tcb]\naccept = [[\"UpToDate\"]]\n" + anySGX, "tcb.accept: a list does not belong here"},
	{"[tcb]\naccept = {}\n" + anySGX, "tcb.accept: a table does not belong here"},
	{"[tcb]\naccept = []\n" + anySGX, "tcb.accept: an empty list would accept nothing: leave it out, or write"},
	{"[tcb]\nout_of_date_grace = [\"1d\"]\n" + anySGX, "tcb.out_of_date_grace: a list does not belong here: write a duration"},
	{"[tcb]\nout_of_date_grace = 90\n" + anySGX, "\"90\" does not belong here: write a duration like \"90d\""},
	{"[tcb]\nout_of_date_grace = \"0d\"\n" + anySGX, "\"0d\" does not"},
	{"[tcb]\nout_of_date_grace = \"1w\"\n" + anySGX, "\"1w\" does not"},
	{"[tcb]\nout_of_date_grace = \"1d12h\"\n" + anySGX, "\"1d12h\" does not"},
	{"[tcb]\nout_of_date_grace = \"-1d\"\n" + anySGX, "\"-1d\" does not"},
	{"[tcb]\nqe_up_to_date = \"true\"\n" + anySGX, "\"true\" does not belong here: write true or false"},
	{"[tcb]\nqe_up_to_date = 1\n" + anySGX, "\"1\" does not"},
	{"[tcb]\nmin_tcb_date = \"13.03.2024\"\n" + anySGX, "write a date like \"2024-03-13\""},
	{"[tcb]\ndenied_advisories = [\"INTEL-SA-615\"]\n" + anySGX, "\"INTEL-SA-615\" does not"},
	{"[collateral]\nmin_evaluation_data_number = 4294967296\n" + anySGX, "write a number from 0 to 4294967295"},
	{"[collateral]\nmin_evaluation_data_number = -1\n" + anySGX, "\"-1\" does not"},
	{"[collateral]\nmin_evaluation_data_number = 1.5\n" + anySGX, "no value that a policy has does not belong here"},
	{"[platform]\nroots = [\"Intel\"]\n" + anySGX, "\"Intel\" does not belong here: write \"intel\", or the fingerprint"},
	{"[platform]\nquote_versions = [6]\n" + anySGX, "write 3, 4 or 5"},
	{"[platform]\nfmspc = \"00A06711000\"\n" + anySGX, "write 12 hexadecimal digits"},
	{"[[sgx]]\nmrenclave = " + hexes("01", 31), "2:13: sgx[0].mrenclave: "},
	{"[[sgx]]\nmrenclave = " + hexes("0g", 32), "write 64 hexadecimal digits"},
	{anySGX + "\n[[sgx]]\nmrsigner = " + hexes("00", 32) + "\nisvprodid = [1, 65536]", "6:17: sgx[1].isvprodid: \"65536\" does not belong here: write a number from 0 to 65535"},
	{anySGX + "attributes_required = [\"DEBUGGING\"]", "write names of bits (INIT, DEBUG, MODE64BIT, "},
	{anySGX + "attributes_required = [\"0x10000000000000000\"]", "does not belong here"},
	{anySGX + "miscselect_required = [\"0x100000000\"]", "does not belong here"},
	{anySGX + "attributes_required = 2", "does not belong here"},
	{anySGX + "name = \"\"", "write 1 to 64 printable characters"},
	{"report_data = \"\"\n" + anySGX, "write 2 to 128 hexadecimal digits"},
	{"report_data = \"" + strings.Repeat("00", 65) + "\"\n" + anySGX, "write 2 to 128 hexadecimal digits"},
	{"sgx = 1", "1:7: sgx: a number does not belong here: write a list of tables, [[sgx]] in TOML"},
	{"[sgx]\nany = true", "1:2: sgx: a table does not belong here: write a list of tables"},
	{"sgx = [1]", "sgx[0]: a number does not belong here: write a table"},
	{"sgx = []", "sgx: a list does not belong here"},
	{"tcb = [1]\n" + anySGX, "tcb: a list does not belong here: write a table"},
	// Identity.
	{"", "1:1: it names no enclave and no TD"},
	{"[[sgx]]\nisvprodid = 1", "1:3: sgx[0]: it names no identity"},
	{anySGX + "[[tdx]]\nrtmr0 = " + hexes("00", 48), "tdx[0]: it names no identity: give an mrtd"},
}

// onlyTOMLErrors are faults that no schema finds.
var onlyTOMLErrors = []fileError{
	{"x", "1:1: no TOML"},
	{"[tcb\n", "no TOML"},
	{anySGX + "any = true", "3:1: any: it is given on line 2 already: leave one out"},
	{anySGX + "\"any\" = true", "3:1: any: it is given on line 2"},
	{"[tcb]\n[tcb]\n" + anySGX, "2:2: tcb: it is given on line 1 already"},
	{"tcb = {qe_up_to_date = true}\n[tcb]\n" + anySGX, "tcb"},
	{"tcb = {qe_up_to_date = true, qe_up_to_date = true}\n" + anySGX, "1:30: qe_up_to_date: it is given on line 1"},
	{"tcb.accept = \"OutOfDate\"\n[tcb]\nqe_up_to_date = true\n" + anySGX, "no TOML"},
	{"tcb.accept = \"OutOfDate\"\ntcb = 1\n" + anySGX, "2:1: tcb: it is given on line 1"},
	{"tcb = 1\ntcb.accept = \"OutOfDate\"\n" + anySGX, "2:1: tcb: it is something else already"},
	{"tcb = 1\n[tcb.x]\n" + anySGX, "it is something else already"},
	{anySGX + "[sgx]\n", "3:2: sgx: it is given on line 1 already"},
	{"sgx = [{any = true}]\n" + anySGX, "2:3: sgx: it is given on line 1 already"},
	{"[sgx]\n" + anySGX, "sgx: it is given on line 1 already"},
	{anySGX + "name = \"\xff\"", "no TOML"},
	{anySGX + "min_isvsvn = 0__1", "no TOML"},
	{anySGX + "min_isvsvn = 012", "no TOML"},
	{"x = " + strings.Repeat("[", 100), "its brackets nest too deep"},
	{anySGX + strings.Repeat(" ", policy.MaxFile), "the file has more than 262144 bytes"},
	{"[tcb]\nmin_tcb_date = 2024-02-30\n" + anySGX, "2:24: no TOML: impossible date"},
	{"[tcb]\nmin_tcb_date = \"2024-02-30\"\n" + anySGX, "2:16: tcb.min_tcb_date: \"2024-02-30\" does not"},
	{"[tcb]\nmin_tcb_date = 2000-01-01T00:00:00+01:00\n" + anySGX, "2:16: tcb.min_tcb_date: \"1999-12-31T23:00:00Z\" does not"},
	{"[tcb]\nmin_tcb_date = 2024-03-13T00:00:00\n" + anySGX, "tcb.min_tcb_date: no value that a policy has"},
	{"[tcb]\nmin_tcb_date = 2024-03-13T00:00:00.5Z\n" + anySGX, "tcb.min_tcb_date"},
	{"[tcb]\nout_of_date_grace = \"36501d\"\n" + anySGX, "of a hundred years at most"},
	{"[tcb]\nout_of_date_grace = \"9999999999h\"\n" + anySGX, "of a hundred years at most"},
	{anySGX + "name = \"a\\tb\"", "write 1 to 64 printable characters"},
	// Contradictions, which stand where their key does.
	{"[tcb]\naccept = [\"OutOfDate\"]\n\n  out_of_date_grace = \"90d\"\n" + anySGX, "4:23: tcb.out_of_date_grace: it has no effect"},
	{"report_data = \"00\"\nreport_data_prefix = \"00\"\n" + anySGX, "2:22: report_data_prefix: it is given beside report_data"},
	{anySGX + "mrsigner = " + hexes("00", 32), "2:7: sgx[0].any: it is given beside an mrenclave or an mrsigner"},
	{anyTDX + "xfam_required = \"AVX\"\nxfam_forbidden = \"AVX\"", "4:18: tdx[0].xfam_forbidden: AVX is required, too"},
	{anySGX + "[[sgx]]\nany = false", "sgx[1]: it names no identity"},
}

func TestTOMLErrors(t *testing.T) {
	for _, c := range append(tomlErrors, onlyTOMLErrors...) {
		p, err := policy.ParseTOML([]byte(c.file))
		checkError(t, c, p, err)
	}
}

func checkError(t *testing.T, c fileError, p *policy.Policy, err error) {
	t.Helper()
	var errs policy.Errors
	if p != nil || !errors.Is(err, policy.ErrInvalid) || !errors.As(err, &errs) || len(errs) != 1 || !strings.Contains(err.Error(), c.want) {
		t.Errorf("%.80q:\n\tgot  %v\n\twant %s", c.file, err, c.want)
	}
}

// TestMaxFile reads files of just the size that is allowed.
func TestMaxFile(t *testing.T) {
	pad := func(s string) []byte { return []byte(s + strings.Repeat("\n", policy.MaxFile-len(s))) }
	if _, err := policy.ParseTOML(pad(anySGX)); err != nil {
		t.Error(err)
	}
	if _, err := policy.ParseJSON(pad(`{"sgx":[{"any":true}]}`)); err != nil {
		t.Error(err)
	}
}

func TestJSONErrors(t *testing.T) {
	const some = `"sgx":[{"any":true}]`
	for _, c := range []fileError{
		{``, "1:1: JSON is cut off"},
		{`{` + some + `} x`, "1:24: trailing data"},
		{`{` + some + ",\n " + some + `}`, "2:2: sgx: duplicate key"},
		{`{"sgx":[{"any":true,` + "\n" + `"any":true}]}`, "2:1: sgx[0].any: duplicate key"},
		{`{"sgx":[{"any":true,"a\u006ey":true}]}`, "sgx[0].any: duplicate key"},
		{`{` + some + ",\n\"tcb\":{\"accept\":null}}", "2:17: tcb.accept: no value that a policy has does not belong here"},
		{`{` + some + `,"tcb":null}`, "tcb: no value that a policy has does not belong here: write a table"},
		{`{` + some + `,"tcb":{"qe_up_to_date":1}}`, "tcb.qe_up_to_date: \"1\" does not"},
		{`{` + some + `,"collateral":{"min_evaluation_data_number":1.5}}`, "\"1.5\" does not belong here"},
		{`{` + some + `,"collateral":{"min_evaluation_data_number":1e3}}`, "\"1e3\" does not belong here"},
		{`{` + some + `,"collateral":{"min_evaluation_data_number":-1}}`, "\"-1\" does not belong here"},
		{`{` + some + `,"collateral":{"min_evaluation_data_number":01}}`, "not JSON"},
		{`{` + some + ",\n \"Tcb\":{}}", "2:2: Tcb: there is no such key: write tcb"},
		{`{` + some + `,"\n\u202e":1}`, "there is no such key"},
		{`{` + some + `,"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "nested too deeply"},
		{`[]`, "1:1: a list does not belong here: write an object"},
		{`null`, "write an object"},
		{`"x`, "cut off"},
		{strings.Repeat(" ", policy.MaxFile+1), "the file has more than 262144 bytes"},
		{"{\"sgx\":[{\"any\":true,\"name\":\"\xff\"}]}", "not UTF-8"},
		{`{}`, "1:1: it names no enclave and no TD"},
		{`{"sgx":[{"any":true},` + "\n" + `{}]}`, "2:1: sgx[1]: it names no identity"},
	} {
		p, err := policy.ParseJSON([]byte(c.file))
		checkError(t, c, p, err)
	}
}

// TestErrorsAreCollected reads a file with many faults.
func TestErrorsAreCollected(t *testing.T) {
	file := "x = 1\n[tcb]\naccept = [\"a\", \"b\"]\ny = 1\n[[tdx]]\nmrtd = 1\nxfam_required = [\"a\", \"b\"]\n"
	_, err := policy.ParseTOML([]byte(file))
	var errs policy.Errors
	if !errors.As(err, &errs) {
		t.Fatal(err)
	}
	var got []string
	for _, e := range errs {
		got = append(got, fmt.Sprintf("%d:%d", e.Line, e.Column))
	}
	if want := "1:1 3:11 3:16 4:1 6:8 7:18 7:23"; strings.Join(got, " ") != want {
		t.Errorf("errors at %v, want %s", got, want)
	}
	if !strings.HasSuffix(err.Error(), "(and 6 more)") || strings.Contains(err.Error(), "\n") {
		t.Errorf("in one line: %q", err)
	}
	for _, file := range []string{
		"[tcb]\naccept = [" + strings.Repeat("\"x\", ", 10000) + "]\n",
		strings.Repeat("[[sgx]]\n", 30000),
		strings.Repeat("[[sgx]]\nx = 1\n", 15000),
		"[[sgx]]\n" + strings.Repeat("mrenclave = 1\n", 15000),
		"x = [" + strings.Repeat("{},", 80000) + "]",
		"[" + strings.Repeat("a.", 130000) + "a]",
		strings.Repeat("[", 200000),
	} {
		start := time.Now()
		_, err := policy.ParseTOML([]byte(file))
		if !errors.As(err, &errs) || len(errs) > 50 || time.Since(start) > 5*time.Second {
			t.Errorf("%.30q: %d errors in %v", file, len(errs), time.Since(start))
		}
	}
	var many strings.Builder
	for i := range 20000 {
		many.WriteString(strings.Repeat("k", 1+i%7) + string(rune('a'+i%26)) + strings.Repeat("z", i/182%50) + " = 1\n")
	}
	if _, err := policy.ParseTOML([]byte(many.String()[:policy.MaxFile])); !errors.As(err, &errs) {
		t.Error("many keys are accepted")
	}
}
