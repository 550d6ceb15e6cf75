package edge

import (
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/feidi-dev/feidi/status"
)

// Space is where a caller puts what it passes: untrusted memory.
type Space interface {
	// Alloc returns memory for n bytes, which is zeroed, and its address.
	// What is written to the block is in untrusted memory when the call is
	// made, at the latest.
	Alloc(n int) (Region, error)
	// Fetch brings what the other side left in the region, and returns it.
	// It reads untrusted memory at most once.
	Fetch(r Region) Block
}

// Region is a piece of untrusted memory that a caller passes. The zero Region
// is a null pointer.
type Region struct {
	Addr  uint64
	Block Block
}

// Caller is a call that is being made. The block is its marshalling structure.
// The first error sticks: nothing happens from then on, and the call returns
// it.
type Caller struct {
	Block
	Space Space
	err   error
}

// Reset makes c fit for another call, with the same space.
func (c *Caller) Reset() { c.Block, c.err = nil, nil }

// Err returns the first error.
func (c *Caller) Err() error { return c.err }

// Fail keeps the first error.
func (c *Caller) Fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// In makes room for an argument of n bytes and puts its address at off. The
// caller fills the block, which is there even if the call has failed already.
// No bytes are a null pointer.
func (c *Caller) In(off, n int) Region { return c.InAt(c.Block, off, n) }

// InAt is In for a pointer that is not in the marshalling structure, but in b.
func (c *Caller) InAt(b Block, off, n int) Region {
	r := c.alloc(b, off, n)
	if r.Block == nil {
		r.Block = make(Block, n)
	}
	return r
}

// Out makes room for a result of n bytes and puts its address at off. The
// block is empty if the call has failed already.
func (c *Caller) Out(off int, n uint64) Region {
	if n > math.MaxInt {
		c.Fail(fmt.Errorf("edl/edge: a result of %d bytes: %w", n, status.ErrOutOfMemory))
		return Region{}
	}
	return c.alloc(c.Block, off, int(n))
}

func (c *Caller) alloc(b Block, off, n int) Region {
	if n == 0 || c.err != nil {
		b.PutU64(off, 0)
		return Region{}
	}
	r, err := c.Space.Alloc(n)
	if err != nil {
		c.Fail(err)
		return Region{}
	}
	b.PutU64(off, r.Addr)
	return r
}

// Text passes a string: its address is put at off.
func (c *Caller) Text(name string, off int, s string) Region {
	c.noZero(name, s)
	r := c.In(off, TextSize(s))
	PutText(r.Block, s)
	return r
}

// Wide passes a string of wchar_t.
func (c *Caller) Wide(name string, off int, s string) Region {
	c.noZero(name, s)
	r := c.In(off, WideSize(s))
	PutWide(r.Block, s)
	return r
}

func (c *Caller) noZero(name, s string) {
	if strings.IndexByte(s, 0) >= 0 {
		c.Fail(fmt.Errorf("edl/edge: %s: %w", name, ErrZero))
	}
}

// Back returns what the other side left in a region. It is called once per
// region, after the call.
func (c *Caller) Back(r Region) Block {
	if r.Block == nil {
		return nil
	}
	return c.Space.Fetch(r)
}

// Count is the length of a slice in the unit of the parameter that C has it
// in. A nil slice, which C sees as a null pointer, has none.
type Count struct {
	n        uint64
	null, ok bool
}

// Items is the number of elements.
func Items[T any](s []T) Count { return Count{uint64(len(s)), s == nil, true} }

// Bytes is the number of bytes, at size bytes to an element.
func Bytes[T any](s []T, size uint64) Count { return Units(s, size, 1) }

// Units is the number of units of unit bytes, at size bytes to an element.
func Units[T any](s []T, size, unit uint64) Count {
	n := uint64(len(s)) * size // in memory, or nearly
	return Count{n / unit, s == nil, n%unit == 0}
}

// Len is a length that C has in a parameter of its own, and Go in slices, all
// of which must agree. limit is the greatest value of the parameter.
func (c *Caller) Len(name string, limit uint64, counts ...Count) uint64 {
	n, known := uint64(0), false
	for _, count := range counts {
		switch {
		case count.null:
		case !count.ok:
			c.Fail(fmt.Errorf("edl/edge: %s: %w: a slice is no whole multiple of it", name, ErrLength))
		case known && n != count.n:
			c.Fail(fmt.Errorf("edl/edge: %s: %w: slices of %d and %d", name, ErrLength, n, count.n))
		default:
			n, known = count.n, true
		}
	}
	if n > limit {
		c.Fail(fmt.Errorf("edl/edge: %s: %w: %d is more than %d", name, ErrLength, n, limit))
	}
	return n
}

// Match checks that a slice is as long as parameters say, in bytes.
func (c *Caller) Match(name string, bytes uint64, count Count) {
	if !count.null && count.n != bytes {
		c.Fail(fmt.Errorf("edl/edge: %s: %w: %d bytes, where %d are passed", name, ErrLength, count.n, bytes))
	}
}

// Mul is the length of a buffer: a product, which must not overflow.
func (c *Caller) Mul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi != 0 {
		c.Fail(fmt.Errorf("edl/edge: %w: %d times %d", ErrLength, a, b))
	}
	return lo
}
