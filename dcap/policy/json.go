package policy

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/internal/strictjson"
)

// ParseJSON reads a policy of at most MaxFile bytes in JSON, which has the
// same keys and values as TOML, adds options, and checks the whole, as
// ParseTOML does.
func ParseJSON(b []byte, options ...Option) (*Policy, error) {
	d := newDecoder(b)
	if len(b) > MaxFile {
		d.report(0, "", fmt.Sprintf("the file has more than %d bytes", MaxFile))
		return nil, d.errs
	}
	var r strictjson.Reader
	r.Init(b)
	file := readJSON(&r, b)
	r.End()
	var e *strictjson.Error
	if errors.As(r.Err(), &e) {
		d.report(e.Offset, e.Path, fmt.Sprintf("%v: %s", e.Kind, e.Reason))
		return nil, d.errs
	}
	if file.kind != object {
		d.report(file.offset, "", fmt.Sprintf("%v does not belong here: write an object", file.kind))
		return nil, d.errs
	}
	return d.policy(file, options)
}

// readJSON reads the next value. The reader bounds how deep it goes.
func readJSON(r *strictjson.Reader, doc []byte) *node {
	n := &node{offset: r.Start()}
	switch c := r.Peek(); c {
	case '{':
		n.kind = object
		r.Object()
		for at := r.Pos(); r.NextKey(); at = r.Pos() {
			key := r.Key()
			m := readJSON(r, doc)
			m.key, m.keyAt = key, at+bytes.IndexByte(doc[at:], '"')
			n.items = append(n.items, m)
		}
	case '[':
		n.kind = array
		for r.Array(); r.NextElement(); {
			n.items = append(n.items, readJSON(r, doc))
		}
	case '"':
		n.kind, n.text = textual, r.String()
	default:
		r.Skip()
		n.text = string(doc[n.offset:max(n.offset, min(r.Pos(), len(doc)))])
		switch {
		case c == 't' || c == 'f':
			n.kind = boolean
		case c != 'n':
			n.kind = number
		}
	}
	return n
}
