package verify

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/feidi-dev/feidi/dcap"
)

// What the common names of Intel's certificates contain.
const (
	rootName    = "SGX Root CA"
	caName      = "CA"
	pckName     = "SGX PCK Certificate"
	signingName = "SGX TCB Signing"
)

// name shows a common name, which is whoever made the certificate's: quoted, and
// not at any length.
func name(n *dcap.Name) string {
	const longest = 64
	if len(n.CommonName) > longest {
		return strconv.Quote(n.CommonName[:longest]) + "..."
	}
	return strconv.Quote(n.CommonName)
}

// chain is a certificate chain. Its certificates may stand in any order, and
// are told by their names.
type chain struct {
	kept atomic.Bool // it is in the cache, or was
	new  bool        // one of its certificates was not in the cache

	certs        []*certificate
	root         *certificate // the last that is self-issued
	intermediate *certificate // the first other whose name says that it is a CA
	pck          *certificate
	top          *certificate // the last that issued none of the others
}

// readChain reads a chain, which may be in two parts.
func (s *session) readChain(pem, more []byte) (*chain, *Error) {
	if len(pem) == 0 {
		return nil, &Error{Status: StatusMissingParameters, Err: errMissing}
	}
	if more == nil {
		if ch, ok := s.v.chains.get(pem); ok {
			s.see(ch.certs...)
			return ch, nil
		}
	}
	der, err := dcap.SplitChain(pem)
	if err == nil && more != nil {
		var rest [][]byte
		rest, err = dcap.SplitChain(more)
		der = append(der, rest...)
	}
	if err != nil {
		return nil, &Error{Status: StatusUnsupportedCertFormat, Err: err}
	}
	ch := &chain{certs: make([]*certificate, 0, len(der))}
	ch.kept.Store(more != nil) // what is put together has no text of its own
	for i, raw := range der {
		c, known, err := s.certificate(raw)
		ch.new = ch.new || !known
		if err != nil {
			return nil, &Error{Status: chainStatus(err, i, len(der)), Err: err}
		}
		ch.certs = append(ch.certs, c)
		if c.SelfIssued() {
			ch.root = c
		} else if ch.intermediate == nil && strings.Contains(c.Subject.CommonName, caName) {
			ch.intermediate = c
		}
		if strings.Contains(c.Subject.CommonName, pckName) {
			ch.pck = c
		}
	}
	for _, c := range ch.certs {
		issued := func(o *certificate) bool { return o.Subject != c.Subject && o.Issuer == c.Subject }
		if !slices.ContainsFunc(ch.certs, issued) {
			ch.top = c
		}
	}
	if ch.pck != nil && ch.pck.SGX == nil {
		return ch, fail(StatusSGXPCKInvalidExtensions, "the PCK certificate has no SGX extension (1.2.840.113741.1.13.1)")
	}
	return ch, nil
}

// chainStatus is the code for a certificate that cannot be read. Intel's
// library, too, tells by its place which it must be.
func chainStatus(err error, i, n int) Status {
	var pe *dcap.ParseError
	switch {
	case errors.As(err, &pe) && strings.HasPrefix(pe.Path, "extensions.sgx"): // only PCK certificates have it
		return StatusSGXPCKInvalidExtensions
	case !errors.Is(err, dcap.ErrInvalid) && !(errors.As(err, &pe) && strings.HasPrefix(pe.Path, "extensions")):
		return StatusUnsupportedCertFormat
	case i == 0:
		return StatusSGXRootCAInvalidExtensions
	case i == 1 && n == 2:
		return StatusSGXTCBSigningCertInvalidExtensions
	case i == 1:
		return StatusSGXIntermediateCAInvalidExtensions
	}
	return StatusSGXPCKInvalidExtensions
}

// signingChain reads the chain of the signer of TCB info or QE identity. The
// two are mostly one.
func (s *session) signingChain(pem []byte) (*chain, *Error) {
	if s.signer.pem == nil || !bytes.Equal(pem, s.signer.pem) {
		ch, err := s.readChain(pem, nil)
		s.signer = parsedChain{pem, ch, err}
	}
	return s.signer.chain, s.signer.err
}

// certificate returns a certificate that was seen in this verification, or is
// in the cache, which makes it known, or else reads it.
func (s *session) certificate(raw []byte) (c *certificate, known bool, err error) {
	for _, c := range s.seen {
		if bytes.Equal(c.Raw, raw) {
			return c, c.kept.Load(), nil
		}
	}
	c, known = s.v.certificates.get(raw)
	if !known {
		if c, err = readCertificate(raw); err != nil { // SplitChain made raw
			return nil, false, err
		}
	}
	s.see(c)
	return c, known, nil
}

func (s *session) see(certs ...*certificate) {
	for _, c := range certs {
		if !slices.Contains(s.seen, c) {
			s.seen = append(s.seen, c)
		}
	}
}

