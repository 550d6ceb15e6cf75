package wire

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/strictjson"
)

// Request asks for a verification.
type Request struct {
	Quote      []byte           // as DecodeQuote takes it
	Collateral *dcap.Collateral // nil: the service's
	At         time.Time        // zero: now
	ReportData *[64]byte        // what the report data must be; nil: anything
}

// ErrRequest: a request that is none.
var ErrRequest = errors.New("bad request")

// ParseRequest reads a request in JSON, one object with the keys
//
//	quote        the quote in base64 or hexadecimal digits
//	collateral   an object as dcap.ParseCollateral takes it; may be missing or null
//	at           a time as ParseTime takes it; may be missing
//	report_data  as ParseReportData takes it; may be missing
//
// Other keys, keys that are there twice, and anything after the object are
// errors, which wrap ErrRequest.
func ParseRequest(doc []byte) (*Request, error) {
	r, err := parseRequest(doc)
	if errors.Is(err, ErrRequest) {
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return r, nil
}

// ParseTime reads a time of RFC 3339, such as "2026-01-31T12:00:00Z", or a
// date, which is its beginning in UTC.
func ParseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no time such as 2026-01-31 or 2026-01-31T12:00:00Z", s)
}

// ParseReportData reads what an enclave or TD was to put into its report: 1 to
// 64 bytes in hexadecimal digits. What is short is a hash or a nonce at the
// beginning, which zeros follow.
func ParseReportData(s string) (*[64]byte, error) {
	var data [64]byte
	if len(s) > 2*len(data) || len(s) == 0 {
		return nil, fmt.Errorf("report data are 1 to %d bytes, so at most %d hexadecimal digits, not %d", len(data), 2*len(data), len(s))
	}
	if _, err := hex.Decode(data[:], []byte(s)); err != nil {
		return nil, fmt.Errorf("report data are hexadecimal digits, two for each byte, but %s", notHex(err))
	}
	return &data, nil
}

func parseRequest(doc []byte) (*Request, error) {
	var p strictjson.Reader
	var q Request
	p.Init(doc)
	// Each value is read by its own parser, which may say what is wrong.
	fail := func(at int, err error) {
		var inner *dcap.ParseError
		switch {
		case errors.As(err, &inner): // its offset counts from the value
			reason := fmt.Sprintf("%v: %s", inner.Kind, inner.Reason)
			if inner.Path != "" {
				reason = inner.Path + ": " + reason
			}
			p.Fail(ErrRequest, at+inner.Offset, reason)
		case err != nil:
			p.Fail(ErrRequest, at, err.Error())
		}
	}
	for p.Object(); p.NextKey(); {
		at := p.Start()
		var err error
		switch p.Key() {
		case "quote":
			q.Quote, err = DecodeQuote([]byte(p.String()))
		case "collateral":
			p.Skip()
			if raw := doc[at:p.Pos()]; p.Err() == nil && string(raw) != "null" {
				q.Collateral, err = dcap.ParseCollateral(raw)
			}
		case "at":
			q.At, err = ParseTime(p.String())
		case "report_data":
			q.ReportData, err = ParseReportData(p.String())
		default:
			err = errors.New("there is no such key; quote, collateral, at and report_data are known")
		}
		fail(at, err)
	}
	p.End()
	if err := p.Err(); err != nil {
		return nil, err
	}
	if q.Quote == nil {
		return nil, errors.New("it has no quote")
	}
	return &q, nil
}
