package world_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
)

// A machine of several packages is certified from the moment that it is
// registered, and not before: no daemon has to be told.
func TestRegistered(t *testing.T) {
	h := newWorld(t)
	p := h.pcs()
	h.run("machine", "new", "server", "--packages", "2")
	c, d := h.powerOn("server"), h.aesmd("server", "--pcs", p.Address)
	_, err := quote(d, c.app)
	codeIs(d, "before it is registered", err, aesm.ErrNoPlatformCertData)
	if !d.logs("register the machine with the service") {
		t.Errorf("the log does not say what to do\n%s", d.log.String())
	}
	h.refuses(1, "server: the platform is not registered", "pcs", "revoke", "server")

	said := h.run("machine", "register", "server", "--pcs", p.Address)
	if again := h.run("machine", "register", "server", "--pcs", p.Address); again != said {
		t.Errorf("%q, and registered again %q", said, again)
	}
	q := mustQuote(d, c.app)
	v := h.accepted("a quote of two packages", q, p.Address)
	if ppid := h.ppid(q); v.CA != "platform" || !strings.Contains(said, ppid) {
		t.Errorf("PPID %s\n%s%s", ppid, said, v)
	}

	h.run("machine", "new", "plain")
	h.refuses(1, "has one package: it is certified without being registered", "machine", "register", "plain", "--pcs", p.Address)
	other := newWorld(t)
	h.refuses(3, "a package is of another factory (HTTP 400", "machine", "register", "server", "--pcs", other.pcs().Address)
}

// ppid is the PPID in the PCK certificate of a quote, in hexadecimal.
func (h *home) ppid(quote []byte) string {
	h.Helper()
	file := filepath.Join(h.dir, "shown.bin")
	h.write(file, quote)
	var shown struct {
		Certification struct {
			Certificates []struct{ SGX struct{ PPID string } }
		}
	}
	if err := json.Unmarshal([]byte(h.run("quote", "show", file, "--json")), &shown); err != nil {
		h.Fatal(err)
	}
	if len(shown.Certification.Certificates) != 3 {
		h.Fatalf("%+v", shown)
	}
	return shown.Certification.Certificates[0].SGX.PPID
}

// Intel's signed PCE takes the place of the world's: the factory computes its
// keys, which are others than those of the world's own.
func TestIntelsPCE(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("FEIDI_ENCLAVES"), "libsgx_pce.signed.so*"))
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("FEIDI_ENCLAVES") == "" || len(files) == 0 {
		t.Skip("FEIDI_ENCLAVES names no folder with libsgx_pce.signed.so")
	}
	h := newWorld(t, "laptop")
	c, p := h.powerOn("laptop"), h.pcs()
	var ppids []string
	for _, args := range [][]string{{"--pce", files[0]}, nil, {"--pce", files[0]}} {
		d := h.aesmd("laptop", append(args, "--pcs", p.Address)...)
		q := mustQuote(d, c.app)
		h.accepted("a quote with "+strings.Join(args, " "), q, p.Address)
		ppids = append(ppids, h.ppid(q))
		d.stop()
	}
	if ppids[0] == ppids[1] || ppids[0] != ppids[2] || slices.Contains(ppids, "") {
		t.Errorf("PPIDs with Intel's PCE, the world's and Intel's: %q", ppids)
	}
	h.run("pcs", "revoke", "laptop")
	d := h.aesmd("laptop", "--pce", files[0], "--pcs", p.Address)
	h.refused("a quote of Intel's PCE on a revoked machine", h.verify(mustQuote(d, c.app), "--root", h.root(), "--collateral", p.Address),
		"STATUS_SGX_PCK_REVOKED", "is revoked by")
}
