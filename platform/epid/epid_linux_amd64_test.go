package epid_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/epidqe"
	_ "github.com/feidi-dev/feidi/cpu/native" // executes enclaves
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	epidscheme "github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/epid/quote"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform/epid"
	"github.com/feidi-dev/feidi/testsuite/system"
	"github.com/feidi-dev/feidi/world"
)

var cache string // where gobuild may write

func TestMain(m *testing.M) { os.Exit(system.Main(m, &cache)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// factory is a world, and its enclaves.
type factory struct {
	*world.World
	epid    *world.EPID
	pve, qe *image.Image
}

// newFactory makes a world, or skips the test where no machine can be on.
func newFactory(t testing.TB) *factory {
	t.Helper()
	system.PowerOn(t, enclave.MachineConfig{})
	w := must(world.Create(filepath.Join(t.TempDir(), "state"), world.Options{}))
	return &factory{
		World: w, epid: must(w.EPID()),
		pve: system.Image(t, cache, build.PVE, w.EnclaveKey()), qe: system.Image(t, cache, build.EPIDQE, w.EnclaveKey()),
	}
}

// machine is a machine at work, and an application on it, which asks AESM.
type machine struct {
	testing.TB
	*epid.Service
	aesm *aesm.Client
	on   *enclave.Machine
	app  *system.App
	dir  string
}

// boot switches a machine on.
func (f *factory) boot(t testing.TB, m *world.Machine) *machine {
	t.Helper()
	h := &machine{TB: t, on: system.PowerOn(t, enclave.MachineConfig{CPU: m.CPU()}), dir: m.Dir()}
	h.app = system.NewApp(t, h.on, f.EnclaveKey())
	var err error
	h.Service, err = epid.Start(t.Context(), epid.Config{
		Machine: h.on, PvE: f.pve, QE: f.qe, Group: f.epid.Document(), Provisioner: f.epid,
		PCESVN: build.PCE.SVN, Dir: h.dir, Stderr: os.Stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	h.aesm = aesm.New(aesm.Options{Path: system.Serve(t, aesm.Services{EPID: h.Service}), Timeout: time.Minute})
	return h
}

// report has the application make a REPORT for a target.
func (h *machine) report(target *isa.TargetInfo) *isa.Report {
	return h.app.Report(target, [64]byte{'h', 'i'})
}

var spid = [16]byte{'s', 'p', 'i', 'd'}

// quote makes a quote through AESM, with its QE report.
func (h *machine) quote(linkable bool, sigRL []byte) ([]byte, error) {
	h.Helper()
	target, _, err := h.aesm.InitQuote(h.Context())
	if err != nil {
		return nil, err
	}
	nonce := [16]byte{1, 2, 3}
	entries := max(0, len(sigRL)-80) / 128
	size := quote.Size(entries)
	q, qeReport, err := h.aesm.GetQuote(h.Context(), &aesm.EPIDQuote{
		Report: *h.report(target), Linkable: linkable, SPID: spid, Nonce: &nonce, SigRL: sigRL, WantQEReport: true,
	}, uint32(size))
	if err != nil {
		return nil, err
	}
	want := sha256.Sum256(slices.Concat(nonce[:], q))
	if len(q) != size || !h.app.Accepts(qeReport) || qeReport.ReportData != [64]byte(append(want[:], make([]byte, 32)...)) {
		h.Errorf("%d bytes of %d, or the QE's report is not for the application, or not of the quote", len(q), size)
	}
	return q, nil
}

// good makes a quote and verifies it.
func (h *machine) good(f *factory, linkable bool, sigRL []byte) *quote.Result {
	h.Helper()
	q, err := h.quote(linkable, sigRL)
	if err != nil {
		h.Fatal(err)
	}
	r, err := must(f.epid.Verifier()).Verify(q)
	if err != nil {
		h.Fatal(err)
	}
	return r
}

// Three machines, from fuses to quotes that the attestation service believes, and
// how each of them loses its trust.
func TestMachines(t *testing.T) {
	f := newFactory(t)
	var machines []*machine
	for i := range 3 {
		machines = append(machines, f.boot(t, must(f.NewMachine(fmt.Sprintf("machine%d", i), world.MachineOptions{}))))
	}
	ann, bob, eve := machines[0], machines[1], machines[2]

	r := ann.good(f, true, nil)
	app := ann.app.SECS()
	if q := r.Quote; q.Body.MREnclave != app.MREnclave || !bytes.HasPrefix(q.Body.ReportData[:], []byte("hi")) || q.SPID() != spid ||
		q.QESVN != build.EPIDQE.SVN || q.PCESVN != build.PCE.SVN || q.XEID != f.epid.XEID() || q.GID != [4]byte{0, 0, 0, 1} {
		t.Errorf("%+v", q)
	}
	if target, gid, err := ann.aesm.InitQuote(t.Context()); err != nil || gid != [4]byte{1, 0, 0, 0} || target.Measurement != f.qe.SigStruct.EnclaveHash {
		t.Errorf("%+v, %x, %v", target, gid, err)
	}
	if id, err := ann.aesm.GetExtendedGroupID(t.Context()); err != nil || id != f.epid.XEID() {
		t.Errorf("extended group %d, %v", id, err)
	}
	system.CodeIs(t, "another extended group", ann.aesm.SwitchExtendedGroup(t.Context(), f.epid.XEID()+1), aesm.ErrParameter)

	// Linkable quotes are of one pseudonym, others of none.
	if again := ann.good(f, true, nil); again.Pseudonym != r.Pseudonym {
		t.Error("two linkable quotes of a machine are not linked")
	}
	if other := ann.good(f, false, nil); other.Pseudonym == r.Pseudonym || ann.good(f, false, nil).Pseudonym == other.Pseudonym {
		t.Error("an unlinkable quote is linked")
	}
	bobs := bob.good(f, true, nil)
	if bobs.Pseudonym == r.Pseudonym {
		t.Error("quotes of two machines are linked")
	}
	eves := eve.good(f, true, nil)

	// What is asked for wrongly.
	target, _, err := ann.aesm.InitQuote(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, q := range map[string]*aesm.EPIDQuote{
		"no report":            {},
		"a report for another": {Report: *ann.report(&isa.TargetInfo{Measurement: app.MREnclave})},
		"another machine's":    {Report: *bob.report(target)},
		"a report, no nonce":   {Report: *ann.report(target), WantQEReport: true},
		"no SigRL":             {Report: *ann.report(target), SigRL: make([]byte, 208)},
	} {
		_, _, err := ann.aesm.GetQuote(t.Context(), q, 8<<10)
		system.CodeIs(t, what, err, aesm.ErrParameter)
	}

	// Without the key that was kept a machine becomes the same member again, and
	// with another's.
	if err := os.Remove(filepath.Join(ann.dir, "epid.blob")); err != nil {
		t.Fatal(err)
	}
	ann = f.boot(t, must(f.Machine("machine0")))
	if again := ann.good(f, true, nil); again.Pseudonym != r.Pseudonym {
		t.Error("the machine has become another member")
	}
	stolen := must(os.ReadFile(filepath.Join(bob.dir, "epid.blob")))
	if err := os.WriteFile(filepath.Join(ann.dir, "epid.blob"), stolen, 0o600); err != nil {
		t.Fatal(err)
	}
	ann = f.boot(t, must(f.Machine("machine0")))
	if again := ann.good(f, true, nil); again.Pseudonym != r.Pseudonym {
		t.Error("the machine has become another member, or Bob")
	}
	if kept := must(os.ReadFile(filepath.Join(ann.dir, "epid.blob"))); bytes.Equal(kept, stolen) {
		t.Error("another machine's key is still there")
	}

	// After a TCB recovery it is provisioned anew, and the same member.
	if _, err := f.Recover("machine0", world.RecoverOptions{}); err != nil {
		t.Fatal(err)
	}
	recovered := must(f.Machine("machine0"))
	ann = f.boot(t, recovered)
	if again := ann.good(f, true, nil); again.Pseudonym != r.Pseudonym || again.Quote.Body.CPUSVN != recovered.CPUSVN {
		t.Errorf("the machine has become another member, or its CPUSVN is %x", again.Quote.Body.CPUSVN)
	}
	if d := must(epidqe.ParseData(must(os.ReadFile(filepath.Join(ann.dir, "epid.blob"))))); d.CPUSVN != recovered.CPUSVN {
		t.Errorf("the key is of CPUSVN %x", d.CPUSVN)
	}

	t.Run("SigRL", func(t *testing.T) {
		if err := f.epid.RevokeSignature(r.Quote.GID, r.RevokeBy()); err != nil {
			t.Fatal(err)
		}
		list := must(f.epid.SigRL(r.Quote.GID))
		old, err := bob.quote(true, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := must(f.epid.Verifier()).Verify(old); !errors.Is(err, epidscheme.ErrList) {
			t.Errorf("a quote without the list: %v", err)
		}
		if again := bob.good(f, true, list); again.Pseudonym != bobs.Pseudonym {
			t.Error("Bob has become another")
		}
		_, err = ann.quote(true, list)
		system.CodeIs(t, "Ann", err, aesm.ErrEPIDRevoked)
		bad := bytes.Clone(list)
		bad[20] ^= 1 // of an entry
		_, err = bob.quote(true, bad)
		system.CodeIs(t, "a SigRL that was changed", err, aesm.ErrUnexpected)
	})
	t.Run("PrivRL", func(t *testing.T) {
		// A key that leaked: what a machine signs is told by it.
		leaked := must(epidscheme.NewSecret(rand.Reader))
		if err := f.epid.RevokeKey(eves.Quote.GID, leaked); err != nil {
			t.Fatal(err)
		}
		list := must(f.epid.SigRL(eves.Quote.GID))
		eve.good(f, false, list) // it is not Eve's, whose nobody knows
	})
	t.Run("machine", func(t *testing.T) {
		if err := f.RevokeMachine("machine2", world.KeyCompromise); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(eve.dir, "epid.blob")); err != nil {
			t.Fatal(err)
		}
		_, err := f.boot(t, must(f.Machine("machine2"))).quote(true, nil)
		system.CodeIs(t, "a revoked machine that has lost its key", err, aesm.ErrProvisionFailed)
	})
	t.Run("GroupRL", func(t *testing.T) {
		if err := f.epid.RevokeGroup(r.Quote.GID); err != nil {
			t.Fatal(err)
		}
		old, err := bob.quote(true, must(f.epid.SigRL(r.Quote.GID)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := must(f.epid.Verifier()).Verify(old); !errors.Is(err, epidscheme.ErrGroupRevoked) {
			t.Errorf("a quote of a revoked group: %v", err)
		}
		// The attestation service says so, and the machine joins the next.
		info := &quote.PlatformInfo{GroupFlags: quote.GroupRevoked | quote.GroupOutOfDate, XEID: f.epid.XEID(), GID: r.Quote.GID}
		signed := aesm.PlatformInfo(must(f.epid.PlatformInfo(info)))
		status, u, err := bob.aesm.CheckUpdateStatus(t.Context(), &signed, 0)
		if status != epid.Provision || u != nil || err != nil {
			t.Errorf("status %d, %+v, %v", status, u, err)
		}
		forged := signed
		forged[0] ^= 2
		_, err = bob.aesm.ReportAttestationError(t.Context(), &forged, 1)
		system.CodeIs(t, "forged platform info", err, aesm.ErrPlatformInfoSignature)
		if u, err := bob.aesm.ReportAttestationError(t.Context(), &signed, 1); u != nil || err != nil {
			t.Errorf("%+v, %v", u, err)
		}
		if next := bob.good(f, true, nil); next.Quote.GID != [4]byte{0, 0, 0, 2} || next.Pseudonym == bobs.Pseudonym {
			t.Errorf("group %x, pseudonym %x", next.Quote.GID, next.Pseudonym)
		}
		info.GID, info.TCBFlags = [4]byte{0, 0, 0, 2}, quote.CPUSVNOutOfDate|quote.QESVNOutOfDate
		signed = aesm.PlatformInfo(must(f.epid.PlatformInfo(info)))
		if status, u, err := bob.aesm.CheckUpdateStatus(t.Context(), &signed, epid.Provision); status != epid.NeedUpdate ||
			err != nil || u == nil || *u != (aesm.UpdateInfo{Microcode: true, Software: true}) {
			t.Errorf("status %d, %+v, %v", status, u, err)
		}
	})
}

// Many ask at once, on a machine that is not provisioned yet; then nobody can.
func TestConcurrent(t *testing.T) {
	f := newFactory(t)
	m := f.boot(t, must(f.NewMachine("busy", world.MachineOptions{})))
	twin := must(m.on.Load(context.Background(), f.qe, process.New(process.Config{}).Option())) // does not run
	target := twin.TargetInfo()
	if err := twin.Destroy(); err != nil {
		t.Fatal(err)
	}
	report := m.report(&target)
	v := must(f.epid.Verifier())
	done := make(chan error)
	const callers = 8
	for range callers {
		go func() {
			q, _, err := m.aesm.GetQuote(context.Background(), &aesm.EPIDQuote{Report: *report, SPID: spid}, uint32(quote.Size(0)))
			if err == nil {
				_, err = v.Verify(q)
			}
			done <- err
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, err := m.aesm.InitQuote(t.Context())
	system.CodeIs(t, "closed", err, aesm.ErrServiceStopped)
}

// BenchmarkQuote is an unlinkable quote, in the process and without its REPORT.
func BenchmarkQuote(b *testing.B) {
	f := newFactory(b)
	m := f.boot(b, must(f.NewMachine("bench", world.MachineOptions{})))
	target, _, err := m.InitQuote(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	q := &aesm.EPIDQuote{Report: *m.report(target), SPID: spid}
	for b.Loop() {
		if _, _, err := m.Quote(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
}
