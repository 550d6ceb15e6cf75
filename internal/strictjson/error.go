package strictjson

import (
	"errors"
	"fmt"
	"strconv"
)

// Kinds of error.
var (
	ErrSyntax    = errors.New("not JSON")
	ErrTruncated = errors.New("JSON is cut off")
	ErrTrailing  = errors.New("trailing data")
	ErrDuplicate = errors.New("duplicate key")
	ErrDepth     = errors.New("nested too deeply")
	ErrSize      = errors.New("too large")
	ErrType      = errors.New("value of another type")
)

// Error says what is wrong, and where.
type Error struct {
	Kind   error  // one of the above, or what the caller of Fail gave
	Path   string // such as "tcbInfo.tcbLevels[3].tcb.pcesvn"; empty at the top
	Offset int    // of the offending byte or value
	Reason string
}

// Error returns one line.
func (e *Error) Error() string {
	where := ""
	if e.Path != "" {
		where = e.Path + ": "
	}
	return fmt.Sprintf("%s%v: %s (at offset %d)", where, e.Kind, e.Reason, e.Offset)
}

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// Fail ends the reading with an error at the current path, unless there is one
// already.
func (r *Reader) Fail(kind error, offset int, reason string) {
	if r.err == nil {
		r.err = &Error{Kind: kind, Path: r.path(), Offset: offset, Reason: reason}
	}
}

// Recast makes an error of kind ErrType one of the given kind.
func (r *Reader) Recast(kind error) {
	if r.err != nil && r.err.Kind == ErrType {
		r.err.Kind = kind
	}
}

// syntax fails at the current byte: what is there is wrong, or nothing is.
func (r *Reader) syntax(reason string) {
	if r.pos >= len(r.doc) {
		r.Fail(ErrTruncated, len(r.doc), "it ends too early")
		return
	}
	r.Fail(ErrSyntax, r.pos, reason+", found "+strconv.QuoteToASCII(r.doc[r.pos:min(r.pos+1, len(r.doc))]))
}

// wrongType fails at the next value, which is not what was asked for, or none
// at all.
func (r *Reader) wrongType(want string) {
	found := ""
	switch c := r.peek(); {
	case c == '{':
		found = "an object"
	case c == '[':
		found = "an array"
	case c == '"':
		found = "a string"
	case c == 't' || c == 'f' || c == 'n':
		found = "a literal"
	case c == '-' || c >= '0' && c <= '9':
		found = "a number"
	default:
		r.syntax("want " + want)
		return
	}
	r.Fail(ErrType, r.pos, "want "+want+", found "+found)
}

// path is where the reader is.
func (r *Reader) path() string {
	var b []byte
	for _, c := range r.open[:r.depth] {
		switch {
		case c.index >= 0:
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(c.index), 10)
			b = append(b, ']')
		case c.key != span{}:
			if len(b) > 0 {
				b = append(b, '.')
			}
			b = appendKey(b, r.text(c.key))
		}
	}
	return string(b)
}

// appendKey appends a key as it may stand on one line.
func appendKey(b []byte, key string) []byte {
	if key == "" {
		return append(b, `""`...)
	}
	const longest = 64
	cut := key[:min(len(key), longest)]
	for i := range len(cut) {
		if c := cut[i]; c <= ' ' || c == '.' || c == '[' || c == '"' || c >= 0x7F {
			b = strconv.AppendQuoteToASCII(b, cut)
			cut = ""
			break
		}
	}
	b = append(b, cut...)
	if len(key) > longest {
		b = append(b, "..."...)
	}
	return b
}
