package bn

import "math/big"

// fq6 is c[0] + c[1]·v + c[2]·v², with v³ = xi.
type fq6 [3]fq2

func (z *fq6) add(x, y *fq6) *fq6 {
	for i := range z {
		z[i].add(&x[i], &y[i])
	}
	return z
}

func (z *fq6) sub(x, y *fq6) *fq6 {
	for i := range z {
		z[i].sub(&x[i], &y[i])
	}
	return z
}

func (z *fq6) neg(x *fq6) *fq6 { return z.sub(&fq6{}, x) }

// mulV is the product with v.
func (z *fq6) mulV(x *fq6) *fq6 {
	c := x[2]
	z[2], z[1] = x[1], x[0]
	z[0].mulXi(&c)
	return z
}

// mul is Karatsuba's: six multiplications in Fq².
func (z *fq6) mul(x, y *fq6) *fq6 {
	var p0, p1, p2, s, t, r0, r1, r2 fq2
	p0.mul(&x[0], &y[0])
	p1.mul(&x[1], &y[1])
	p2.mul(&x[2], &y[2])

	s.add(&x[1], &x[2])
	t.add(&y[1], &y[2])
	r0.mul(&s, &t)
	r0.sub(&r0, &p1).sub(&r0, &p2)
	r0.mulXi(&r0).add(&r0, &p0)

	s.add(&x[0], &x[1])
	t.add(&y[0], &y[1])
	r1.mul(&s, &t)
	r1.sub(&r1, &p0).sub(&r1, &p1)
	s.mulXi(&p2)
	r1.add(&r1, &s)

	s.add(&x[0], &x[2])
	t.add(&y[0], &y[2])
	r2.mul(&s, &t)
	r2.sub(&r2, &p0).sub(&r2, &p2).add(&r2, &p1)

	z[0], z[1], z[2] = r0, r1, r2
	return z
}

// mul01 is the product with b0 + b1·v.
func (z *fq6) mul01(x *fq6, b0, b1 *fq2) *fq6 {
	var p0, p1, s, t, r0, r1, r2 fq2
	p0.mul(&x[0], b0)
	p1.mul(&x[1], b1)

	s.add(&x[1], &x[2])
	r0.mul(&s, b1).sub(&r0, &p1)
	r0.mulXi(&r0).add(&r0, &p0)

	s.add(&x[0], &x[1])
	t.add(b0, b1)
	r1.mul(&s, &t).sub(&r1, &p0)
	r1.sub(&r1, &p1)

	r2.mul(&x[2], b0)
	r2.add(&r2, &p1)
	z[0], z[1], z[2] = r0, r1, r2
	return z
}

// inverse multiplies by the two conjugates over Fq² and divides by the norm.
func (z *fq6) inverse(x *fq6) *fq6 {
	var a, b, c, t, n fq2
	a.square(&x[0])
	t.mul(&x[1], &x[2])
	a.sub(&a, t.mulXi(&t))
	b.square(&x[2])
	b.mulXi(&b)
	t.mul(&x[0], &x[1])
	b.sub(&b, &t)
	c.square(&x[1])
	t.mul(&x[0], &x[2])
	c.sub(&c, &t)

	n.mul(&x[2], &b)
	t.mul(&x[1], &c)
	n.add(&n, &t)
	n.mulXi(&n)
	t.mul(&x[0], &a)
	n.add(&n, &t)
	n.inverse(&n)
	z[0].mul(&a, &n)
	z[1].mul(&b, &n)
	z[2].mul(&c, &n)
	return z
}

// fq12 is c[0] + c[1]·w, with w² = v.
type fq12 [2]fq6

func fq12One() (z fq12) {
	z[0][0].c0 = fq(modQ.one)
	return z
}

func (z *fq12) mul(x, y *fq12) *fq12 {
	var p0, p1, s, t fq6
	p0.mul(&x[0], &y[0])
	p1.mul(&x[1], &y[1])
	s.add(&x[0], &x[1])
	t.add(&y[0], &y[1])
	s.mul(&s, &t)
	z[1].sub(s.sub(&s, &p0), &p1)
	z[0].add(&p0, p1.mulV(&p1))
	return z
}

// square is (c0+c1)(c0+v·c1) - (1+v)·c0c1 + 2·c0c1·w.
func (z *fq12) square(x *fq12) *fq12 {
	var p, s, t fq6
	p.mul(&x[0], &x[1])
	s.add(&x[0], &x[1])
	t.mulV(&x[1])
	t.add(&t, &x[0])
	s.mul(&s, &t)
	s.sub(&s, &p)
	t.mulV(&p)
	z[0].sub(&s, &t)
	z[1].add(&p, &p)
	return z
}

// mulLine is the product with a + b·w + c·w³, what a line is worth at a point.
func (z *fq12) mulLine(x *fq12, a *fq, b, c *fq2) *fq12 {
	var p0, p1, s fq6
	for i := range p0 {
		p0[i].mulFq(&x[0][i], a)
	}
	p1.mul01(&x[1], b, c)
	s.add(&x[0], &x[1])
	ab := *b
	ab.c0.add(&ab.c0, a)
	s.mul01(&s, &ab, c)
	z[1].sub(s.sub(&s, &p0), &p1)
	z[0].add(&p0, p1.mulV(&p1))
	return z
}

// conj is x^(q⁶), and the inverse where the norm over Fq⁶ is 1.
func (z *fq12) conj(x *fq12) *fq12 {
	z[0] = x[0]
	z[1].neg(&x[1])
	return z
}

// inverse is the conjugate over the norm c0² - v·c1².
func (z *fq12) inverse(x *fq12) *fq12 {
	var n, t fq6
	n.mul(&x[0], &x[0])
	t.mul(&x[1], &x[1])
	n.sub(&n, t.mulV(&t))
	n.inverse(&n)
	z[0].mul(&x[0], &n)
	z[1].mul(&x[1], &n)
	z[1].neg(&z[1])
	return z
}

// frobeniusPowers are xi^(k(q-1)/6) for k = 0 to 5: w^q = xi^((q-1)/6)·w.
var frobeniusPowers = func() (g [6]fq2) {
	e := new(big.Int).Div(modQ.big, big.NewInt(6)) // (q-1)/6, as q = 1 mod 6
	var one, xi fq2
	one.c0 = fq(modQ.one)
	xi.mulXi(&one)
	root := one
	for i := e.BitLen() - 1; i >= 0; i-- {
		root.square(&root)
		if e.Bit(i) == 1 {
			root.mul(&root, &xi)
		}
	}
	g[0] = one
	for k := 1; k < len(g); k++ {
		g[k].mul(&g[k-1], &root)
	}
	return g
}()

// frobenius is x^q. The power of w that stands with c[i][j] is 2j+i.
func (z *fq12) frobenius(x *fq12) *fq12 {
	for i := range z {
		for j := range z[i] {
			z[i][j].conj(&x[i][j])
			z[i][j].mul(&z[i][j], &frobeniusPowers[2*j+i])
		}
	}
	return z
}
