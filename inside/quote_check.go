package inside

import (
	"crypto/sha256"
	"fmt"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
)

// exchange is what an enclave has said to a quoting enclave, and what that answers
// beside the quote.
type exchange struct {
	key    *aesm.AttKeyID
	qe     *isa.TargetInfo   // that the REPORT was made for
	report *isa.Report       // of this enclave
	info   aesm.QEReportInfo // with the quoting enclave's REPORT, which is verified
}

// checkKey checks that the service has chosen a key that makes ECDSA quotes and,
// unless any will do, is one of the accepted.
func checkKey(key *aesm.AttKeyID, accepted []aesm.AttKeyID) error {
	if key.Algorithm != aesm.AlgorithmECDSAP256 {
		return fmt.Errorf("%w: the attestation key is %v, which makes no ECDSA quotes", ErrQuote, key)
	}
	for i := range accepted {
		if accepted[i].Same(key) {
			return nil
		}
	}
	if len(accepted) > 0 {
		return fmt.Errorf("%w: the attestation key is %v, and none of those asked for", ErrQuote, key)
	}
	return nil
}

// check checks a quote against the exchange, and returns it without padding.
func (x *exchange) check(quote []byte) ([]byte, error) {
	if err := x.checkQE(); err != nil {
		return nil, err
	}
	q, err := dcap.ParseQuote(quote)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrQuote, err)
	}
	if body := q.EnclaveReport(); body == nil || body.ReportBody != x.report.ReportBody {
		return nil, fmt.Errorf("%w: it is a quote of something else", ErrQuote)
	}
	var want [64]byte
	sum := sha256.Sum256(append(x.info.Nonce[:], q.Raw...))
	copy(want[:], sum[:])
	if x.info.QEReport.ReportData != want {
		return nil, fmt.Errorf("%w: the quoting enclave has not made it, or not now", ErrQuote)
	}
	return q.Raw, nil
}

// checkQE checks who has made the REPORT that came with the quote.
func (x *exchange) checkQE() error {
	qe, k := &x.info.QEReport, x.key
	var signer [len(k.MRSigner)]byte
	copy(signer[:], qe.MRSigner[:])
	switch {
	case qe.MREnclave != x.qe.Measurement || qe.Attributes != x.qe.Attributes || qe.MiscSelect != x.qe.MiscSelect:
		return fmt.Errorf("%w: it comes from MRENCLAVE %x, and the REPORT was for %x", ErrQuote, qe.MREnclave, x.qe.Measurement)
	case qe.Attributes.Flags&isa.AttrDebug != 0:
		return fmt.Errorf("%w: the quoting enclave is under debug", ErrQuote)
	case int(k.MRSignerLength) != len(qe.MRSigner) || k.MRSigner != signer || k.ProdID != uint32(qe.ISVProdID):
		return fmt.Errorf("%w: it comes from an enclave of MRSIGNER %x, ISVPRODID %d, and the attestation key is %v", ErrQuote, qe.MRSigner, qe.ISVProdID, k)
	}
	return nil
}
