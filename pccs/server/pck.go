package server

import (
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/strictjson"
	"github.com/feidi-dev/feidi/pccs"
)

// PCK certificates, of a platform that is named by its QE ID.

// encryptedDigits is the length of a PPID that is encrypted by RSA-3072.
const encryptedDigits = 768

func (s *Server) pckCert(r *request) (*answer, error) {
	q, err := s.platform(r)
	if err != nil {
		return nil, err
	}
	if q.CPUSVN, err = r.hex("cpusvn", 32); err != nil {
		return nil, err
	}
	if q.PCESVN, err = r.hex("pcesvn", 4); err != nil {
		return nil, err
	}
	p, err := s.service.PCKCert(r.ctx, q)
	if err != nil {
		return nil, err
	}
	a := ok(typePEM, []byte(p.Cert))
	a.add("SGX-TCBm", p.TCBm)
	s.describePlatform(a, p.FMSPC, p.CA, p.Issuers)
	a.aged(p.Fetched)
	if p.Stale != nil {
		a.add("Warning", warning(110, "the certificates of this platform cannot be renewed: "+p.Stale.Error()))
	}
	return a, nil
}

// platform reads which platform is meant.
func (s *Server) platform(r *request) (q pccs.PCKQuery, err error) {
	q.API = r.api
	if q.QEID, err = r.qeid(); err != nil {
		return q, err
	}
	if q.PCEID, err = r.hex("pceid", 4); err != nil {
		return q, err
	}
	if _, ok := r.param("encrypted_ppid"); ok {
		q.EncryptedPPID, err = r.hex("encrypted_ppid", encryptedDigits)
	}
	return q, err
}

// describePlatform adds what is the same for all certificates of a platform.
func (s *Server) describePlatform(a *answer, fmspc, ca string, issuers []byte) {
	a.add("SGX-FMSPC", fmspc)
	a.add("SGX-PCK-Certificate-CA-Type", strings.ToUpper(ca))
	s.chain(a, chainPCK, issuers)
}

// pckCerts is the list of all certificates that there are of a platform, in the
// form of Intel's own service.
func (s *Server) pckCerts(r *request) (*answer, error) {
	q, err := s.platform(r)
	if err != nil {
		return nil, err
	}
	p, err := s.service.PCKCerts(r.ctx, q)
	if err != nil {
		return nil, err
	}
	if len(p.Certs) == 0 {
		return nil, notCached("no certificates of this platform are in the cache")
	}
	b := []byte("[")
	for i := range p.Certs {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendPCK(b, p.Certs[i].TCBm, p.Certs[i].Cert); err != nil {
			return nil, err
		}
	}
	a := ok(typeJSON, append(b, ']'))
	s.describePlatform(a, p.FMSPC, p.CA, p.Issuers)
	a.aged(p.Updated)
	return a, nil
}

// appendPCK appends a certificate of a list, and what it is for, as it says itself.
func appendPCK(b []byte, tcbm, cert string) ([]byte, error) {
	chain, err := dcap.ParseChain([]byte(cert))
	if err != nil || len(chain) != 1 || chain[0].SGX == nil {
		return nil, fmt.Errorf("what the database has for TCB %s is not a PCK certificate: %w", tcbm, err)
	}
	e := chain[0].SGX
	b = append(b, `{"tcb":{`...)
	for i, svn := range e.TCB {
		b = fmt.Appendf(b, `"sgxtcbcomp%02dsvn":%d,`, i+1, svn)
	}
	b = fmt.Appendf(b, `"pcesvn":%d},"tcbm":"%s","cert":`, e.PCESVN, tcbm)
	return append(strictjson.AppendString(b, escape([]byte(cert))), '}'), nil
}
