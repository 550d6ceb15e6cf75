package dcap

import (
	"errors"
	"time"

	"github.com/feidi-dev/feidi/internal/strictjson"
)

// both is a kind of error that is two: what the verifier's result goes by
// (ErrFormat or ErrInvalid), and a closer one, which the text names.
type both struct{ wide, close error }

func (k *both) Error() string   { return k.close.Error() }
func (k *both) Unwrap() []error { return []error{k.wide, k.close} }

var (
	errInvalidVersion   = &both{ErrInvalid, ErrVersion}
	errInvalidDuplicate = &both{ErrInvalid, ErrDuplicate}
	errInvalidSize      = &both{ErrInvalid, ErrTooLarge}
	errFormatDuplicate  = &both{ErrFormat, ErrDuplicate}
	errFormatTruncated  = &both{ErrFormat, ErrTruncated}
	errFormatTrailing   = &both{ErrFormat, ErrTrailing}
	errFormatSize       = &both{ErrFormat, ErrTooLarge}
)

// jsonReader reads the fields of signed JSON. Each method is told which kind
// of error it is if the value is of another type or form, because Intel's
// library has no rule for that.
type jsonReader struct {
	strictjson.Reader
	bodyStart    int // offset of the body of a signed document, or 0
	hasSignature bool
}

// object enters an object.
func (r *jsonReader) object(wrong error) {
	r.Object()
	r.Recast(wrong)
}

// skipObject reads an object and forgets it.
func (r *jsonReader) skipObject() {
	for r.object(ErrFormat); r.NextKey(); {
		r.Skip()
	}
}

// array enters an array.
func (r *jsonReader) array(wrong error) {
	r.Array()
	r.Recast(wrong)
}

// text reads a string.
func (r *jsonReader) text(wrong error) string {
	s := r.String()
	r.Recast(wrong)
	return s
}

// uint reads an integer from 0 to limit.
func (r *jsonReader) uint(limit uint64, wrong error) uint64 {
	v := r.Uint(limit)
	r.Recast(wrong)
	return v
}

// hex reads a string of as many hexadecimal digits as dst takes.
func (r *jsonReader) hex(dst []byte, wrong error) {
	at := r.Start()
	s := r.text(wrong)
	if r.Err() == nil && !decodeHex(dst, s) {
		r.Fail(wrong, at, "want "+decimal(2*len(dst))+" hexadecimal digits")
	}
}

// date reads a date and time.
func (r *jsonReader) date(wrong error) time.Time {
	at := r.Start()
	s := r.text(wrong)
	t, ok := parseJSONDate(s)
	if r.Err() == nil && !ok {
		r.Fail(wrong, at, "want a date like 2006-01-02T15:04:05Z, found "+quoted(s))
	}
	return t
}

// status reads a status of a level. Only some are allowed for what is no
// platform.
func (r *jsonReader) status(platform bool, wrongType error) TCBStatus {
	at := r.Start()
	name := r.text(wrongType)
	if r.Err() != nil {
		return TCBUnknown
	}
	s, err := ParseTCBStatus(name)
	ok := err == nil && s <= Revoked && (platform || s == UpToDate || s == OutOfDate || s == Revoked)
	if !ok {
		r.Fail(ErrInvalid, at, "such a level has no status "+quoted(name))
	}
	return s
}

// advisories reads a list of advisory IDs. They share one array, which grows;
// nil if there are none.
func (r *jsonReader) advisories(shared *[]string, wrong error) []string {
	all := *shared
	if all == nil {
		all = make([]string, 0, 32)
	}
	begin := len(all)
	for r.array(wrong); r.NextElement(); {
		all = append(all, r.text(wrong))
	}
	*shared = all
	if len(all) == begin {
		return nil
	}
	return all[begin:len(all):len(all)]
}

// fields are the keys of an object that have been there, a bit each.
type fields uint32

// need fails if a field is missing. The names are those of the bits.
func (r *jsonReader) need(have fields, kind error, names ...string) {
	for i, name := range names {
		if have>>i&1 == 0 {
			r.Fail(kind, r.Pos(), name+" is missing")
			return
		}
	}
}

// begin begins the document around a body. What follows is
//
//	for r.begin(doc, &s); r.nextBody("tcbInfo", &s); {
//		(read the body)
//	}
//	r.endSigned("tcbInfo", ErrInvalid, &s)
//
// where the body is read wherever it stands, once.
func (r *jsonReader) begin(doc []byte, s *Signed) {
	s.Raw = doc
	if len(doc) > MaxJSONSize {
		r.Fail(errFormatSize, 0, "more than "+decimal(MaxJSONSize)+" bytes")
		return
	}
	r.Init(doc)
	r.object(ErrFormat)
}

// nextBody reads up to the value of that name, and reports whether there is
// one.
func (r *jsonReader) nextBody(name string, s *Signed) bool {
	if r.bodyStart != 0 && s.Body == nil {
		s.Body = s.Raw[r.bodyStart:r.Pos():r.Pos()]
	}
	for r.NextKey() {
		switch r.Key() {
		case name:
			r.bodyStart = r.Start()
			return true
		case "signature":
			r.hasSignature = true
			r.signature(&s.Signature)
		default:
			r.Skip()
		}
	}
	return false
}

// endSigned checks that both parts have been there, and nothing behind them.
// The kind is that of the error if the signature is missing.
func (r *jsonReader) endSigned(name string, noSignature error, s *Signed) {
	r.End()
	if s.Body == nil {
		r.Fail(ErrFormat, r.Pos(), name+" is missing")
	}
	if !r.hasSignature {
		r.Fail(noSignature, r.Pos(), "signature is missing")
	}
}

// signature reads one in hexadecimal. Digits of both cases are refused, for
// else there would be many ways to write the same document.
func (r *jsonReader) signature(dst *[64]byte) {
	at := r.Start()
	s := r.text(ErrInvalid)
	if r.Err() == nil && (mixedCase(s) || !decodeHex(dst[:], s)) {
		r.Fail(ErrInvalid, at, "want 128 hexadecimal digits, all upper or all lower case")
	}
}

// parseError is the reader's error as one of this package.
func (r *jsonReader) parseError(document string) error {
	var e *strictjson.Error
	if !errors.As(r.Err(), &e) {
		return nil
	}
	kind := e.Kind
	switch kind {
	case strictjson.ErrSyntax, strictjson.ErrType:
		kind = ErrFormat
	case strictjson.ErrTruncated:
		kind = errFormatTruncated
	case strictjson.ErrTrailing:
		kind = errFormatTrailing
	case strictjson.ErrDuplicate:
		kind = errFormatDuplicate
	case strictjson.ErrSize:
		kind = errFormatSize
	case strictjson.ErrDepth:
		kind = errInvalidSize
	}
	return &ParseError{Document: document, Path: e.Path, Offset: e.Offset, Kind: kind, Reason: e.Reason}
}
