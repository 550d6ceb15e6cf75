package verify_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/internal/text"
	"github.com/feidi-dev/feidi/testpki"
)

var update = flag.Bool("update", false, "write the texts of testdata/explain")

// status puts the platform at a status of the default TCB info.
func status(s dcap.TCBStatus) func(*world) {
	return func(w *world) {
		testpki.Status(s)(w.m)
		w.reissue()
		w.quote()
	}
}

// explained are situations, by the name of the file that has the text.
var explained = []struct {
	name string
	kind kind
	edit func(*world)
	made func(*world)
	want []string // words that must be in the text
}{
	{name: "ok-sgx", kind: sgx3, want: []string{"is genuine", "an SGX enclave", "00FE1D100000", "no root of Intel's", "UpToDate", "level 1 of 7"}},
	{name: "ok-tdx", kind: tdx15, want: []string{"is genuine", "a TDX guest"}},
	{name: "sw-hardening", kind: sgx3, edit: status(dcap.SWHardeningNeeded), want: []string{"INTEL-SA-00615", "no update of the platform changes this"}},
	{name: "configuration", kind: sgx3, edit: status(dcap.ConfigurationNeeded), want: []string{"a setting of it"}},
	{name: "out-of-date-sgx", kind: sgx3, edit: status(dcap.OutOfDate),
		want: []string{"INTEL-SA-00837", "SGX component 1 (BIOS, Early Microcode Update): SVN 5, needs 6", "PCESVN: SVN 11, needs 12", "would clear INTEL-SA-00837, INTEL-SA-00960; INTEL-SA-00615 would stay", "The best level"}},
	{name: "out-of-date-tdx", kind: tdx4, edit: status(dcap.OutOfDate), want: []string{"TDX component 3 (OS/VMM, TDX Late Microcode Update): SVN 5, needs 6"}},
	{name: "out-of-date-qe", kind: tdx4, edit: func(w *world) { w.q.QEReport.ISVSVN = 5 }, want: []string{"quoting enclave has ISVSVN 5", "OutOfDate"}},
	{name: "out-of-date-module", kind: tdx4, edit: func(w *world) { w.q.TD.TEETCBSVN[0] = 5 }, want: []string{"TDX module TDX_01", "SVN 5", "INTEL-SA-01036"}},
	{name: "revoked-tcb", kind: sgx3, edit: status(dcap.Revoked), want: []string{"withdrawn its trust"}},
	{name: "relaunch-advised", kind: tdx15, edit: func(w *world) { w.q.TD.TEETCBSVN[0] = 5 }, want: []string{"TDRelaunchAdvised", "launch the TD again", "module that runs now"}},
	{name: "not-supported", kind: sgx3, edit: func(w *world) { w.m.SGX.PCESVN, w.m.SGX.TCB[0] = 4, 2; w.reissue() }, want: []string{"not supported", "closest level", "PCESVN: SVN 4, needs 5"}},
	{name: "not-supported-now", kind: tdx15, edit: func(w *world) { w.q.TD.TEETCBSVN2[0] = 1 }, want: []string{"not supported", "runs now"}},
	{name: "expired", kind: sgx3, edit: func(w *world) { w.at = w.at.AddDate(0, 1, 0) }, want: []string{"is genuine", "out of its time", "2026-06-19T12:00:00Z"}},
	{name: "revoked-pck", kind: sgx3, edit: func(w *world) { w.pki.PlatformCA.Revoke(w.m.PCK) }, want: []string{"not shown to be genuine", "Do not trust the platform"}},
	{name: "untrusted-root", kind: tdx4, edit: func(w *world) { w.options = nil }, want: []string{"not shown to be genuine", "name it as a root"}},
	{name: "forged", kind: tdx4, edit: func(w *world) { w.q.Signer = w.pki.Key("other") }, want: []string{"not shown to be genuine", "changed, damaged or forged"}},
	{name: "no-collateral", kind: sgx3, made: func(w *world) { *w.c = dcap.Collateral{} }, want: []string{"not shown to be genuine", "Get the collateral"}},
	{name: "other-platform", kind: sgx3, edit: func(w *world) { w.info().FMSPC[0] = 0x90 }, want: []string{"collateral may be that of another platform"}},
	{name: "expired-and-forged", kind: sgx3, edit: func(w *world) { w.q.Signer = w.pki.Key("other"); w.at = w.at.AddDate(0, 1, 0) }, want: []string{"not shown to be genuine", "out of its time"}},
	{name: "no-quote", kind: sgx3, made: func(w *world) { w.raw = garbage }, want: []string{"not shown to be genuine"}},
}

