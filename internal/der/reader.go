// Package der reads and writes the Distinguished Encoding Rules of ASN.1
// (ITU-T X.690), as far as certificates of Intel's profile need them: tags of
// one byte, definite lengths in the shortest form, and values that have only
// one encoding. It knows nothing of what the values mean.
package der

// Tags of the elements that this package reads by name.
const (
	TagBoolean         = 0x01
	TagInteger         = 0x02
	TagBitString       = 0x03
	TagOctetString     = 0x04
	TagNull            = 0x05
	TagOID             = 0x06
	TagEnumerated      = 0x0A
	TagUTF8String      = 0x0C
	TagPrintableString = 0x13
	TagTeletexString   = 0x14
	TagIA5String       = 0x16
	TagUTCTime         = 0x17
	TagGeneralizedTime = 0x18
	TagSequence        = 0x30
	TagSet             = 0x31
)

// Context returns the tag of a primitive element of the context-specific
// class, and ContextConstructed of one that has elements in it. n is at most 30.
func Context(n byte) byte { return 0x80 | n }

// ContextConstructed is described at Context.
func ContextConstructed(n byte) byte { return 0xA0 | n }

// Failure says in which way a document is wrong.
type Failure uint8

// The ways.
const (
	None      Failure = iota
	Malformed         // not DER, or not what was asked for
	Truncated         // the document ends within an element
	Trailing          // there is something after the last element that was asked for
)

// A Reader goes through a document of at most 16 MiB from its start to its
// end. After the first failure it reads nothing more, every method returns a
// zero value and More is false, so that only the end needs to be checked. The
// slices that it returns are parts of the document. It allocates nothing.
type Reader struct {
	doc []byte
	pos int // of the next element
	end int // of the element that was entered

	failure Failure
	reason  string
	offset  int
}

// NewReader returns a Reader at the start of a document.
func NewReader(doc []byte) Reader { return Reader{doc: doc, end: len(doc)} }

// OK reports whether nothing has failed.
func (r *Reader) OK() bool { return r.failure == None }

// Failed returns the first failure, what it was and at which offset.
func (r *Reader) Failed() (failure Failure, reason string, offset int) {
	return r.failure, r.reason, r.offset
}

// Fail makes the Reader fail, if it has not: what is at the offset is not
// what the caller takes.
func (r *Reader) Fail(offset int, reason string) { r.fail(Malformed, offset, reason) }

func (r *Reader) fail(f Failure, offset int, reason string) {
	if r.failure == None {
		*r = Reader{failure: f, reason: reason, offset: offset}
	}
}

// Offset returns where the next element begins.
func (r *Reader) Offset() int { return r.pos }

// Since returns the bytes from an earlier Offset to this one.
func (r *Reader) Since(offset int) []byte {
	if r.failure != None {
		return nil
	}
	return r.doc[offset:r.pos:r.pos]
}

// Rest returns what is left in the entered element, and does not read it.
func (r *Reader) Rest() []byte { return r.doc[r.pos:r.end:r.end] }

// More reports whether there are more elements in the one that was entered.
func (r *Reader) More() bool { return r.pos < r.end }

// Next reports whether the next element has a tag.
func (r *Reader) Next(tag byte) bool { return r.pos < r.end && r.doc[r.pos] == tag }

// Enter begins to read what is in an element. It returns what Leave needs.
func (r *Reader) Enter(tag byte) (outer int) {
	end := r.header(tag)
	outer, r.end = r.end, end
	return outer
}

// Leave ends the reading of an entered element, in which nothing may be left.
func (r *Reader) Leave(outer int) {
	if r.pos != r.end {
		r.fail(Trailing, r.pos, "more than belongs there")
	}
	if r.failure == None {
		r.end = outer
	}
}

// Skip ends the reading of an entered element, whatever is left in it.
func (r *Reader) Skip(outer int) {
	if r.failure == None {
		r.pos, r.end = r.end, outer
	}
}

// Close fails if something is left in the document.
func (r *Reader) Close() {
	if r.pos != r.end {
		r.fail(Trailing, r.pos, "more bytes than the document has")
	}
}

// Bytes returns the content of an element.
func (r *Reader) Bytes(tag byte) []byte {
	end := r.header(tag)
	b := r.doc[r.pos:end:end]
	r.pos = end
	return b
}

// Any returns the tag and content of an element.
func (r *Reader) Any() (tag byte, content []byte) {
	if r.pos < r.end {
		tag = r.doc[r.pos]
	}
	if tag&0x1F == 0x1F {
		r.fail(Malformed, r.pos, "a tag of several bytes")
	}
	content = r.Bytes(tag)
	return tag, content
}

// header reads a tag and a length, and returns where the element ends. After
// a failure that is where the Reader is.
func (r *Reader) header(tag byte) int {
	p := r.pos
	if r.end-p < 2 {
		r.short(p, tag)
		return r.pos
	}
	if r.doc[p] != tag {
		r.fail(Malformed, p, wrongTag(tag))
		return r.pos
	}
	n := int(r.doc[p+1])
	p += 2
	if n >= 0x80 {
		if n, p = r.long(n, p); r.failure != None {
			return r.pos
		}
	}
	if n > r.end-p {
		r.short(r.pos, tag)
		return r.pos
	}
	r.pos = p
	return p + n
}

// long reads a length of several bytes, of which first is the first and the
// others are at p. It returns the length and where the content begins.
func (r *Reader) long(first, p int) (n, begin int) {
	size := first & 0x7F
	if size == 0 || size > 3 {
		r.fail(Malformed, p-1, "a length that is indefinite or has more than three bytes")
		return 0, 0
	}
	if size > r.end-p {
		r.short(p-1, 0)
		return 0, 0
	}
	for _, b := range r.doc[p : p+size] {
		n = n<<8 | int(b)
	}
	if n < 0x80 || n>>(8*(size-1)) == 0 {
		r.fail(Malformed, p-1, "a length that is not in its shortest form")
		return 0, 0
	}
	return n, p + size
}

// short fails because an element does not fit into what it is in.
func (r *Reader) short(offset int, tag byte) {
	switch {
	case r.pos == r.end && r.pos > 0:
		r.fail(Malformed, offset, "nothing is left, "+wrongTag(tag))
	case r.end == len(r.doc):
		r.fail(Truncated, offset, "an element goes beyond the end")
	default:
		r.fail(Malformed, offset, "an element goes beyond what it is in")
	}
}