// checkRoot makes the checks of a root certificate that do not ask whether it
// is trusted.
func (s *session) checkRoot(c *certificate) *Error {
	if !c.SelfIssued() {
		return fail(StatusSGXRootCAInvalidIssuer, "the root is issued by %s and not by itself", name(&c.Issuer))
	}
	for _, a := range s.v.anchors {
		if a.Key == c.PublicKey && c.by.Load() == nil && slices.Contains(a.known, sha256.Sum256(c.Raw)) {
			c.by.Store(c.key)
		}
	}
	if !c.signedBy(c.key) {
		return fail(StatusSGXRootCAInvalidIssuer, "the root is not signed with its own key")
	}
	return checkCA(c, StatusSGXRootCAInvalid)
}

// checkCA asks whether a certificate may sign others, which Intel's library
// does not.
func checkCA(c *certificate, bad Status) *Error {
	if !c.IsCA || c.KeyUsage&dcap.KeyUsageCertSign == 0 {
		return fail(bad, "the certificate of %s may not sign others", name(&c.Subject))
	}
	return nil
}

// checkIssued asks whether one certificate issued another.
func checkIssued(c, issuer *certificate, bad Status) *Error {
	if c.Issuer != issuer.Subject {
		return fail(bad, "the certificate of %s is issued by %s and not by %s", name(&c.Subject), name(&c.Issuer), name(&issuer.Subject))
	}
	if !c.signedBy(issuer.key) {
		return fail(bad, "the certificate of %s is not signed with the key of %s", name(&c.Subject), name(&issuer.Subject))
	}
	return nil
}

// anchor finds the trusted root that a certificate is. All chains of one
// verification end in the same.
func (s *session) anchor(c *certificate, untrusted Status) (*anchor, *Error) {
	for _, a := range s.v.anchors {
		if !a.selfIssued {
			return nil, fail(StatusTrustedRootCAInvalid, "%s, which is to be trusted, is no root: it is issued by another", name(&a.Subject))
		}
	}
	for _, a := range s.v.anchors {
		if a.Key == c.PublicKey && (s.root == nil || s.root == a) {
			s.root = a
			return a, nil
		}
	}
	if s.root != nil {
		return nil, fail(untrusted, "the chain ends in %s of another key than the chain of the PCK certificate", name(&c.Subject))
	}
	what := "the given root"
	if s.v.anchors[0].Intel {
		what = "Intel's"
	}
	root := Root{Key: c.PublicKey}
	return nil, fail(untrusted, "the chain ends in a root that is not trusted (SHA-256 of its key %x); trusted is %s", root.Fingerprint(), what)
}

// lists reports whether a certificate is revoked. No list, where none is needed,
// revokes nothing.
func (c *revocations) lists(cert *certificate) bool { return c != nil && c.Contains(cert.SerialNumber) }

// checkCRL makes the checks of a revocation list but for its time.
func checkCRL(crl *revocations, issuer *certificate) *Error {
	switch {
	case crl == nil: // see session.lone
		return nil
	case !bytes.Equal(crl.RawIssuer, issuer.RawSubject) && name(&crl.Issuer) == name(&issuer.Subject):
		return fail(StatusSGXCRLUnknownIssuer, "the revocation list is of another %s (of %.80q and not of %.80q)", name(&crl.Issuer), crl.Issuer.Organization, issuer.Subject.Organization)
	case !bytes.Equal(crl.RawIssuer, issuer.RawSubject):
		return fail(StatusSGXCRLUnknownIssuer, "the revocation list is of %s and not of %s", name(&crl.Issuer), name(&issuer.Subject))
	case crl.AuthorityKeyID == nil:
		return fail(StatusSGXCRLInvalidExtensions, "the revocation list of %s does not name the key of its issuer", name(&crl.Issuer))
	case issuer.KeyUsage&dcap.KeyUsageCRLSign == 0:
		return fail(StatusSGXCRLInvalid, "%s may not sign revocation lists", name(&issuer.Subject))
	case !crl.signedBy(issuer.key):
		return fail(StatusSGXCRLInvalidSignature, "the revocation list is not signed with the key of %s", name(&issuer.Subject))
	}
	return nil
}

// unexpired asks whether certificates are still valid.
func (s *session) unexpired(bad Status, certs ...*certificate) *Error {
	for _, c := range certs {
		if s.at.After(c.NotAfter) {
			return fail(bad, "the certificate of %s was valid until %s", name(&c.Subject), date(c.NotAfter))
		}
	}
	return nil
}

// begun asks whether certificates are valid already, which Intel's library
// does not, and which therefore comes last.
func (s *session) begun(bad Status, certs ...*certificate) *Error {
	for _, c := range certs {
		if s.at.Before(c.NotBefore) {
			return fail(bad, "the certificate of %s is valid from %s on, which is after the time that is asked about", name(&c.Subject), date(c.NotBefore))
		}
	}
	return nil
}

func (s *session) crlInTime(c *revocations) *Error {
	switch {
	case c == nil: // see session.lone
		return nil
	case s.at.After(c.NextUpdate):
		return fail(StatusSGXCRLExpired, "the revocation list of %s was good until %s: a newer one is needed", name(&c.Issuer), date(c.NextUpdate))
	case s.at.Before(c.ThisUpdate):
		return fail(StatusSGXCRLExpired, "the revocation list of %s is of %s, which is after the time that is asked about", name(&c.Issuer), date(c.ThisUpdate))
	}
	return nil
}
