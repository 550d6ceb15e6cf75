package collateral

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/pcs"
)

// Document is a document that was found to be genuine.
type Document struct {
	Item       Item
	Body       []byte    // JSON to the byte as signed, or a CRL in DER
	Chain      []byte    // PEM: its issuers; nil for root CRLs and lists of FMSPCs
	Issued     time.Time // by the document; zero if it does not say
	NextUpdate time.Time // likewise
	Evaluation uint32    // TCB evaluation data number; 0 if it has none
	RequestID  string    // of the service that it is from, if it said so
}

// Checker verifies documents. It is safe for concurrent use.
type Checker struct {
	verifier    *verify.Verifier
	roots       []string // where the trusted roots say that their CRLs are
	environment string
}

// Where Intel's root certificates say that their CRL is.
const intelRootCRL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

// remembered bounds what a checker remembers, in bytes of each kind: the few
// certificates of authorities, and not those of platforms, of which each is seen
// but once in a while.
const remembered = 1 << 20

// NewChecker returns a checker that trusts Intel's root, or else those roots (DER)
// and not Intel's: what is below a software root never passes for Intel's.
func NewChecker(roots ...[]byte) (*Checker, error) {
	options := []verify.Option{verify.WithCache(remembered)}
	c := &Checker{}
	var names []string
	for i, der := range roots {
		cert, err := dcap.ParseCertificate(der)
		if err == nil && !cert.SelfIssued() {
			err = fmt.Errorf("%.100q is issued by another", cert.Subject.CommonName)
		}
		if err != nil {
			return nil, fmt.Errorf("pccs/collateral: root %d to trust is none: %w", i+1, err)
		}
		c.roots = append(c.roots, cert.CRLDistributionPoint)
		root, err := verify.RootOf(der)
		if err != nil {
			return nil, fmt.Errorf("pccs/collateral: root %d to trust is none: %w", i+1, err)
		}
		names = append(names, nameOf(&root))
	}
	c.environment = environmentOf(names)
	if len(roots) > 0 {
		options = append(options, verify.WithRoots(roots...))
	} else {
		c.roots = []string{intelRootCRL}
	}
	var err error
	if c.verifier, err = verify.New(options...); err != nil {
		return nil, fmt.Errorf("pccs/collateral: %w", err)
	}
	return c, nil
}

const intelName = "Intel's root"

// nameOf is what a root is called, by its key: certificates of it come and go.
func nameOf(r *verify.Root) string {
	if r.Intel {
		return intelName
	}
	return fmt.Sprintf("root %.8x", r.Fingerprint())
}

func environmentOf(names []string) string {
	if len(names) == 0 {
		return intelName
	}
	slices.Sort(names)
	s := strings.Join(slices.Compact(names), " and ")
	if len(s) > 250 {
		s = fmt.Sprintf("%d roots, %x", len(names), sha256.Sum256([]byte(s)))
	}
	return s
}

// Environment names the roots that are trusted, in at most 250 bytes: for those who
// trust the same keys it is the same, and for others another.
func (c *Checker) Environment() string { return c.environment }

// Check verifies a document that is of this item, by the chain of its issuers (PEM)
// and, unless it is nil, the CRL of the root (DER). An error is an *Error, or says
// that there is no such item. If the document is genuine but out of its time, it is
// returned beside the error, which wraps ErrExpired. A list of FMSPCs is not signed;
// of it only the form is looked at.
//
// The document keeps body and chain, which must not be changed then.
func (c *Checker) Check(item Item, body, chain, rootCRL []byte, at time.Time) (*Document, error) {
	what, err := c.Resolve(item)
	if err != nil {
		return nil, err
	}
	d := &Document{Item: item, Body: body, Chain: chain}
	err = c.verify(d, what, rootCRL, at)
	if bad, ok := errors.AsType[*verify.Error](err); ok && rootCRL != nil {
		switch bad.Status {
		case verify.StatusSGXCRLExpired:
			// Perhaps that of the root, which still revokes what it did: this
			// document may be in its time.
			err = c.verify(d, what, nil, at)
		case verify.StatusSGXCRLUnknownIssuer, verify.StatusSGXCRLInvalidSignature:
			// The root CRL is of another root than the chain's: which of them
			// is not trusted?
			if e := c.verify(d, what, nil, at); kindOf(e) == ErrUntrusted {
				err = e
			}
		}
	}
	if err == nil {
		return d, nil
	}
	failed := &Error{Document: item.String(), Kind: kindOf(err), Err: err}
	if failed.Kind != ErrExpired {
		return nil, failed
	}
	return d, failed
}

