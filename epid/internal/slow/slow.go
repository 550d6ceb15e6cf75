// Package slow is the mathematics of package bn once more, for the tests of it
// and of package epid: with math/big, straight from the definitions, and a
// thousand times slower.
//
// Fq¹² are polynomials in w mod w¹²-4w⁶+5, where w⁶ = 2+i; points have affine
// coordinates over it; the pairing is Miller's algorithm and one big power.
package slow

import "math/big"

// U, Q and P are the parameters of the curve: q and p are computed from u.
var (
	U = new(big.Int).Neg(new(big.Int).SetUint64(0x6882F5C030B0A801))
	Q = Eval(U, 36, 36, 24, 6, 1)
	P = Eval(U, 36, 36, 18, 6, 1)
)

// Eval is the value of a polynomial, the highest coefficient first.
func Eval(x *big.Int, c ...int64) *big.Int {
	r := new(big.Int)
	for _, v := range c {
		r.Mul(r, x).Add(r, big.NewInt(v))
	}
	return r
}

// Poly is an element of Fq¹²: the coefficient of w^k has index k.
type Poly [12]*big.Int

// Constant is an element of Fq.
func Constant(v *big.Int) (p Poly) {
	for i := range p {
		p[i] = new(big.Int)
	}
	p[0].Mod(v, Q)
	return p
}

// power returns v·w^k.
func power(v *big.Int, k int) Poly {
	p := Constant(new(big.Int))
	p[k].Mod(v, Q)
	return p
}

// Add returns p + q.
func (p Poly) Add(q Poly) (r Poly) {
	for i := range r {
		r[i] = new(big.Int).Add(p[i], q[i])
		r[i].Mod(r[i], Q)
	}
	return r
}

// Neg returns -p.
func (p Poly) Neg() (r Poly) {
	for i := range r {
		r[i] = new(big.Int).Neg(p[i])
		r[i].Mod(r[i], Q)
	}
	return r
}

func (p Poly) sub(q Poly) Poly { return p.Add(q.Neg()) }

// Mul returns p·q.
func (p Poly) Mul(q Poly) (r Poly) {
	var wide [23]*big.Int
	for i := range wide {
		wide[i] = new(big.Int)
	}
	for i := range p {
		for j := range q {
			wide[i+j].Add(wide[i+j], new(big.Int).Mul(p[i], q[j]))
		}
	}
	for i := 22; i >= 12; i-- { // w^12 = 4w^6 - 5
		wide[i-6].Add(wide[i-6], new(big.Int).Mul(wide[i], big.NewInt(4)))
		wide[i-12].Sub(wide[i-12], new(big.Int).Mul(wide[i], big.NewInt(5)))
	}
	for i := range r {
		r[i] = wide[i].Mod(wide[i], Q)
	}
	return r
}

// Exp returns p^e, for e of any sign.
func (p Poly) Exp(e *big.Int) Poly {
	if e.Sign() < 0 {
		return p.inverse().Exp(new(big.Int).Neg(e))
	}
	r := Constant(big.NewInt(1))
	for i := e.BitLen() - 1; i >= 0; i-- {
		r = r.Mul(r)
		if e.Bit(i) == 1 {
			r = r.Mul(p)
		}
	}
	return r
}

// inverse solves p·x = 1, a linear system of twelve equations.
func (p Poly) inverse() Poly {
	var m [12][13]*big.Int
	for col := range 12 {
		c := p.Mul(power(big.NewInt(1), col))
		for row := range 12 {
			m[row][col] = c[row]
		}
	}
	for row := range 12 {
		m[row][12] = new(big.Int)
	}
	m[0][12].SetInt64(1)
	for col := range 12 {
		pivot := col
		for m[pivot][col].Sign() == 0 {
			pivot++
		}
		m[col], m[pivot] = m[pivot], m[col]
		inv := new(big.Int).ModInverse(m[col][col], Q)
		for k := range m[col] {
			m[col][k] = new(big.Int).Mod(new(big.Int).Mul(m[col][k], inv), Q)
		}
		for row := range 12 {
			if row == col || m[row][col].Sign() == 0 {
				continue
			}
			f := m[row][col]
			for k := range m[row] {
				d := new(big.Int).Mul(f, m[col][k])
				m[row][k] = d.Mod(d.Sub(m[row][k], d), Q)
			}
		}
	}
	var x Poly
	for row := range 12 {
		x[row] = m[row][12]
	}
	return x
}

// Equal reports whether p = q.
func (p Poly) Equal(q Poly) bool {
	for i := range p {
		if p[i].Cmp(q[i]) != 0 {
			return false
		}
	}
	return true
}

