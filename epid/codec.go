package epid

import (
	"encoding/binary"
	"fmt"

	"github.com/feidi-dev/feidi/epid/internal/bn"
)

type (
	// GroupID names a group, big-endian.
	GroupID [4]byte
	// Number is a number less than the order p of the groups, big-endian.
	Number [32]byte
	// Point is x and y of a point of G1, or zeros for the neutral element.
	Point [64]byte
	// Point2 is a point of G2: x and y, of each the part without i first.
	Point2 [128]byte
)

// decoder takes apart what has the length it should have. The first error
// stays, and what is read after it is zeros.
type decoder struct {
	what   string
	data   []byte
	offset int
	err    error
}

func (d *decoder) fail(offset int, format string, args ...any) {
	if d.err == nil {
		d.err = &FormatError{d.what, offset, fmt.Sprintf(format, args...)}
	}
}

func (d *decoder) read(to []byte) {
	if d.err == nil && len(d.data)-d.offset < len(to) {
		d.fail(d.offset, "%d bytes are left, want %d", len(d.data)-d.offset, len(to))
	}
	if d.err == nil {
		d.offset += copy(to, d.data[d.offset:])
	}
}

func (d *decoder) uint32() uint32 {
	var b [4]byte
	d.read(b[:])
	return binary.BigEndian.Uint32(b[:])
}

func (d *decoder) gid() (g GroupID) {
	d.read(g[:])
	return g
}

func (d *decoder) number() (n Number) {
	at := d.offset
	d.read(n[:])
	if _, err := n.scalar(); err != nil {
		d.fail(at, "%v", err)
	}
	return n
}

func (d *decoder) point() (p Point) {
	at := d.offset
	d.read(p[:])
	if _, err := p.g1(); err != nil {
		d.fail(at, "%v", err)
	}
	return p
}

// count reads the number of entries, which have to be all that follows.
func (d *decoder) count(entry int) int {
	at := d.offset
	n := d.uint32()
	if rest := len(d.data) - d.offset; d.err == nil && uint64(n)*uint64(entry) != uint64(rest) {
		d.fail(at, "%d entries of %d bytes in %d bytes", n, entry, rest)
	}
	if d.err != nil {
		return 0
	}
	return int(n)
}

func (d *decoder) end() error {
	if d.err == nil && d.offset != len(d.data) {
		d.fail(d.offset, "%d bytes too many", len(d.data)-d.offset)
	}
	return d.err
}

// ended returns v if the decoder is at its end and had no error.
func ended[T any](d *decoder, v *T) (*T, error) {
	if err := d.end(); err != nil {
		return nil, err
	}
	return v, nil
}

func (n Number) scalar() (bn.Scalar, error) { return bn.NewScalar(n) }

func (p Point) g1() (bn.G1, error) { return bn.NewG1(p) }

// points decodes several points.
func points(ps ...Point) ([]bn.G1, error) {
	r := make([]bn.G1, len(ps))
	for i, p := range ps {
		var err error
		if r[i], err = p.g1(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func scalars(ns ...Number) ([]bn.Scalar, error) {
	r := make([]bn.Scalar, len(ns))
	for i, n := range ns {
		var err error
		if r[i], err = n.scalar(); err != nil {
			return nil, err
		}
	}
	return r, nil
}
