package bn

import (
	"bytes"
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/feidi-dev/feidi/epid/internal/slow"
)

func stream(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

func randomScalar(t testing.TB, r *rand.ChaCha8) Scalar {
	t.Helper()
	s, err := RandomScalar(r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s Scalar) int() *big.Int {
	b := s.Bytes()
	return new(big.Int).SetBytes(b[:])
}

func lines(t testing.TB, q G2) *Lines {
	t.Helper()
	l, err := Prepare(q)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The parameters are those of the family, and both are prime.
func TestParameters(t *testing.T) {
	if modQ.big.Cmp(slow.Q) != 0 || modP.big.Cmp(slow.P) != 0 || slow.U.Int64() != -uAbs {
		t.Errorf("q is %x and p %x, want %x and %x", modQ.big, modP.big, slow.Q, slow.P)
	}
	if !slow.Q.ProbablyPrime(20) || !slow.P.ProbablyPrime(20) {
		t.Error("p or q is not prime")
	}
	if o := Order(); !bytes.Equal(o[:], slow.P.Bytes()) {
		t.Errorf("order %x", o)
	}
}

// Values near the ends are where carries go wrong.
func edges(m *big.Int) (v []*big.Int) {
	for _, d := range []int64{0, 1, 2, 1 << 32} {
		v = append(v, big.NewInt(d), new(big.Int).Sub(m, big.NewInt(d+1)))
		v = append(v, new(big.Int).Rsh(m, uint(d%200)+1))
	}
	return append(v, new(big.Int).Lsh(big.NewInt(1), 255), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 192), big.NewInt(1)))
}

func TestField(t *testing.T) {
	for _, m := range []*modulus{modP, modQ} {
		values := edges(m.big)
		r := rand.New(stream(1))
		for range 40 {
			var b [32]byte
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			values = append(values, new(big.Int).SetBytes(b[1:]))
		}
		elem := func(v *big.Int) (z [4]uint64) {
			var b [32]byte
			if !m.set(&z, v.FillBytes(b[:])) {
				t.Fatalf("%x is refused", v)
			}
			return z
		}
		check := func(name string, got [4]uint64, want *big.Int) {
			t.Helper()
			b := m.bytes(&got)
			if g := new(big.Int).SetBytes(b[:]); g.Cmp(new(big.Int).Mod(want, m.big)) != 0 {
				t.Fatalf("%s: got %x, want %x", name, g, want)
			}
		}
		for _, x := range values {
			for _, y := range values {
				a, b := elem(x), elem(y)
				var z [4]uint64
				m.mul(&z, &a, &b)
				check("mul", z, new(big.Int).Mul(x, y))
				m.add(&z, &a, &b)
				check("add", z, new(big.Int).Add(x, y))
				m.sub(&z, &a, &b)
				check("sub", z, new(big.Int).Sub(x, y))
				wide := append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...)
				m.setWide(&z, wide)
				check("setWide", z, new(big.Int).SetBytes(wide))
			}
			if x.Sign() != 0 {
				a := elem(x)
				m.exp(&a, &a, &m.less)
				check("inverse", a, new(big.Int).ModInverse(x, m.big))
			}
		}
		for _, v := range []*big.Int{m.big, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))} {
			var z [4]uint64
			if m.set(&z, v.FillBytes(make([]byte, 32))) {
				t.Errorf("%x is accepted", v)
			}
		}
	}
}

func TestScalar(t *testing.T) {
	r := stream(2)
	a, b := randomScalar(t, r), randomScalar(t, r)
	mod := func(x *big.Int) *big.Int { return x.Mod(x, slow.P) }
	for _, c := range []struct {
		name string
		got  Scalar
		want *big.Int
	}{
		{"Add", a.Add(b), mod(new(big.Int).Add(a.int(), b.int()))},
		{"Mul", a.Mul(b), mod(new(big.Int).Mul(a.int(), b.int()))},
		{"Neg", a.Neg(), mod(new(big.Int).Neg(a.int()))},
		{"Inverse", a.Inverse(), new(big.Int).ModInverse(a.int(), slow.P)},
		{"ScalarMod", ScalarMod(bytes.Repeat([]byte{0xff}, 48)), mod(new(big.Int).SetBytes(bytes.Repeat([]byte{0xff}, 48)))},
	} {
		if c.got.int().Cmp(c.want) != 0 {
			t.Errorf("%s: got %x, want %x", c.name, c.got.int(), c.want)
		}
	}
	if _, err := NewScalar(Order()); !errors.Is(err, ErrScalar) {
		t.Errorf("p is accepted: %v", err)
	}
	if _, err := RandomScalar(bytes.NewReader(make([]byte, 512))); err == nil {
		t.Error("a source of zeros is accepted")
	}
	if _, err := RandomScalar(bytes.NewReader(make([]byte, 8))); err == nil {
		t.Error("a source that ends is accepted")
	}
}

