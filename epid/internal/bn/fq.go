package bn

// fq is an element of Fq in Montgomery form.
type fq [4]uint64

func (z *fq) raw() *[4]uint64 { return (*[4]uint64)(z) }

func (z *fq) add(x, y *fq) *fq { modQ.add(z.raw(), x.raw(), y.raw()); return z }
func (z *fq) sub(x, y *fq) *fq { modQ.sub(z.raw(), x.raw(), y.raw()); return z }
func (z *fq) mul(x, y *fq) *fq { modQ.mul(z.raw(), x.raw(), y.raw()); return z }
func (z *fq) double(x *fq) *fq { return z.add(x, x) }
func (z *fq) neg(x *fq) *fq    { return z.sub(&fq{}, x) }
func (z *fq) setInt(v uint64)  { modQ.setInt(z.raw(), v) }
func (z *fq) inverse(x *fq)    { modQ.exp(z.raw(), x.raw(), &modQ.less) }
func (z *fq) isZero() bool     { return *z == fq{} }

// sqrtExp is (q+1)/4: q is 3 mod 4.
var sqrtExp = func() [4]uint64 {
	e := modQ.m
	e[0]++ // does not carry: q ends in 3 mod 4
	for i := range e {
		e[i] >>= 2
		if i < 3 {
			e[i] |= e[i+1] << 62
		}
	}
	return e
}()

// sqrt sets z to a square root of x, and reports whether there is one.
func (z *fq) sqrt(x *fq) bool {
	var root, check fq
	modQ.exp(root.raw(), x.raw(), &sqrtExp)
	ok := *check.mul(&root, &root) == *x
	*z = root
	return ok
}

// fq2 is c0 + c1·i, with i² = -1.
type fq2 struct{ c0, c1 fq }

func (z *fq2) add(x, y *fq2) *fq2 { z.c0.add(&x.c0, &y.c0); z.c1.add(&x.c1, &y.c1); return z }
func (z *fq2) sub(x, y *fq2) *fq2 { z.c0.sub(&x.c0, &y.c0); z.c1.sub(&x.c1, &y.c1); return z }
func (z *fq2) neg(x *fq2) *fq2    { z.c0.neg(&x.c0); z.c1.neg(&x.c1); return z }
func (z *fq2) double(x *fq2) *fq2 { return z.add(x, x) }
func (z *fq2) conj(x *fq2) *fq2   { z.c0 = x.c0; z.c1.neg(&x.c1); return z }
func (z *fq2) isZero() bool       { return *z == fq2{} }

// mul is Karatsuba's: three multiplications in Fq.
func (z *fq2) mul(x, y *fq2) *fq2 {
	var a, b, s, t fq
	a.mul(&x.c0, &y.c0)
	b.mul(&x.c1, &y.c1)
	s.add(&x.c0, &x.c1)
	t.add(&y.c0, &y.c1)
	s.mul(&s, &t)
	z.c0.sub(&a, &b)
	z.c1.sub(s.sub(&s, &a), &b)
	return z
}

// square is (c0+c1)(c0-c1) + 2·c0·c1·i.
func (z *fq2) square(x *fq2) *fq2 {
	var s, d, p fq
	s.add(&x.c0, &x.c1)
	d.sub(&x.c0, &x.c1)
	p.mul(&x.c0, &x.c1)
	z.c0.mul(&s, &d)
	z.c1.double(&p)
	return z
}

// mulFq is the product with an element of Fq.
func (z *fq2) mulFq(x *fq2, y *fq) *fq2 { z.c0.mul(&x.c0, y); z.c1.mul(&x.c1, y); return z }

// mulXi is the product with xi = 2+i: (2c0-c1) + (c0+2c1)i.
func (z *fq2) mulXi(x *fq2) *fq2 {
	var a, b fq
	a.double(&x.c0)
	a.sub(&a, &x.c1)
	b.double(&x.c1)
	b.add(&b, &x.c0)
	z.c0, z.c1 = a, b
	return z
}

// inverse is the conjugate over the norm; 0 for 0.
func (z *fq2) inverse(x *fq2) *fq2 {
	var n, t fq
	n.mul(&x.c0, &x.c0)
	t.mul(&x.c1, &x.c1)
	n.add(&n, &t)
	n.inverse(&n)
	z.conj(x)
	return z.mulFq(z, &n)
}
