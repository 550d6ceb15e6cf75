package collateral_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/testpki"
)

func (s *service) request() pcs.PCKCertsRequest {
	return pcs.PCKCertsRequest{EncryptedPPID: s.m.EncryptedPPID[:], PCEID: s.m.SGX.PCEID}
}

func TestPCKCerts(t *testing.T) {
	for _, edit := range []func(*testpki.Platform){testpki.SinglePackage, testpki.Status(dcap.OutOfDate)} {
		s := newService(edit)
		p, err := s.client(t).PCKCerts(t.Context(), s.request())
		if err != nil {
			t.Fatal(err)
		}
		last := p.Levels[len(p.Levels)-1]
		if p.FMSPC != s.m.SGX.FMSPC || last.TCB != s.m.SGX.TCB || !bytes.Equal(last.Cert, s.m.PCK.PEM()) || (p.CA == pcs.Platform) != s.m.SGX.HasPlatform {
			t.Errorf("FMSPC %X of the %s CA, TCB %v", p.FMSPC, p.CA, last.TCB)
		}
		if asked := s.requests(); len(asked) != 2 {
			t.Errorf("asked %q", asked)
		}
		unknown := s.request()
		unknown.EncryptedPPID = make([]byte, 384)
		if _, err := s.client(t).PCKCerts(t.Context(), unknown); !errors.Is(err, pcs.ErrNotFound) {
			t.Errorf("an unknown platform: %v", err)
		}
	}
}

// twoCerts are the certificates of a platform that was updated.
func twoCerts(t *testing.T, s *service) *pcs.PCKCerts {
	t.Helper()
	p, err := s.client(t).PCKCerts(t.Context(), s.request())
	if err != nil {
		t.Fatal(err)
	}
	older := &s.m.SGX
	older.TCB[0]--
	older.CPUSVN[0]--
	s.m.Reissue()
	p.Levels = append(p.Levels, pcs.PCKLevel{TCB: older.TCB, CPUSVN: older.CPUSVN, PCESVN: older.PCESVN, Cert: s.m.PCK.PEM()})
	return p
}

