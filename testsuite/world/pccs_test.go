package world_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
)

// caching is a PCCS between the world's service on one side, and machines and
// relying parties on the other.
type caching struct {
	*daemon
	ca     string // the file with its certificate
	client *http.Client
	tokens map[string]string // by the header that they are in
}

// pccs starts a service that caches what another one has. Its certificate it has
// made itself.
func (h *home) pccs(upstream, mode string) *caching {
	h.Helper()
	c := &caching{ca: h.state("pccs", "self-signed.crt"), tokens: map[string]string{}}
	config := fmt.Sprintf("mode = %q\n[upstream]\nurl = %q\nroots = [%q]\n[tokens]\n", mode, upstream, h.root())
	for _, who := range []string{"user", "admin"} {
		var t struct{ Token, SHA512 string }
		if err := json.Unmarshal([]byte(h.run("pccs", "token", "--json")), &t); err != nil {
			h.Fatal(err)
		}
		c.tokens[who+"-token"] = t.Token
		config += fmt.Sprintf("%s_sha512 = %q\n", who, t.SHA512)
	}
	file := filepath.Join(h.dir, "pccs.toml")
	h.write(file, []byte(config))
	c.daemon = h.start("pccs", "serve", "--config", file, "--listen", "127.0.0.1:0")
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(h.read(c.ca)) {
		h.Fatal("no certificate in " + c.ca)
	}
	c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	h.Cleanup(c.client.CloseIdleConnections)
	return c
}

// ask asks the service something, with a token if one is named, and returns the
// status, what the header says of why, and the body.
func (c *caching) ask(method, path, token string, body []byte) (status int, why, answer string) {
	c.h.Helper()
	r, err := http.NewRequestWithContext(c.h.Context(), method, c.Address+path, bytes.NewReader(body))
	if err != nil {
		c.h.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set(token, c.tokens[token])
	}
	a, err := c.client.Do(r)
	if err != nil {
		c.h.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		c.h.Fatal(err)
	}
	return a.StatusCode, a.Header.Get("Error-Code"), string(b)
}

// answers checks a status and a reason.
func (c *caching) answers(status int, why, method, path, token string, body []byte) {
	c.h.Helper()
	if s, w, b := c.ask(method, path, token, body); s != status || w != why {
		c.h.Errorf("%s %s: %d %q %s, and not %d %q\n%s", method, path, s, w, b, status, why, c.log.String())
	}
}

// register registers a machine, as PCKIDRetrievalTool does for a platform.
func (c *caching) register(machine string) {
	c.h.Helper()
	c.answers(200, "", "POST", "/sgx/certification/v4/platforms", "user-token", []byte(c.h.run("machine", "identify", machine, "--json")))
}

// qcnl writes the configuration of Intel's client for this service.
func (c *caching) qcnl() string {
	file := filepath.Join(c.h.dir, "qcnl.conf")
	c.h.write(file, fmt.Appendf(nil, "{\n  // of a machine\n  \"pccs_url\": %q,\n  \"use_secure_cert\": false,\n  \"pccs_api_version\": \"3.1\"\n}\n", c.Address+"/sgx/certification/v4/"))
	return file
}

// verify has a relying party verify a quote with what the service has.
func (c *caching) verify(quote []byte) *verdict {
	c.h.Helper()
	return c.h.judge(quote, "--root", c.h.root(), "--pccs", c.Address, "--pccs-ca", c.ca, "--no-cache")
}

func (c *caching) accepted(what string, quote []byte) {
	c.h.Helper()
	if v := c.verify(quote); !v.Accepted || v.TCBStatus != "UpToDate" {
		c.h.Fatalf("%s: %s\n%s", what, v, c.log.String())
	}
}

// fetchesAgain waits until the certificates of so many machines, which are here,
// were fetched once more.
func (c *caching) fetchesAgain(machines ...string) {
	c.h.Helper()
	for range 3000 {
		if strings.Count(c.log.String(), `"msg":"fetched","platform"`) >= 2*len(machines) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.h.Fatalf("no new certificates of %v\n%s", machines, c.log.String())
}

// Machines and relying parties need the caching service alone. It learns what is
// new when it refreshes, and works on while the service behind is away.
func TestPCCS(t *testing.T) {
	h := newWorld(t, "laptop", "desktop")
	h.run("machine", "new", "server", "--packages", "2")
	p := h.pcs()
	s := h.pccs(p.Address, "REQ")
	laptop, server := h.powerOn("laptop"), h.powerOn("server")
	dlaptop, dserver := h.aesmd("laptop", "--qcnl", s.qcnl()), h.aesmd("server", "--qcnl", s.qcnl())

	// Who did not register gets nothing, and is told so.
	_, err := quote(dlaptop, laptop.app)
	codeIs(dlaptop, "before it is registered", err, aesm.ErrNoPlatformCertData)
	if !s.logs(`"why":"NotRegistered"`) {
		t.Errorf("nothing of it in the log\n%s", s.log.String())
	}
	who := []byte(h.run("machine", "identify", "laptop", "--json"))
	s.answers(401, "Unauthorized", "POST", "/sgx/certification/v4/platforms", "", who)
	s.answers(401, "Unauthorized", "POST", "/sgx/certification/v4/platforms", "admin-token", who)
	s.register("laptop")
	s.register("server") // by its manifest, which the service passes on

	first := mustQuote(dlaptop, laptop.app)
	s.accepted("a quote of one package", first)
	ofServer := mustQuote(dserver, server.app)
	s.accepted("a quote of two packages", ofServer)
	if v := s.verify(ofServer); v.CA != "platform" {
		t.Errorf("%s", v)
	}

	// A recovery of the family: the certificates that are here are of the old TCB.
	h.run("machine", "recover", "laptop", "--advisory", "INTEL-SA-00001")
	s.accepted("before a refresh", first)
	s.answers(401, "Unauthorized", "POST", "/sgx/certification/v4/refresh", "user-token", nil)
	s.answers(200, "", "POST", "/sgx/certification/v4/refresh", "admin-token", nil)
	h.refused("after it", s.verify(first), "STATUS_TCB_OUT_OF_DATE", "found OutOfDate (INTEL-SA-00001)")
	s.fetchesAgain("laptop", "server") // by itself, since there is a new level
	dlaptop.stop()
	laptop = h.powerOn("laptop")
	dlaptop = h.aesmd("laptop", "--qcnl", s.qcnl())
	second := mustQuote(dlaptop, laptop.app)
	s.accepted("with the new microcode", second)

	// A revocation is known after a refresh.
	h.run("pcs", "revoke", "laptop")
	s.accepted("before a refresh", second)
	s.answers(200, "", "POST", "/sgx/certification/v4/refresh", "admin-token", nil)
	h.refused("after it", s.verify(second), "STATUS_SGX_PCK_REVOKED", "is revoked by \"SGX PCK Processor CA")

	// Without the service behind.
	p.stop()
	s.answers(502, "UpstreamUnreachable", "POST", "/sgx/certification/v4/platforms", "user-token", []byte(h.run("machine", "identify", "desktop", "--json")))
	s.answers(503, "UpstreamUnreachable", "POST", "/sgx/certification/v4/refresh", "admin-token", nil)
	// It goes on with what it has.
	if v := s.verify(ofServer); v.TCBStatus != "OutOfDate" || !v.Authentic {
		t.Errorf("a quote with what is in the cache: %s", v)
	}
	if _, _, b := s.ask("GET", "/sgx/certification/v4/platforms?source=[]", "admin-token", nil); strings.Count(b, `"qe_id"`) < 2 {
		t.Errorf("the platforms: %s", b)
	}
}