// Bytes writes the polynomial as the tower does: w^k = v^(k/2)·w^(k mod 2), and
// with w^6 = 2+i, x·w^k + y·w^(k+6) = ((x+2y) + y·i)·w^k.
func (p Poly) Bytes() (b []byte) {
	for _, k := range []int{0, 2, 4, 1, 3, 5} {
		re := new(big.Int).Lsh(p[k+6], 1)
		re.Mod(re.Add(re, p[k]), Q)
		b = append(b, re.FillBytes(make([]byte, 32))...)
		b = append(b, p[k+6].FillBytes(make([]byte, 32))...)
	}
	return b
}

// Point is a point of y² = x³+3 over Fq¹²; nil is infinity.
type Point struct{ X, Y Poly }

// G1 reads a point of G1.
func G1(b [64]byte) *Point {
	if b == [64]byte{} {
		return nil
	}
	return &Point{Constant(new(big.Int).SetBytes(b[:32])), Constant(new(big.Int).SetBytes(b[32:]))}
}

// G2 reads a point of the twist and carries it to (x·w², y·w³), with i = w^6 - 2.
func G2(b [128]byte) *Point {
	n := func(i int) *big.Int { return new(big.Int).SetBytes(b[32*i : 32*i+32]) }
	element := func(re, im *big.Int) Poly {
		return Constant(re).Add(power(im, 6)).sub(Constant(new(big.Int).Lsh(im, 1)))
	}
	one := big.NewInt(1)
	return &Point{element(n(0), n(1)).Mul(power(one, 2)), element(n(2), n(3)).Mul(power(one, 3))}
}

// Neg returns -p.
func (p *Point) Neg() *Point { return &Point{p.X, p.Y.Neg()} }

func (p *Point) slope(q *Point) (Poly, bool) {
	if !p.X.Equal(q.X) {
		return p.Y.sub(q.Y).Mul(p.X.sub(q.X).inverse()), true
	}
	if !p.Y.Equal(q.Y) {
		return Poly{}, false
	}
	three, two := Constant(big.NewInt(3)), Constant(big.NewInt(2))
	return p.X.Mul(p.X).Mul(three).Mul(p.Y.Mul(two).inverse()), true
}

// Add returns p + q.
func (p *Point) Add(q *Point) *Point {
	if p == nil {
		return q
	}
	if q == nil {
		return p
	}
	l, ok := p.slope(q)
	if !ok {
		return nil
	}
	x := l.Mul(l).sub(p.X).sub(q.X)
	return &Point{x, l.Mul(p.X.sub(x)).sub(p.Y)}
}

// Mul returns k·p, for k that is not negative.
func (p *Point) Mul(k *big.Int) (r *Point) {
	for i := k.BitLen() - 1; i >= 0; i-- {
		r = r.Add(r)
		if k.Bit(i) == 1 {
			r = r.Add(p)
		}
	}
	return r
}

// through is the line through p and q at the point at, over the vertical line
// through their sum.
func through(p, q, at *Point) Poly {
	l, ok := p.slope(q)
	if !ok {
		return at.X.sub(p.X)
	}
	f := at.Y.sub(p.Y).sub(l.Mul(at.X.sub(p.X)))
	if s := p.Add(q); s != nil {
		f = f.Mul(at.X.sub(s.X).inverse())
	}
	return f
}

// Pair is the optimal ate pairing, with the true function of 6u+2, which is
// negative: f(-n, q) = 1/(f(n, q)·v), where v is the vertical line through n·q.
func Pair(p, q *Point) Poly {
	s := new(big.Int).Neg(Eval(U, 6, 2))
	f, t := Constant(big.NewInt(1)), q
	for i := s.BitLen() - 2; i >= 0; i-- {
		f = f.Mul(f).Mul(through(t, t, p))
		t = t.Add(t)
		if s.Bit(i) == 1 {
			f = f.Mul(through(t, q, p))
			t = t.Add(q)
		}
	}
	f = f.Mul(p.X.sub(t.X)).inverse()
	t = t.Neg()
	pi := &Point{q.X.Exp(Q), q.Y.Exp(Q)}
	pi2 := (&Point{pi.X.Exp(Q), pi.Y.Exp(Q)}).Neg()
	f = f.Mul(through(t, pi, p))
	f = f.Mul(through(t.Add(pi), pi2, p))
	e := new(big.Int).Exp(Q, big.NewInt(12), nil)
	e.Sub(e, big.NewInt(1)).Div(e, P)
	return f.Exp(e)
}
