package world

import (
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"github.com/feidi-dev/feidi/dcap/verify"
)

// How many days revocation lists are valid.
const (
	pckCRLDays  = 30
	rootCRLDays = 365
)

// PCKCRL returns the revocation list of a CA that issues PCK certificates, in
// DER. PCKCAChain has its issuers.
func (w *World) PCKCRL(ca verify.CA) ([]byte, error) {
	issuer, key, err := w.authority(ca)
	if err != nil {
		return nil, err
	}
	s, err := w.state()
	if err != nil {
		return nil, err
	}
	var list []x509.RevocationListEntry
	for i := range s.Platforms {
		p := &s.Platforms[i]
		if p.Revoked == nil || p.ca() != ca {
			continue
		}
		family := s.family(p.FMSPC)
		for j := range s.PCEs {
			for k := range family.Levels {
				id, err := keyID(&named{p, &s.PCEs[j]}.key(&family.Levels[k]).PublicKey)
				if err != nil {
					return nil, err
				}
				list = append(list, p.Revoked.entry(serial(id)))
			}
		}
	}
	return w.crl(s, issuer, key, list, pckCRLDays)
}

// PCKCAChain returns a CA that issues PCK certificates and the root, in PEM.
func (w *World) PCKCAChain(ca verify.CA) ([]byte, error) {
	c, _, err := w.authority(ca)
	if err != nil {
		return nil, err
	}
	return pemOf(c, w.certs.root), nil
}

// RootCRL returns the revocation list of the root, in DER.
func (w *World) RootCRL() ([]byte, error) {
	s, err := w.state()
	if err != nil {
		return nil, err
	}
	var list []x509.RevocationListEntry
	for i := range s.RevokedCAs {
		c, _, err := w.authority(s.RevokedCAs[i].CA)
		if err != nil {
			return nil, err
		}
		list = append(list, s.RevokedCAs[i].entry(c.SerialNumber.Bytes()))
	}
	return w.crl(s, w.certs.root, w.keys.root, list, rootCRLDays)
}

func (r *revocation) entry(serial []byte) x509.RevocationListEntry {
	return x509.RevocationListEntry{SerialNumber: new(big.Int).SetBytes(serial), RevocationTime: r.At, ReasonCode: int(r.Reason)}
}

// crl signs a revocation list. Its number is the day and how often lists have
// changed, added: it grows with either, and has 32 bits, for which verifiers have
// room (pck_crl_num of sgx_ql_qv_supplemental_t).
func (w *World) crl(s *snapshot, issuer *x509.Certificate, key *ecdsa.PrivateKey, list []x509.RevocationListEntry, days int) ([]byte, error) {
	issued := w.issued(s.CRLChanged)
	number := big.NewInt(issued.Unix()/int64((24*time.Hour).Seconds()) + int64(s.CRLChanges))
	der, err := x509.CreateRevocationList(nil, &x509.RevocationList{
		SignatureAlgorithm: x509.ECDSAWithSHA256, Number: number,
		ThisUpdate: issued, NextUpdate: issued.AddDate(0, 0, days), RevokedCertificateEntries: list,
	}, issuer, deterministic{key})
	if err != nil {
		return nil, fmt.Errorf("revocation list of %s: %w", issuer.Subject.CommonName, err)
	}
	return der, nil
}
