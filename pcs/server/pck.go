package server

import (
	"encoding/hex"
	"fmt"

	"github.com/feidi-dev/feidi/internal/strictjson"
	"github.com/feidi-dev/feidi/world"
)

// PCK certificates, of a platform that is named by its encrypted PPID or by its
// manifest.

// encryptedSize is the size of a PPID that is encrypted by RSA-3072, in bytes.
const encryptedSize = 384

func (s *Server) pckCert(r *request) (*answer, error) {
	cpuSVN, err := r.hex("cpusvn", 16)
	if err != nil {
		return nil, err
	}
	pceSVN, err := r.number("pcesvn")
	if err != nil {
		return nil, err
	}
	ppid, pceID, err := s.platform(r)
	if err != nil {
		return nil, err
	}
	p, err := s.world.PCK(ppid, pceID, [16]byte(cpuSVN), pceSVN)
	if err != nil {
		return nil, err
	}
	a := ok(typePEM, p.Cert)
	a.set("SGX-TCBm", tcbm(p))
	return a, s.describe(a, p)
}

func (s *Server) pckCerts(r *request) (*answer, error) {
	ppid, pceID, err := s.platform(r)
	if err != nil {
		return nil, err
	}
	list, err := s.world.PCKs(ppid, pceID)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, world.ErrNoCertificate
	}
	b := []byte("[")
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPCK(b, &list[i])
	}
	a := ok(typeJSON, append(b, ']'))
	return a, s.describe(a, &list[0])
}

// platform finds the platform that is asked for.
func (s *Server) platform(r *request) (ppid [16]byte, pceID uint16, err error) {
	if pceID, err = r.number("pceid"); err != nil {
		return ppid, 0, err
	}
	if r.post {
		ppid, err = s.byManifest(r)
		return ppid, pceID, err
	}
	if kind := r.header.Get("PPID-Encryption-Key"); kind != "" && kind != "RSA-3072" {
		return ppid, 0, syntax("header PPID-Encryption-Key is not RSA-3072")
	}
	encrypted, err := r.hex("encrypted_ppid", encryptedSize)
	if err != nil {
		return ppid, 0, err
	}
	ppid, err = s.world.DecryptPPID(encrypted)
	return ppid, pceID, err
}

// byManifest registers the platform whose manifest is in the place of a PPID.
func (s *Server) byManifest(r *request) (ppid [16]byte, err error) {
	text, ok := r.params["platformManifest"]
	if !ok {
		return ppid, syntax("platformManifest is missing")
	}
	manifest, err := hex.DecodeString(text)
	if err != nil || len(manifest) == 0 {
		return ppid, syntax("platformManifest is not hexadecimal")
	}
	return s.register(manifest)
}

// describe sets the headers that tell whose certificates an answer has.
func (s *Server) describe(a *answer, p *world.PCK) error {
	chain, err := s.world.PCKCAChain(p.CA)
	if err != nil {
		return err
	}
	a.chain("SGX-PCK-Certificate-Issuer-Chain", chain)
	a.set("SGX-FMSPC", fmt.Sprintf("%X", p.FMSPC))
	a.set("SGX-PCK-Certificate-CA-Type", string(p.CA))
	return nil
}

// tcbm is what a certificate is for: the CPUSVN, and the PCE's ISVSVN little
// endian.
func tcbm(p *world.PCK) string {
	return fmt.Sprintf("%X%02X%02X", p.CPUSVN, byte(p.PCESVN), byte(p.PCESVN>>8))
}

// appendPCK appends a certificate of a list.
func appendPCK(b []byte, p *world.PCK) []byte {
	b = append(b, `{"tcb":{`...)
	for i, svn := range p.CPUSVN {
		b = fmt.Appendf(b, `"sgxtcbcomp%02dsvn":%d,`, i+1, svn)
	}
	cert := "Not available"
	if len(p.Cert) > 0 {
		cert = escape(p.Cert)
	}
	b = fmt.Appendf(b, `"pcesvn":%d},"tcbm":"%s","cert":`, p.PCESVN, tcbm(p))
	return append(strictjson.AppendString(b, cert), '}')
}
