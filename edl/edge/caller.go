package edge

import (
	"fmt"
	"math"

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
	sticky
	Space Space
}

// Reset makes c fit for another call, with the same space.
func (c *Caller) Reset() { c.Block, c.err = nil, nil }

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
	putText(r.Block, s)
	return r
}

// Wide passes a string of wchar_t.
func (c *Caller) Wide(name string, off int, s string) Region {
	c.noZero(name, s)
	r := c.In(off, WideSize(s))
	putWide(r.Block, s)
	return r
}

// Back returns what the other side left in a region. It is called once per
// region, after the call.
func (c *Caller) Back(r Region) Block {
	if r.Addr == 0 {
		return nil
	}
	return c.Space.Fetch(r)
}

// Part returns the first n bytes of what the other side left in a region, for
// a buffer whose length it has changed. It must not have grown.
func (c *Caller) Part(name string, r Region, n uint64) Block {
	if r.Addr == 0 || !c.Room(name, n, uint64(len(r.Block))) {
		return nil
	}
	return c.Back(r)[:n]
}
