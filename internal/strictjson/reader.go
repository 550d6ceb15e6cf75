// Package strictjson reads JSON whose exact bytes matter, such as a document
// that is signed. It is a pull reader: the caller asks for what must be there,
//
//	for r.Object(); r.NextKey(); {
//		switch r.Key() {
//		case "version":
//			version = r.Uint(math.MaxUint32)
//		default:
//			r.Skip()
//		}
//	}
//
// and looks at Err once, at the end: after the first error every method
// returns a zero value, and every loop ends.
//
// It takes RFC 8259 by the letter, and less than that: text is valid UTF-8,
// surrogates come in pairs, no object has a key twice (two readers of such a
// document could see two different ones), values nest MaxDepth deep at most,
// and nothing but white space follows the value. What is skipped is checked
// like everything else. Time and memory are in proportion to the document.
package strictjson

import (
	"maps"
	"math"
	"slices"
	"unicode/utf8"
)

// MaxDepth is how many objects and arrays may be open at a time.
const MaxDepth = 32

// scanned is up to how many keys of an object are compared one by one; an
// object that has more gets a map.
const scanned = 16

// Reader reads one document. Init makes it ready; it is not to be copied
// while in use, but for Fork.
//
// It holds places in the document rather than strings, since to write a
// pointer costs more than to read the few keys again.
type Reader struct {
	doc     string
	pos     int
	err     *Error
	depth   int
	open    [MaxDepth]container // the open objects and arrays, outermost first
	keys    [4 * scanned]span   // the first keys of the open objects, in the order of reading
	nkeys   int
	more    map[memberKey]struct{} // keys for which there was no room in keys
	decoded []string               // keys that had escapes
}

// container is an object or array that is being read.
type container struct {
	filter uint64 // one bit a hash of a key: without it the key is new
	key    span   // the current one
	start  int32  // where it begins
	index  int32  // of the current element; -1 in an object
	base   int32  // where its keys begin in Reader.keys
	full   bool   // it has keys in Reader.more
	begun  bool
}

// span is a part of the document. If start is negative it is one of the
// decoded strings, the first with -1.
type span struct{ start, end int32 }

// memberKey is a key of the object that begins there.
type memberKey struct {
	start int32
	key   string
}

// Init begins a document, of which the Reader keeps a copy. Documents of 2 GiB
// and more are refused.
func (r *Reader) Init(doc []byte) {
	*r = Reader{}
	if len(doc) > math.MaxInt32 {
		r.Fail(ErrSize, 0, "2 GiB or more")
		return
	}
	r.doc = string(doc)
	if !utf8.ValidString(r.doc) {
		at := 0
		for at < len(r.doc) {
			c, n := utf8.DecodeRuneInString(r.doc[at:])
			if c == utf8.RuneError && n == 1 {
				break
			}
			at += n
		}
		r.Fail(ErrSyntax, at, "not UTF-8")
	}
}

// text returns the text of a span.
func (r *Reader) text(s span) string {
	if s.start < 0 {
		return r.decoded[-1-s.start]
	}
	return r.doc[s.start:s.end]
}

// Err returns the first error, a *Error, or nil.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// Pos returns the offset behind what has been read.
func (r *Reader) Pos() int { return r.pos }

// Start returns the offset of the next value.
func (r *Reader) Start() int {
	r.peek()
	return r.pos
}

// Peek returns the first byte of the next value, which tells its type, or 0 at
// the end.
func (r *Reader) Peek() byte {
	if r.err != nil {
		return 0
	}
	return r.peek()
}

// Fork returns a second Reader at the same place, to read the next value later
// than it comes. Skip it in the first.
func (r *Reader) Fork() *Reader {
	fork := *r
	fork.more, fork.decoded = maps.Clone(r.more), slices.Clip(r.decoded)
	return &fork
}

// Key returns the key whose value is next.
func (r *Reader) Key() string {
	if r.depth == 0 {
		return ""
	}
	return r.text(r.open[r.depth-1].key)
}

// Object enters the object that must be next.
func (r *Reader) Object() { r.enter('{', "an object", -1) }

// Array enters the array that must be next.
func (r *Reader) Array() { r.enter('[', "an array", 0) }

