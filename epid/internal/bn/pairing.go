package bn

import "math/big"

// GT is an element of the pairing's group of order p in Fq¹².
type GT struct{ v fq12 }

// Bytes returns the twelve coefficients: c00 c01 c02 c10 c11 c12, where cij
// stands with v^j·w^i, and of each the part without i first.
func (g GT) Bytes() (b [384]byte) {
	n := 0
	for i := range g.v {
		for j := range g.v[i] {
			for _, c := range []*fq{&g.v[i][j].c0, &g.v[i][j].c1} {
				cb := modQ.bytes(c.raw())
				n += copy(b[n:], cb[:])
			}
		}
	}
	return b
}

// IsOne reports whether g is the neutral element.
func (g GT) IsOne() bool { return g.v == fq12One() }

// loop is the non-adjacent form of |6u+2| = 6·uAbs-2, the most significant
// digit first, without the leading 1.
var loop = func() (d []int8) {
	s := new(big.Int).SetUint64(uAbs)
	s.Mul(s, big.NewInt(6)).Sub(s, big.NewInt(2))
	for s.Sign() != 0 {
		var digit int64
		if s.Bit(0) == 1 {
			digit = 2 - int64(s.Bit(1)*2+s.Bit(0)) // 1 mod 4: 1; 3 mod 4: -1
		}
		s.Sub(s, big.NewInt(digit)).Rsh(s, 1)
		d = append([]int8{int8(digit)}, d...)
	}
	return d[1:]
}()

// line is a line through points of E': at (x, y) of E, with E' carried into
// E(Fq¹²) by (x, y) -> (x·w², y·w³), it is worth y - slope·x·w + c·w³.
type line struct{ slope, c fq2 }

// Lines is what Pair wants of a point of G2: the lines that Miller's algorithm
// takes, in their order.
type Lines struct{ lines []line }

// Prepare computes the lines for q, or returns ErrPoint for infinity. It takes
// about as long as a pairing.
func Prepare(q G2) (*Lines, error) {
	if q.IsInfinity() {
		return nil, ErrPoint
	}
	var l Lines
	t := affine2{}
	t.x, t.y = q.affine()
	base := t
	for _, digit := range loop {
		l.lines = append(l.lines, t.double())
		switch digit {
		case 1:
			l.lines = append(l.lines, t.add(base))
		case -1:
			l.lines = append(l.lines, t.add(base.neg()))
		}
	}
	t = t.neg() // u is negative
	pi := base.frobenius()
	l.lines = append(l.lines, t.add(pi), t.add(pi.frobenius().neg()))
	return &l, nil
}

// affine2 is a point of G2 other than infinity. In Prepare none of the sums is
// of equal or opposite points, as the order is p.
type affine2 struct{ x, y fq2 }

func (t affine2) neg() affine2 { t.y.neg(&t.y); return t }

// frobenius is the q-th power of the point's coordinates, in E(Fq¹²).
func (t affine2) frobenius() affine2 {
	t.x.conj(&t.x).mul(&t.x, &frobeniusPowers[2])
	t.y.conj(&t.y).mul(&t.y, &frobeniusPowers[3])
	return t
}

// double sets t to 2t and returns the tangent in t.
func (t *affine2) double() line {
	var n, d fq2
	n.square(&t.x)
	n.add(&n, d.double(&n))
	d.double(&t.y)
	return t.follow(&n, &d, &t.x)
}

// add sets t to t+q and returns the line through both.
func (t *affine2) add(q affine2) line {
	var n, d fq2
	n.sub(&t.y, &q.y)
	d.sub(&t.x, &q.x)
	return t.follow(&n, &d, &q.x)
}

// follow takes the line of slope n/d through t to the third point on the
// curve, where x1 is the coordinate of the second, and sets t to its negative.
func (t *affine2) follow(n, d, x1 *fq2) (l line) {
	l.slope.inverse(d)
	l.slope.mul(&l.slope, n)
	l.c.mul(&l.slope, &t.x).sub(&l.c, &t.y)
	var x fq2
	x.square(&l.slope)
	x.sub(&x, &t.x).sub(&x, x1)
	t.y.mul(&l.slope, &x).sub(&l.c, &t.y)
	t.x = x
	return l
}

// PairTerm is a factor of Pair.
type PairTerm struct {
	P G1
	Q *Lines
}

