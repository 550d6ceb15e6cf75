package world

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/epidqe"
	"github.com/feidi-dev/feidi/arch/pve"
	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/epid/quote"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// processorOf is what a PvE on a machine of a world is told by EGETKEY and EREPORT:
// provisioning keys by the manual, and others that are good for nothing else.
type processorOf struct {
	w      *World
	m      *Machine
	isvSVN uint16
	salt   byte // of provisioning seal keys
}

func (p *processorOf) Report(*isa.TargetInfo, [64]byte) (*isa.Report, error) {
	return &isa.Report{ReportBody: isa.ReportBody{CPUSVN: p.m.CPUSVN, ISVSVN: p.isvSVN, MRSigner: p.w.LEPubKeyHash()}}, nil
}

func (p *processorOf) VerifyReport(*isa.Report) error { return nil }

func (p *processorOf) Key(q *isa.KeyRequest) ([16]byte, error) {
	if q.KeyName == isa.KeyProvision {
		return provisioningKey(p.m.CPU().Fuses.RootProvisioningKey, p.w.LEPubKeyHash(), q.CPUSVN, q.ISVSVN), nil
	}
	b, err := q.AppendBinary(nil)
	return cmac.Sum(p.m.CPU().Fuses.RootSealKey, append(b, p.salt)), err
}

// join has a machine join, by all four messages, and returns the blob.
func (p *processorOf) join(t testing.TB, e *EPID) (*epidqe.Data, error) {
	t.Helper()
	g, err := pve.OpenGroup(e.Document(), p.w.LEPubKeyHash())
	if err != nil {
		t.Fatal(err)
	}
	v, ctx := pve.New(p, g), context.Background()
	ret, first, _ := v.GenProvMsg1Data(ctx, pve.BeginSize)
	if ret != pve.Success {
		t.Fatal(ret)
	}
	challenge, err := e.Provision(ctx, first)
	if err != nil {
		return nil, err
	}
	ret, third, _ := v.ProcProvMsg2Data(ctx, challenge, pve.JoinSize)
	if ret != pve.Success {
		t.Fatal(ret)
	}
	membership, err := e.Provision(ctx, third)
	if err != nil {
		return nil, err
	}
	if _, err := e.Provision(ctx, third); !errors.Is(err, ErrEPIDTransaction) {
		t.Errorf("message 3 twice: %v", err)
	}
	ret, blob, _ := v.ProcProvMsg4Data(ctx, membership, epidqe.BlobSize)
	if ret != pve.Success {
		t.Fatal(ret)
	}
	return epidqe.ParseData(blob)
}

func newEPID(t testing.TB) (*World, *EPID) {
	t.Helper()
	w, _ := newWorld(t)
	before, err := os.ReadFile(w.path(factoryFile))
	if err != nil || bytes.Contains(before, []byte("epid")) {
		t.Errorf("a world that nobody has asked for EPID knows of it: %v", err)
	}
	e, err := w.EPID()
	if err != nil {
		t.Fatal(err)
	}
	return w, e
}

func on(t testing.TB, w *World, name string, o MachineOptions) *processorOf {
	t.Helper()
	m, err := w.NewMachine(name, o)
	if err != nil {
		t.Fatal(err)
	}
	return &processorOf{w: w, m: m, isvSVN: build.PVE.SVN}
}

func TestEPID(t *testing.T) {
	w, e := newEPID(t)
	p := on(t, w, "ann", MachineOptions{})
	d, err := p.join(t, e)
	if err != nil || d.XEID != e.XEID() || d.Group.GID != [4]byte{0, 0, 0, 1} || !d.SigningKey.Equal(e.SigningKey()) {
		t.Fatalf("%+v, %v", d, err)
	}
	// Another process has the same, and remembers.
	other, err := w.reopen(t).EPID()
	if err != nil || other.XEID() != e.XEID() || !other.SigningKey().Equal(e.SigningKey()) || !bytes.Equal(other.Document(), e.Document()) {
		t.Fatalf("opened again it is another: %v", err)
	}
	if _, err := p.join(t, other); err != nil {
		t.Errorf("joining again: %v", err)
	}
	s, err := other.state()
	if err != nil || len(s.Groups) != 1 || len(s.Groups[0].Members) != 1 {
		t.Fatalf("%+v, %v", s.Groups, err)
	}
	// After an update the machine keeps the secret of when it joined.
	p.m.CPUSVN[0]++
	if _, err := p.join(t, e); err != nil {
		t.Errorf("after an update: %v", err)
	}
	p.salt = 1
	if _, err := p.join(t, e); !errors.Is(err, ErrEPIDSecret) {
		t.Errorf("with another secret: %v", err)
	}
	// A machine of several packages has a platform's key, once it is registered.
	multi := on(t, w, "multi", MachineOptions{Packages: 2})
	if _, err := multi.join(t, e); !errors.Is(err, ErrUnknownPlatform) {
		t.Errorf("not registered: %v", err)
	}
	if _, err := w.Register(multi.m.Manifest()); err != nil {
		t.Fatal(err)
	}
	if _, err := multi.join(t, e); err != nil {
		t.Errorf("registered: %v", err)
	}
}

