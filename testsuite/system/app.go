package system

import (
	"bytes"
	"context"
	"crypto/rsa"
	"testing"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
)

// App is an application: an enclave that makes REPORTs and checks them.
type App struct {
	*enclave.Enclave
	t testing.TB
}

// NewApp loads an application, which a key has signed, until the test ends. 16 may ask
// it at once.
func NewApp(t testing.TB, m *enclave.Machine, key *rsa.PrivateKey) *App {
	t.Helper()
	b, err := toy.Build(toy.Options{Key: key, Threads: 16})
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Load(context.Background(), img)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, e.Destroy) })
	return &App{e, t}
}

// Report has the application make a REPORT for a target.
func (a *App) Report(target *isa.TargetInfo, data [64]byte) *isa.Report {
	a.t.Helper()
	const size = isa.TargetInfoSize + 64 // of what goes in
	b, err := target.AppendBinary(nil)
	if err != nil {
		a.t.Fatal(err)
	}
	in, err := a.Alloc(size + isa.ReportSize)
	if err != nil {
		a.t.Fatal(err)
	}
	defer in.Free()
	copy(in.Bytes(), append(b, data[:]...))
	ms := toy.Encode(toy.MSReport{TargetInfo: in.Addr(), ReportData: in.Addr() + isa.TargetInfoSize, Report: in.Addr() + size})
	if err := a.ECall(context.Background(), int(toy.ECallReport), ms); err != nil {
		a.t.Fatal(err)
	}
	r := new(isa.Report)
	if err := r.UnmarshalBinary(bytes.Clone(in.Bytes()[size:][:isa.ReportSize])); err != nil {
		a.t.Fatal(err)
	}
	return r
}

// Accepts asks the application whether a REPORT is for it.
func (a *App) Accepts(r *isa.Report) bool {
	a.t.Helper()
	b, err := r.AppendBinary(nil)
	if err != nil {
		a.t.Fatal(err)
	}
	in, err := a.Alloc(isa.ReportSize)
	if err != nil {
		a.t.Fatal(err)
	}
	defer in.Free()
	copy(in.Bytes(), b)
	ms := toy.Encode(toy.MSVerifyReport{Report: in.Addr()})
	if err := a.ECall(context.Background(), int(toy.ECallVerifyReport), ms); err != nil {
		a.t.Fatal(err)
	}
	out, err := toy.Decode[toy.MSVerifyReport](ms)
	if err != nil {
		a.t.Fatal(err)
	}
	return out.Valid == 1
}
