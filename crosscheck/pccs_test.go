package crosscheck

import (
	"bytes"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tdx "github.com/google/go-tdx-guest/verify"
	"github.com/google/go-tdx-guest/verify/trust"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// TestPCCS verifies a quote of a TD by go-tdx-guest with what its own HTTP
// client gets from our PCCS, a process of its own. The addresses it asks are
// fixed, so the connection goes elsewhere; requests and answers are untouched.
func TestPCCS(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command")
	}
	// The peer takes an FMSPC with letters for another, by their case.
	f := fleet.In(testpki.New(), [6]byte{0x00, 0x90, 0x61, 0x11})
	addr := startPCCS(t, f)

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.PKI.RootPEM())
	asked := divert(t, addr)
	verify := func(m *testpki.Platform) error {
		return tdx.RawTdxQuote(m.TDXQuote().Bytes(), &tdx.Options{
			GetCollateral: true, CheckRevocations: true, Getter: &trust.SimpleHTTPSGetter{}, TrustedRoots: roots, Now: f.PKI.Now,
		})
	}
	if err := verify(f.Multi.Platform); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"/pckcrl?ca=platform&encoding=der", "/tcb?fmspc=", "/qe/identity", "/IntelSGXRootCA.der"} {
		if !slices.ContainsFunc(*asked, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("it did not ask for %s; it asked for\n%s", want, strings.Join(*asked, "\n"))
		}
	}

	// The same of machines that are not to be believed: what it judges them by came
	// from there, too.
	low := f.PKI.Platform(testpki.FMSPC(f.Multi.SGX.FMSPC), testpki.Status(dcap.OutOfDate))
	if err := verify(low); err == nil || !strings.Contains(err.Error(), "UpToDate") {
		t.Errorf("a machine that is out of date: %v", err)
	}
	stranger := f.PKI.Platform(testpki.FMSPC([6]byte{1, 2, 3, 4, 5, 6}))
	if err := verify(stranger); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a machine of an FMSPC that the PCCS has not: %v", err)
	}
}

// divert sends what the process's default HTTP client asks Intel to a PCCS, and
// tells what it asked. Only the file of the root CRL has another name there.
func divert(t *testing.T, addr string) *[]string {
	asked := &[]string{}
	before := http.DefaultTransport
	t.Cleanup(func() { http.DefaultTransport = before })
	pccs := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(pccs.CloseIdleConnections)
	http.DefaultTransport = roundTripper(func(r *http.Request) (*http.Response, error) {
		*asked = append(*asked, r.URL.String())
		to := r.Clone(r.Context())
		to.URL.Host, to.Host = addr, addr
		if r.URL.Host == "certificates.trustedservices.intel.com" {
			to.URL.Path, to.URL.RawQuery = "/sgx/certification/v4/crl", "uri="+url.QueryEscape(r.URL.String())
		}
		return pccs.RoundTrip(to)
	})
	return asked
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// startPCCS builds the command, starts a PCCS of a fleet's Intel, and brings
// the fleet's collateral. It returns its address.
func startPCCS(t *testing.T, f *fleet.Fleet) string {
	t.Helper()
	dir := t.TempDir()
	d := &daemons{command: filepath.Join(dir, "feidi"), state: filepath.Join(dir, "state")}
	build := exec.Command("go", "build", "-o", d.command, "./cmd/feidi")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	const token = "secret of an administrator"
	file := filepath.Join(dir, "pccs.toml")
	text := fmt.Sprintf("mode = 'OFFLINE'\nlisten = ['127.0.0.1:0']\n[database]\naddress = 'sqlite:pccs.db'\n[upstream]\nroots = ['root.pem']\n[tokens]\nadmin_sha512 = '%x'\n",
		sha512.Sum512([]byte(token)))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "root.pem"), f.PKI.RootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	at := d.start(t, "pccs", "serve", "--config", file)

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	put, err := http.NewRequestWithContext(t.Context(), http.MethodPut, at.Address+"/sgx/certification/v4/platformcollateral", bytes.NewReader(f.Body(4)))
	if err != nil {
		t.Fatal(err)
	}
	put.Header.Set("Content-Type", "application/json")
	put.Header.Set("admin-token", token)
	res, err := client.Do(put)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("collateral: %d %s (%v)", res.StatusCode, body, err)
	}
	u, err := url.Parse(at.Address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
