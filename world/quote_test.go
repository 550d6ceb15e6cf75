package world

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// provisioningKey is what EGETKEY gives the world's PCE on a machine, from the
// manual's table of what keys depend on, in the layout that package cpu documents
// but with none of its code.
func provisioningKey(root [16]byte, mrSigner [32]byte, cpuSVN [16]byte, isvSVN uint16) [16]byte {
	le := binary.LittleEndian
	b := make([]byte, 642)
	le.PutUint16(b, 1)           // PROVISION_KEY
	le.PutUint16(b[36:], 1)      // ISVPRODID
	le.PutUint16(b[38:], isvSVN) //
	b[56] = 0x11                 // INIT, PROVISION_KEY
	copy(b[72:], "\xfb\xff\xff\xff\xff\xff\xff\xff")
	copy(b[120:], mrSigner[:])
	copy(b[200:], cpuSVN[:])
	padding := b[216 : 216+352]
	for i := range padding {
		padding[i] = 0xFF
	}
	padding[0], padding[1] = 0, 1
	copy(padding[352-20:], "\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20")
	b[568] = 1 // EXINFO
	return cmac.Sum(root, b)
}

// ppidOf is the PPID of a machine, as its PCE derives it.
func ppidOf(w *World, m *Machine) [16]byte {
	return derive.PPID(provisioningKey(m.CPU().Fuses.RootProvisioningKey, w.LEPubKeyHash(), [16]byte{}, 0))
}

