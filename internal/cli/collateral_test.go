package cli

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/testpki"
)

// fakePCCS is a PCCS with a platform of today, over TLS as PCCSs are: with a
// certificate that nobody knows.
type fakePCCS struct {
	*httptest.Server
	handler *testpki.PCS
	quote   string // a file
	ca      string // a file with the server's certificate
	fmspc   string
}

func newPCCS(t *testing.T) *fakePCCS {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	pki := testpki.New(testpki.Seed("cli"), testpki.At(time.Now().UTC().Truncate(time.Second)))
	plat := pki.Platform()
	s := &fakePCCS{handler: pki.PCS(), fmspc: upperHex(plat.SGX.FMSPC[:])}
	s.Server = httptest.NewUnstartedServer(s.handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	s.StartTLS()
	t.Cleanup(s.Close)
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s.quote = write("quote.bin", plat.TDXQuote().Bytes())
	s.ca = write("pccs.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	return s
}

func feidi(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Main(args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestCollateralSave(t *testing.T) {
	s := newPCCS(t)
	dir := t.TempDir()
	folder, file := filepath.Join(dir, "collateral"), filepath.Join(dir, "collateral.json")
	code, out, errs := feidi("collateral", "save", s.quote, "-o", folder, "--pccs", s.URL, "--pccs-ca", s.ca)
	if code != exitOK || !strings.Contains(out, "TCB info (TDX) of FMSPC "+s.fmspc+": from https://") || !strings.Contains(out, "Saved in "+folder+": TDX, FMSPC "+s.fmspc) {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	b, err := pcs.LoadBundle(folder)
	if err != nil {
		t.Fatal(err)
	}
	// The other way, from copies: nobody is asked.
	s.handler.Fault = func(w http.ResponseWriter, _ *http.Request) bool {
		t.Error("asked again")
		return false
	}
	code, out, errs = feidi("collateral", "fetch", "--fmspc", s.fmspc, "--tee", "tdx", "-o", file, "--pccs", s.URL, "--pccs-ca", s.ca, "--json")
	var result struct {
		Saved     string
		Expired   bool
		Documents []struct{ Cached bool }
		TCB       struct {
			TEE, FMSPC string
			Levels     []struct {
				Status string
				TDX    string `json:"tdx_components"`
			}
		} `json:"tcb_info"`
		QE struct{ ID string } `json:"qe_identity"`
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil || code != exitOK {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errs)
	}
	if result.Saved != file || result.Expired || len(result.Documents) != 4 || !result.Documents[0].Cached || result.TCB.FMSPC != s.fmspc || result.TCB.TEE != "TDX" || result.QE.ID != "TD_QE" {
		t.Errorf("result %+v", result)
	}
	info, err := dcap.ParseTCBInfo(b.TCBInfo)
	if err != nil || len(result.TCB.Levels) != len(info.Levels) || result.TCB.Levels[0].Status != "UpToDate" {
		t.Errorf("%v, levels %+v", err, result.TCB.Levels)
	}
	again, err := pcs.LoadBundle(file)
	if err != nil || !bytes.Equal(again.TCBInfo, b.TCBInfo) || !bytes.Equal(again.PCKCRL, b.PCKCRL) {
		t.Errorf("the file differs from the folder: %v", err)
	}
	code, out, _ = feidi("collateral", "load", folder)
	if code != exitOK || !strings.Contains(out, "TDX, FMSPC "+s.fmspc) || !strings.Contains(out, "Intel SGX PCK Platform CA") || strings.Contains(out, "EXPIRED") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	// A quote beside it is not overwritten with its folder.
	if code, _, errs = feidi("collateral", "save", "--from", file, "-o", filepath.Dir(s.quote)); code != exitCannot || !strings.Contains(errs, "has other files") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestCollateralSaveFails(t *testing.T) {
	s := newPCCS(t)
	qcnl := filepath.Join(t.TempDir(), "qcnl.conf")
	if err := os.WriteFile(qcnl, []byte(`{"pccs_url":"`+s.URL+`/sgx/certification/v4/","use_secure_cert":false,"local_collateral_url":""}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := feidi("collateral", "save", s.quote, "--qcnl", qcnl, "--no-cache"); code != exitOK || !strings.HasPrefix(errs, "feidi: "+qcnl+": not known and not obeyed: local_collateral_url\n") || !strings.Contains(out, "TCB info ") {
		t.Errorf("with a QCNL file: exit code %d\n%s%s", code, out, errs)
	}
	ask := []string{"collateral", "save", "--pccs", s.URL, "--insecure", "--no-cache"}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"collateral", "save", s.quote, "--pccs", s.URL}, exitCannot, "--pccs-ca"},
		{append(ask, "--fmspc", "010203040506"), exitCannot, "FMSPC 010203040506"},
		{append(ask, "--fmspc", s.fmspc, "--number", "1"), exitCannot, "retired"},
		{append(ask, "--fmspc", s.fmspc, "--tee", "tdx", "--api", "v3"), exitCannot, "nothing for TDX"},
		{append(ask, "--fmspc", "01"), exitUsage, "12 hexadecimal digits"},
		{append(ask, "--fmspc", s.fmspc, "--ca", "root"), exitUsage, "processor or platform"},
		{append(ask, "--fmspc", s.fmspc, "--tee", "snp"), exitUsage, "sgx or tdx"},
		{append(ask, "--fmspc", s.fmspc, "--api", "v5"), exitUsage, "v4 or v3"},
		{append(ask, "--fmspc", s.fmspc, "--update", "late"), exitUsage, "late"},
		{append(ask, s.quote, "--fmspc", s.fmspc), exitUsage, "exclude"},
		{ask, exitUsage, "is missing"},
		{append(ask, s.ca), exitCannot, "pccs.pem"},
		{append(ask, s.quote, "--tee", "tdx"), exitUsage, "--tee belongs to --fmspc"},
		{append(ask, s.quote, "--pccs-ca", s.ca), exitUsage, "--insecure and --pccs-ca exclude each other"},
		{append(ask, s.quote, "--cache", "x"), exitUsage, "--cache and --no-cache exclude each other"},
		{append(ask, s.quote, "--offline"), exitUsage, "--offline and --no-cache exclude each other"},
		{[]string{"collateral", "save", s.quote, "--refresh", "--offline"}, exitUsage, "--offline and --refresh exclude each other"},
		{append(ask, s.quote, "--update", "early", "--number", "3"), exitUsage, "--update and --number exclude each other"},
		{[]string{"collateral", "save", "--from", "x", "--stale"}, exitUsage, "--stale says how to ask a service"},
		{[]string{"collateral", "save", filepath.Dir(s.quote)}, exitCannot, "is a folder: name the quote in it"},
		{[]string{"collateral", "save", s.quote, "--pccs", "localhost:8081"}, exitUsage, "is no URL"},
		{[]string{"collateral", "save", s.quote, "--pccs", s.URL, "--pccs-ca", qcnl}, exitCannot, "no certificate in PEM"},
		{[]string{"collateral", "save", s.quote, "--qcnl", s.ca}, exitCannot, "QCNL configuration"},
		{[]string{"collateral", "save", s.quote, "--pccs", s.URL, "--offline"}, exitCannot, "not in the cache"},
		{[]string{"collateral", "show", s.ca}, exitCannot, "pccs.pem: this is no collateral: give a folder"},
		{[]string{"collateral", "show"}, exitUsage, "is missing"},
	} {
		code, out, errs := feidi(c.args...)
		if code != c.code || !strings.Contains(errs, c.want) || strings.Count(strings.TrimSpace(errs), "\n") > 1 {
			t.Errorf("%q: exit code %d\n%s%s", c.args, code, out, errs)
		}
	}
}

// Old and damaged collateral is shown as far as it goes.
func TestCollateralShow(t *testing.T) {
	pki := testpki.New(testpki.Seed("cli"), testpki.At(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)))
	plat := pki.Platform(testpki.SinglePackage)
	b := &pcs.Bundle{Collateral: *plat.Collateral(dcap.TEESGX), Root: pki.RootPEM(), At: pki.Now}
	dir := filepath.Join(t.TempDir(), "c")
	if err := pcs.SaveBundle(dir, b); err != nil {
		t.Fatal(err)
	}
	code, out, errs := feidi("collateral", "show", dir)
	if code != exitOK || !strings.Contains(out, "EXPIRED 2024-01-") || !strings.Contains(out, "Processor CA") || !strings.Contains(out, "Verify at") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	if err := os.WriteFile(filepath.Join(dir, "qeid.json"), []byte(`{"a":"\u001b[31m"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs = feidi("collateral", "show", dir)
	if code != exitCannot || !strings.Contains(errs, "qeid: ") || !strings.Contains(out, "Root CRL") || strings.Contains(out+errs, "\x1b") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}
