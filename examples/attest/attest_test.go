package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/quoting"
)

// TestAttest has the party tell a secret to the service in its enclave, and to
// nobody else.
func TestAttest(t *testing.T) {
	runtime.GOMAXPROCS(runtime.NumCPU() + 2*gobuild.DefaultThreads)
	key, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	m := quoting.New(t, cache, key)
	tc, err := gobuild.FindToolchain(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	file, err := tc.Build(t.Context(), ".", ".", nil, gobuild.Options{Key: key, Date: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	url, mrenclave := serve(t, m, file)

	collateral := httptest.NewServer(m.PKI.PCS())
	t.Cleanup(collateral.Close)
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	root, otherRoot := write("root.pem", m.PKI.RootPEM()), write("other.pem", testpki.New().RootPEM())
	party := filepath.Join(dir, "party")
	if out, err := exec.Command("go", "build", "-o", party, "./party").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tell := func(url, root, mrenclave string) (string, error) {
		out, err := exec.CommandContext(t.Context(), party, "-url", url, "-root", root, "-mrenclave", mrenclave, "-pcs", collateral.URL, "open sesame").CombinedOutput()
		return string(out), err
	}
	refused := func(what, want, url, root, mrenclave string) {
		t.Helper()
		if out, err := tell(url, root, mrenclave); err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v\n%s", what, err, out)
		}
	}

	if out, err := tell(url, root, mrenclave); err != nil || out != "The enclave has a secret of 11 bytes.\n" {
		t.Errorf("%v\n%s", err, out)
	}
	refused("another enclave is wanted", "sgx.mrenclave", url, root, strings.Repeat("ab", 32))
	refused("another root is trusted", "authentic", url, otherRoot, mrenclave)
	// One in the middle has the enclave's quote, but not its key; nor does it help
	// to send the party to the enclave for the quote.
	for want, quote := range map[string]http.HandlerFunc{
		"report_data":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(quoteOf(t, url)) },
		"not who has the": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, url+"/quote", http.StatusFound) },
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("/quote", quote)
		mux.HandleFunc("/secret", func(http.ResponseWriter, *http.Request) { t.Errorf("%s: it is told the secret", want) })
		middle := httptest.NewUnstartedServer(mux)
		middle.Config.ErrorLog = log.New(io.Discard, "", 0)
		middle.StartTLS()
		refused("one in the middle", want, middle.URL, root, mrenclave)
		middle.Close()
	}
	m.PKI.ProcessorCA.Revoke(m.Platform.PCK)
	m.PKI.PlatformCA.Revoke(m.Platform.PCK)
	refused("the machine is revoked", "authentic", url, root, mrenclave)
}

// serve runs the service in an enclave, and returns its address and MRENCLAVE.
func serve(t *testing.T, m *quoting.Machine, file []byte) (url, mrenclave string) {
	t.Helper()
	img, err := image.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	stdout, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	p := process.New(process.Config{
		Args: []string{"attest", "-listen", "127.0.0.1:0"}, Env: []string{"SGX_AESM_SOCKET=" + quoting.Serve(t, m.Quotes)},
		Stdout: w, Stderr: os.Stderr,
	})
	e, err := m.Load(t.Context(), img, p.Option())
	if err != nil {
		t.Fatal(err)
	}
	err = p.Start(context.Background(), e)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		signalled := p.Signal(syscall.SIGTERM)
		if s, err := p.Wait(); signalled != nil || err != nil || s != (process.State{}) {
			t.Errorf("the service ended with %+v, %v, %v", s, err, signalled)
		}
		if err := e.Destroy(); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(stdout)
	for url == "" && lines.Scan() {
		if v, ok := strings.CutPrefix(lines.Text(), "MRENCLAVE "); ok {
			mrenclave = v
		} else if v, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			url = strings.TrimSuffix(v, "/")
		}
	}
	if want := e.SECS().MREnclave; mrenclave != hex.EncodeToString(want[:]) || url == "" {
		t.Fatalf("the service of %x says that it is %s, at %q", want, mrenclave, url)
	}
	return url, mrenclave
}

// quoteOf gets a quote as anybody can.
func quoteOf(t *testing.T, url string) []byte {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get(url + "/quote")
	if err != nil {
		t.Error(err)
		return nil
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if _, parse := dcap.ParseQuote(b); err != nil || parse != nil {
		t.Error(errors.Join(err, parse))
	}
	return b
}
