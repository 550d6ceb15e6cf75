package aesm

import "fmt"

// FormatError says why bytes are no message. It wraps ErrFormat.
type FormatError struct {
	What   string // "request" or "response"
	Kind   Kind   // which one, as far as that is known; else 0
	Offset int    // where in the bytes it goes wrong
	Reason string
}

// Error returns one line.
func (e *FormatError) Error() string {
	what := e.What
	if e.Kind != 0 {
		what += " " + e.Kind.String()
	}
	return fmt.Sprintf("%s: at offset %d: %s", what, e.Offset, e.Reason)
}

// Unwrap returns ErrFormat.
func (e *FormatError) Unwrap() error { return ErrFormat }

// message is what Request and Response have in common.
type message interface {
	// Kind says which message it is.
	Kind() Kind
	fields(c *coder)
}

// AppendRequest appends a request, without a frame.
func AppendRequest(b []byte, r Request) []byte { return appendMessage(b, r) }

// AppendResponse appends a response, without a frame.
func AppendResponse(b []byte, r Response) []byte { return appendMessage(b, r) }

// ParseRequest reads a request, and keeps nothing of b. Its errors are of type
// *FormatError. Unknown fields are skipped; of a field that is there more than
// once, the last counts; several requests in one are an error.
func ParseRequest(b []byte) (Request, error) { return parse("request", b, newRequest) }

// ParseResponse reads a response, as ParseRequest does.
func ParseResponse(b []byte) (Response, error) { return parse("response", b, newResponse) }

// parse reads the only field of a Request or Response.
func parse[M message](what string, b []byte, empty func(Kind) (M, bool)) (M, error) {
	var none, m M
	kind, unknown := Kind(0), Kind(0)
	c := coder{mode: reading}
	for at := 0; at < len(b); {
		f, n, wrong := nextField(b[at:], 0)
		if wrong != "" {
			return none, &FormatError{what, kind, at, wrong}
		}
		if f.wire == wireBytes {
			k := Kind(f.number)
			if k != kind { // else it is a part of the same, by the rules of proto2
				switch fresh, ok := empty(k); {
				case !ok:
					unknown = k
				case kind == 0:
					kind, m = k, fresh
				default:
					return none, &FormatError{what, 0, at, fmt.Sprintf("%v and %v in one", kind, k)}
				}
			}
			if k == kind {
				if offset, wrong := c.read(m, f.data); wrong != "" {
					return none, &FormatError{what, kind, at + n - len(f.data) + offset, wrong}
				}
			}
		}
		at += n
	}
	if kind == 0 {
		return none, &FormatError{what, unknown, len(b), "there is nothing known in it"}
	}
	c.mode = checking
	m.fields(&c)
	if c.missing != 0 {
		return none, &FormatError{what, kind, len(b), fmt.Sprintf("field %d is missing", c.missing)}
	}
	return m, nil
}

// read gives all fields in b to m. It returns where and why it cannot.
func (c *coder) read(m message, b []byte) (offset int, wrong string) {
	for at := 0; at < len(b); {
		f, n, wrong := nextField(b[at:], 0)
		if wrong != "" {
			return at, wrong
		}
		c.field = f
		m.fields(c)
		at += n
	}
	return 0, ""
}
