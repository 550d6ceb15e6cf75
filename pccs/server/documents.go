package server

import (
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
)

// What is the same for all platforms, or all of a kind.

// The headers that issuers are in.
const (
	chainTCBInfo     = "TCB-Info-Issuer-Chain"
	chainTCBInfo3    = "SGX-TCB-Info-Issuer-Chain"
	chainIdentity    = "SGX-Enclave-Identity-Issuer-Chain"
	chainEvaluations = "TCB-Evaluation-Data-Numbers-Issuer-Chain"
	chainCRL         = "SGX-PCK-CRL-Issuer-Chain"
	chainPCK         = "SGX-PCK-Certificate-Issuer-Chain"
)

func (s *Server) tcb(r *request) (*answer, error) {
	fmspc, err := r.hex("fmspc", 12)
	if err != nil {
		return nil, err
	}
	item := collateral.Item{Kind: collateral.TCBInfo, API: r.api, TEE: r.tee, FMSPC: fmspc}
	if err := r.selection(&item); err != nil {
		return nil, err
	}
	chain := chainTCBInfo
	if r.api == 3 {
		chain = chainTCBInfo3
	}
	return s.signed(r, item, chain)
}

func (s *Server) qeIdentity(r *request) (*answer, error) { return s.identity(r, collateral.QEIdentity) }

func (s *Server) qveIdentity(r *request) (*answer, error) {
	return s.identity(r, collateral.QVEIdentity)
}

func (s *Server) identity(r *request, kind collateral.Kind) (*answer, error) {
	item := collateral.Item{Kind: kind, API: r.api, TEE: r.tee}
	if err := r.selection(&item); err != nil {
		return nil, err
	}
	return s.signed(r, item, chainIdentity)
}

func (s *Server) evaluations(r *request) (*answer, error) {
	return s.signed(r, collateral.Item{Kind: collateral.Evaluations, API: r.api, TEE: r.tee}, chainEvaluations)
}

// fmspcs is the list of Intel's of all there are.
func (s *Server) fmspcs(r *request) (*answer, error) {
	platform, err := r.choice("platform", "all", "client", "E3", "E5")
	if err != nil {
		return nil, err
	}
	return s.signed(r, collateral.Item{Kind: collateral.FMSPCs, API: r.api, Platform: platform}, "")
}

// signed is the answer with a document of JSON, to the byte as it was signed.
func (s *Server) signed(r *request, item collateral.Item, chain string) (*answer, error) {
	return s.document(r, item, chain, typeJSON, func(body []byte) []byte { return body })
}

// document is the answer with a document in some form.
func (s *Server) document(r *request, item collateral.Item, chain, media string, form func([]byte) []byte) (*answer, error) {
	d, err := s.service.Document(r.ctx, item)
	if err != nil {
		return nil, err
	}
	a := ok(media, form(d.Body))
	if chain != "" {
		s.chain(a, chain, d.Chain)
	}
	describe(a, d)
	return a, nil
}

// describe says how old a document is, and how good still.
func describe(a *answer, d *pccs.Document) {
	a.aged(d.Fetched)
	if !d.NextUpdate.IsZero() {
		a.add("Next-Update", d.NextUpdate.UTC().Format(time.RFC3339))
	}
	switch {
	case d.Expired && d.Stale != nil:
		a.add("Warning", warning(110, "past its next update, and it cannot be renewed: "+d.Stale.Error()))
	case d.Expired:
		a.add("Warning", warning(110, "past its next update"))
	case d.Stale != nil:
		a.add("Warning", warning(110, "it cannot be renewed: "+d.Stale.Error()))
	}
}

// pckCRL has hexadecimal under the type of PEM, which is what clients of version
// 3.0 take it for.
func (s *Server) pckCRL(r *request) (*answer, error) {
	ca, _ := r.param("ca")
	if ca = strings.ToLower(ca); ca != "processor" && ca != "platform" {
		return nil, bad("parameter ca is not processor or platform")
	}
	item := collateral.Item{Kind: collateral.PCKCRL, API: 4, CA: ca} // the same list in both versions
	if encoding, _ := r.param("encoding"); strings.EqualFold(encoding, "der") {
		return s.document(r, item, chainCRL, typeCRL, func(der []byte) []byte { return der })
	}
	return s.document(r, item, chainCRL, typeHexPEM, hexadecimal)
}

// rootCRL has hexadecimal, too.
func (s *Server) rootCRL(r *request) (*answer, error) {
	return s.document(r, collateral.Item{Kind: collateral.RootCRL, API: 4}, "", typeHexCRL, hexadecimal)
}

func hexadecimal(der []byte) []byte { return hex.AppendEncode(nil, der) }

// crl has the list at a distribution point. Which those may be is decided where
// they are fetched.
func (s *Server) crl(r *request) (*answer, error) {
	uri, _ := r.param("uri")
	if uri == "" || len(uri) > maxURI || !utf8.ValidString(uri) {
		return nil, bad("parameter uri is not the address of a CRL, as a certificate has it")
	}
	item := collateral.Item{Kind: collateral.CRL, API: 4, URI: uri}
	return s.document(r, item, "", typeCRL, func(der []byte) []byte { return der })
}