func (r *Reader) enter(bracket byte, what string, index int32) {
	if r.err != nil {
		return
	}
	if r.peek() != bracket {
		r.wrongType(what)
		return
	}
	if r.depth == MaxDepth {
		r.Fail(ErrDepth, r.pos, "more than 32 objects and arrays in each other")
		return
	}
	r.open[r.depth] = container{start: int32(r.pos), index: index, base: int32(r.nkeys)}
	r.depth++
	r.pos++
}

// NextKey reads the next key of the object that was entered last, and reports
// whether there is one; if not, the object is left. The value must be read
// before the next call.
func (r *Reader) NextKey() bool {
	if !r.next('}') {
		return false
	}
	c := &r.open[r.depth-1]
	c.key = span{}
	if r.peek() != '"' {
		r.syntax("want a key")
		return false
	}
	at := r.pos
	c.key = r.keySpan()
	if r.peek() != ':' {
		r.syntax("want ':'")
		return false
	}
	r.pos++
	if r.seen(c) {
		r.Fail(ErrDuplicate, at, "the key is there twice")
		return false
	}
	return true
}

// keySpan reads the string whose quotation mark is next, and tells where.
func (r *Reader) keySpan() span {
	start := r.pos + 1
	end := r.special(start)
	if end < len(r.doc) && r.doc[end] == '"' {
		r.pos = end + 1
		return span{int32(start), int32(end)}
	}
	r.decoded = append(r.decoded, r.str())
	return span{start: -int32(len(r.decoded))}
}

// NextElement goes to the next element of the array that was entered last, and
// reports whether there is one; if not, the array is left. The element must be
// read before the next call.
func (r *Reader) NextElement() bool { return r.next(']') }

// next goes to the next member of the innermost container, or leaves it.
func (r *Reader) next(bracket byte) bool {
	if r.err != nil || r.depth == 0 {
		return false
	}
	c := &r.open[r.depth-1]
	b := r.peek()
	if b == bracket {
		r.pos++
		r.depth--
		r.nkeys = int(c.base)
		return false
	}
	if !c.begun {
		c.begun = true
		return true
	}
	if b != ',' {
		r.syntax("want ',' or the end of it")
		return false
	}
	r.pos++
	if c.index >= 0 {
		c.index++
	}
	return true
}

// seen reports whether the object has its current key already, and notes it.
func (r *Reader) seen(c *container) bool {
	if r.err != nil {
		return false
	}
	key := r.text(c.key)
	bit := uint64(1) << (hash(key) % 64)
	if c.filter&bit != 0 {
		for _, k := range r.keys[c.base:r.nkeys] {
			if r.text(k) == key {
				return true
			}
		}
		if c.full {
			if _, twice := r.more[memberKey{c.start, key}]; twice {
				return true
			}
		}
	}
	c.filter |= bit
	if !c.full && r.nkeys < len(r.keys) && r.nkeys-int(c.base) < scanned {
		r.keys[r.nkeys] = c.key
		r.nkeys++
		return false
	}
	if r.more == nil {
		r.more = make(map[memberKey]struct{})
	}
	c.full = true
	r.more[memberKey{c.start, key}] = struct{}{}
	return false
}

// hash is a number whose last six bits tell most keys of an object apart.
func hash(key string) uint {
	h := uint(len(key))
	if h > 0 {
		// In "sgxtcbcomp07svn" it is the middle that differs.
		h += uint(key[0]) + 7*uint(key[len(key)-1]) + 5*uint(key[len(key)*3/4])
	}
	return h
}

// Skip reads the next value and forgets it.
func (r *Reader) Skip() {
	switch r.Peek() {
	case '{':
		for r.Object(); r.NextKey(); {
			r.Skip()
		}
	case '[':
		for r.Array(); r.NextElement(); {
			r.Skip()
		}
	case '"':
		r.str()
	case 't':
		r.literal("true")
	case 'f':
		r.literal("false")
	case 'n':
		r.literal("null")
	default:
		if r.err == nil {
			r.number()
		}
	}
}

// End checks that the document ends here.
func (r *Reader) End() {
	if r.err != nil {
		return
	}
	r.peek()
	if r.pos < len(r.doc) {
		r.Fail(ErrTrailing, r.pos, "something follows the value")
	}
}
