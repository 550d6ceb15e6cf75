package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/feidi-dev/feidi/internal/strictjson"
)

// maxMembers is how many keys an object may have that is not read whole, and
// maxPart how many bytes what is read whole, such as two CRLs in hexadecimal.
const (
	maxMembers = 64
	maxPart    = 40 << 20
)

// stream reads a long JSON document a part at a time, so that no more of it is
// in memory than its largest part. Whole parts are read with strictjson. After
// the first error nothing is read any more.
type stream struct {
	what string
	dec  *json.Decoder
	in   *bounded
	err  error
}

// bounded is a reader that ends in errTooLarge.
type bounded struct {
	io.Reader
	read  int64
	most  int64 // of the whole
	until int64 // of what is read at present
}

var errTooLarge = errors.New("too large")

func (b *bounded) Read(p []byte) (int, error) {
	room := min(b.most, b.until) - b.read
	if room <= 0 {
		// It may end just here.
		if n, err := b.Reader.Read(p[:min(1, len(p))]); n == 0 {
			return 0, err
		}
		return 0, errTooLarge
	}
	n, err := b.Reader.Read(p[:min(room, int64(len(p)))])
	b.read += int64(n)
	return n, err
}

func newStream(what string, in io.Reader, most int64) *stream {
	s := &stream{what: what, in: &bounded{Reader: in, most: most}}
	s.dec = json.NewDecoder(s.in)
	return s
}

// part begins a part.
func (s *stream) part() { s.in.until = max(s.in.read, s.dec.InputOffset()+maxPart) }

// fail ends the reading.
func (s *stream) fail(where string, kind error, reason string) {
	if s.err == nil {
		s.err = &Error{What: s.what, Where: where, Reason: reason, Err: kind}
	}
}

// broken ends the reading because the decoder cannot go on.
func (s *stream) broken(where string, err error) {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, errTooLarge):
		s.fail(where, ErrTooLarge, "it has more bytes than are read")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		s.fail(where, ErrFormat, fmt.Sprintf("it ends too early, after byte %d", s.dec.InputOffset()))
	case errors.As(err, &syntax):
		s.fail(where, ErrFormat, fmt.Sprintf("not JSON at byte %d", s.dec.InputOffset()))
	case s.err == nil:
		s.err = err // of the reader
	}
}

// enter reads an opening bracket.
func (s *stream) enter(where string, bracket json.Delim, name string) bool {
	if s.err != nil {
		return false
	}
	s.part()
	t, err := s.dec.Token()
	if err != nil {
		s.broken(where, err)
		return false
	}
	if t != bracket {
		s.fail(where, ErrFormat, "it is to be "+name)
		return false
	}
	return true
}

// more reports whether another element comes, and leaves the object or array
// if there is none.
func (s *stream) more(where string) bool {
	if s.err != nil {
		return false
	}
	s.part()
	if s.dec.More() {
		return true
	}
	if _, err := s.dec.Token(); err != nil {
		s.broken(where, err)
	}
	return false
}

// object reads an object; f reads the value of each key.
func (s *stream) object(where string, f func(key, where string)) {
	if !s.enter(where, '{', "an object") {
		return
	}
	seen := map[string]bool{}
	for s.more(where) {
		t, err := s.dec.Token()
		if err != nil {
			s.broken(where, err)
			return
		}
		key, _ := t.(string)
		switch {
		case seen[key]:
			s.fail(where, ErrFormat, fmt.Sprintf("key %.40q is there twice", key))
			return
		case len(seen) == maxMembers:
			s.fail(where, ErrTooLarge, fmt.Sprintf("it has more than %d keys", maxMembers))
			return
		}
		seen[key] = true
		part := key
		if quoted := strconv.Quote(key); len(quoted) != len(key)+2 || len(key) > 40 {
			part = fmt.Sprintf("%.40q", key) // it is anybody's
		}
		if where != "" {
			part = where + "." + part
		}
		f(key, part)
	}
}

// array reads an array; f reads each element.
func (s *stream) array(where string, f func(where string)) {
	if !s.enter(where, '[', "an array") {
		return
	}
	for i := 0; s.more(where); i++ {
		f(fmt.Sprintf("%s[%d]", where, i))
	}
}

// raw reads a whole value.
func (s *stream) raw(where string) json.RawMessage {
	if s.err != nil {
		return nil
	}
	s.part()
	var b json.RawMessage
	if err := s.dec.Decode(&b); err != nil {
		s.broken(where, err)
	}
	return b
}

// value reads a whole value strictly.
func (s *stream) value(where string, f func(*strictjson.Reader)) {
	s.read(where, s.raw(where), f)
}

// read reads a value that raw returned.
func (s *stream) read(where string, b []byte, f func(*strictjson.Reader)) {
	if s.err != nil {
		return
	}
	var r strictjson.Reader
	r.Init(b)
	f(&r)
	r.End()
	if err := r.Err(); err != nil {
		s.err = jsonError(s.what, where, err)
	}
}

// skip reads a value and forgets it.
func (s *stream) skip(where string) { s.value(where, (*strictjson.Reader).Skip) }

// end checks that the document ends, and returns the first error.
func (s *stream) end() error {
	if s.err != nil {
		return s.err
	}
	s.part()
	switch _, err := s.dec.Token(); {
	case errors.Is(err, io.EOF):
	case errors.Is(err, errTooLarge):
		s.broken("", err)
	default:
		s.fail("", ErrFormat, fmt.Sprintf("something follows at byte %d", s.dec.InputOffset()))
	}
	return s.err
}
