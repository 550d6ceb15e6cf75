package world_test

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/isa"
)

// cpuSVN is what the file of a machine says.
func (h *home) cpuSVN(machine string) [16]byte {
	h.Helper()
	m, err := h.world().Machine(machine)
	if err != nil {
		h.Fatal(err)
	}
	return m.CPUSVN
}

// A machine that is set back to older microcode after a TCB recovery can make
// quotes, which say so, and cannot open what was sealed meanwhile: its attestation
// key least of all.
func TestDowngrade(t *testing.T) {
	h := newWorld(t, "laptop")
	p := h.pcs()
	older := h.cpuSVN("laptop")
	c, d := h.powerOn("laptop"), h.aesmd("laptop", "--pcs", p.Address)
	first := mustQuote(d, c.app)
	h.accepted("a quote before the recovery", first, p.Address)
	oldKey, _ := c.sealKey(older)
	d.stop()

	file := h.state("machines", "laptop.json")
	vulnerable := h.read(file)
	h.run("machine", "recover", "laptop", "--advisory", "INTEL-SA-00001")
	newer := h.cpuSVN("laptop")
	c, d = h.powerOn("laptop"), h.aesmd("laptop", "--pcs", p.Address)
	second := mustQuote(d, c.app)
	h.accepted("a quote after the recovery", second, p.Address)
	if !d.logs("the attestation key is certified anew") && h.parse(first).AttestationKey == h.parse(second).AttestationKey {
		t.Errorf("the key is the old one\n%s", d.log.String())
	}
	if key, code := c.sealKey(older); code != 0 || key != oldKey {
		t.Errorf("what was sealed before the recovery cannot be unsealed after it: %v", code)
	}
	newKey, code := c.sealKey(newer)
	if code != 0 || newKey == oldKey {
		t.Errorf("the key at the newer CPUSVN: %v, the old one: %v", code, newKey == oldKey)
	}
	d.stop()
	h.outOfDate("the quote from before the recovery", first, p.Address)

	h.write(file, vulnerable)
	c, d = h.powerOn("laptop"), h.aesmd("laptop", "--pcs", p.Address)
	third := mustQuote(d, c.app)
	h.outOfDate("a quote after the downgrade", third, p.Address)
	if h.parse(third).AttestationKey == h.parse(second).AttestationKey {
		t.Error("the attestation key of the newer TCB is in use")
	}
	if !d.logs("the attestation key that was kept does not open") {
		t.Errorf("nothing in the log of the key\n%s", d.log.String())
	}
	if _, code := c.sealKey(newer); code != isa.ErrInvalidCPUSVN {
		t.Errorf("the key at the newer CPUSVN: %v", code)
	}
	if key, code := c.sealKey(older); code != 0 || key != oldKey {
		t.Errorf("the key at the older CPUSVN: %v", code)
	}
}

// outOfDate checks that a quote is genuine, and refused since its TCB is out of
// date, with the advisory that says why.
func (h *home) outOfDate(what string, quote []byte, from string) {
	h.Helper()
	v := h.verify(quote, "--root", h.root(), "--collateral", from)
	h.refused(what, v, "STATUS_TCB_OUT_OF_DATE", "genuine, but tcb.accept: wanted UpToDate, found OutOfDate (INTEL-SA-00001)")
	if !v.Authentic || v.TCBStatus != "OutOfDate" || !slices.Equal(v.AdvisoryIDs, []string{"INTEL-SA-00001"}) {
		h.Errorf("%s: %s", what, v)
	}
}