func TestCheckPCK(t *testing.T) {
	other := testpki.New(testpki.Seed("another world"))
	forged, untrusted, expired := collateral.ErrForged, collateral.ErrUntrusted, collateral.ErrExpired
	// reissue makes the last certificate anew.
	reissue := func(edit func(*testpki.Template)) func(*service, *pcs.PCKCerts) {
		return func(s *service, p *pcs.PCKCerts) {
			s.m.Reissue(edit)
			p.Levels[len(p.Levels)-1].Cert = s.m.PCK.PEM()
		}
	}
	last := func(f func(*pcs.PCKLevel)) func(*service, *pcs.PCKCerts) {
		return func(_ *service, p *pcs.PCKCerts) { f(&p.Levels[len(p.Levels)-1]) }
	}
	for _, c := range []struct {
		name string
		want error
		tell func(*service, *pcs.PCKCerts)
	}{
		{"good", nil, func(*service, *pcs.PCKCerts) {}},
		{"none available", nil, func(_ *service, p *pcs.PCKCerts) {
			for i := range p.Levels {
				p.Levels[i].Cert = nil
			}
		}},
		{"other platform", forged, reissue(func(t *testpki.Template) { t.SGX.PPID[0]++ })},
		{"other PCE ID", forged, reissue(func(t *testpki.Template) { t.SGX.PCEID[0]++ })},
		{"other FMSPC", forged, reissue(func(t *testpki.Template) { t.SGX.FMSPC[0]++ })},
		{"other FMSPC said", forged, func(_ *service, p *pcs.PCKCerts) { p.FMSPC[5]++ }},
		{"other CA said", forged, func(_ *service, p *pcs.PCKCerts) { p.CA = pcs.Processor }},
		{"other components", forged, last(func(l *pcs.PCKLevel) { l.TCB[15]++ })},
		{"other CPUSVN", forged, last(func(l *pcs.PCKLevel) { l.CPUSVN[0]++ })},
		{"other PCESVN", forged, last(func(l *pcs.PCKLevel) { l.PCESVN++ })},
		{"twice", forged, func(_ *service, p *pcs.PCKCerts) { p.Levels = append(p.Levels, p.Levels[len(p.Levels)-1]) }},
		{"no PCK certificate", forged, func(s *service, p *pcs.PCKCerts) { p.Levels[len(p.Levels)-1].Cert = s.pki.TCBSigning.PEM() }},
		{"a chain", forged, func(s *service, p *pcs.PCKCerts) { p.Levels[len(p.Levels)-1].Cert = s.m.ChainPEM() }},
		{"cut off", forged, last(func(l *pcs.PCKLevel) { l.Cert = l.Cert[:200] })},
		{"signature", forged, reissue(func(t *testpki.Template) { t.Signer = other.PlatformCA.Key() })},
		{"issuers of the other CA", forged, func(s *service, p *pcs.PCKCerts) { p.Issuers = slices.Concat(s.pki.ProcessorCA.PEM(), s.pki.RootPEM()) }},
		{"no issuers", forged, func(_ *service, p *pcs.PCKCerts) { p.Issuers = nil }},
		{"another root", untrusted, func(_ *service, p *pcs.PCKCerts) {
			of := other.Platform()
			*p = pcs.PCKCerts{FMSPC: of.SGX.FMSPC, CA: pcs.Platform, Issuers: slices.Concat(other.PlatformCA.PEM(), other.RootPEM()),
				Levels: []pcs.PCKLevel{{TCB: of.SGX.TCB, CPUSVN: of.SGX.CPUSVN, PCESVN: of.SGX.PCESVN, Cert: of.PCK.PEM()}}}
		}},
		{"expired", expired, func(s *service, _ *pcs.PCKCerts) { s.now = s.now.AddDate(7, 0, 0) }},
		{"expired, and of another platform", forged, func(s *service, p *pcs.PCKCerts) {
			reissue(func(t *testpki.Template) { t.SGX.PPID[0]++ })(s, p)
			s.now = s.now.AddDate(7, 0, 0)
		}},
	} {
		s := newService()
		p := twoCerts(t, s)
		c.tell(s, p)
		err := s.checker(t).CheckPCK(p, s.now)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "PCK certificates: ") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestPCKCertsRefused has what only a client sees.
func TestPCKCertsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		want error
		edit func(*service)
	}{
		{"other PCE ID", collateral.ErrForged, func(s *service) { s.m.Reissue(func(t *testpki.Template) { t.SGX.PCEID[1] = 7 }) }},
		{"other TCB", collateral.ErrForged, func(s *service) { s.m.Reissue(func(t *testpki.Template) { t.SGX.TCB[1] = 7 }) }},
		{"CA revoked", collateral.ErrForged, func(s *service) { s.pki.Root.Revoke(s.pki.PlatformCA) }},
		{"expired", collateral.ErrExpired, func(s *service) { s.now = s.now.AddDate(7, 0, 0) }},
		{"no root CRL", pcs.ErrServer, func(s *service) { s.answer("/IntelSGXRootCA.der", 500, nil) }},
		{"no key", pcs.ErrUnauthorized, func(s *service) { s.answer("/sgx/certification/v4/pckcerts", 401, nil) }},
		{"a page", collateral.ErrForged, func(s *service) { s.answer("/sgx/certification/v4/pckcerts", 200, []byte("<html>")) }},
		{"large", pcs.ErrTooLarge, func(s *service) {
			s.answer("/sgx/certification/v4/pckcerts", 200, bytes.Repeat([]byte(" "), 2<<20))
		}},
	} {
		s := newService()
		c.edit(s)
		p, err := s.client(t).PCKCerts(t.Context(), s.request())
		if p != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	// What the PCK CA has revoked is still got: verifiers are to see it revoked.
	s := newService()
	s.pki.PlatformCA.Revoke(s.m.PCK)
	if _, err := s.client(t).PCKCerts(t.Context(), s.request()); err != nil {
		t.Errorf("revoked: %v", err)
	}
}