func TestG1(t *testing.T) {
	r := stream(3)
	g := Generator()
	if !g.Mul(Scalar{}).IsInfinity() {
		t.Error("0·G is not infinity")
	}
	order := ScalarMod([]byte{1}).Neg()
	if !g.Mul(order).Add(g).IsInfinity() {
		t.Error("p·G is not infinity")
	}
	n := slow.G1(g.Bytes())
	terms := []Term{}
	var want *slow.Point
	for range 3 {
		k := randomScalar(t, r)
		p := n.Mul(k.int())
		if got := slow.G1(g.Mul(k).Bytes()); !got.X.Equal(p.X) || !got.Y.Equal(p.Y) {
			t.Fatalf("%x·G differs", k.int())
		}
		terms = append(terms, Term{g.Mul(k), randomScalar(t, r)})
		want = want.Add(p.Mul(terms[len(terms)-1].K.int()))
	}
	if got := slow.G1(Sum(terms...).Bytes()); !got.X.Equal(want.X) || !got.Y.Equal(want.Y) {
		t.Error("a sum differs")
	}
	p := terms[0].P
	if !p.Add(Infinity()).Equal(p) || !Infinity().Add(p).Equal(p) || !p.Add(p.Neg()).IsInfinity() || !p.Add(p).Equal(p.Mul(ScalarMod([]byte{2}))) {
		t.Error("addition is not complete")
	}
	back, err := NewG1(p.Bytes())
	if err != nil || !back.Equal(p) {
		t.Errorf("%v", err)
	}
	if o, err := NewG1([64]byte{}); err != nil || !o.IsInfinity() || o.Bytes() != [64]byte{} {
		t.Errorf("infinity: %v", err)
	}
	for _, i := range []int{0, 31, 32, 63} {
		b := p.Bytes()
		b[i] ^= 1
		if _, err := NewG1(b); !errors.Is(err, ErrPoint) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	var b [64]byte // (1+q, 2): not canonical
	new(big.Int).Add(slow.Q, big.NewInt(1)).FillBytes(b[:32])
	b[63] = 2
	if _, err := NewG1(b); !errors.Is(err, ErrPoint) {
		t.Errorf("1+q: %v", err)
	}
}

func TestLift(t *testing.T) {
	found := 0
	for i := range 40 {
		x := big.NewInt(int64(i))
		rhs := new(big.Int).Exp(x, big.NewInt(3), nil)
		want := new(big.Int).ModSqrt(rhs.Add(rhs, big.NewInt(3)), slow.Q)
		p, q, err := Lift([32]byte(x.FillBytes(make([]byte, 32))))
		if (err == nil) != (want != nil) {
			t.Fatalf("%d: %v", i, err)
		}
		if err != nil {
			continue
		}
		found++
		b := p.Bytes()
		y := new(big.Int).SetBytes(b[32:])
		if y.Cmp(want) != 0 && y.Cmp(new(big.Int).Sub(slow.Q, want)) != 0 {
			t.Errorf("%d: y is no root", i)
		}
		if m := new(big.Int).Lsh(y, 256); m.Mod(m, slow.Q).Bit(0) != 0 {
			t.Errorf("%d: the first root is odd", i)
		}
		if !p.Add(q).IsInfinity() {
			t.Errorf("%d: the second point is not the negative", i)
		}
		wide := append(bytes.Repeat([]byte{0}, 16), x.FillBytes(make([]byte, 48))...)
		if w, err := LiftMod(wide); err != nil || !w.Equal(p) {
			t.Errorf("%d: LiftMod: %v", i, err)
		}
	}
	if found < 10 {
		t.Errorf("%d points of 40", found)
	}
}

func TestG2(t *testing.T) {
	r := stream(4)
	g := Generator2()
	n := slow.G2(g.Bytes())
	k := randomScalar(t, r)
	p := g.Mul(k)
	got, want := slow.G2(p.Bytes()), n.Mul(k.int())
	if !got.X.Equal(want.X) || !got.Y.Equal(want.Y) {
		t.Error("k·G2 differs")
	}
	if back, err := NewG2(p.Bytes()); err != nil || back.Bytes() != p.Bytes() {
		t.Errorf("%v", err)
	}
	if !p.Add(p.Neg()).IsInfinity() {
		t.Error("p - p is not infinity")
	}
	if o, err := NewG2([128]byte{}); err != nil || !o.IsInfinity() {
		t.Errorf("infinity: %v", err)
	}
	if _, err := Prepare(infinity2()); !errors.Is(err, ErrPoint) {
		t.Errorf("Prepare of infinity: %v", err)
	}
	for i := 31; i < 128; i += 32 {
		b := p.Bytes()
		b[i] ^= 1
		if _, err := NewG2(b); !errors.Is(err, ErrPoint) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
}

// A point of the twist outside of G2 is refused: most points are.
func TestG2Subgroup(t *testing.T) {
	for x := int64(1); x < 100; x++ {
		var p G2
		p.x.c0.setInt(uint64(x))
		p.z.c0.setInt(1)
		var r fq2
		r.square(&p.x)
		r.mul(&r, &p.x).add(&r, &twistB)
		y, ok := sqrt2(r)
		if !ok {
			continue
		}
		p.y = y
		if _, err := NewG2(p.Bytes()); !errors.Is(err, ErrPoint) {
			t.Errorf("x = %d: %v", x, err)
		}
		return
	}
	t.Error("no point found")
}

// sqrt2 is the root by norms: (a+bi) with a² = (re+|x|)/2, b = im/2a.
func sqrt2(x fq2) (z fq2, ok bool) {
	var n, t, half fq
	n.mul(&x.c0, &x.c0)
	t.mul(&x.c1, &x.c1)
	n.add(&n, &t)
	if !n.sqrt(&n) {
		return z, false
	}
	half.setInt(2)
	half.inverse(&half)
	t.add(&x.c0, &n).mul(&t, &half)
	if !z.c0.sqrt(&t) {
		t.sub(&x.c0, &n).mul(&t, &half)
		if !z.c0.sqrt(&t) {
			return z, false
		}
	}
	t.inverse(&z.c0)
	z.c1.mul(&x.c1, &t).mul(&z.c1, &half)
	var check fq2
	check.square(&z)
	return z, check == x
}

func TestPairingAgainstDefinition(t *testing.T) {
	r := stream(5)
	p, q := Generator().Mul(randomScalar(t, r)), Generator2().Mul(randomScalar(t, r))
	want := slow.Pair(slow.G1(p.Bytes()), slow.G2(q.Bytes()))
	got := Pair(PairTerm{p, lines(t, q)}).Bytes()
	if !bytes.Equal(got[:], want.Bytes()) {
		t.Errorf("got  %x\nwant %x", got[:64], want.Bytes()[:64])
	}
}

func TestBilinear(t *testing.T) {
	r := stream(6)
	a, b := randomScalar(t, r), randomScalar(t, r)
	g, h := Generator(), Generator2()
	one := Pair(PairTerm{g, lines(t, h)})
	if one.IsOne() {
		t.Fatal("the pairing of the generators is 1")
	}
	left := Pair(PairTerm{g.Mul(a), lines(t, h.Mul(b))})
	right := Pair(PairTerm{g.Mul(a.Mul(b)), lines(t, h)})
	if left != right || left == one {
		t.Error("e(aP, bQ) is not e(abP, Q)")
	}
	if !Pair(PairTerm{g.Mul(a), lines(t, h)}, PairTerm{g.Neg(), lines(t, h.Mul(a))}).IsOne() {
		t.Error("e(aP, Q)·e(-P, aQ) is not 1")
	}
	if !Pair(PairTerm{Infinity(), lines(t, h)}).IsOne() {
		t.Error("e(0, Q) is not 1")
	}
}

func TestCyclotomicSquare(t *testing.T) {
	g := Pair(PairTerm{Generator(), lines(t, Generator2())})
	var a, b fq12
	a.cyclotomicSquare(&g.v)
	b.mul(&g.v, &g.v)
	if a != b {
		t.Error("cyclotomicSquare differs from mul")
	}
	if b.square(&g.v); a != b {
		t.Error("square differs from mul")
	}
	b.inverse(&g.v)
	if a.conj(&g.v); a != b {
		t.Error("conj is not the inverse")
	}
}

func BenchmarkFq(b *testing.B) {
	x := fq(modQ.r2)
	for b.Loop() {
		x.mul(&x, &x)
	}
}

func BenchmarkG1Mul(b *testing.B) {
	p, k := Generator(), randomScalar(b, stream(7))
	for b.Loop() {
		p = p.Mul(k)
	}
}

func BenchmarkPair(b *testing.B) {
	p, l := Generator(), lines(b, Generator2())
	for b.Loop() {
		Pair(PairTerm{p, l})
	}
}

func BenchmarkPrepare(b *testing.B) {
	q := Generator2()
	for b.Loop() {
		if _, err := Prepare(q); err != nil {
			b.Fatal(err)
		}
	}
}