// Pair returns the product of the optimal ate pairings e(P, Q).
func Pair(terms ...PairTerm) GT {
	type at struct {
		negX, y fq
		lines   []line
	}
	var points []at
	for _, t := range terms {
		if t.P.IsInfinity() {
			continue // the pairing is 1
		}
		x, y := t.P.affine()
		p := at{y: y, lines: t.Q.lines}
		p.negX.neg(&x)
		points = append(points, p)
	}
	f := fq12One()
	next := 0
	mulLines := func() {
		for i := range points {
			p := &points[i]
			var b fq2
			b.mulFq(&p.lines[next].slope, &p.negX)
			f.mulLine(&f, &p.y, &b, &p.lines[next].c)
		}
		next++
	}
	for i, digit := range loop {
		if i > 0 {
			f.square(&f)
		}
		mulLines()
		if digit != 0 {
			mulLines()
		}
	}
	f.conj(&f) // u is negative; what this is short of an inverse, the final power removes
	mulLines()
	mulLines()
	return GT{finalPower(&f)}
}

// finalPower returns f^((q¹²-1)/p). The power is (q⁶-1)(q²+1) times
//
//	(q⁴-q²+1)/p = q³ + (6u²+1)q² + (-36u³-18u²-12u+1)q + (-36u³-30u²-18u-2)
//
// (Devegili, Scott, Dahab: "Implementing cryptographic pairings over
// Barreto-Naehrig curves"). After the first two factors, conj inverts.
func finalPower(x *fq12) (z fq12) {
	var f, t fq12
	t.inverse(x)
	f.conj(x)
	f.mul(&f, &t)
	t.frobenius(&f)
	t.frobenius(&t)
	f.mul(&f, &t)

	// Powers of u: a = f^u, b = f^u², c = f^u³.
	var a, b, c fq12
	a.powU(&f)
	b.powU(&a)
	c.powU(&b)

	var a3, b3, b6, s, y fq12
	a3.cyclotomicSquare(&a)
	y = a3 // a²
	a3.mul(&a3, &a)
	b3.cyclotomicSquare(&b)
	b3.mul(&b3, &b)
	b6.cyclotomicSquare(&b3)
	y.mul(&y, &b3)
	t.cyclotomicSquare(&c)
	t.mul(&t, &c)
	t.cyclotomicSquare(&t)
	y.mul(&y, &t) // c⁶b³a²
	t.cyclotomicSquare(&y)
	t.mul(&t, &y)
	y.cyclotomicSquare(&t)
	y.conj(&y) // f^(-36u³-18u²-12u)

	b6.mul(&b6, &f) // f^(6u²+1)
	s.mul(&b6, &a3)
	s.cyclotomicSquare(&s)
	s.conj(&s)
	z.mul(&y, &s) // f^(-36u³-30u²-18u-2)
	y.mul(&y, &f)

	// Horner's scheme for the powers of q.
	t.frobenius(&f)
	t.mul(&t, &b6)
	t.frobenius(&t)
	t.mul(&t, &y)
	t.frobenius(&t)
	z.mul(&z, &t)
	return z
}

// powU is x^u for x whose inverse is its conjugate.
func (z *fq12) powU(x *fq12) {
	base := *x
	*z = *x
	for i := 61; i >= 0; i-- { // uAbs has 63 bits
		z.cyclotomicSquare(z)
		if uint64(uAbs)>>i&1 == 1 {
			z.mul(z, &base)
		}
	}
	z.conj(z)
}

// cyclotomicSquare is x² for x of norm 1 over Fq⁴ and Fq⁶ (Granger, Scott:
// "Faster squaring in the cyclotomic subgroup of sixth degree extensions").
func (z *fq12) cyclotomicSquare(x *fq12) {
	var r fq12
	square4(&r[0][0], &r[1][1], &x[0][0], &x[1][1])
	square4(&r[0][1], &r[1][2], &x[1][0], &x[0][2])
	square4(&r[0][2], &r[1][0], &x[0][1], &x[1][2])
	r[1][0].mulXi(&r[1][0])
	for j := range 3 {
		var t fq2
		t.sub(&r[0][j], &x[0][j])
		z[0][j].add(t.double(&t), &r[0][j]) // 3r - 2x
		t.add(&r[1][j], &x[1][j])
		z[1][j].add(t.double(&t), &r[1][j]) // 3r + 2x
	}
}

// square4 is (a + b·s)² in Fq⁴ = Fq²[s]/(s²-xi).
func square4(r0, r1, a, b *fq2) {
	var aa, bb, s fq2
	aa.square(a)
	bb.square(b)
	s.add(a, b)
	s.square(&s)
	r1.sub(&s, &aa).sub(r1, &bb)
	r0.mulXi(&bb).add(r0, &aa)
}
