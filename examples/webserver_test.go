package examples

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

// server is a web server that runs.
type server struct {
	cmd               *exec.Cmd
	url, cert, mrencl string
	errs              bytes.Buffer
}

// serve starts the web server of an enclave file.
func serve(t *testing.T, file, state string) *server {
	t.Helper()
	s := &server{cmd: feidi(t, "", "run", file, "-listen", "127.0.0.1:0", "-state", state)}
	s.cmd.Stderr = &s.errs
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for s.url == "" && lines.Scan() {
		if v, ok := strings.CutPrefix(lines.Text(), "MRENCLAVE "); ok {
			s.mrencl = v
		} else if v, ok := strings.CutPrefix(lines.Text(), "certificate "); ok {
			s.cert = v
		} else if v, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			s.url = v
		}
	}
	if s.url == "" {
		_ = s.cmd.Wait()
		t.Fatalf("the server does not start: %s", &s.errs)
	}
	return s
}

// stop stops the server as a service manager does.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the server: %v\n%s", err, &s.errs)
	}
}

// client accepts the server's certificate and no other.
func (s *server) client(t *testing.T) *http.Client {
	tr := &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true,
		VerifyConnection: func(c tls.ConnectionState) error {
			if h := sha256.Sum256(c.PeerCertificates[0].Raw); hex.EncodeToString(h[:]) != s.cert {
				return errors.New("another certificate")
			}
			return nil
		},
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// get asks the server for a page.
func (s *server) get(t *testing.T, c *http.Client, page string) (body string, code int) {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), http.MethodGet, s.url+page, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), resp.StatusCode
}

func TestWebserver(t *testing.T) {
	needs(t)
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM")
	}
	file, state := build(t, "", "./webserver"), filepath.Join(t.TempDir(), "state")
	s := serve(t, file, state)
	c := s.client(t)
	if body, code := s.get(t, c, ""); code != http.StatusOK || !strings.Contains(body, s.mrencl) {
		t.Errorf("/: %d, %q", code, body)
	}
	for data, want := range map[string]string{"?data=c0ffee": "c0ffee" + strings.Repeat("00", 61), "": s.cert + strings.Repeat("00", 32)} {
		body, code := s.get(t, c, "report"+data)
		b, err := hex.DecodeString(strings.TrimSpace(body))
		var r isa.Report
		if err == nil {
			err = r.UnmarshalBinary(b)
		}
		if code != http.StatusOK || err != nil || hex.EncodeToString(r.ReportData[:]) != want || hex.EncodeToString(r.MREnclave[:]) != s.mrencl {
			t.Errorf("/report%s: %d, %v, %q", data, code, err, body)
		}
	}
	for _, page := range []string{"report?data=x", "report?target=00", "report?data=" + strings.Repeat("00", 65)} {
		if body, code := s.get(t, c, page); code != http.StatusBadRequest {
			t.Errorf("/%s: %d, %q", page, code, body)
		}
	}
	body, code := s.get(t, c, "debug/memory")
	var memory map[string]uint64
	if err := json.Unmarshal([]byte(body), &memory); code != http.StatusOK || err != nil || memory["heap_alloc"] == 0 || memory["goroutines"] == 0 {
		t.Errorf("/debug/memory: %d, %v, %q", code, err, body)
	}

	load := exec.CommandContext(t.Context(), "go", "run", "./webserver/load", "-url", s.url, "-pin", s.cert, "-duration", "2s", "-connections", "4", "-pause", "5ms")
	if out, errs, code := output(t, load, ""); code != 0 || !strings.Contains(out, " 0 errors\n") {
		t.Errorf("load: exit code %d\n%s%s", code, out, errs)
	}
	load = exec.CommandContext(t.Context(), "go", "run", "./webserver/load", "-url", s.url, "-pin", s.mrencl, "-duration", "1s")
	if out, errs, code := output(t, load, ""); code == 0 || !strings.Contains(errs, "another certificate") {
		t.Errorf("load with another pin: exit code %d\n%s%s", code, out, errs)
	}
	s.stop(t)

	// The next run has the same key, and a run elsewhere another one.
	again, other := serve(t, file, state), serve(t, file, filepath.Join(t.TempDir(), "state"))
	if again.cert != s.cert || other.cert == s.cert {
		t.Errorf("certificates %s, then %s, elsewhere %s", s.cert, again.cert, other.cert)
	}
	again.get(t, again.client(t), "")
	again.stop(t)
	other.stop(t)
}