// A machine is out of date once another of its family is recovered, and is not any
// more when it has caught up and was switched on again.
func TestOutOfDate(t *testing.T) {
	h := newWorld(t, "a", "b")
	h.run("machine", "new", "other", "--fmspc", "00FE1D300000")
	p := h.pcs()
	b, db := h.powerOn("b"), h.aesmd("b", "--pcs", p.Address)
	other, dother := h.powerOn("other"), h.aesmd("other", "--pcs", p.Address)
	h.accepted("b, before", mustQuote(db, b.app), p.Address)

	h.run("machine", "recover", "a", "--advisory", "INTEL-SA-00001")
	h.outOfDate("b, after a was recovered", mustQuote(db, b.app), p.Address)
	h.accepted("a machine of another family", mustQuote(dother, other.app), p.Address)

	svn := h.cpuSVN("a")
	h.run("machine", "recover", "b", "--svn", hex.EncodeToString(svn[:]))
	h.outOfDate("b, which is still on", mustQuote(db, b.app), p.Address)
	db.stop()
	b, db = h.powerOn("b"), h.aesmd("b", "--pcs", p.Address)
	h.accepted("b, which has caught up", mustQuote(db, b.app), p.Address)
}

// A revocation is known to all who get the new list: also of quotes that were made
// before, and while the daemons keep running.
func TestRevoked(t *testing.T) {
	h := newWorld(t, "good", "bad")
	p := h.pcs()
	good, bad := h.powerOn("good"), h.powerOn("bad")
	dgood, dbad := h.aesmd("good", "--pcs", p.Address), h.aesmd("bad", "--pcs", p.Address)
	before := mustQuote(dbad, bad.app)
	h.accepted("before", before, p.Address)
	copies := []string{"--root", h.root(), "--pccs", p.Address, "--cache", t.TempDir()}
	cached := func(more ...string) *verdict { return h.judge(before, append(copies, more...)...) }
	if v := cached(); !v.Accepted {
		t.Fatal(v)
	}

	h.run("pcs", "revoke", "bad")
	for what, q := range map[string][]byte{"a quote from before": before, "a quote from after": mustQuote(dbad, bad.app)} {
		h.refused(what, h.verify(q, "--root", h.root(), "--collateral", p.Address), "STATUS_SGX_PCK_REVOKED", "not authentic", "is revoked by \"SGX PCK Processor CA")
	}
	h.accepted("another machine", mustQuote(dgood, good.app), p.Address)

	// Who has a list in its cache does not know yet.
	if v := cached(); !v.Accepted {
		t.Error(v)
	}
	h.refused("with a fresh list", cached("--refresh"), "STATUS_SGX_PCK_REVOKED", "not authentic", "is revoked by \"SGX PCK Processor CA")
	h.refused("from then on", cached(), "STATUS_SGX_PCK_REVOKED", "not authentic", "is revoked by \"SGX PCK Processor CA")

	h.run("pcs", "revoke", "--ca", "processor")
	v := h.verify(mustQuote(dgood, good.app), "--root", h.root(), "--collateral", p.Address)
	h.refused("a quote of the other machine, whose CA is revoked", v, "STATUS_SGX_INTERMEDIATE_CA_REVOKED", "is revoked by the root")
}

// Collateral is good for 30 days, wherever it comes from.
func TestExpired(t *testing.T) {
	h := newWorld(t, "laptop")
	c, p := h.powerOn("laptop"), h.pcs()
	q := mustQuote(h.aesmd("laptop", "--pcs", p.Address), c.app)
	h.accepted("now", q, p.Address)
	saved := h.dir + "/collateral"
	h.run("collateral", "save", h.dir+"/quote.bin", "--pccs", p.Address, "--no-cache", "-o", saved)
	root := h.root()
	day := func(n int) string { return time.Now().AddDate(0, 0, n).UTC().Format(time.RFC3339) }
	for _, from := range []string{saved, p.Address} {
		if v := h.verify(q, "--root", root, "--collateral", from, "--at", day(29)); !v.Accepted || v.Expired {
			t.Errorf("after 29 days: %s", v)
		}
		v := h.verify(q, "--root", root, "--collateral", from, "--at", day(31))
		h.refused("a quote after 31 days", v, "STATUS_SGX_CRL_EXPIRED", "genuine, but collateral.expired_grace: wanted no expired collateral")
		if !v.Expired {
			t.Error(v)
		}
	}
}
