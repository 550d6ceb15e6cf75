package edge

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/feidi-dev/feidi/status"
)

// Mul is the length of a buffer: a product, which must not overflow.
func (s *sticky) Mul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi != 0 {
		s.Fail(fmt.Errorf("edl/edge: %w: %w: %d times %d bytes", status.ErrInvalidParameter, ErrLength, a, b))
	}
	return lo
}

// Room fails if n bytes are more than size, and reports whether all is well.
func (s *sticky) Room(name string, n, size uint64) bool {
	if n > size {
		s.Fail(fmt.Errorf("edl/edge: %s: %w: %w: %d bytes for %d", name, status.ErrInvalidParameter, ErrResult, n, size))
	}
	return s.err == nil
}

// noZero fails for a string that C would see the end of too early.
func (s *sticky) noZero(name, text string) {
	if strings.IndexByte(text, 0) >= 0 {
		s.Fail(fmt.Errorf("edl/edge: %s: %w", name, ErrZero))
	}
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
	n := uint64(len(s)) * size // no overflow: about as many bytes are in memory
	return Count{n / unit, s == nil, n%unit == 0}
}

// Len is a length that C has in a parameter of its own, and Go in slices, all
// of which must agree. limit is the greatest value of the parameter.
func (s *sticky) Len(name string, limit uint64, counts ...Count) uint64 {
	n, known := uint64(0), false
	for _, count := range counts {
		switch {
		case count.null:
		case !count.ok:
			s.Fail(fmt.Errorf("edl/edge: %s: %w: a slice is no whole multiple of it", name, ErrLength))
		case known && n != count.n:
			s.Fail(fmt.Errorf("edl/edge: %s: %w: slices of %d and %d", name, ErrLength, n, count.n))
		default:
			n, known = count.n, true
		}
	}
	if n > limit {
		s.Fail(fmt.Errorf("edl/edge: %s: %w: %d is more than %d", name, ErrLength, n, limit))
	}
	return n
}

// Match checks that a slice is as long as parameters say, in bytes.
func (s *sticky) Match(name string, bytes uint64, count Count) {
	if !count.null && count.n != bytes {
		s.Fail(fmt.Errorf("edl/edge: %s: %w: %d bytes, where %d are passed", name, ErrLength, count.n, bytes))
	}
}
