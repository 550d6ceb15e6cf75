package qve

import (
	"encoding/binary"
	"time"

	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// span is when some documents are issued and expire.
type span struct{ earliestIssue, latestIssue, earliestExpiration time.Time }

func (s *span) add(o span) {
	if s.earliestIssue.IsZero() || o.earliestIssue.Before(s.earliestIssue) {
		s.earliestIssue = o.earliestIssue
	}
	if o.latestIssue.After(s.latestIssue) {
		s.latestIssue = o.latestIssue
	}
	if s.earliestExpiration.IsZero() || o.earliestExpiration.Before(s.earliestExpiration) {
		s.earliestExpiration = o.earliestExpiration
	}
}

// spanOf reads the dates of a certificate chain in PEM.
func spanOf(pem []byte) (s span, ok bool) {
	chain, err := dcap.ParseChain(pem)
	if err != nil {
		return s, false
	}
	for _, c := range chain {
		s.add(span{c.NotBefore, c.NotBefore, c.NotAfter})
	}
	return s, true
}

// dates are those of all documents of a verification, the issuers of the PCK CRL
// included, and of the certificates behind the QE identity. Package verify does not
// look at the former, for the quote has them, too.
func dates(r *verify.Result, c *dcap.Collateral) (all, qe span, ok bool) {
	v := &r.Validity
	all = span{v.EarliestIssue, v.LatestIssue, v.EarliestExpiration}
	if qe, ok = spanOf(c.QEIdentityChain); !ok {
		return all, qe, false
	}
	if len(c.PCKCRLChain) == 0 {
		return all, qe, true
	}
	issuers, ok := spanOf(c.PCKCRLChain)
	if ok {
		all.add(issuers)
	}
	return all, qe, ok
}

// supplementalVersion checks the version that a caller asks for. There is no other
// major version, and a minor one says how much of the structure he knows.
func supplementalVersion(b []byte) (major, minor uint16, code tvl.Code) {
	major, minor = binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
	switch {
	case major == 0 && minor == 0:
		return 0, 0, tvl.InvalidParameter
	case major != tvl.SupplementalMajor || minor > tvl.SupplementalMinor:
		return 0, 0, tvl.SupplementalVersionNotSupported
	}
	return major, minor, tvl.Success
}

// supplementalOf says what was found, in the given version, if the quote is
// genuine. Some of it is said better than Intel's QvE does, which gives 0 as TEE and
// OK as the status of the QE whatever they are, one of the two bytes of PCEID, and
// "undefined" for "no" of the first two flags.
func supplementalOf(r *verify.Result, all, qe span, major, minor uint16) ([]byte, tvl.Code) {
	sgx := r.PCK.SGX
	s := tvl.Supplemental{
		Major: major, Minor: minor,
		EarliestIssue: all.earliestIssue, LatestIssue: all.latestIssue, EarliestExpiration: all.earliestExpiration,
		TCBDate:              r.Launch.Platform.Date,
		EvaluationDataNumber: r.Validity.EvaluationDataNumber,
		RootKeyID:            tvl.RootKeyID(r.Root.Key),
		PPID:                 sgx.PPID, CPUSVN: sgx.CPUSVN, PCESVN: sgx.PCESVN, PCEID: binary.LittleEndian.Uint16(sgx.PCEID[:]),
		TEE: r.Quote.Header.TEEType, SGXType: sgx.SGXType,
		PlatformInstanceID: sgx.PlatformInstanceID, Configuration: sgx.Configuration,
		QE: tvl.QESupplemental{
			EarliestIssue: qe.earliestIssue, LatestIssue: qe.latestIssue, EarliestExpiration: qe.earliestExpiration,
			TCBDate: r.Launch.QE.Date, EvaluationDataNumber: r.QEIdentity.EvaluationDataNumber,
			Status: qeStatus(r.Launch.QE.Status),
		},
	}
	if minor >= tvl.SupplementalMinor {
		s.AdvisoryIDs = r.Launch.Platform.AdvisoryIDs
	}
	var ok, ok2 bool
	s.PCKCRLNumber, ok = number(r.Validity.PCKCRLNumber)
	s.RootCRLNumber, ok2 = number(r.Validity.RootCRLNumber)
	b, err := s.AppendBinary(nil)
	if !ok || !ok2 || err != nil { // a CRL number over 32 bits, or more advisories than there is room for
		return nil, tvl.Unexpected
	}
	return b, tvl.Success
}

// number reads a number of up to 32 bits, big endian.
func number(b []byte) (n uint32, ok bool) {
	if len(b) > 4 {
		return 0, false
	}
	for _, v := range b {
		n = n<<8 | uint32(v)
	}
	return n, true
}

func qeStatus(s dcap.TCBStatus) tvl.Result {
	switch s {
	case dcap.UpToDate:
		return tvl.OK
	case dcap.OutOfDate:
		return tvl.OutOfDate
	}
	return tvl.Revoked
}
