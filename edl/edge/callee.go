package edge

import (
	"fmt"
	"math"

	"github.com/feidi-dev/feidi/status"
)

// Memory is untrusted memory, as a callee reaches it.
type Memory interface {
	// Check reports whether the n bytes at addr (n > 0) lie wholly in
	// memory that this side may touch. It is false if they wrap around.
	Check(addr, n uint64) bool
	// Load copies untrusted memory that was checked into dst, and Store
	// copies src to it. They fail if it is gone.
	Load(dst []byte, addr uint64) error
	Store(addr uint64, src []byte) error
}

// Callee is a call that is being served. The block is a copy of its
// marshalling structure: what the other side does to the original after that
// goes unseen. The first error sticks: nothing happens from then on.
type Callee struct {
	Block
	sticky
	mem  Memory
	ms   uint64
	left uint64 // bytes that may still be allocated

	small [256]byte // holds most marshalling structures
}

// Begin makes c a call with the marshalling structure of size bytes at ms, and
// copies that. limit bounds in bytes what is allocated for buffers, whose
// lengths are the other side's to choose. A function without a marshalling
// structure (size 0) is called with a null pointer.
func (c *Callee) Begin(mem Memory, ms uint64, size int, limit uint64) error {
	c.mem, c.ms, c.left, c.err = mem, ms, limit, nil
	switch {
	case size == 0 && ms != 0:
		c.fail(Buffer{Addr: ms}, status.ErrInvalidParameter, "a marshalling structure for a function that has none")
	case size == 0:
	case ms == 0 || !mem.Check(ms, uint64(size)):
		c.fail(Buffer{Addr: ms, Size: uint64(size)}, status.ErrInvalidParameter, "the marshalling structure is not in untrusted memory")
	default:
		if size <= len(c.small) {
			c.Block = c.small[:size]
		} else {
			c.Block = make(Block, size)
		}
		c.err = mem.Load(c.Block, ms)
	}
	return c.err
}

func (c *Callee) fail(b Buffer, code status.Code, reason string) {
	c.Fail(&BufferError{Addr: b.Addr, Size: b.Size, Reason: reason, Status: code})
}

// Buffer is a buffer of the other side. The zero Buffer is none: a null
// pointer, or no bytes.
type Buffer struct {
	Addr, Size uint64
	text       Block // what Terminated has read already
}

// Buffer is the buffer of size bytes whose address is at off. It must lie
// wholly in untrusted memory, and no bytes must lie there, too.
func (c *Callee) Buffer(off int, size uint64) Buffer {
	return c.buffer(Buffer{Addr: c.U64(off), Size: size})
}

// BufferAt is Buffer for the member of a struct in b. There no bytes are no
// buffer, wherever they lie.
func (c *Callee) BufferAt(b Block, off int, size uint64) Buffer {
	if size == 0 {
		return Buffer{}
	}
	return c.buffer(Buffer{Addr: b.U64(off), Size: size})
}

func (c *Callee) buffer(b Buffer) Buffer {
	switch {
	case c.err != nil || b.Addr == 0:
		return Buffer{}
	case !c.mem.Check(b.Addr, max(b.Size, 1)):
		c.fail(b, status.ErrInvalidParameter, "not in untrusted memory")
		return Buffer{}
	case b.Size == 0:
		return Buffer{}
	}
	return b
}

// Whole fails for a length that is no whole number of elements.
func (c *Callee) Whole(b Buffer, elem uint64) {
	if b.Size%elem != 0 {
		c.fail(b, status.ErrInvalidParameter, fmt.Sprintf("no whole number of elements of %d bytes", elem))
	}
}

// Reserve takes n bytes from the limit.
func (c *Callee) Reserve(n uint64) bool {
	if c.err == nil && (n > c.left || n > math.MaxInt) {
		c.fail(Buffer{Size: n}, status.ErrOutOfMemory, "beyond the limit of a call")
	}
	if c.err != nil {
		return false
	}
	c.left -= n
	return true
}

// Load copies a buffer; nil for none. Each is loaded once.
func (c *Callee) Load(b Buffer) Block {
	if b.Size == 0 || !c.Reserve(b.Size) {
		return nil
	}
	p := make(Block, b.Size)
	if c.Fail(c.mem.Load(p, b.Addr)) {
		return nil
	}
	return p
}

