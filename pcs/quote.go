package pcs

import (
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
)

// RequestFor returns which collateral a quote needs. Nothing of the quote is
// verified: whoever wrote it may make the client ask for any platform's.
func RequestFor(q *dcap.Quote) (Request, error) {
	r := Request{TEE: q.Header.TEEType}
	var text []byte
	switch d := q.Certification.(type) {
	case *dcap.PCKChain:
		text = d.PEM
	case *dcap.PCKLeaf:
		text = d.PEM
	case *dcap.PPID:
		// The certificate itself is to be asked for.
		r.PCK = &PCKRequest{QEID: q.Header.UserData[:16], CPUSVN: d.CPUSVN, PCESVN: d.PCESVN}
		copy(r.PCK.PCEID[:], d.PCEID) // older quotes leave it out; there is none but 0
		if d.Encryption == dcap.CertPPIDRSA3072 {
			r.PCK.EncryptedPPID = d.PPID
		}
		return r, nil
	default:
		return r, fmt.Errorf("the quote carries a %v, which says nothing about its PCK certificate", q.Certification.Type())
	}
	chain, err := dcap.ParseChain(text)
	if err != nil {
		return r, fmt.Errorf("PCK certificate of the quote: %w", err)
	}
	return r, r.of(chain[0])
}

// of takes from a PCK certificate what to ask for.
func (r *Request) of(pck *dcap.Certificate) error {
	if pck.SGX == nil {
		return fmt.Errorf("the certificate of %.60q is no PCK certificate: it has no SGX extension", pck.Subject.CommonName)
	}
	r.FMSPC = pck.SGX.FMSPC
	// Other authorities than Intel's have these phrases in longer names.
	switch name := pck.Issuer.CommonName; {
	case strings.Contains(name, "SGX PCK Processor CA"):
		r.CA = Processor
	case strings.Contains(name, "SGX PCK Platform CA"):
		r.CA = Platform
	default:
		return fmt.Errorf("the PCK certificate's issuer %.60q is neither the Processor CA nor the Platform CA", name)
	}
	return nil
}
