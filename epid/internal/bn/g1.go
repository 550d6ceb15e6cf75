package bn

import "errors"

// ErrPoint is the error of coordinates that name no point of the group.
var ErrPoint = errors.New("coordinates are not those of a point of the group")

// G1 is a point of E in projective coordinates: (x:y:z) is (x/z, y/z). The zero
// value is no point; see Infinity.
type G1 struct{ x, y, z fq }

// Infinity returns the neutral element.
func Infinity() (p G1) { p.y = fq(modQ.one); return p }

// Generator returns the point (1, 2).
func Generator() (p G1) {
	p.x.setInt(1)
	p.y.setInt(2)
	p.z.setInt(1)
	return p
}

// NewG1 reads a point, or returns ErrPoint. As p is the order of the whole
// curve, a point on it is in the group.
func NewG1(b [64]byte) (G1, error) {
	if b == [64]byte{} {
		return Infinity(), nil
	}
	p := G1{z: fq(modQ.one)}
	if !modQ.set(p.x.raw(), b[:32]) || !modQ.set(p.y.raw(), b[32:]) {
		return G1{}, ErrPoint
	}
	var l fq
	if l.mul(&p.y, &p.y); l != g1RightSide(&p.x) {
		return G1{}, ErrPoint
	}
	return p, nil
}

// g1RightSide is x³ + 3.
func g1RightSide(x *fq) (r fq) {
	var three fq
	three.setInt(3)
	r.mul(x, x).mul(&r, x)
	r.add(&r, &three)
	return r
}

// Lift returns the two points with a coordinate x of 32 bytes, or ErrPoint. Of
// the y, the first is the one whose Montgomery form, y·2^256 mod q, is even.
func Lift(x [32]byte) (p, q G1, err error) {
	if !modQ.set(p.x.raw(), x[:]) || !p.lift() {
		return G1{}, G1{}, ErrPoint
	}
	return p, p.Neg(), nil
}

// LiftMod is Lift for x of at most 64 bytes, taken mod q, and returns the first
// of the points.
func LiftMod(x []byte) (p G1, err error) {
	modQ.setWide(p.x.raw(), x)
	if !p.lift() {
		return G1{}, ErrPoint
	}
	return p, nil
}

func (p *G1) lift() bool {
	r := g1RightSide(&p.x)
	if !p.y.sqrt(&r) {
		return false
	}
	if p.y[0]&1 == 1 {
		p.y.neg(&p.y)
	}
	p.z = fq(modQ.one)
	return true
}

// affine returns the coordinates, zeros for the point at infinity.
func (p *G1) affine() (x, y fq) {
	var i fq
	i.inverse(&p.z)
	x.mul(&p.x, &i)
	y.mul(&p.y, &i)
	return x, y
}

// Bytes returns the coordinates, zeros for the point at infinity.
func (p G1) Bytes() (b [64]byte) {
	x, y := p.affine()
	bx, by := modQ.bytes(x.raw()), modQ.bytes(y.raw())
	copy(b[:], bx[:])
	copy(b[32:], by[:])
	return b
}

// IsInfinity reports whether p is the neutral element.
func (p G1) IsInfinity() bool { return p.z.isZero() }

// Equal reports whether p and q are the same point.
func (p G1) Equal(q G1) bool { return p.Add(q.Neg()).IsInfinity() }

// Neg returns -p.
func (p G1) Neg() G1 { p.y.neg(&p.y); return p }

// Add returns p + q. The formulas are complete: they hold for equal points and
// for infinity, too (Renes, Costello, Batina: "Complete addition formulas for
// prime order elliptic curves", algorithm 7).
func (p G1) Add(q G1) (r G1) { r.add(&p, &q); return r }

func (r *G1) add(p, q *G1) {
	var xx, yy, zz, xy, yz, xz, s fq
	xx.mul(&p.x, &q.x)
	yy.mul(&p.y, &q.y)
	zz.mul(&p.z, &q.z)
	xy.add(&p.x, &p.y).mul(&xy, s.add(&q.x, &q.y)).sub(&xy, &xx).sub(&xy, &yy)
	yz.add(&p.y, &p.z).mul(&yz, s.add(&q.y, &q.z)).sub(&yz, &yy).sub(&yz, &zz)
	xz.add(&p.x, &p.z).mul(&xz, s.add(&q.x, &q.z)).sub(&xz, &xx).sub(&xz, &zz)

	var sum, diff, t fq
	zz.times9(&zz)
	xz.times9(&xz)
	sum.add(&yy, &zz)
	diff.sub(&yy, &zz)
	xx.add(&xx, t.double(&xx))

	r.x.mul(&xy, &diff).sub(&r.x, t.mul(&yz, &xz))
	r.y.mul(&sum, &diff).add(&r.y, t.mul(&xx, &xz))
	r.z.mul(&sum, &yz).add(&r.z, t.mul(&xx, &xy))
}

// double is algorithm 9 of the same paper.
func (r *G1) double(p *G1) {
	var yy, zz, xy, yz, d, s, t fq
	yy.mul(&p.y, &p.y)
	zz.mul(&p.z, &p.z)
	zz.times9(&zz)
	xy.mul(&p.x, &p.y)
	yz.mul(&p.y, &p.z)
	d.sub(&yy, t.double(&zz)).sub(&d, &zz)
	s.add(&yy, &zz)
	yy.double(&yy).double(&yy).double(&yy)

	r.x.mul(&xy, &d)
	r.x.double(&r.x)
	r.y.mul(&d, &s).add(&r.y, t.mul(&yy, &zz))
	r.z.mul(&yy, &yz)
}

// times9 is the product with 3b.
func (z *fq) times9(x *fq) {
	var t fq
	t.double(x).double(&t).double(&t)
	z.add(x, &t)
}

// Mul returns k·p.
func (p G1) Mul(k Scalar) G1 { return Sum(Term{p, k}) }

// Term is a summand of Sum.
type Term struct {
	P G1
	K Scalar
}

// Sum returns the sum of all K·P, in a time that depends on their number only.
func Sum(terms ...Term) G1 {
	tables := make([][16]G1, len(terms)) // the multiples from 0 to 15
	digits := make([][64]uint64, len(terms))
	for i, t := range terms {
		digits[i] = t.K.digits()
		tables[i][0] = Infinity()
		for j := 1; j < 16; j++ {
			tables[i][j].add(&tables[i][j-1], &t.P)
		}
	}
	r := Infinity()
	for d := 63; d >= 0; d-- {
		if d < 63 {
			for range 4 {
				r.double(&r)
			}
		}
		for i := range tables {
			var s G1
			for j := range tables[i] {
				mask, e := ctEqual(uint64(j), digits[i][d]), &tables[i][j]
				ctSelect(s.x.raw(), e.x.raw(), mask)
				ctSelect(s.y.raw(), e.y.raw(), mask)
				ctSelect(s.z.raw(), e.z.raw(), mask)
			}
			r.add(&r, &s)
		}
	}
	return r
}
