package cli

import (
	"bufio"
	"bytes"
	"io"
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

	"github.com/feidi-dev/feidi/testpki"
)

// TestVerifyd starts the service as a service manager does, asks it, and stops
// it.
func TestVerifyd(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM")
	}
	sample := filepath.Join("..", "..", filepath.FromSlash(sampleSet))
	cmd := exec.CommandContext(t.Context(), "feidi", "verifyd", "--listen", "127.0.0.1:0", "--collateral", filepath.Join(sample, "collateral.json"), "--root", filepath.Join(sample, "root.pem"))
	cmd.WaitDelay = 5 * time.Second
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	url := ""
	for url == "" && lines.Scan() {
		url, _ = strings.CutPrefix(lines.Text(), "address ")
	}
	if url == "" {
		t.Fatalf("it does not start: %v\n%s", cmd.Wait(), &log)
	}
	for file, want := range map[string]string{"quote.bin": `"accepted": true`, "outdated.bin": `"accepted": false`} {
		q, err := os.ReadFile(filepath.Join(sample, file))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(url+"/v1/verify?at=2026-06-02", "application/octet-stream", bytes.NewReader(q))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(b), want) {
			t.Errorf("%s: %d, %v, %s", file, resp.StatusCode, err, b)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	for _, want := range []string{`"level":"WARN","msg":"without --policy any enclave or TD is accepted`, `"msg":"listening"`, `"outcome":"accepted"`, `"outcome":"rejected"`, `"msg":"stopping"`, `"msg":"stopped"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in the log:\n%s", want, &log)
		}
	}
}

// TestVerifyService verifies with collateral from a service.
func TestVerifyService(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	pki := testpki.New(testpki.Seed("a service"))
	server := httptest.NewServer(pki.PCS())
	defer server.Close()
	root := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(root, pki.RootPEM(), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--pccs", "--collateral"} {
		var out, errs bytes.Buffer
		args := []string{"verify", "-", flag, server.URL, "--root", root, "--at", pki.Now.Format(time.RFC3339)}
		code := Main(args, bytes.NewReader(pki.Platform().TDXQuote().Bytes()), &out, &errs)
		if code != exitOK || !strings.Contains(out.String(), server.URL) || errs.Len() > 0 {
			t.Errorf("%s: exit code %d\n%s%s", flag, code, &out, &errs)
		}
	}
	// No collateral is no verdict.
	unknown := pki.Platform(testpki.FMSPC([6]byte{9, 8, 7, 6, 5, 4})).TDXQuote().Bytes()
	pki2 := httptest.NewServer(http.NotFoundHandler())
	defer pki2.Close()
	var out, errs bytes.Buffer
	if code := Main([]string{"verify", "-", "--pccs", pki2.URL, "--root", root}, bytes.NewReader(unknown), &out, &errs); code != exitUnsure || out.Len() > 0 || !strings.Contains(errs.String(), "collateral: ") {
		t.Errorf("exit code %d\n%s%s", code, &out, &errs)
	}
}
