package exchange_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testpki"
)

// The tables of Intel's PCCS, by version of its database.
const (
	tablesOfAll = `
CREATE TABLE pck_cert (qe_id VARCHAR(255), pce_id VARCHAR(255), tcbm VARCHAR(255), pck_cert BLOB, created_time DATETIME, updated_time DATETIME, PRIMARY KEY (qe_id, pce_id, tcbm));
CREATE TABLE pck_crl (ca VARCHAR(255) PRIMARY KEY, pck_crl BLOB, root_cert_id INTEGER, intmd_cert_id INTEGER, created_time DATETIME, updated_time DATETIME);
CREATE TABLE pcs_certificates (id INTEGER PRIMARY KEY, cert BLOB, crl BLOB, created_time DATETIME, updated_time DATETIME);
CREATE TABLE platform_tcbs (qe_id VARCHAR(255), pce_id VARCHAR(255), cpu_svn VARCHAR(255), pce_svn VARCHAR(255), tcbm VARCHAR(255), created_time DATETIME, updated_time DATETIME, PRIMARY KEY (qe_id, pce_id, cpu_svn, pce_svn));
CREATE TABLE platforms (qe_id VARCHAR(255), pce_id VARCHAR(255), platform_manifest BLOB, enc_ppid BLOB, fmspc VARCHAR(255), ca VARCHAR(255), created_time DATETIME, updated_time DATETIME, PRIMARY KEY (qe_id, pce_id));
CREATE TABLE platforms_registered (qe_id VARCHAR(255), pce_id VARCHAR(255), cpu_svn VARCHAR(255), pce_svn VARCHAR(255), enc_ppid BLOB, platform_manifest BLOB, state INTEGER, created_time DATETIME, updated_time DATETIME, PRIMARY KEY (qe_id, pce_id, cpu_svn, pce_svn));
CREATE TABLE pcs_version (id INTEGER PRIMARY KEY, api_version INTEGER, server_addr VARCHAR(255), db_version INT, created_time DATETIME, updated_time DATETIME);`
	tablesOf1 = `
CREATE TABLE fmspc_tcbs (fmspc VARCHAR(255) PRIMARY KEY, tcbinfo BLOB, root_cert_id INTEGER, signing_cert_id INTEGER, created_time DATETIME, updated_time DATETIME);
CREATE TABLE qe_identities (id INTEGER PRIMARY KEY, qe_identity BLOB, root_cert_id INTEGER, signing_cert_id INTEGER, created_time DATETIME, updated_time DATETIME);
CREATE TABLE qve_identities (id INTEGER PRIMARY KEY, qve_identity BLOB, root_cert_id INTEGER, signing_cert_id INTEGER, created_time DATETIME, updated_time DATETIME);`
	tablesOf5 = `
CREATE TABLE fmspc_tcbs (fmspc VARCHAR(255), type INTEGER, version INTEGER, update_type VARCHAR(255), tcbinfo BLOB, root_cert_id INTEGER, signing_cert_id INTEGER, created_time DATETIME, updated_time DATETIME, PRIMARY KEY(fmspc, type, version, update_type));
CREATE TABLE enclave_identities (id INTEGER, version INTEGER, update_type VARCHAR(255), identity BLOB, root_cert_id INTEGER, signing_cert_id INTEGER, created_time DATETIME, updated_time DATETIME, PRIMARY KEY(id, version, update_type));
CREATE TABLE crl_cache (cdp_url VARCHAR(255) PRIMARY KEY, crl BLOB, created_time DATETIME, updated_time DATETIME);
CREATE TABLE appraisal_policies (id VARCHAR(255) PRIMARY KEY, type INTEGER, policy TEXT, is_default INTEGER, fmspc VARCHAR(255), created_time DATETIME, updated_time DATETIME);`
)

// A time as Intel's service writes it, and what it is.
const intelTime = "2026-05-25 01:02:03.456 +00:00"

var intelMoment = time.Date(2026, 5, 25, 1, 2, 3, 456e6, time.UTC)

// intelDB is a database of Intel's service that is being made.
type intelDB struct {
	t    testing.TB
	db   *sql.DB
	path string
}

