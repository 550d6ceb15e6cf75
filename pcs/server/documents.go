package server

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/world"
)

// What is the same for all platforms, or all of a kind.

func (s *Server) tcb(r *request) (*answer, error) {
	fmspc, err := r.hex("fmspc", 6)
	if err != nil {
		return nil, err
	}
	choice, err := r.selection()
	if err != nil {
		return nil, err
	}
	doc, err := s.world.TCBInfo(r.tee, [6]byte(fmspc), choice)
	return s.signed("TCB-Info-Issuer-Chain", doc, err)
}

func (s *Server) qeIdentity(r *request) (*answer, error) {
	if r.tee == dcap.TEETDX {
		return s.identity(r, dcap.IdentityTDQE)
	}
	return s.identity(r, dcap.IdentityQE)
}

func (s *Server) qveIdentity(r *request) (*answer, error) { return s.identity(r, dcap.IdentityQVE) }

func (s *Server) identity(r *request, id string) (*answer, error) {
	choice, err := r.selection()
	if err != nil {
		return nil, err
	}
	doc, err := s.world.Identity(id, choice)
	return s.signed("SGX-Enclave-Identity-Issuer-Chain", doc, err)
}

func (s *Server) evaluations(r *request) (*answer, error) {
	doc, err := s.world.Evaluations(r.tee)
	return s.signed("TCB-Evaluation-Data-Numbers-Issuer-Chain", doc, err)
}

// signed is the answer with a document of JSON that the TCB signing key signed.
func (s *Server) signed(chain string, doc []byte, err error) (*answer, error) {
	if err != nil {
		return nil, err
	}
	a := ok(typeJSON, doc)
	a.chain(chain, s.world.TCBChain())
	return a, nil
}

func (s *Server) fmspcs(r *request) (*answer, error) {
	platform, err := r.choice("platform", "all", "client", "E3", "E5")
	if err != nil {
		return nil, err
	}
	list, err := s.world.FMSPCs()
	if err != nil {
		return nil, err
	}
	b := []byte("[")
	for _, f := range list {
		if platform != "" && platform != "all" && platform != f.Platform {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"fmspc":"%X","platform":"%s"}`, f.FMSPC, f.Platform)
	}
	return ok(typeJSON, append(b, ']')), nil
}

func (s *Server) pckCRL(r *request) (*answer, error) {
	name, err := r.choice("ca", "processor", "platform")
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, syntax("parameter ca is missing")
	}
	encoding, err := r.choice("encoding", "pem", "der")
	if err != nil {
		return nil, err
	}
	ca := verify.ProcessorCA
	if name == "platform" {
		ca = verify.PlatformCA
	}
	der, err := s.world.PCKCRL(ca)
	if err != nil {
		return nil, err
	}
	chain, err := s.world.PCKCAChain(ca)
	if err != nil {
		return nil, err
	}
	a := ok(typeCRL, der)
	if encoding != "der" {
		a = ok(typePEM, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
	}
	a.chain("SGX-PCK-CRL-Issuer-Chain", chain)
	return a, nil
}

// rootCRL is the file that the certificates name as the place of their CRL.
func (s *Server) rootCRL(*request) (*answer, error) {
	der, err := s.world.RootCRL()
	if err != nil {
		return nil, err
	}
	return ok(typeCRL, der), nil
}

// rootCRLHex is what a PCCS has: hexadecimal, whatever its type says.
func (s *Server) rootCRLHex(*request) (*answer, error) {
	der, err := s.world.RootCRL()
	if err != nil {
		return nil, err
	}
	return ok(typeCRL, []byte(hex.EncodeToString(der))), nil
}

// crlByURI is what a PCCS has: the CRL at a distribution point. Others than the
// world's are not fetched.
func (s *Server) crlByURI(r *request) (*answer, error) {
	if r.params["uri"] != strings.TrimRight(s.world.URL(), "/")+world.RootCRLPath {
		return nil, syntax("parameter uri is not the distribution point of this world's root CRL")
	}
	return s.rootCRL(r)
}
