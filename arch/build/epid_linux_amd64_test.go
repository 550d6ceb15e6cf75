package build_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/epidqe"
	qeedl "github.com/feidi-dev/feidi/arch/epidqe/edl"
	"github.com/feidi-dev/feidi/arch/pve"
	pveedl "github.com/feidi-dev/feidi/arch/pve/edl"
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/epid/quote"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/testsuite/system"
)

// epidFactory is an issuer with its attestation service.
type epidFactory struct {
	issuer  *epid.Issuer
	signing *ecdsa.PrivateKey
	service *rsa.PrivateKey
	doc     string // the argument of the PvE
}

func newEPIDFactory(t testing.TB) *epidFactory {
	t.Helper()
	f := new(epidFactory)
	var err error
	if f.issuer, err = epid.NewIssuer(nil, epid.GroupID{0, 0, 0x0b, 0x37}); err != nil {
		t.Fatal(err)
	}
	if f.signing, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if f.service, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	g := &pve.Group{XEID: 7, SigningKey: &f.signing.PublicKey, Service: &f.service.PublicKey, PPIDKey: &service().PublicKey}
	doc, err := g.Sign(signer())
	if err != nil {
		t.Fatal(err)
	}
	f.doc = hex.EncodeToString(doc)
	return f
}

func (f *epidFactory) verifier() *quote.Verifier {
	return &quote.Verifier{Key: f.service, XEID: 7, Groups: []quote.Group{{Group: f.issuer.Group()}}}
}

// epidMachine is a machine with the enclaves of EPID, and an application.
type epidMachine struct {
	testing.TB
	fuses  cpu.Fuses
	svn    pve.SVN
	pve    *pveedl.Pve
	secs   isa.SECS // of the PvE
	qe     *qeedl.EpidQe
	target isa.TargetInfo
	app    *system.App
}

