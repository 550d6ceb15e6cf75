package world_test

import (
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/world"
)

// The whole path, and the same quote for who trusts only Intel.
func TestRoots(t *testing.T) {
	h, other := newWorld(t, "laptop"), newWorld(t)
	c, p := h.powerOn("laptop"), h.pcs()
	q := mustQuote(h.aesmd("laptop", "--pcs", p.Address), c.app)
	v := h.accepted("a quote", q, p.Address)
	if v.CA != "processor" || v.FMSPC != "00FE1D200000" || !strings.Contains(v.all.stdout, "SOFTWARE - NOT HARDWARE") {
		t.Error(v)
	}
	h.refused("a quote without --root", h.verify(q, "--collateral", p.Address),
		"STATUS_SGX_PCK_CERT_CHAIN_UNTRUSTED", "the chain ends in a root that is not trusted", "trusted is Intel's")
	h.refused("a quote with another world's root", h.verify(q, "--collateral", p.Address, "--root", other.root()),
		"STATUS_SGX_PCK_CERT_CHAIN_UNTRUSTED", "the chain ends in a root that is not trusted", "trusted is the given root")
}

// A REPORT of one machine is none on another.
func TestMachineSwap(t *testing.T) {
	h := newWorld(t, "a", "b")
	a, b := h.powerOn("a"), h.powerOn("b")
	d := h.aesmd("b")
	_, err := quote(d, a.app)
	codeIs(d, "a REPORT of machine a to the AESM of b", err, aesm.ErrInvalidReport)

	// Nor is one that was made for somebody else, or changed.
	_, err = client(d).Quote(t.Context(), func(target *isa.TargetInfo) (*isa.Report, error) {
		self := b.app.TargetInfo()
		return report(b.app, &self)
	})
	codeIs(d, "a REPORT for another enclave", err, aesm.ErrInvalidReport)
	_, err = client(d).Quote(t.Context(), func(target *isa.TargetInfo) (*isa.Report, error) {
		r, err := report(b.app, target)
		if err == nil {
			r.ReportData[0]++
		}
		return r, err
	})
	codeIs(d, "a REPORT with other data", err, aesm.ErrInvalidReport)
	mustQuote(d, b.app)
}

// What the services of one machine keep is of no use on another, and does no harm.
func TestKeptFilesOfAnother(t *testing.T) {
	h := newWorld(t, "a", "b")
	a, b, p := h.powerOn("a"), h.powerOn("b"), h.pcs()
	d := h.aesmd("a", "--pcs", p.Address)
	first := h.parse(mustQuote(d, a.app))
	d.stop()

	h.copyAll(h.state("machines", "a.d"), h.state("machines", "b.d"))
	d = h.aesmd("b", "--pcs", p.Address)
	q := mustQuote(d, b.app)
	h.accepted("a quote of b", q, p.Address)
	if second := h.parse(q); second.AttestationKey == first.AttestationKey || second.Header.UserData == first.Header.UserData {
		t.Error("machine b has the attestation key or QE ID of a")
	}
	for _, want := range []string{"the attestation key that was kept does not open", "the PCK certificate that was kept is another machine's"} {
		if !d.logs(want) {
			t.Errorf("no %q in the log\n%s", want, d.log.String())
		}
	}
}

// A debug enclave gets quotes, which policies refuse.
func TestDebug(t *testing.T) {
	h := newWorld(t, "laptop")
	c, p := h.powerOn("laptop"), h.pcs()
	q := mustQuote(h.aesmd("laptop"), c.load(enclave.WithDebug()))
	v := h.verify(q, "--root", h.root(), "--collateral", p.Address)
	h.refused("a debug enclave", v, "STATUS_OK", "genuine, but sgx.allow_debug")
	if !v.Authentic || len(v.Policy.Failures) != 1 || v.Policy.Failures[0].Rule != "sgx.allow_debug" {
		t.Error(v)
	}
}

// A machine that no factory knows makes no quotes until one adopts it, and keeps
// what was sealed on it.
func TestUnknownMachine(t *testing.T) {
	h := newWorld(t)
	if _, err := world.UseMachine(h.state(), "free"); err != nil { // as `feidi run` does
		t.Fatal(err)
	}
	c := h.powerOn("free")
	var svn [16]byte
	key, _ := c.sealKey(svn)
	h.refuses(1, "free: the factory does not know this machine: adopt it", "aesmd", "--machine", "free", "--socket", h.socket("free"))
	h.refuses(1, "free: the factory does not know this machine: adopt it", "machine", "recover", "free")
	h.refuses(1, "free: the factory does not know this machine: adopt it", "pcs", "revoke", "free")

	h.run("machine", "new", "--adopt", "free")
	c, p := h.powerOn("free"), h.pcs()
	h.accepted("a quote of an adopted machine", mustQuote(h.aesmd("free", "--pcs", p.Address), c.app), p.Address)
	if again, code := c.sealKey(svn); code != 0 || again != key {
		t.Errorf("the seal key has changed, code %v", code)
	}
}
