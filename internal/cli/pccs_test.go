package cli

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/exchange"
)

// Who trusts the copy of a certificate can talk to a service at its addresses,
// and starting again changes nothing.
func TestSelfSigned(t *testing.T) {
	dir, now := filepath.Join(t.TempDir(), "pccs"), time.Now()
	listen := []string{"0.0.0.0:1", "192.0.2.7:2", "pccs.example:3"}
	var files sync.WaitGroup
	var made [8]bool
	for i := range made {
		files.Go(func() {
			var err error
			if _, made[i], err = selfSigned(dir, listen, now); err != nil {
				t.Error(err)
			}
		})
	}
	files.Wait()
	n := 0
	for _, m := range made {
		if m {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d certificates were made", n)
	}
	file, again, err := selfSigned(dir, nil, now.AddDate(9, 0, 0))
	if err != nil || again {
		t.Fatalf("made again: %v, %v", again, err)
	}
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(filepath.Join(dir, selfSignedCopy))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(copied) {
		t.Fatal("the copy is no certificate")
	}
	if _, err := tls.X509KeyPair(copied, copied); err == nil {
		t.Error("the copy has the key in it")
	}
	for name, ok := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "192.0.2.7": true, "pccs.example": true, "0.0.0.0": false, "other.example": false} {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}

	if _, again, err = selfSigned(dir, listen, now.AddDate(11, 0, 0)); err != nil || !again {
		t.Errorf("not made again at its end: %v", err)
	}
	if renewed, err := os.ReadFile(filepath.Join(dir, selfSignedCopy)); err != nil || string(renewed) == string(copied) {
		t.Errorf("the copy is that of the old one: %v", err)
	}
	if err := os.WriteFile(file, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err = selfSigned(dir, listen, now); err == nil {
		t.Error("a broken one was taken")
	}
}

// A database of Intel's service is refused, whoever names it, and stays as it is.
func TestIntelDatabase(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	file, settings := filepath.Join(dir, "pckcache.db"), filepath.Join(dir, "default.json")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{
		"CREATE TABLE pcs_version (db_version, api_version)", "INSERT INTO pcs_version VALUES (5, 4)", "CREATE TABLE fmspc_tcbs (fmspc)",
		"CREATE TABLE pck_cert (qe_id, pce_id, tcbm, pck_cert)", "CREATE TABLE platform_tcbs (qe_id, pce_id, cpu_svn, pce_svn, tcbm)",
		"CREATE TABLE platforms (qe_id, pce_id, platform_manifest, enc_ppid, fmspc, ca, updated_time)",
	} {
		if _, err := db.Exec(change); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(settings, []byte(`{"sqlite": {"options": {"storage": "pckcache.db"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--config", settings}, {"--database", file}, {"--check", "--config", settings}} {
		var out, errs bytes.Buffer
		code := Main(append([]string{"pccs", "serve", "--listen", "127.0.0.1:0"}, args...), nil, &out, &errs)
		if code != exitCannot || out.Len() > 0 || !strings.Contains(errs.String(), "feidi pccs import "+file) {
			t.Errorf("%v: exit code %d, %s%s", args, code, &out, &errs)
		}
	}
	after, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("it was changed: %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 {
		t.Errorf("there is more now: %v, %v", files, err)
	}

	// With the same settings it is brought over, and then served.
	own := filepath.Join(dir, "feidi-pckcache.db")
	for _, args := range [][]string{{"import", file, "--config", settings}, {"serve", "--check", "--config", settings}, {"status", "--config", settings}} {
		var out, errs bytes.Buffer
		if code := Main(append([]string{"pccs"}, args...), nil, &out, &errs); code != 0 || args[0] != "status" && !strings.Contains(out.String(), own) {
			t.Errorf("%v: exit code %d, %s%s", args, code, &out, &errs)
		}
		if args[0] == "serve" && !strings.Contains(out.String(), file+" is the database of Intel's service") {
			t.Errorf("no notice: %s", &out)
		}
	}
}

// Who names the wrong root, or none, is told that once.
func TestShowImport(t *testing.T) {
	foreign := &collateral.Error{Document: "sgx/v4/rootcacrl", Kind: collateral.ErrUntrusted, Err: errors.New("some root")}
	policy := &exchange.Error{What: "appraisal policy", Where: "policy", Reason: "it is no JWT", Err: exchange.ErrFormat}
	refused := []exchange.Refusal{{What: "sgx/v4/rootcacrl", Err: foreign}, {What: "platform/AA/0000", Err: foreign}, {What: `appraisal policy "x"`, Err: policy}}
	for _, c := range []struct {
		name  string
		r     exchange.Import
		lines []string // but for the first two
		says  string
	}{
		{"wrong root", exchange.Import{Refused: refused, NRefused: 1503, NForeign: 1502}, []string{`left out: appraisal policy "x": policy: it is no JWT`},
			"left out 1502 things: they are below another root than is trusted here"},
		{"some of another root", exchange.Import{Documents: 1, Refused: refused[:2], NRefused: 3, NForeign: 2}, []string{
			"left out: sgx/v4/rootcacrl: below a root that is not trusted: some root",
			"left out: platform/AA/0000: sgx/v4/rootcacrl: below a root that is not trusted: some root", "left out: 1 more; --json lists 1000",
		}, "left out 3 things"},
	} {
		var out bytes.Buffer
		err := showImport(&app{out: &output{w: &out}}, "pckcache.db", "own.db", &c.r)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if err == nil || !strings.HasPrefix(err.Error(), c.says) || !slices.Equal(lines[2:], c.lines) {
			t.Errorf("%s: %v\n%s", c.name, err, &out)
		}
	}
}

// Intel's service has no status, and answers so.
func TestNoStatus(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	t.Setenv("FEIDI_PCCS_TOKEN", "a token of somebody")
	var out, errs bytes.Buffer
	if code := Main([]string{"pccs", "status", "-u", s.URL}, nil, &out, &errs); code != exitCannot || !strings.Contains(errs.String(), "Intel's service has no status: `feidi pccs get") {
		t.Errorf("exit code %d, %s", code, &errs)
	}
}

// Databases of different roots are different ones, in whatever order the roots come.
func TestDatabaseName(t *testing.T) {
	a, b := []byte("a"), []byte("b")
	one, two, both := databaseName([][]byte{a}), databaseName([][]byte{b}), databaseName([][]byte{a, b})
	if one == two || one == both || two == both || both != databaseName([][]byte{b, a}) || databaseName(nil) != "pccs.db" {
		t.Error(one, two, both)
	}
}