func (f *epidFactory) machine(t testing.TB) *epidMachine {
	t.Helper()
	fuses, err := cpu.NewFuses(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m := &epidMachine{TB: t, fuses: fuses, svn: pve.SVN{CPU: [16]byte{3, 4}, ISV: build.PVE.SVN}}
	c := system.PowerOn(t, enclave.MachineConfig{CPU: cpu.Config{Fuses: fuses, CPUSVN: m.svn.CPU}})
	p, q := start(t, c, build.PVE, f.doc), start(t, c, build.EPIDQE)
	m.pve, m.qe, m.secs, m.target = pveedl.NewPve(p), qeedl.NewEpidQe(q), p.e.SECS(), q.e.TargetInfo()
	t.Cleanup(m.pve.Close)
	t.Cleanup(m.qe.Close)
	m.app = system.NewApp(t, c, signer())
	return m
}

// keyOf is a provisioning key, or provisioning seal key, of the PvE.
func (m *epidMachine) keyOf(name isa.KeyName, svn pve.SVN) [16]byte {
	return system.Key(name, &m.fuses, &m.secs, svn.CPU, svn.ISV)
}

// provision has the factory make the machine a member, and returns the blob.
func (m *epidMachine) provision(f *epidFactory, at pve.SVN) []byte {
	m.Helper()
	ctx := context.Background()
	ok := func(what string, ret uint32, err error) {
		m.Helper()
		if ret != 0 || err != nil {
			m.Fatalf("%s: %d, %v", what, ret, err)
		}
	}
	ret, first, err := m.pve.GenProvMsg1Data(ctx, pve.BeginSize)
	ok("message 1", ret, err)
	svn, encrypted, err := pve.ReadBegin(first)
	if err != nil || svn != m.svn {
		m.Fatalf("%+v, %v", svn, err)
	}
	name, err := rsa.DecryptOAEP(sha256.New(), nil, service(), encrypted, nil)
	if err != nil {
		m.Fatal(err)
	}
	if want := derive.PPID(m.keyOf(isa.KeyProvision, pve.SVN{})); !bytes.Equal(name, want[:]) {
		m.Fatalf("PPID %x, the factory's %x", name, want)
	}
	s, err := pve.Accept(first, m.keyOf(isa.KeyProvision, svn))
	if err != nil {
		m.Fatal(err)
	}
	file, err := epid.SignFile(f.signing, epid.FilePublicKey, f.issuer.Group().PublicKey().Bytes())
	if err != nil {
		m.Fatal(err)
	}
	nonce := epid.Nonce{1, 2, 3}
	challenge, err := s.Challenge(file, nonce, at)
	if err != nil {
		m.Fatal(err)
	}
	ret, third, err := m.pve.ProcProvMsg2Data(ctx, challenge, pve.JoinSize)
	ok("message 2", ret, err)
	join, err := s.OpenJoin(third)
	if err != nil {
		m.Fatal(err)
	}
	c, err := f.issuer.Certify(nil, epid.SHA256, nonce, join)
	if err != nil {
		m.Fatal(err)
	}
	ret, blob, err := m.pve.ProcProvMsg4Data(ctx, s.Membership(c), epidqe.BlobSize)
	ok("message 4", ret, err)
	return blob
}

// secret is the member's secret, which nobody knows who has not the fuses.
func (m *epidMachine) secret(f *epidFactory, at pve.SVN) epid.Number {
	key, gid := m.keyOf(isa.KeyProvisionSeal, at), f.issuer.Group().PublicKey().GID
	wide, err := hkdf.Key(sha256.New, key[:], append([]byte{0, 0, 0, 7}, gid[:]...), "Feidi: EPID member's secret", 64)
	if err != nil {
		m.Fatal(err)
	}
	secret, err := epid.NewSecret(bytes.NewReader(wide))
	if err != nil {
		m.Fatal(err)
	}
	return secret
}

func (m *epidMachine) quote(blob, sigRL []byte, nonce *qeedl.SgxQuoteNonceT) (uint32, *isa.Report, []byte) {
	m.Helper()
	r := m.app.Report(&m.target, [64]byte{'h', 'i'})
	ret, qeReport, q, err := m.qe.GetQuote(context.Background(), blob, r, epidqe.Linkable, &qeedl.SgxSpidT{'s', 'p'}, nonce, sigRL, uint32(quote.Size(1)), 16)
	if err != nil {
		m.Fatal(err)
	}
	return ret, &qeReport, q
}

// From the fuses of two machines to quotes that the attestation service believes,
// and not any more once a machine's key or signature is revoked.
func TestEPID(t *testing.T) {
	f := newEPIDFactory(t)
	ann, bob := f.machine(t), f.machine(t)
	blob, bobs := ann.provision(f, ann.svn), bob.provision(f, pve.SVN{CPU: [16]byte{1}, ISV: 2}) // Bob has joined before
	nonce := &qeedl.SgxQuoteNonceT{1, 2, 3}
	ret, qeReport, raw := ann.quote(blob, nil, nonce)
	if ret != epidqe.Success {
		t.Fatal(ret)
	}
	r, err := f.verifier().Verify(raw)
	if err != nil {
		t.Fatal(err)
	}
	if secs := ann.app.SECS(); r.Quote.Body.MREnclave != secs.MREnclave || r.Quote.QESVN != build.EPIDQE.SVN || r.Quote.Body.ReportData != [64]byte{'h', 'i'} {
		t.Errorf("%+v", r.Quote)
	}
	want := sha256.Sum256(append(nonce[:], raw[:quote.Size(0)]...))
	if !ann.app.Accepts(qeReport) || !bytes.Equal(qeReport.ReportData[:32], want[:]) {
		t.Error("the QE's report is not for the application, or not of the quote")
	}
	if again := ann.provision(f, ann.svn); !bytes.Equal(again, blob) { // sealed anew, but the same member
		_, _, raw := ann.quote(again, nil, nil)
		if other, err := f.verifier().Verify(raw); err != nil || other.Pseudonym != r.Pseudonym {
			t.Errorf("provisioned twice: %v, or another member", err)
		}
	}
	_, _, bobsQuote := bob.quote(bobs, nil, nil)
	if other, err := f.verifier().Verify(bobsQuote); err != nil || other.Pseudonym == r.Pseudonym {
		t.Errorf("Bob: %v, or he is Ann", err)
	}
	if ret, _, _ := bob.quote(blob, nil, nil); ret != epidqe.BlobError {
		t.Errorf("Bob with Ann's blob: %d", ret)
	}

	// The secrets are what the fuses say, at the SVNs that the factory has named.
	v := f.verifier()
	l := &epid.PrivRL{GID: epid.GroupID{0, 0, 0x0b, 0x37}, Keys: []epid.Number{ann.secret(f, ann.svn), bob.secret(f, bob.svn)}}
	v.Groups[0].PrivRL = l
	if _, err := v.Verify(raw); !errors.Is(err, epid.ErrKeyRevoked) {
		t.Errorf("Ann's key is known: %v", err)
	}
	if _, err := v.Verify(bobsQuote); err != nil {
		t.Errorf("Bob's at other SVNs is known: %v", err)
	}
	l.Keys[1] = bob.secret(f, pve.SVN{CPU: [16]byte{1}, ISV: 2})
	if _, err := v.Verify(bobsQuote); !errors.Is(err, epid.ErrKeyRevoked) {
		t.Errorf("Bob's key is known: %v", err)
	}

	list := &epid.SigRL{GID: l.GID, Version: 1, Entries: []epid.SigRLEntry{r.RevokeBy()}}
	file, err := epid.SignFile(f.signing, epid.FileSigRL, list.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if ret, _, q := ann.quote(blob, file, nil); ret != epidqe.RevokedError || !bytes.Equal(q, make([]byte, len(q))) {
		t.Errorf("Ann is in the SigRL: %d", ret)
	}
	ret, _, raw = bob.quote(bobs, file, nil)
	v = f.verifier()
	v.Groups[0].SigRL = list
	if _, err := v.Verify(raw); ret != epidqe.Success || err != nil {
		t.Errorf("Bob is not in the SigRL: %d, %v", ret, err)
	}
}

// A PvE does not take the word of another signer for a group, and without one it
// provisions nothing.
func TestOtherSignersGroup(t *testing.T) {
	m, f := system.PowerOn(t, enclave.MachineConfig{}), newEPIDFactory(t)
	g := &pve.Group{SigningKey: &f.signing.PublicKey, Service: &f.service.PublicKey, PPIDKey: &service().PublicKey}
	doc, err := g.Sign(newSigner())
	if err != nil {
		t.Fatal(err)
	}
	if code, stderr := end(t, m, build.PVE, hex.EncodeToString(doc)); code != 1 || !bytes.Contains(stderr, []byte("another than the enclave's signer")) {
		t.Errorf("the PvE ended with %d and said %q", code, stderr)
	}
	p := pveedl.NewPve(start(t, m, build.PVE))
	defer p.Close()
	if ret, _, err := p.GenProvMsg1Data(t.Context(), pve.BeginSize); ret != pve.GroupError || err != nil {
		t.Errorf("without a group: %d, %v", ret, err)
	}
}

// BenchmarkEPIDQuote is a quote from outside of the enclave, without a SigRL.
func BenchmarkEPIDQuote(b *testing.B) {
	f := newEPIDFactory(b)
	m := f.machine(b)
	blob := m.provision(f, m.svn)
	r := m.app.Report(&m.target, [64]byte{})
	for b.Loop() {
		if ret, _, _, err := m.qe.GetQuote(context.Background(), blob, r, epidqe.Unlinkable, &qeedl.SgxSpidT{}, nil, nil, uint32(quote.Size(0)), 16); ret != 0 || err != nil {
			b.Fatal(ret, err)
		}
	}
}