// verify verifies d, and fills in what it says.
func (c *Checker) verify(d *Document, what Item, rootCRL []byte, at time.Time) (err error) {
	switch what.Kind {
	case TCBInfo:
		var t *dcap.TCBInfo
		if t, err = c.verifier.TCBInfo(d.Body, d.Chain, rootCRL, at); t != nil {
			err = firstOf(d.isTCBInfo(what, t), err)
		}
	case QEIdentity, QVEIdentity:
		var id *dcap.EnclaveIdentity
		if id, err = c.verifier.EnclaveIdentity(d.Body, d.Chain, rootCRL, at); id != nil {
			err = firstOf(d.isIdentity(what, id), err)
		}
	case Evaluations:
		var n *verify.EvaluationNumbers
		if n, err = c.verifier.EvaluationNumbers(d.Body, d.Chain, rootCRL, at); n != nil {
			d.Issued, d.NextUpdate = n.IssueDate, n.NextUpdate
			err = firstOf(other(n.ID != what.TEE.String(), "the list of numbers is for %s and not for %v", n.ID, what.TEE), err)
		}
	case PCKCRL:
		var crl *dcap.CRL
		var ca verify.CA
		if crl, ca, err = c.verifier.PCKCRL(d.Body, d.Chain, rootCRL, at); crl != nil {
			d.Issued, d.NextUpdate = crl.ThisUpdate, crl.NextUpdate
			err = firstOf(d.isPCKCRL(what, crl, ca), err)
		}
	case RootCRL:
		var crl *dcap.CRL
		d.Chain = nil
		if crl, err = c.verifier.RootCRL(d.Body, at); crl != nil {
			d.Issued, d.NextUpdate = crl.ThisUpdate, crl.NextUpdate
		}
	case FMSPCs:
		d.Chain = nil
		if len(d.Body) > dcap.MaxJSONSize {
			return fmt.Errorf("it has more than %d bytes", dcap.MaxJSONSize)
		}
		_, err = pcs.ParseFMSPCs(d.Body)
	}
	return err
}

func (d *Document) isTCBInfo(what Item, t *dcap.TCBInfo) error {
	d.Issued, d.NextUpdate, d.Evaluation = t.IssueDate, t.NextUpdate, t.EvaluationDataNumber
	version := uint32(what.API) - 1 // API 4 has version 3
	return firstOf(
		other(t.Version != version, "the TCB info is of version %d, and that of API %d is of version %d", t.Version, what.API, version),
		other(t.ID != what.TEE.String(), "the TCB info is for %s and not for %v", t.ID, what.TEE),
		other(fmt.Sprintf("%X", t.FMSPC) != what.FMSPC, "the TCB info is of FMSPC %X and not of %s", t.FMSPC, what.FMSPC),
		d.isChosen(what),
	)
}

func (d *Document) isIdentity(what Item, id *dcap.EnclaveIdentity) error {
	d.Issued, d.NextUpdate, d.Evaluation = id.IssueDate, id.NextUpdate, id.EvaluationDataNumber
	want := dcap.IdentityQE
	switch {
	case what.Kind == QVEIdentity:
		want = dcap.IdentityQVE
	case what.TEE == dcap.TEETDX:
		want = dcap.IdentityTDQE
	}
	return firstOf(
		other(id.ID != want, "the identity is of enclave %s and not of %s", id.ID, want),
		d.isChosen(what),
	)
}

// isChosen asks for the number that the item names. A document does not tell
// which type of update it is.
func (d *Document) isChosen(what Item) error {
	return other(what.Evaluation != 0 && d.Evaluation != what.Evaluation,
		"it has the TCB evaluation data number %d and not %d", d.Evaluation, what.Evaluation)
}

// isPCKCRL asks for the right authority: in worlds its name goes on behind
// Intel's.
func (d *Document) isPCKCRL(what Item, crl *dcap.CRL, ca verify.CA) error {
	return firstOf(
		other(!strings.Contains(crl.Issuer.CommonName, "SGX PCK P"), "the revocation list of %.100q, which issues no PCK certificates", crl.Issuer.CommonName),
		other(string(ca) != what.CA, "the revocation list of the %s CA and not of the %s CA", ca, what.CA),
	)
}

// other is the error of a document that is not the one that was asked for.
func other(is bool, format string, args ...any) error {
	if !is {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
