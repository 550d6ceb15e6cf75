package tvl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// SupplementalSize is the size of Supplemental in bytes.
const SupplementalSize = 536

// The version of supplemental data. Advisories are there from Minor on only.
const (
	SupplementalMajor = 3
	SupplementalMinor = 3
)

// Bounds of the list of advisories: how many there may be, how long one may be, and
// all of them with a byte after each.
const (
	maxAdvisories    = 20
	maxAdvisory      = 20
	advisoryListSize = 320
)

// ErrSupplemental is the error of supplemental data that cannot be read or written.
var ErrSupplemental = errors.New("tvl: wrong supplemental data")

// Supplemental is what the QvE found out about a quote's platform, and of when the
// documents are (sgx_ql_qv_supplemental_t, 536 bytes). Times are whole seconds.
type Supplemental struct {
	Major, Minor uint16

	// Of all certificates, lists and documents.
	EarliestIssue, LatestIssue, EarliestExpiration time.Time

	TCBDate                     time.Time // of the TCB info's level that the platform meets
	PCKCRLNumber, RootCRLNumber uint32
	EvaluationDataNumber        uint32   // the lower of TCB info and QE identity
	RootKeyID                   [48]byte // of the root of trust, see RootKeyID

	// Of the PCK certificate.
	PPID               [16]byte
	CPUSVN             [16]byte
	PCESVN, PCEID      uint16
	TEE                dcap.TEEType // of the quote
	SGXType            dcap.SGXType
	PlatformInstanceID [16]byte              // of multi-package platforms, else zero
	Configuration      dcap.PCKConfiguration // of multi-package platforms, else undefined

	AdvisoryIDs []string // of the level that the platform meets

	QE QESupplemental
}

// QESupplemental is the part that is about the quoting enclave's identity.
type QESupplemental struct {
	EarliestIssue, LatestIssue, EarliestExpiration time.Time // of the certificates that it is signed with

	TCBDate              time.Time // of the level that the quoting enclave meets
	EvaluationDataNumber uint32
	Status               Result // OK, OutOfDate or Revoked
}

// Offsets of what stands apart.
const (
	offRootKeyID  = 52
	offSGXType    = 140
	offFlags      = 160
	offAdvisories = 172
	offQE         = 496
)

// AppendBinary appends the 536 bytes. It fails if the advisories do not fit.
func (s *Supplemental) AppendBinary(b []byte) ([]byte, error) {
	le := binary.LittleEndian
	p := make([]byte, SupplementalSize)
	le.PutUint16(p, s.Major)
	le.PutUint16(p[2:], s.Minor)
	putTimes(p[8:], s.EarliestIssue, s.LatestIssue, s.EarliestExpiration, s.TCBDate)
	le.PutUint32(p[40:], s.PCKCRLNumber)
	le.PutUint32(p[44:], s.RootCRLNumber)
	le.PutUint32(p[48:], s.EvaluationDataNumber)
	copy(p[offRootKeyID:], s.RootKeyID[:])
	copy(p[100:], s.PPID[:])
	copy(p[116:], s.CPUSVN[:])
	le.PutUint16(p[132:], s.PCESVN)
	le.PutUint16(p[134:], s.PCEID)
	le.PutUint32(p[136:], uint32(s.TEE))
	p[offSGXType] = uint8(s.SGXType)
	copy(p[offSGXType+1:], s.PlatformInstanceID[:])
	for i, v := range s.flags() {
		le.PutUint32(p[offFlags+4*i:], flagOf(*v))
	}
	list, err := joinAdvisories(s.AdvisoryIDs)
	if err != nil {
		return b, err
	}
	copy(p[offAdvisories:], list)
	q := &s.QE
	putTimes(p[offQE:], q.EarliestIssue, q.LatestIssue, q.EarliestExpiration, q.TCBDate)
	le.PutUint32(p[offQE+32:], q.EvaluationDataNumber)
	le.PutUint32(p[offQE+36:], uint32(q.Status))
	return append(b, p...), nil
}

