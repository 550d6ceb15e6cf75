//go:build !js

package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// site is the folder that TestMain builds.
var site string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "feidi-browser-test-")
	if err != nil {
		panic(err)
	}
	site = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// built builds the site once.
func built(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	if _, err := os.Stat(filepath.Join(site, "feidi.wasm")); err == nil {
		return
	}
	if err := build(site); err != nil {
		t.Fatal(err)
	}
}

// visit is what somebody does with the page, and what it has to say.
type visit struct {
	Name       string
	Quote      []byte
	Collateral string
	Root, At   string

	verdict, text string // text is somewhere on the page
}

func visits(t *testing.T) []visit {
	s := sampleFiles(t)
	quote, collateral, root := s["quote.bin"], string(s["collateral.json"]), string(s["root.pem"])
	forged := bytes.Clone(quote)
	forged[48+136] ^= 1 // of MRTD
	const day = "2026-06-02"
	v := []visit{
		{"genuine", quote, collateral, root, day, "Accepted", "a genuine quote of a TDX guest"},
		{"in base64", []byte("BAACAIEAAAA"), collateral, root, day, "Cannot tell", "quote: cut off"},
		{"out of date", s["outdated.bin"], collateral, root, day, "Rejected", "SGX component 1 (BIOS, Early Microcode Update): SVN 5, needs 9"},
		{"forged", forged, collateral, root, day, "Rejected", "STATUS_INVALID_QUOTE_SIGNATURE"},
		{"of nobody known", quote, collateral, "", day, "Rejected", "What it says, of which nothing is established"},
		{"a year later", quote, collateral, root, "2027-06-02T12:00:00Z", "Rejected", "STATUS_SGX_CRL_EXPIRED"},
		{"no quote", []byte("hello"), collateral, root, day, "Cannot tell", "no quote"},
		{"no collateral", quote, "{}", root, day, "Cannot tell", "collateral"},
		{"no root", quote, collateral, "-----BEGIN CERTIFICATE-----", day, "Cannot tell", "PEM"},
		{"no time", quote, collateral, root, "yesterday", "Cannot tell", "is no time"},
	}
	return append(v, hardware(t)...)
}

// hardware are quotes of Intel's hardware, if they are at hand.
func hardware(t *testing.T) (v []visit) {
	dir := vectors.Dir()
	for name, verdict := range map[string]string{
		"02-tdx-v4-B0C06F000000": "Accepted", "05-tdx-v5-90C06F000000-gtg": "Accepted", "01-sgx-v3-00A067110000": "Rejected",
		"09-tdx-v4-50806F000000-trustee-debugTD": "Rejected",
	} {
		b, err := pcs.LoadBundle(filepath.Join(dir, name))
		if err != nil {
			t.Logf("without quotes of real hardware: %v", err)
			return nil
		}
		quote, err := os.ReadFile(filepath.Join(dir, name, "quote.bin"))
		if err != nil {
			t.Fatal(err)
		}
		collateral, err := b.Collateral.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		v = append(v, visit{name, quote, string(collateral), "", b.At.Format(time.RFC3339), verdict, "Intel's"})
	}
	return v
}

// verdict is the word on the page for an answer, or for the lack of one.
func verdict(answer []byte, err error) string {
	var a struct{ Accepted bool }
	if err != nil || json.Unmarshal(answer, &a) != nil {
		return "Cannot tell"
	} else if a.Accepted {
		return "Accepted"
	}
	return "Rejected"
}

// TestAnswer asks without a browser.
func TestAnswer(t *testing.T) {
	for _, v := range visits(t) {
		b, err := answer(question{v.Quote, []byte(v.Collateral), v.At, []byte(v.Root)})
		if got := verdict(b, err); got != v.verdict {
			t.Errorf("%s: %s, want %s: %s %v", v.Name, got, v.verdict, b, err)
		}
	}
}

// TestBuild: the verifier builds as WebAssembly, and every file of the page is
// there.
func TestBuild(t *testing.T) {
	built(t)
	for _, name := range []string{"index.html", "feidi.wasm", "wasm_exec.js", "sample/quote.bin", "sample/collateral.json"} {
		if info, err := os.Stat(filepath.Join(site, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

//go:embed testdata/node.js
var nodeScript []byte

// TestNode runs the WebAssembly under Node.js: it answers as the same code does
// natively.
func TestNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node in PATH")
	}
	built(t)
	all := visits(t)
	in, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "node.js")
	if err := os.WriteFile(script, nodeScript, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, script, site)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []json.RawMessage
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(all)+1 {
		t.Fatalf("%d answers: %v\n%s", len(answers), err, out)
	}
	for i, v := range all {
		native, err := answer(question{v.Quote, []byte(v.Collateral), v.At, []byte(v.Root)})
		if err != nil {
			native, _ = json.Marshal(map[string]string{"error": err.Error()})
		}
		if !sameJSON(t, native, answers[i]) {
			t.Errorf("%s:\n%s\nnatively\n%s", v.Name, answers[i], native)
		}
	}
	if !strings.Contains(string(answers[len(all)]), "takes the quote as a Uint8Array") {
		t.Errorf("arguments of other types: %s", answers[len(all)])
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	var canon [2][]byte
	for i, text := range [][]byte{a, b} {
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		var err error
		if canon[i], err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	return bytes.Equal(canon[0], canon[1])
}

// chromium finds a browser.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

//go:embed testdata/visitor.html
var visitorPage []byte

// TestBrowser has a real browser visit the page: visitor.html, which comes from
// the same server, uses it in a frame as a person would, and sends what it saw.
func TestBrowser(t *testing.T) {
	path := chromium()
	if path == "" {
		t.Skip("no chromium or chrome in PATH")
	}
	built(t)
	all := visits(t)
	type seen struct{ Name, Verdict, Text string }
	reports := make(chan []seen, 1)
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(site)))
	mux.HandleFunc("GET /visitor.html", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(visitorPage) })
	mux.HandleFunc("GET /visits.json", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(all) })
	mux.HandleFunc("POST /seen", func(w http.ResponseWriter, r *http.Request) {
		var s []seen
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&s); err != nil {
			t.Errorf("what the visitor sends: %v", err)
		}
		reports <- s
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-port=0", server.URL+"/visitor.html")
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &said, &said, 5*time.Second
	if err := cmd.Start(); err != nil {
		t.Skipf("%s does not start: %v", path, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var got []seen
	select {
	case got = <-reports:
		cancel()
		<-ended
	case err := <-ended:
		if ctx.Err() == nil {
			t.Skipf("%s does not run here: %v\n%s", path, err, &said)
		}
		t.Fatalf("no word of the visitor: %v\n%s", err, &said)
	}
	if len(got) != len(all)+2 {
		t.Fatalf("%d visits, want %d: %+v", len(got), len(all)+2, got)
	}
	for i, v := range append(all, visit{Name: "sample", verdict: "Accepted", text: "UpToDate"}, visit{Name: "dropped", verdict: "Rejected", text: "OutOfDate"}) {
		if s := got[i]; s.Name != v.Name || s.Verdict != v.verdict || !strings.Contains(strings.ToLower(s.Text), strings.ToLower(v.text)) {
			t.Errorf("%s: %s, want %s with %q:\n%s", v.Name, s.Verdict, v.verdict, v.text, s.Text)
		}
	}
}