// quoteOf makes a quote on a machine, by hand: its PCK signs a report of the QE,
// which vouches for an attestation key, which signs.
func quoteOf(t testing.TB, w *World, m *Machine) []byte {
	t.Helper()
	cert, err := w.PCK(ppidOf(w, m), m.PCEID, m.CPUSVN, build.PCE.SVN)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := w.PCKCAChain(cert.CA)
	if err != nil {
		t.Fatal(err)
	}
	pck := derive.PCK(provisioningKey(m.CPU().Fuses.RootProvisioningKey, w.LEPubKeyHash(), cert.CPUSVN, cert.PCESVN))
	attestation, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := attestation.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	q := &dcap.Quote{
		Header:         dcap.QuoteHeader{Version: 3, AttestationKeyType: dcap.ECDSAP256, QESVN: build.QE.SVN, PCESVN: build.PCE.SVN, QEVendorID: dcap.IntelQEVendorID},
		Body:           &dcap.EnclaveReport{ReportBody: isa.ReportBody{CPUSVN: m.CPUSVN}},
		AttestationKey: [64]byte(point[1:]),
		QEReport: isa.ReportBody{
			CPUSVN: m.CPUSVN, MiscSelect: isa.MiscEXINFO, MRSigner: w.LEPubKeyHash(), ISVProdID: 1, ISVSVN: build.QE.SVN,
			Attributes: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit | isa.AttrProvisionKey, XFRM: 0xe7},
		},
		QEAuthData:    []byte("auth"),
		Certification: &dcap.PCKChain{PEM: append(append(slices.Clip(cert.Cert), chain...), 0)},
	}
	bound := sha256.Sum256(append(point[1:], q.QEAuthData...))
	copy(q.QEReport.ReportData[:], bound[:])
	report, err := (&isa.Report{ReportBody: q.QEReport}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	q.QEReportSignature = signed(t, pck, report[:384])
	q.Signature = signed(t, attestation, q.AppendSigned(nil))
	b, err := q.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func signed(t testing.TB, key *ecdsa.PrivateKey, b []byte) (sig [64]byte) {
	t.Helper()
	digest := sha256.Sum256(b)
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return sig
}

// collateral gets from the world what a verifier needs.
func collateral(t testing.TB, w *World, m *Machine, sel Selection) *dcap.Collateral {
	t.Helper()
	get := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ca := verify.ProcessorCA
	if m.Packages > 1 {
		ca = verify.PlatformCA
	}
	return &dcap.Collateral{
		RootCRL: get(w.RootCRL()), PCKCRL: get(w.PCKCRL(ca)), PCKCRLChain: get(w.PCKCAChain(ca)),
		TCBInfo: get(w.TCBInfo(dcap.TEESGX, m.FMSPC, sel)), TCBInfoChain: w.TCBChain(),
		QEIdentity: get(w.Identity(dcap.IdentityQE, sel)), QEIdentityChain: w.TCBChain(),
	}
}

// judged verifies a quote of a machine now.
func judged(t testing.TB, w *World, m *Machine, quote []byte, sel Selection) (*verify.Result, verify.Status) {
	t.Helper()
	v, err := verify.New(verify.WithRoots(w.Root()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(quote, collateral(t, w, m, sel), w.now())
	var e *verify.Error
	if err != nil && !errors.As(err, &e) {
		t.Fatal(err)
	}
	return r, r.Status
}

// A quote of a machine of any kind is believed under the world's root, and not
// under Intel's.
func TestQuote(t *testing.T) {
	w, clock := newWorld(t)
	for _, packages := range []int{1, 2, 8} {
		m, err := w.NewMachine(strings.Repeat("m", packages), MachineOptions{Packages: packages})
		if err != nil {
			t.Fatal(err)
		}
		if packages > 1 {
			if got, err := w.Register(m.Manifest()); err != nil || got != ppidOf(w, m) {
				t.Fatalf("registered as %x, %v; its PCE says %x", got, err, ppidOf(w, m))
			}
		}
		quote := quoteOf(t, w, m)
		r, status := judged(t, w, m, quote, Selection{})
		if status != verify.StatusOK || r.TCBStatus != dcap.UpToDate || !r.Authentic() {
			t.Errorf("%d packages: %v, %v", packages, status, r.Err())
		}
		sgx := r.PCK.SGX
		if sgx.HasPlatform != (packages > 1) || sgx.PPID != ppidOf(w, m) || sgx.FMSPC != m.FMSPC || sgx.CPUSVN != m.CPUSVN || sgx.TCB != m.CPUSVN || sgx.PCESVN != build.PCE.SVN {
			t.Errorf("%d packages: %+v", packages, sgx)
		}
		if packages > 1 && (sgx.PlatformInstanceID != [16]byte(m.file.Instance) || sgx.SGXType != dcap.SGXScalable || sgx.Configuration.DynamicPlatform != dcap.True) {
			t.Errorf("%d packages: %+v", packages, sgx)
		}

		intel, err := verify.New()
		if err != nil {
			t.Fatal(err)
		}
		if r, err := intel.Verify(quote, collateral(t, w, m, Selection{}), w.now()); err == nil || r.Authentic() || !strings.Contains(err.Error(), "not trusted") {
			t.Errorf("%d packages: for Intel's it is %v", packages, err)
		}
	}
	// All is valid for weeks, and not for ever.
	m, err := w.Machine("m")
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(verify.WithRoots(w.Root()))
	if err != nil {
		t.Fatal(err)
	}
	quote, col := quoteOf(t, w, m), collateral(t, w, m, Selection{})
	for days, want := range map[int]bool{0: false, 29: false, 31: true} {
		if r, _ := v.Verify(quote, col, clock.AddDate(0, 0, days)); r.Expired() != want {
			t.Errorf("after %d days it has expired: %v", days, r.Expired())
		}
	}
	clock.Time = clock.AddDate(1, 0, 0)
	if r, status := judged(t, w, m, quote, Selection{}); status != verify.StatusOK {
		t.Errorf("after a year with new collateral: %v", r.Err())
	}
}

// A recovery makes others out of date, and who follows it up to date.
func TestRecoveredQuote(t *testing.T) {
	w, clock := newWorld(t)
	machine := func(name string) *Machine {
		m, err := w.NewMachine(name, MachineOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	a, b := machine("a"), machine("b")
	old := quoteOf(t, w, a)
	clock.Time = clock.AddDate(0, 1, 0)
	a, err := w.Recover("a", RecoverOptions{Advisories: []string{"INTEL-SA-00001"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		m          *Machine
		quote      []byte
		sel        Selection
		want       dcap.TCBStatus
		advisories []string
	}{
		{"recovered", a, quoteOf(t, w, a), Selection{}, dcap.UpToDate, nil},
		{"another", b, quoteOf(t, w, b), Selection{}, dcap.OutOfDate, []string{"INTEL-SA-00001"}},
		{"before", a, old, Selection{}, dcap.OutOfDate, []string{"INTEL-SA-00001"}},
		{"before, by the old evaluation", a, old, Selection{Number: firstEvaluation}, dcap.UpToDate, nil},
		{"recovered, by the old evaluation", a, quoteOf(t, w, a), Selection{Number: firstEvaluation}, dcap.UpToDate, nil},
	} {
		r, _ := judged(t, w, c.m, c.quote, c.sel)
		if !r.Authentic() || r.TCBStatus != c.want || !slices.Equal(r.AdvisoryIDs(), c.advisories) {
			t.Errorf("%s: %v, %v, %v", c.name, r.TCBStatus, r.AdvisoryIDs(), r.Err())
		}
	}
}

// What is revoked is refused from then on, others are not.
func TestRevokedQuote(t *testing.T) {
	w, clock := newWorld(t)
	var machines []*Machine
	for _, name := range []string{"a", "b", "multi"} {
		packages := 1
		if name == "multi" {
			packages = 2
		}
		m, err := w.NewMachine(name, MachineOptions{Packages: packages})
		if err != nil {
			t.Fatal(err)
		}
		if packages > 1 {
			if err := w.RevokeMachine(name, KeyCompromise); !errors.Is(err, ErrNotRegistered) {
				t.Errorf("revoked before it is registered: %v", err)
			}
			if _, err := w.Register(m.Manifest()); err != nil {
				t.Fatal(err)
			}
		}
		machines = append(machines, m)
	}
	check := func(what string, want ...verify.Status) {
		t.Helper()
		for i, m := range machines {
			if _, got := judged(t, w, m, quoteOf(t, w, m), Selection{}); got != want[i] {
				t.Errorf("%s: %s: %v, want %v", what, m.Name, got, want[i])
			}
		}
	}
	const ok, revoked, ca = verify.StatusOK, verify.StatusSGXPCKRevoked, verify.StatusSGXIntermediateCARevoked
	check("new", ok, ok, ok)
	clock.Time = clock.Add(time.Hour)
	if err := w.RevokeMachine("a", KeyCompromise); err != nil {
		t.Fatal(err)
	}
	check("a", revoked, ok, ok)

	// A level of TCB that comes later does not help it.
	up, err := w.Recover("a", RecoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	machines[0] = up
	if _, got := judged(t, w, up, quoteOf(t, w, up), Selection{}); got != revoked {
		t.Errorf("a, recovered: %v", got)
	}
	machines = machines[2:]
	if err := w.RevokePlatform(ppidOf(w, machines[0]), Superseded); err != nil {
		t.Fatal(err)
	}
	check("multi", revoked)
	if err := w.RevokeCA(verify.PlatformCA, CACompromise); err != nil {
		t.Fatal(err)
	}
	check("the platform CA", ca)

	for _, err := range []error{w.RevokeMachine("a", 7), w.RevokeMachine("a", 11), w.RevokePlatform([16]byte{}, -1), w.RevokeCA(verify.PlatformCA, 7)} {
		if !errors.Is(err, ErrOptions) {
			t.Errorf("no reason: %v", err)
		}
	}
	if err := w.RevokeMachine("nobody", 1); !errors.Is(err, ErrNoMachine) {
		t.Errorf("nobody: %v", err)
	}
	if err := w.RevokePlatform([16]byte{}, 1); !errors.Is(err, ErrUnknownPlatform) {
		t.Errorf("no platform: %v", err)
	}
	if err := w.RevokeCA("x", 1); !errors.Is(err, ErrUnknownCA) {
		t.Errorf("no CA: %v", err)
	}
	if _, err := UseMachine(w.dir, "free"); err != nil {
		t.Fatal(err)
	}
	if err := w.RevokeMachine("free", 1); !errors.Is(err, ErrNotAdopted) {
		t.Errorf("not adopted: %v", err)
	}
}
