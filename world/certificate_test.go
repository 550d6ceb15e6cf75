package world

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
)

// chainOf reads certificates in PEM with both parsers.
func chainOf(t testing.TB, text []byte) (list []*x509.Certificate) {
	t.Helper()
	ours, err := dcap.ParseChain(text)
	if err != nil {
		t.Fatal(err)
	}
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	if len(ours) != len(list) {
		t.Fatalf("%d certificates, and %d", len(ours), len(list))
	}
	return list
}

// The profile: names, dates, extensions, and chains that crypto/x509 builds.
func TestCertificates(t *testing.T) {
	w, _ := newWorld(t)
	m, err := w.NewMachine("m", MachineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pck, err := w.PCK(ppidOf(w, m), 0, m.CPUSVN, build.PCE.SVN)
	if err != nil {
		t.Fatal(err)
	}
	processor, err := w.PCKCAChain(verify.ProcessorCA)
	if err != nil {
		t.Fatal(err)
	}
	platform, err := w.PCKCAChain(verify.PlatformCA)
	if err != nil {
		t.Fatal(err)
	}
	roots, cas := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(chainOf(t, w.RootPEM())[0])
	cas.AddCert(chainOf(t, processor)[0])
	created := w.Created()
	if created.Nanosecond() != 0 || !created.Equal(noon.Truncate(time.Second)) {
		t.Errorf("created %v", created)
	}
	const crl = DefaultURL + RootCRLPath
	for _, c := range []struct {
		chain  []byte
		cn     string
		years  int
		ca     bool
		path   int
		usage  x509.KeyUsage
		crlURL string
	}{
		{w.RootPEM(), "SGX Root CA", 30, true, 1, x509.KeyUsageCertSign | x509.KeyUsageCRLSign, crl},
		{processor, "SGX PCK Processor CA", 15, true, 0, x509.KeyUsageCertSign | x509.KeyUsageCRLSign, crl},
		{platform, "SGX PCK Platform CA", 15, true, 0, x509.KeyUsageCertSign | x509.KeyUsageCRLSign, crl},
		{w.TCBChain(), "SGX TCB Signing", 7, false, -1, x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, crl},
		{pck.Cert, "SGX PCK Certificate", 7, false, -1, x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
			DefaultURL + "/sgx/certification/v4/pckcrl?ca=processor&encoding=der"},
	} {
		x := chainOf(t, c.chain)[0]
		if x.Subject.CommonName != c.cn+" (SOFTWARE - NOT HARDWARE)" || x.Subject.Organization[0] != "Feidi world test (SOFTWARE - NOT HARDWARE)" {
			t.Errorf("%s: subject %s", c.cn, x.Subject)
		}
		if !x.NotBefore.Equal(created) || !x.NotAfter.Equal(created.AddDate(c.years, 0, 0)) {
			t.Errorf("%s: from %v to %v", c.cn, x.NotBefore, x.NotAfter)
		}
		path := x.MaxPathLen
		if x.IsCA != c.ca || path != c.path || x.KeyUsage != c.usage || x.Version != 3 || x.SignatureAlgorithm != x509.ECDSAWithSHA256 {
			t.Errorf("%s: CA %v, path length %d, usage %b, %v", c.cn, x.IsCA, path, x.KeyUsage, x.SignatureAlgorithm)
		}
		if len(x.CRLDistributionPoints) != 1 || x.CRLDistributionPoints[0] != c.crlURL {
			t.Errorf("%s: CRL at %q", c.cn, x.CRLDistributionPoints)
		}
		if n := x.SerialNumber.BitLen(); n < 153 || n > 159 || len(x.SubjectKeyId) != 20 || len(x.AuthorityKeyId) != 20 {
			t.Errorf("%s: serial number of %d bits, key IDs %x, %x", c.cn, n, x.SubjectKeyId, x.AuthorityKeyId)
		}
		x.UnhandledCriticalExtensions = nil
		if _, err := x.Verify(x509.VerifyOptions{Roots: roots, Intermediates: cas, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
			t.Errorf("%s: %v", c.cn, err)
		}
		if strings.Contains(c.cn, "Intel") {
			t.Errorf("%s says that it is Intel's", c.cn)
		}
	}
	// Issued again, also by another process, it is the same.
	again, err := w.reopen(t).PCK(ppidOf(w, m), 0, m.CPUSVN, build.PCE.SVN)
	if err != nil || !bytes.Equal(again.Cert, pck.Cert) {
		t.Errorf("the second is another, %v", err)
	}
}

func TestPCKErrors(t *testing.T) {
	w, _ := newWorld(t)
	low := [16]byte{3, 4, 2, 2, 255, 1, 0, 5}
	m, err := w.NewMachine("m", MachineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ppid, svn := ppidOf(w, m), build.PCE.SVN
	for _, c := range []struct {
		name    string
		ppid    [16]byte
		pceID   uint16
		cpuSVN  [16]byte
		pceSVN  uint16
		want    error
		wantSVN [16]byte
		wantPCE uint16
	}{
		{"its TCB", ppid, 0, DefaultCPUSVN, svn, nil, DefaultCPUSVN, svn},
		{"above", ppid, 0, [16]byte{255, 255, 255, 255, 255, 255, 255, 255, 255}, 999, nil, DefaultCPUSVN, svn},
		{"a component below", ppid, 0, low, svn, nil, [16]byte{}, 1},
		{"PCESVN below", ppid, 0, DefaultCPUSVN, svn - 1, nil, [16]byte{}, 1},
		{"below all", ppid, 0, DefaultCPUSVN, 0, ErrNoCertificate, [16]byte{}, 0},
		{"PPID", [16]byte{1}, 0, DefaultCPUSVN, svn, ErrUnknownPlatform, [16]byte{}, 0},
		{"PCE ID", ppid, 1, DefaultCPUSVN, svn, ErrUnknownPlatform, [16]byte{}, 0},
	} {
		got, err := w.PCK(c.ppid, c.pceID, c.cpuSVN, c.pceSVN)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil {
			continue
		}
		p, err := dcap.ParseChain(got.Cert)
		if err != nil {
			t.Fatal(err)
		}
		if got.CPUSVN != c.wantSVN || got.PCESVN != c.wantPCE || p[0].SGX.CPUSVN != c.wantSVN || p[0].SGX.PCESVN != c.wantPCE {
			t.Errorf("%s: for CPUSVN %x, PCESVN %d", c.name, got.CPUSVN, got.PCESVN)
		}
	}
	all, err := w.PCKs(ppid, 0)
	if err != nil || len(all) != 2 || all[0].CPUSVN != DefaultCPUSVN || all[1].PCESVN != 1 || bytes.Equal(all[0].Cert, all[1].Cert) {
		t.Errorf("%d certificates, %v", len(all), err)
	}
	if _, err := w.PCKs([16]byte{}, 0); !errors.Is(err, ErrUnknownPlatform) {
		t.Errorf("PCKs: %v", err)
	}
	if _, err := w.PCKCAChain("x"); !errors.Is(err, ErrUnknownCA) {
		t.Errorf("PCKCAChain: %v", err)
	}
}

// Another PCE has keys and a PPID of its own on each platform.
func TestAddPCE(t *testing.T) {
	w, _ := newWorld(t)
	m, err := w.NewMachine("m", MachineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.RevokeMachine("m", 0); err != nil {
		t.Fatal(err)
	}
	other := &isa.SECS{MRSigner: intelsPCE, ISVProdID: 1, MiscSelect: isa.MiscEXINFO, Attributes: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit | isa.AttrProvisionKey, XFRM: 0xe7}}
	daemon := w.reopen(t)
	before, _ := daemon.PCKCRL(verify.ProcessorCA)
	for range 2 {
		if err := w.AddPCE(other); err != nil {
			t.Fatal(err)
		}
	}
	s, err := w.state()
	if err != nil || len(s.PCEs) != 2 || s.Generation != 4 {
		t.Fatalf("%d PCEs in generation %d, %v", len(s.PCEs), s.Generation, err)
	}
	var certs [][]byte
	for ppid, n := range s.index {
		if want := provisioningKey(m.fuses.RootProvisioningKey, [32]byte(n.pce.MRSigner), [16]byte{}, 0); n.provisioningKey([16]byte{}, 0) != want {
			t.Errorf("provisioning key of MRSIGNER %x", []byte(n.pce.MRSigner))
		}
		c, err := daemon.PCK(ppid, 0, m.CPUSVN, build.PCE.SVN)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c.Cert)
		crl, err := daemon.PCKCRL(verify.ProcessorCA)
		if err != nil {
			t.Fatal(err)
		}
		list, err := dcap.ParseCRL(crl)
		if err != nil || !list.Contains(parse(t, c.Cert).SerialNumber.Bytes()) || bytes.Equal(crl, before) {
			t.Errorf("the PCK for MRSIGNER %x is not revoked, %v", []byte(n.pce.MRSigner), err)
		}
	}
	if len(certs) != 2 || bytes.Equal(certs[0], certs[1]) {
		t.Errorf("%d certificates", len(certs))
	}
	for _, flags := range []isa.AttributeFlags{0, isa.AttrInit, isa.AttrInit | isa.AttrProvisionKey | isa.AttrDebug} {
		if err := w.AddPCE(&isa.SECS{MRSigner: intelsPCE, ISVProdID: 1, Attributes: isa.Attributes{Flags: flags}}); !errors.Is(err, ErrOptions) {
			t.Errorf("flags %#x: %v", flags, err)
		}
	}
	for what, change := range map[string]func(*isa.SECS){
		"signer": func(s *isa.SECS) { s.MRSigner[0]++ }, "product": func(s *isa.SECS) { s.ISVProdID++ },
	} {
		o := *other
		change(&o)
		if err := w.AddPCE(&o); !errors.Is(err, ErrOptions) {
			t.Errorf("another %s: %v", what, err)
		}
	}
}

// Revocation lists: the same for a day, their number grows, their entries have
// dates and reasons.
func TestCRLs(t *testing.T) {
	w, clock := newWorld(t)
	for _, name := range []string{"a", "b"} {
		if _, err := w.NewMachine(name, MachineOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	type lists struct{ root, processor, platform []byte }
	get := func() (l lists) {
		t.Helper()
		var err, err2, err3 error
		l.root, err = w.RootCRL()
		l.processor, err2 = w.PCKCRL(verify.ProcessorCA)
		l.platform, err3 = w.PCKCRL(verify.PlatformCA)
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		return l
	}
	read := func(b []byte) *x509.RevocationList {
		t.Helper()
		ours, err := dcap.ParseCRL(b)
		if err != nil {
			t.Fatal(err)
		}
		l, err := x509.ParseRevocationList(b)
		if err != nil {
			t.Fatal(err)
		}
		if ours.Len() != len(l.RevokedCertificateEntries) || new(big.Int).SetBytes(ours.Number).Cmp(l.Number) != 0 {
			t.Errorf("two readings of one list")
		}
		return l
	}
	first := get()
	morning := time.Date(2026, 6, 1, 12, 30, 15, 0, time.UTC) // the world began then
	if l := read(first.root); !l.ThisUpdate.Equal(morning) || !l.NextUpdate.Equal(morning.AddDate(0, 0, 365)) || len(l.RevokedCertificateEntries) != 0 || l.CheckSignatureFrom(w.certs.root) != nil {
		t.Errorf("root: %v to %v", l.ThisUpdate, l.NextUpdate)
	}
	if l := read(first.processor); !l.NextUpdate.Equal(morning.AddDate(0, 0, 30)) || l.CheckSignatureFrom(w.certs.processorCA) != nil {
		t.Errorf("processor: %v to %v", l.ThisUpdate, l.NextUpdate)
	}
	if l := read(first.platform); l.CheckSignatureFrom(w.certs.platformCA) != nil {
		t.Error("platform: not signed by its CA")
	}
	clock.Time = clock.Add(11 * time.Hour)
	if _, err := w.NewMachine("c", MachineOptions{}); err != nil {
		t.Fatal(err)
	}
	same := get()
	if !bytes.Equal(first.root, same.root) || !bytes.Equal(first.processor, same.processor) {
		t.Error("other lists on the same day")
	}
	clock.Time = clock.Add(time.Hour) // after midnight
	next := get()
	if l := read(next.root); !l.ThisUpdate.Equal(time.Date(2026, 6, 2, 0, 0, 0, 0, time.UTC)) || l.Number.Cmp(read(first.root).Number) <= 0 {
		t.Errorf("the next day: %v, number %d after %d", l.ThisUpdate, l.Number, read(first.root).Number)
	}
	number := read(next.processor).Number
	for i, name := range []string{"a", "b"} {
		if err := w.RevokeMachine(name, CessationOfOperation); err != nil {
			t.Fatal(err)
		}
		l := read(get().processor)
		if l.Number.Cmp(number) <= 0 || len(l.RevokedCertificateEntries) != 2*(i+1) || !l.ThisUpdate.Equal(w.now()) {
			t.Errorf("%s: number %d after %d, %d entries", name, l.Number, number, len(l.RevokedCertificateEntries))
		}
		number = l.Number
		for _, e := range l.RevokedCertificateEntries {
			if !e.RevocationTime.Equal(w.now()) || e.ReasonCode != 5 {
				t.Errorf("entry %+v", e)
			}
		}
	}
	if l := read(get().platform); len(l.RevokedCertificateEntries) != 0 {
		t.Errorf("the other CA lists %d", len(l.RevokedCertificateEntries))
	}
	at := w.now()
	clock.Time = clock.Add(time.Hour)
	if err := w.RevokeMachine("a", KeyCompromise); err != nil { // once more
		t.Fatal(err)
	}
	if l := read(get().processor); len(l.RevokedCertificateEntries) != 4 || !l.RevokedCertificateEntries[0].RevocationTime.Equal(at) {
		t.Errorf("revoked twice: %+v", l.RevokedCertificateEntries)
	}
	for range 2 {
		if err := w.RevokeCA(verify.ProcessorCA, CACompromise); err != nil {
			t.Fatal(err)
		}
	}
	l := read(get().root)
	if e := l.RevokedCertificateEntries; len(e) != 1 || e[0].SerialNumber.Cmp(w.certs.processorCA.SerialNumber) != 0 || e[0].ReasonCode != 2 {
		t.Errorf("the CA: %+v", e)
	}
}