func newIntelDB(t testing.TB, version int, tables string) *intelDB {
	t.Helper()
	d := &intelDB{t: t, path: filepath.Join(t.TempDir(), "pck cache?.db")}
	var err error
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(d.path), RawQuery: "_pragma=synchronous(0)&_pragma=journal_mode(memory)"}
	if filepath.VolumeName(d.path) != "" {
		u.Path = "/" + u.Path
	}
	if d.db, err = sql.Open("sqlite", u.String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.db.Close() })
	if _, err := d.db.Exec(tablesOfAll + tables); err != nil {
		t.Fatal(err)
	}
	d.insert("pcs_version", 1, 4, "api.trustedservices.intel.com", version)
	return d
}

// insert inserts a row, and both of its times.
func (d *intelDB) insert(table string, values ...any) {
	d.t.Helper()
	values = append(values, intelTime, intelTime)
	marks := strings.Repeat(", ?", len(values))[2:]
	if _, err := d.db.Exec("INSERT INTO "+table+" VALUES ("+marks+")", values...); err != nil {
		d.t.Fatal(err)
	}
}

func escaped(pem []byte) string { return strings.ReplaceAll(url.QueryEscape(string(pem)), "+", "%20") }

func (d *intelDB) authorities(w *world) {
	d.insert("pcs_certificates", 1, []byte(escaped(w.Root.PEM())), w.Root.CRL())
	d.insert("pcs_certificates", 2, escaped(w.ProcessorCA.PEM()), nil)
	d.insert("pcs_certificates", 3, escaped(w.TCBSigning.PEM()), nil)
	d.insert("pcs_certificates", 4, escaped(w.PlatformCA.PEM()), nil)
	d.insert("pck_crl", "PROCESSOR", w.ProcessorCA.CRL(), 1, 2)
	d.insert("pck_crl", "PLATFORM", w.PlatformCA.CRL(), 1, 4)
}

func (d *intelDB) platform(p store.Platform) {
	d.insert("platforms", p.QEID, p.PCEID, p.Manifest, p.EncryptedPPID, p.FMSPC, strings.ToUpper(p.CA))
	for _, c := range p.Certs {
		d.insert("pck_cert", p.QEID, p.PCEID, c.TCBm, c.Cert)
		for _, t := range p.TCBs {
			d.insert("platform_tcbs", p.QEID, p.PCEID, t.CPUSVN, t.PCESVN, c.TCBm)
		}
	}
}

