package qve

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"

	"github.com/feidi-dev/feidi/arch/qve/edl"
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
)

// Versions of collateral, as of the service that it is from: minor version above,
// major version below. They say how CRLs are written; the QvE sees that by itself.
const (
	CollateralV1  = 1         // PEM
	CollateralV3  = 3         // DER in hexadecimal
	CollateralV31 = 1<<16 | 3 // DER
	CollateralV4  = 4
)

// NewCollateral returns collateral for quotes of a TEE as the QvE takes it, of
// version 3.1.
func NewCollateral(c *dcap.Collateral, tee dcap.TEEType) *edl.SgxQlQveCollateralT {
	text := func(b []byte) []byte { return append(bytes.Clone(b), 0) }
	return &edl.SgxQlQveCollateralT{
		Version: CollateralV31, TeeType: uint32(tee),
		PckCrlIssuerChain: text(c.PCKCRLChain), RootCaCrl: c.RootCRL, PckCrl: c.PCKCRL,
		TcbInfoIssuerChain: text(c.TCBInfoChain), TcbInfo: text(c.TCBInfo),
		QeIdentityIssuerChain: text(c.QEIdentityChain), QeIdentity: text(c.QEIdentity),
	}
}

// readCollateral is the inverse, for all versions and encodings.
func readCollateral(c *edl.SgxQlQveCollateralT) (*dcap.Collateral, tvl.Code) {
	if c == nil {
		return nil, tvl.InvalidParameter
	}
	var d dcap.Collateral
	for _, t := range []struct {
		to   *[]byte
		from []byte
	}{
		{&d.PCKCRLChain, c.PckCrlIssuerChain},
		{&d.TCBInfoChain, c.TcbInfoIssuerChain}, {&d.TCBInfo, c.TcbInfo},
		{&d.QEIdentityChain, c.QeIdentityIssuerChain}, {&d.QEIdentity, c.QeIdentity},
	} {
		text, ended := bytes.CutSuffix(t.from, []byte{0})
		if !ended || bytes.IndexByte(text, 0) >= 0 {
			return nil, tvl.InvalidParameter
		}
		*t.to = text
	}
	switch c.Version {
	case CollateralV1, CollateralV3, CollateralV31, CollateralV4:
	default:
		return nil, tvl.CollateralVersionNotSupported
	}
	var ok, ok2 bool
	d.RootCRL, ok = readCRL(c.RootCaCrl)
	d.PCKCRL, ok2 = readCRL(c.PckCrl)
	if !ok || !ok2 {
		return nil, tvl.CRLUnsupportedFormat
	}
	return &d, tvl.Success
}

// readCRL returns the DER of a CRL that is PEM, DER in hexadecimal, or DER. Texts may
// end in a zero byte.
func readCRL(b []byte) (der []byte, ok bool) {
	text := bytes.TrimSuffix(b, []byte{0})
	const kind = "X509 CRL"
	if bytes.HasPrefix(text, []byte("-----BEGIN "+kind+"-----")) {
		block, rest := pem.Decode(text)
		if block == nil || block.Type != kind || len(bytes.TrimSpace(rest)) != 0 {
			return nil, false
		}
		return block.Bytes, true
	}
	der = make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(der, text); err == nil {
		return der, true
	}
	return b, true
}