func TestEPIDRefuses(t *testing.T) {
	w, e := newEPID(t)
	ann, eve := on(t, w, "ann", MachineOptions{}), on(t, w, "eve", MachineOptions{})
	if err := w.RevokeMachine("eve", KeyCompromise); err != nil {
		t.Fatal(err)
	}
	if _, err := eve.join(t, e); !errors.Is(err, ErrEPIDRevoked) || !strings.Contains(err.Error(), "eve") {
		t.Errorf("a revoked machine: %v", err)
	}
	elsewhere, _ := newWorld(t)
	stranger := &processorOf{w: w, m: on(t, elsewhere, "ann", MachineOptions{}).m, isvSVN: 16}
	if _, err := stranger.join(t, e); !errors.Is(err, ErrUnknownPlatform) {
		t.Errorf("a machine of another world: %v", err)
	}
	g, err := pve.OpenGroup(e.Document(), w.LEPubKeyHash())
	if err != nil {
		t.Fatal(err)
	}
	_, first, _ := pve.New(ann, g).GenProvMsg1Data(t.Context(), pve.BeginSize)
	for i := range first {
		b := slices.Clone(first)
		b[i] ^= 1
		if a, err := e.Provision(t.Context(), b); err == nil || a != nil {
			t.Errorf("byte %d changed", i)
		}
	}
	third := slices.Clone(first[:32])
	third[11] = 3
	third = append(third, make([]byte, pve.JoinSize-32)...)
	if _, err := e.Provision(t.Context(), third); !errors.Is(err, ErrEPIDTransaction) {
		t.Errorf("message 3 without 1: %v", err)
	}
	// However many begin, the factory remembers no more than it says.
	for range maxJoining + 10 {
		_, first, _ := pve.New(ann, g).GenProvMsg1Data(t.Context(), pve.BeginSize)
		if _, err := e.Provision(t.Context(), first); err != nil {
			t.Fatal(err)
		}
	}
	if len(e.pending) != maxJoining || len(e.order) != maxJoining {
		t.Errorf("%d under way, %d in order", len(e.pending), len(e.order))
	}
}

func TestEPIDRevocation(t *testing.T) {
	w, e := newEPID(t)
	gid, err := e.Group()
	if err != nil || gid != [4]byte{0, 0, 0, 1} {
		t.Fatal(gid, err)
	}
	if list, err := e.SigRL(gid); list != nil || err != nil {
		t.Errorf("an empty list: %x, %v", list, err)
	}
	entry := epid.SigRLEntry{B: e.must(t).Groups[0].PublicKey().H1, K: e.must(t).Groups[0].PublicKey().H2}
	for _, err := range []error{e.RevokeSignature(gid, entry), e.RevokeKey(gid, epid.Number{31: 5})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{e.RevokeSignature([4]byte{9}, entry), e.RevokeKey([4]byte{}, epid.Number{}), e.RevokeGroup([4]byte{9})} {
		if !errors.Is(err, ErrEPIDGroup) {
			t.Errorf("another group: %v", err)
		}
	}
	list, err := e.SigRL(gid)
	if err != nil {
		t.Fatal(err)
	}
	body, err := epid.OpenFile(e.SigningKey(), epid.FileSigRL, list)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := epid.ParseSigRL(body); err != nil || l.GID != gid || l.Version != 1 || !slices.Equal(l.Entries, []epid.SigRLEntry{entry}) {
		t.Errorf("%+v, %v", l, err)
	}
	v := e.must(t)
	if g := v.Groups[0]; len(g.SigRL.Entries) != 1 || !slices.Equal(g.PrivRL.Keys, []epid.Number{{31: 5}}) || len(v.GroupRL.Groups) != 0 {
		t.Errorf("%+v, %+v", g, v.GroupRL)
	}
	for range 2 { // the second changes nothing
		if err := e.RevokeGroup(gid); err != nil {
			t.Fatal(err)
		}
	}
	other, err := w.reopen(t).EPID()
	if err != nil {
		t.Fatal(err)
	}
	v = other.must(t)
	if next, err := other.Group(); next != [4]byte{0, 0, 0, 2} || err != nil || len(v.Groups) != 2 || !slices.Equal(v.GroupRL.Groups, []epid.GroupID{gid}) {
		t.Errorf("next group %x, %v; %+v", next, err, v.GroupRL)
	}
	if d, err := on(t, w, "ann", MachineOptions{}).join(t, other); err != nil || d.Group.GID != [4]byte{0, 0, 0, 2} {
		t.Errorf("%+v, %v", d, err)
	}
}

func (e *EPID) must(t testing.TB) *quote.Verifier {
	t.Helper()
	v, err := e.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// FuzzProvision gives the factory what is no message of a machine's.
func FuzzProvision(f *testing.F) {
	w, e := newEPID(f)
	g, err := pve.OpenGroup(e.Document(), w.LEPubKeyHash())
	if err != nil {
		f.Fatal(err)
	}
	_, first, _ := pve.New(on(f, w, "ann", MachineOptions{}), g).GenProvMsg1Data(context.Background(), pve.BeginSize)
	clear(first[len(first)-32:]) // or a mutation finds the way back
	f.Add(first)
	f.Add(first[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := e.Provision(context.Background(), b); err == nil || a != nil {
			t.Fatal("it has answered")
		}
	})
}

// A machine that is revoked between message 1 and 3 does not join.
func TestEPIDRevokedMeanwhile(t *testing.T) {
	w, e := newEPID(t)
	g, err := pve.OpenGroup(e.Document(), w.LEPubKeyHash())
	if err != nil {
		t.Fatal(err)
	}
	v := pve.New(on(t, w, "eve", MachineOptions{}), g)
	_, first, _ := v.GenProvMsg1Data(t.Context(), pve.BeginSize)
	challenge, err := e.Provision(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	ret, third, _ := v.ProcProvMsg2Data(t.Context(), challenge, pve.JoinSize)
	if ret != pve.Success {
		t.Fatal(ret)
	}
	if err := w.RevokeMachine("eve", KeyCompromise); err != nil {
		t.Fatal(err)
	}
	if a, err := e.Provision(t.Context(), third); !errors.Is(err, ErrEPIDRevoked) || a != nil {
		t.Errorf("%d bytes, %v", len(a), err)
	}
}