func (w *world) checker(t testing.TB) *collateral.Checker {
	t.Helper()
	c, err := collateral.NewChecker(w.Root.X509().Raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newStore(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "own.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// fill5 makes a full database of version 5.
func fill5(t testing.TB, w *world) *intelDB {
	d := newIntelDB(t, 5, tablesOf5)
	d.authorities(w)
	multi, single := upper(w.multi.SGX.FMSPC[:]), upper(w.single.SGX.FMSPC[:])
	d.insert("fmspc_tcbs", multi, 0, 4, "STANDARD", w.TCBInfoJSON(w.multi.TCBInfo(dcap.TEESGX)), 1, 3)
	d.insert("fmspc_tcbs", multi, 0, 4, "EARLY", w.TCBInfoJSON(w.multi.TCBInfo(dcap.TEESGX)), 1, 3)
	d.insert("fmspc_tcbs", multi, 1, 4, "STANDARD", w.TCBInfoJSON(w.multi.TCBInfo(dcap.TEETDX)), 1, 3)
	d.insert("fmspc_tcbs", single, 0, 4, "STANDARD", w.TCBInfoJSON(w.single.TCBInfo(dcap.TEESGX)), 1, 3)
	old := *w.single.TCBInfo(dcap.TEESGX)
	old.Version = 2
	d.insert("fmspc_tcbs", single, 0, 3, "STANDARD", w.TCBInfoJSON(&old), 1, 3)
	d.insert("enclave_identities", 1, 4, "STANDARD", w.IdentityJSON(w.QE), 1, 3)
	d.insert("enclave_identities", 2, 4, "STANDARD", w.IdentityJSON(w.QVE), 1, 3)
	d.insert("enclave_identities", 3, 4, "STANDARD", string(w.IdentityJSON(w.TDQE)), 1, 3)
	d.insert("crl_cache", w.Root.X509().CRLDistributionPoints[0], w.Root.CRL())
	d.platform(row(w.multi, "platform"))
	p := row(w.single, "processor")
	p.QEID = strings.ToLower(p.QEID)
	d.platform(p)
	d.insert("platforms_registered", "aabb", "0000", "", "", nil, []byte{1, 2}, 0)
	d.insert("platforms_registered", "CC", "0000", strings.Repeat("0A", 16), "0B00", bytes.Repeat([]byte{7}, 384), nil, 1)
	d.insert("platforms_registered", "DD", "0000", "", "", nil, []byte{1}, 9)
	d.insert("appraisal_policies", "x", 0, jwt(classTDX15), 1, "00906ED50000")
	return d
}

func counts(i *exchange.Import) [8]int {
	return [8]int{i.DBVersion, i.APIVersion, i.Documents, i.Platforms, i.Certificates, i.TCBs, i.Registrations, i.Policies}
}

func TestImportIntel(t *testing.T) {
	w := newWorld()
	d := fill5(t, w)
	s := newStore(t)
	before, err := os.ReadFile(d.path)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for range 2 { // the second time changes nothing
		got, err := exchange.ImportIntel(t.Context(), d.path, s, w.checker(t), exchange.ImportOptions{At: w.Now, Progress: func(n int) { seen = n }})
		if err != nil {
			t.Fatal(err)
		}
		want := exchange.Import{DBVersion: 5, APIVersion: 4, Documents: 11, Platforms: 2, Certificates: 2, TCBs: 2, Registrations: 2, Policies: 1}
		if got.NRefused != 0 || len(got.Expired) != 0 || counts(got) != counts(&want) {
			t.Errorf("report %+v\nwant %+v", *got, want)
		}
	}
	if seen != 2 {
		t.Errorf("progress: %d platforms", seen)
	}
	if after, err := os.ReadFile(d.path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("Intel's file was changed: %v", err)
	}
	ctx := t.Context()
	for name, want := range map[string][2][]byte{
		"sgx/v4/tcb?fmspc=00906ED50000&update=standard": {w.TCBInfoJSON(w.single.TCBInfo(dcap.TEESGX)), w.TCBChainPEM()},
		"tdx/v4/qe/identity?update=standard":            {w.IdentityJSON(w.TDQE), w.TCBChainPEM()},
		"sgx/v4/rootcacrl":                              {w.Root.CRL(), nil},
		"sgx/v4/pckcrl?ca=processor":                    {w.ProcessorCA.CRL(), slices.Concat(w.ProcessorCA.PEM(), w.Root.PEM())},
	} {
		doc, err := s.Document(ctx, name)
		if err != nil || !bytes.Equal(doc.Body, want[0]) || !bytes.Equal(doc.Chain, want[1]) || !doc.Fetched.Equal(intelMoment) || doc.Origin != "import" || doc.NextUpdate.IsZero() {
			t.Errorf("%s: %v, %+v", name, err, doc)
		}
	}
	if doc, err := s.Document(ctx, "sgx/v3/tcb?fmspc=00906ED50000&update=standard"); err != nil || !bytes.Contains(doc.Body, []byte(`"version":2`)) {
		t.Errorf("TCB info of version 3 of the interface: %v", err)
	}
	for _, want := range []store.Platform{row(w.multi, "platform"), row(w.single, "processor")} {
		want.Updated, want.TCBs[0].TCBm = intelMoment, want.Certs[0].TCBm
		want.Origin = "import"
		got, err := s.Platform(ctx, want.PlatformID)
		if err != nil || fmt.Sprintf("%x", *got) != fmt.Sprintf("%x", want) {
			t.Errorf("platform %s: %v, %+v", want.QEID, err, got)
		}
	}
	waiting, err := s.Drain(ctx, store.New, false)
	if err != nil || len(waiting) != 1 || waiting[0].QEID != "AABB" || !bytes.Equal(waiting[0].Manifest, []byte{1, 2}) {
		t.Errorf("waiting %+v, %v", waiting, err)
	}
	if na, err := s.Drain(ctx, store.NotAvailable, false); err != nil || len(na) != 1 || na[0].QEID != "CC" {
		t.Errorf("not available %+v, %v", na, err)
	}
	if p, err := s.Policies(ctx, "00906ED50000"); err != nil || len(p) != 1 || p[0].Kind != 2 || len(p[0].ID) != 96 {
		t.Errorf("policies %+v, %v", p, err)
	}
}

// Who names the wrong root fills nothing, and may name the right one then; not the
// other way round.
func TestImportIntelOtherRoot(t *testing.T) {
	w, other := newWorld(), newWorldOf("another")
	d, s := fill5(t, w), newStore(t)
	got, err := exchange.ImportIntel(t.Context(), d.path, s, other.checker(t), exchange.ImportOptions{At: w.Now})
	if err != nil || got.Documents+got.Platforms != 0 || got.NForeign == 0 || got.NForeign != got.NRefused {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = exchange.ImportIntel(t.Context(), d.path, s, w.checker(t), exchange.ImportOptions{At: w.Now}); err != nil || got.NRefused != 0 || got.Platforms != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := exchange.ImportIntel(t.Context(), fill5(t, other).path, s, other.checker(t), exchange.ImportOptions{At: w.Now}); !errors.Is(err, store.ErrEnvironment) {
		t.Errorf("a store of another environment: %v", err)
	}
}

// What the database of 2020 had.
func TestImportIntelVersion1(t *testing.T) {
	w := newWorld()
	d := newIntelDB(t, 1, tablesOf1)
	d.authorities(w)
	info := *w.single.TCBInfo(dcap.TEESGX)
	info.Version = 2
	d.insert("fmspc_tcbs", upper(info.FMSPC[:]), w.TCBInfoJSON(&info), 1, 3)
	d.insert("qe_identities", 1, w.IdentityJSON(w.QE), 1, 3)
	d.insert("qve_identities", 1, w.IdentityJSON(w.QVE), 1, 3)
	d.platform(row(w.single, "processor"))
	s := newStore(t)
	got, err := exchange.ImportIntel(t.Context(), d.path, s, w.checker(t), exchange.ImportOptions{At: w.Now})
	if err != nil || got.NRefused != 0 || got.Documents != 6 || got.Platforms != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, name := range []string{"sgx/v3/tcb?fmspc=00906ED50000&update=standard", "sgx/v3/qe/identity?update=standard", "sgx/v3/qve/identity?update=standard"} {
		if _, err := s.Document(t.Context(), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is not genuine stays out and is told; the rest comes in.
func TestImportIntelRefusals(t *testing.T) {
	w, other := newWorld(), testpki.New(testpki.Seed("another"))
	d := fill5(t, w)
	for _, change := range []string{
		`UPDATE fmspc_tcbs SET tcbinfo = replace(CAST(tcbinfo AS TEXT), 'UpToDate', 'Revoked') WHERE type = 1`,
		`UPDATE fmspc_tcbs SET fmspc = '00906ED50001' WHERE fmspc = '00906ED50000' AND version = 4`,
		`UPDATE enclave_identities SET id = 7 WHERE id = 2`,
		`UPDATE enclave_identities SET identity = zeroblob(2000000) WHERE id = 3`,
		`UPDATE crl_cache SET cdp_url = 'http://127.0.0.1/steal'`,
		`UPDATE platforms SET fmspc = '00906ED50001' WHERE ca = 'PROCESSOR'`,
		`UPDATE platform_tcbs SET tcbm = '000000000000000000000000000000000000'`,
		`UPDATE appraisal_policies SET policy = 'no JWT'`,
		`UPDATE platforms_registered SET cpu_svn = 'x' WHERE qe_id = 'CC'`,
		`INSERT INTO pck_cert SELECT 'FFFF', pce_id, tcbm, pck_cert, created_time, updated_time FROM pck_cert LIMIT 1`,
	} {
		if _, err := d.db.Exec(change); err != nil {
			t.Fatal(err)
		}
	}
	p := row(other.Platform(), "platform") // of another root
	d.platform(p)
	s := newStore(t)
	got, err := exchange.ImportIntel(t.Context(), d.path, s, w.checker(t), exchange.ImportOptions{At: w.Now})
	if err != nil {
		t.Fatal(err)
	}
	if got.Platforms != 1 || got.TCBs != 0 || got.Documents != 7 || got.Registrations != 1 || got.Policies != 0 {
		t.Errorf("%+v", got)
	}
	want := map[string]string{
		"tdx/v4/tcb?fmspc=00FE1D100000&update=standard":                 "INVALID_SIGNATURE",
		"sgx/v4/tcb?fmspc=00906ED50001&update=standard":                 "FMSPC",
		"enclave identity 7":                                            "no enclave",
		"tdx/v4/qe/identity?update=standard":                            "empty, or larger",
		`revocation list of "http://127.0.0.1/steal"`:                   "",
		"platform/" + strings.ToUpper(row(w.single, "").QEID) + "/0000": "FMSPC",
		"platform/" + p.QEID + "/0000":                                  "",
		`appraisal policy "x" of FMSPC 00906ED50000`:                    "no JWT",
		"registration of platform CC":                                   "sizes",
	}
	if got.NRefused != len(want) || len(got.Refused) != len(want) {
		t.Errorf("%d refused", got.NRefused)
	}
	for _, r := range got.Refused {
		if part, ok := want[r.What]; !ok || r.Err == nil || !strings.Contains(r.Err.Error(), part) {
			t.Errorf("refused %s: %v", r.What, r.Err)
		}
	}
}

// Old documents are genuine, and come in. The root CRL is good for longer than a
// year.
func TestImportIntelExpired(t *testing.T) {
	w := newWorld()
	d := fill5(t, w)
	s := newStore(t)
	got, err := exchange.ImportIntel(t.Context(), d.path, s, w.checker(t), exchange.ImportOptions{At: w.Now.AddDate(1, 0, 0)})
	if err != nil || got.Documents != 11 || len(got.Expired) != 10 || got.Platforms != 2 || got.NRefused != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestImportIntelNotIntel(t *testing.T) {
	w := newWorld()
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("SQLite format 3?"), 0o600); err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(dir, "torn")
	whole, err := os.ReadFile(fill5(t, w).path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(torn, slices.Concat(whole[:100], bytes.Repeat([]byte{0xA5}, 40000)), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(change string) string {
		d := fill5(t, w)
		if _, err := d.db.Exec(change); err != nil {
			t.Fatal(err)
		}
		return d.path
	}
	own := filepath.Join(dir, "own.db")
	o, err := store.Open(t.Context(), "sqlite:"+own)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	for _, c := range []struct{ name, path, want string }{
		{"text", text, "it is no SQLite file"},
		{"torn", torn, "it cannot be read"},
		{"own", own, "something else"},
		{"newer", with(`UPDATE pcs_version SET db_version = 6`), "it is of version 6: 1 to 5 are read"},
		{"oldest", with(`ALTER TABLE pcs_version DROP COLUMN db_version`), "older than version 1"},
		{"views", with(`ALTER TABLE pck_cert RENAME TO x; CREATE VIEW pck_cert AS SELECT * FROM x`), "something else"},
		{"columns", with(`ALTER TABLE platforms DROP COLUMN fmspc`), "do not have Intel's columns"},
		{"types", with(`UPDATE fmspc_tcbs SET version = 'four' WHERE type = 1`), "it cannot be read"},
	} {
		_, err := exchange.ImportIntel(t.Context(), c.path, s, w.checker(t), exchange.ImportOptions{At: w.Now})
		var e *exchange.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want: %s", c.name, err, c.want)
		}
	}
	if _, err := exchange.ImportIntel(t.Context(), filepath.Join(dir, "none"), s, w.checker(t), exchange.ImportOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := exchange.ImportIntel(ctx, fill5(t, w).path, s, w.checker(t), exchange.ImportOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for path, want := range map[string]bool{text: false, own: false, fill5(t, w).path: true} {
		if is, err := exchange.IsIntel(path); is != want || err != nil {
			t.Errorf("IsIntel(%s) = %v, %v", filepath.Base(path), is, err)
		}
	}
}