// LoadText copies a string of an ECALL, which must end with its only zero
// byte; "" for none. The block is the copy.
func (c *Callee) LoadText(b Buffer) string {
	p := c.Load(b)
	if len(p) == 0 {
		return ""
	}
	p[len(p)-1] = 0
	s := Text(p)
	if len(s)+1 != len(p) {
		c.fail(b, status.ErrUnexpected, "a string that ends before its length")
	}
	return s
}

// LoadWide is LoadText for wchar_t.
func (c *Callee) LoadWide(b Buffer) string {
	if b.Size%4 != 0 {
		c.fail(b, status.ErrUnexpected, "no whole number of wchar_t")
		return ""
	}
	p := c.Load(b)
	if len(p) == 0 {
		return ""
	}
	p.PutU32(len(p)-4, 0)
	for i := 0; i < len(p)-4; i += 4 {
		if p.U32(i) == 0 {
			c.fail(b, status.ErrUnexpected, "a string that ends before its length")
			return ""
		}
	}
	return Wide(p)
}

// Terminated is the string of characters of unit bytes (1, or 4 for wchar_t)
// whose address is at off: that of an OCALL, whose length is not passed. It
// is copied up to its terminating zero.
func (c *Callee) Terminated(off, unit int) Buffer {
	buf := Buffer{Addr: c.U64(off)}
	if c.err != nil || buf.Addr == 0 {
		return Buffer{}
	}
	for n := uint64(64); ; {
		addr := buf.Addr + buf.Size
		for addr < buf.Addr || !c.mem.Check(addr, n) {
			if n /= 2; n < uint64(unit) {
				c.fail(buf, status.ErrInvalidParameter, "a string without an end in untrusted memory")
				return Buffer{}
			}
		}
		if !c.Reserve(n) {
			return Buffer{}
		}
		start := len(buf.text)
		buf.text = append(buf.text, make(Block, n)...)
		if c.Fail(c.mem.Load(buf.text[start:], addr)) {
			return Buffer{}
		}
		buf.Size += n
		if end := terminator(buf.text, start, unit); end > 0 {
			buf.text, buf.Size = buf.text[:end], uint64(end)
			return buf
		}
		if n < 1<<16 {
			n *= 2
		}
	}
}

// terminator returns the offset behind the first zero character from start, 0
// if there is none.
func terminator(b Block, start, unit int) int {
	for i := start; i+unit <= len(b); i += unit {
		if unit == 1 && b[i] == 0 || unit == 4 && b.U32(i) == 0 {
			return i + unit
		}
	}
	return 0
}

// Text is the string that Terminated has copied.
func (b Buffer) Text() string { return Text(b.text) }

// Wide is Text for wchar_t.
func (b Buffer) Wide() string { return Wide(b.text) }

// Result is a zeroed block for what goes to a buffer; nil for none. It is
// called before the function, so that memory runs out before that does
// anything. The length of a null pointer counts, too: the function is told of
// it.
func (c *Callee) Result(b Buffer, size uint64) Block {
	if size == 0 || !c.Reserve(size) || b.Size == 0 {
		return nil
	}
	return make(Block, size)
}

// Return writes the first n bytes of the marshalling structure back: the
// result, and errno.
func (c *Callee) Return(n int) {
	if c.err == nil {
		c.Fail(c.mem.Store(c.ms, c.Block[:n]))
	}
}

// Store writes a result back to a buffer.
func (c *Callee) Store(b Buffer, p Block) {
	if c.err == nil && b.Size != 0 && len(p) != 0 {
		c.Fail(c.mem.Store(b.Addr, p[:min(b.Size, uint64(len(p)))]))
	}
}

// StoreText writes a string back to the buffer of one that is no shorter.
func (c *Callee) StoreText(name string, b Buffer, s string) {
	c.storeText(name, b, s, TextSize, putText)
}

// StoreWide is StoreText for wchar_t.
func (c *Callee) StoreWide(name string, b Buffer, s string) {
	c.storeText(name, b, s, WideSize, putWide)
}

func (c *Callee) storeText(name string, b Buffer, s string, size func(string) int, put func(Block, string)) {
	if s == "" && b.Size == 0 {
		return
	}
	c.noZero(name, s)
	c.Room(name, uint64(size(s)), b.Size)
	if c.err == nil {
		p := make(Block, size(s))
		put(p, s)
		c.Store(b, p)
	}
}
