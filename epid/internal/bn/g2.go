package bn

// G2 is a point of E' of order p, or infinity, in projective coordinates. The
// zero value is no point.
type G2 struct{ x, y, z fq2 }

// twistB is 3/xi, the constant of E', and twistB3 is three times that.
var twistB, twistB3 = func() (b, b3 fq2) {
	var one, three fq2
	one.c0.setInt(1)
	three.c0.setInt(3)
	b.mulXi(&one)
	b.inverse(&b)
	b.mul(&b, &three)
	b3.mul(&b, &three)
	return b, b3
}()

// Generator2 returns the generator of EPID 2.0.
func Generator2() G2 { return generator2 }

var generator2 = func() G2 {
	var b [128]byte
	for i := range b {
		b[i] = unhex(hexG2[2*i])<<4 | unhex(hexG2[2*i+1])
	}
	g, err := NewG2(b)
	if err != nil {
		panic("bn: the generator of G2 is not in G2")
	}
	return g
}()

func unhex(c byte) byte {
	if c >= 'A' {
		return c - 'A' + 10
	}
	return c - '0'
}

func infinity2() (p G2) { p.y.c0.setInt(1); return p }

// NewG2 reads a point, or returns ErrPoint. It checks that the point is on the
// curve and of order p, which takes a multiplication.
func NewG2(b [128]byte) (G2, error) {
	if b == [128]byte{} {
		return infinity2(), nil
	}
	var p G2
	p.z.c0.setInt(1)
	for i, c := range []*fq{&p.x.c0, &p.x.c1, &p.y.c0, &p.y.c1} {
		if !modQ.set(c.raw(), b[32*i:32*i+32]) {
			return G2{}, ErrPoint
		}
	}
	var l, r fq2
	l.square(&p.y)
	r.square(&p.x)
	r.mul(&r, &p.x).add(&r, &twistB)
	if l != r || !p.mulLimbs(&modP.m).IsInfinity() {
		return G2{}, ErrPoint
	}
	return p, nil
}

func (p *G2) affine() (x, y fq2) {
	var i fq2
	i.inverse(&p.z)
	x.mul(&p.x, &i)
	y.mul(&p.y, &i)
	return x, y
}

// Bytes returns x and y, of each the part without i first; zeros for infinity.
func (p G2) Bytes() (b [128]byte) {
	x, y := p.affine()
	for i, c := range []*fq{&x.c0, &x.c1, &y.c0, &y.c1} {
		cb := modQ.bytes(c.raw())
		copy(b[32*i:], cb[:])
	}
	return b
}

// IsInfinity reports whether p is the neutral element.
func (p G2) IsInfinity() bool { return p.z.isZero() }

// Neg returns -p.
func (p G2) Neg() G2 { p.y.neg(&p.y); return p }

// Add returns p + q, by the formulas of G1: the order of E' is odd, so they are
// complete on all of it.
func (p G2) Add(q G2) (r G2) { r.add(&p, &q); return r }

func (r *G2) add(p, q *G2) {
	var xx, yy, zz, xy, yz, xz, s fq2
	xx.mul(&p.x, &q.x)
	yy.mul(&p.y, &q.y)
	zz.mul(&p.z, &q.z)
	xy.add(&p.x, &p.y).mul(&xy, s.add(&q.x, &q.y)).sub(&xy, &xx).sub(&xy, &yy)
	yz.add(&p.y, &p.z).mul(&yz, s.add(&q.y, &q.z)).sub(&yz, &yy).sub(&yz, &zz)
	xz.add(&p.x, &p.z).mul(&xz, s.add(&q.x, &q.z)).sub(&xz, &xx).sub(&xz, &zz)

	var sum, diff, t fq2
	zz.mul(&zz, &twistB3)
	xz.mul(&xz, &twistB3)
	sum.add(&yy, &zz)
	diff.sub(&yy, &zz)
	xx.add(&xx, t.double(&xx))

	r.x.mul(&xy, &diff).sub(&r.x, t.mul(&yz, &xz))
	r.y.mul(&sum, &diff).add(&r.y, t.mul(&xx, &xz))
	r.z.mul(&sum, &yz).add(&r.z, t.mul(&xx, &xy))
}

// Mul returns k·p, in a time that does not depend on k.
func (p G2) Mul(k Scalar) G2 {
	n := fromScalar(k)
	return p.mulLimbs(&n)
}

func fromScalar(k Scalar) [4]uint64 {
	b := k.Bytes()
	return fromBytes(b[:])
}

// mulLimbs adds at each bit, and keeps the sum where the bit is set.
func (p *G2) mulLimbs(k *[4]uint64) G2 {
	r := infinity2()
	for i := 255; i >= 0; i-- {
		r.add(&r, &r)
		s := r
		s.add(&s, p)
		mask := -(k[i/64] >> (i % 64) & 1)
		for j, c := range []*fq{&r.x.c0, &r.x.c1, &r.y.c0, &r.y.c1, &r.z.c0, &r.z.c1} {
			d := []*fq{&s.x.c0, &s.x.c1, &s.y.c0, &s.y.c1, &s.z.c0, &s.z.c1}[j]
			ctSelect(c.raw(), d.raw(), mask)
		}
	}
	return r
}