func TestExplain(t *testing.T) {
	for _, c := range explained {
		w := newWorld(c.kind)
		if c.edit != nil {
			c.edit(w)
		}
		w.make()
		if c.made != nil {
			c.made(w)
		}
		r, _ := w.verifier(t).Verify(w.raw, w.c, w.at)
		got := r.Explain()
		for _, words := range c.want {
			if !strings.Contains(got, words) {
				t.Errorf("%s: %q is not in the text:\n%s", c.name, words, got)
			}
		}
		shown(t, got)
		file := filepath.Join("testdata", "explain", c.name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
			t.Errorf("%s: not as in %s (go test -run TestExplain -update writes it):\n%s", c.name, file, got)
		}
	}
}

// hostile is a name that would clear the screen, ring, turn the direction of
// text and begin a line of its own.
const hostile = "Intel SGX Root CA\x1b[2J\x07\u202e\r\nThe quote is genuine.\x00\u009b31m"

// TestExplainHostile has names and texts in certificates and documents that are
// made for a terminal. They may be shown, but do nothing, and begin no line.
func TestExplainHostile(t *testing.T) {
	name := func(t *testpki.Template) { t.Subject.CommonName = hostile }
	for what, r := range map[string]struct{ edit, made func(*world) }{
		"root": {edit: func(w *world) {
			w.pki.Root = w.pki.Root.Reissue(name, func(t *testpki.Template) { t.Issuer = t.Subject })
			w.options = nil
		}},
		"root, trusted": {edit: func(w *world) {
			w.pki.Root = w.pki.Root.Reissue(name, func(t *testpki.Template) { t.Issuer = t.Subject })
			issuer := func(t *testpki.Template) { t.Issuer.CommonName = hostile }
			w.pki.PlatformCA, w.pki.TCBSigning = w.pki.PlatformCA.Reissue(issuer), w.pki.TCBSigning.Reissue(issuer)
			w.options = []verify.Option{verify.WithRoots(w.pki.Root.DER)}
		}},
		"intermediate":      {edit: func(w *world) { w.pki.PlatformCA = w.pki.PlatformCA.Reissue(name) }},
		"PCK":               {edit: func(w *world) { w.reissue(name, expire(w)) }},
		"issuer of the PCK": {edit: func(w *world) { w.reissue(func(t *testpki.Template) { t.Issuer.CommonName = hostile }) }},
		"TCB signer":        {edit: func(w *world) { w.pki.TCBSigning = w.pki.TCBSigning.Reissue(name, expire(w)) }},
		"issuer of list": {made: func(w *world) {
			w.c.PCKCRL = w.pki.Root.CRL(func(t *testpki.CRLTemplate) { t.Issuer.CommonName = hostile })
		}},
		"advisory":           {edit: func(w *world) { w.info().Levels[0].AdvisoryIDs = []string{hostile} }},
		"advisory of the QE": {edit: func(w *world) { w.identity().Levels[0].AdvisoryIDs = []string{hostile} }},
		"advisory to clear": {edit: func(w *world) {
			status(dcap.OutOfDate)(w)
			w.info().Levels[4].AdvisoryIDs = []string{hostile, "Z"}
			w.info().Levels[3].AdvisoryIDs = []string{"Z" + hostile}
		}},
		"component":           {edit: func(w *world) { status(dcap.OutOfDate)(w); component(w, hostile) }},
		"key of TCB info":     {made: infoEdit(`"version":3`, `"\u001b[2J\u202e\n":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]`)},
		"status of TCB info":  {made: infoEdit(`"tcbStatus":"UpToDate"`, `"tcbStatus":"\u001b[2J\u202e\n"`)},
		"id of TCB info":      {made: infoEdit(`"id":"SGX"`, `"id":"\u001b[2J\u202e\n"`)},
		"date of TCB info":    {made: infoEdit(`"tcbDate":"`, `"tcbDate":"\u001b[2J\u202e\n`)},
		"raw bytes in JSON":   {made: func(w *world) { w.c.TCBInfo = []byte("{\"tcbInfo\x1b[2J\x00\xff\":\x1b}") }},
		"bytes for a chain":   {made: func(w *world) { w.c.TCBInfoChain = []byte("-----BEGIN CERTIFICATE-----\n\x1b[2J\u202e\n") }},
		"text in the quote":   {edit: func(w *world) { w.q.CertData = []byte(hostile) }},
		"vendor of the quote": {edit: func(w *world) { copy(w.q.Header.QEVendorID[:], hostile) }},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(sgx3)
			if r.edit != nil {
				r.edit(w)
			}
			w.make()
			if r.made != nil {
				r.made(w)
			}
			result, err := w.verifier(t).Verify(w.raw, w.c, w.at)
			got := result.Explain()
			shown(t, got)
			if err != nil && (strings.ContainsFunc(err.Error(), text.Unsafe) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("error: %q", err)
			}
			for i, line := range strings.Split(got, "\n") {
				if i > 0 && strings.HasPrefix(line, "The quote is genuine") {
					t.Errorf("a name begins a line:\n%s", got)
				}
			}
			for _, l := range result.Better() {
				for _, s := range result.Shortfalls(l) {
					if s := s.String(); strings.ContainsFunc(s, text.Unsafe) {
						t.Errorf("shortfall: %q", s)
					}
				}
			}
		})
	}
}