// UnmarshalBinary reads exactly SupplementalSize bytes of version 3.0 to 3.3. What
// AppendBinary would not write is an error that wraps ErrSupplemental.
func (s *Supplemental) UnmarshalBinary(b []byte) error {
	if len(b) != SupplementalSize {
		return fmt.Errorf("%w: %d bytes, and not %d", ErrSupplemental, len(b), SupplementalSize)
	}
	le := binary.LittleEndian
	v := Supplemental{
		Major: le.Uint16(b), Minor: le.Uint16(b[2:]),
		PCKCRLNumber: le.Uint32(b[40:]), RootCRLNumber: le.Uint32(b[44:]), EvaluationDataNumber: le.Uint32(b[48:]),
		RootKeyID: [48]byte(b[offRootKeyID:]), PPID: [16]byte(b[100:]), CPUSVN: [16]byte(b[116:]),
		PCESVN: le.Uint16(b[132:]), PCEID: le.Uint16(b[134:]), TEE: dcap.TEEType(le.Uint32(b[136:])),
		SGXType: dcap.SGXType(b[offSGXType]), PlatformInstanceID: [16]byte(b[offSGXType+1:]),
		QE: QESupplemental{EvaluationDataNumber: le.Uint32(b[offQE+32:]), Status: Result(le.Uint32(b[offQE+36:]))},
	}
	if v.Major != SupplementalMajor || v.Minor > SupplementalMinor {
		return fmt.Errorf("%w: version %d.%d", ErrSupplemental, v.Major, v.Minor)
	}
	for i, f := range v.flags() {
		var ok bool
		if *f, ok = flagFrom(le.Uint32(b[offFlags+4*i:])); !ok {
			return fmt.Errorf("%w: flag %d is %d", ErrSupplemental, i, le.Uint32(b[offFlags+4*i:]))
		}
	}
	err := errors.Join(
		getTimes(b[8:], &v.EarliestIssue, &v.LatestIssue, &v.EarliestExpiration, &v.TCBDate),
		getTimes(b[offQE:], &v.QE.EarliestIssue, &v.QE.LatestIssue, &v.QE.EarliestExpiration, &v.QE.TCBDate),
	)
	if err != nil {
		return err
	}
	if v.AdvisoryIDs, err = splitAdvisories(b[offAdvisories:][:advisoryListSize]); err != nil {
		return err
	}
	if again, err := v.AppendBinary(nil); err != nil || !bytes.Equal(again, b) {
		return fmt.Errorf("%w: padding is not zero", ErrSupplemental)
	}
	*s = v
	return nil
}

// flags are the three of pck_cert_flag_enum_t, in their order.
func (s *Supplemental) flags() [3]*dcap.Tristate {
	c := &s.Configuration
	return [3]*dcap.Tristate{&c.DynamicPlatform, &c.CachedKeys, &c.SMTEnabled}
}

// flagOf is a pck_cert_flag_enum_t: false is 0, true 1, undefined 2.
func flagOf(t dcap.Tristate) uint32 {
	switch t {
	case dcap.False:
		return 0
	case dcap.True:
		return 1
	}
	return 2
}

func flagFrom(v uint32) (dcap.Tristate, bool) {
	if v > 2 {
		return dcap.Undefined, false
	}
	return [...]dcap.Tristate{dcap.False, dcap.True, dcap.Undefined}[v], true
}

// putTimes writes times as time_t. The zero time is 0.
func putTimes(b []byte, times ...time.Time) {
	for i, t := range times {
		if !t.IsZero() {
			binary.LittleEndian.PutUint64(b[8*i:], uint64(t.Unix()))
		}
	}
}

// getTimes reads what putTimes writes: 0 is the zero time.
func getTimes(b []byte, times ...*time.Time) error {
	for i, t := range times {
		v := binary.LittleEndian.Uint64(b[8*i:])
		if v > maxTime {
			return fmt.Errorf("%w: a time is %d", ErrSupplemental, int64(v))
		}
		if v != 0 {
			*t = time.Unix(int64(v), 0).UTC()
		}
	}
	return nil
}

// maxTime is the end of the year 9999, up to which certificates can say a time.
const maxTime = 253402300799

func joinAdvisories(ids []string) (string, error) {
	if len(ids) > maxAdvisories {
		return "", fmt.Errorf("%w: %d advisories, and there is room for %d", ErrSupplemental, len(ids), maxAdvisories)
	}
	for _, id := range ids {
		if id == "" || len(id) > maxAdvisory || strings.ContainsAny(id, ",\x00") {
			return "", fmt.Errorf("%w: advisory %.40q", ErrSupplemental, id)
		}
	}
	list := strings.Join(ids, ",")
	if len(list) >= advisoryListSize {
		return "", fmt.Errorf("%w: the advisories have %d bytes, and there is room for %d", ErrSupplemental, len(list), advisoryListSize-1)
	}
	return list, nil
}

func splitAdvisories(b []byte) ([]string, error) {
	text, _, ended := bytes.Cut(b, []byte{0})
	switch {
	case !ended:
		return nil, fmt.Errorf("%w: the advisories have no end", ErrSupplemental)
	case len(text) == 0:
		return nil, nil
	}
	return strings.SplitN(string(text), ",", maxAdvisories+1), nil
}