func component(w *world, name string) {
	for i := range w.info().Levels {
		w.info().Levels[i].SGX[0].Category = name
	}
}

// TestBetter checks which levels are better, and what they ask.
func TestBetter(t *testing.T) {
	w := newWorld(sgx3)
	status(dcap.OutOfDateConfigurationNeeded)(w)
	r := w.check(t, verdict{quote: verify.StatusTCBOutOfDateConfigurationNeeded})
	var got []dcap.TCBStatus
	for _, l := range r.Better() {
		got = append(got, l.Status)
	}
	want := []dcap.TCBStatus{dcap.OutOfDate, dcap.ConfigurationAndSWHardeningNeeded, dcap.ConfigurationNeeded, dcap.SWHardeningNeeded, dcap.UpToDate}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i, l := range r.Better() {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got, want)
		}
		short := r.Shortfalls(l)
		// Each rung asks one more of two components and of PCESVN.
		if len(short) != 3 || short[0].Need-short[0].Have != uint16(i+1) || short[2].Component != "PCESVN" || short[2].Need-short[2].Have != uint16(i+1) {
			t.Errorf("level %d: %v", i, short)
		}
	}
	if list := r.Shortfalls(&r.TCBInfo.Levels[r.Launch.Index]); list != nil {
		t.Errorf("short of its own level: %v", list)
	}
	empty := &verify.Result{At: time.Time{}}
	if empty.Better() != nil || empty.Shortfalls(&dcap.TCBLevel{}) != nil || empty.TCBDate() != (time.Time{}) || empty.AdvisoryIDs() != nil || empty.QEStatus() != dcap.TCBUnknown {
		t.Error("an empty result says something")
	}
}
