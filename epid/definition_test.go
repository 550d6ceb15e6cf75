package epid_test

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/epid/internal/bn"
	"github.com/feidi-dev/feidi/epid/internal/slow"
)

// A signature with two proofs once more, with package slow and the formulas of
// the specification, which has four pairings and their powers where Sign has
// two pairings. The random numbers are the same.
func TestSignAgainstDefinition(t *testing.T) {
	i := newIssuer(t, 1)
	m, key := join(t, i, 2, epid.SHA256)
	other, _ := join(t, i, 3, epid.SHA256)
	l := &epid.SigRL{GID: gid, Version: 7}
	for _, bsn := range []string{"one", "two"} {
		s := sign(t, other, "", bsn, nil)
		l.Entries = append(l.Entries, epid.SigRLEntry{B: s.B, K: s.K})
	}
	message, basename := []byte("message"), []byte("basename")
	got, err := m.Sign(stream(4), message, basename, l)
	if err != nil {
		t.Fatal(err)
	}

	r := stream(4)
	draw := func() *big.Int {
		var b [64]byte
		if _, err := r.Read(b[:]); err != nil {
			t.Fatal(err)
		}
		return mod(new(big.Int).SetBytes(b[:]))
	}
	number := func(n epid.Number) *big.Int { return new(big.Int).SetBytes(n[:]) }
	a, rx, rf, ra, rb := draw(), draw(), draw(), draw(), draw()
	x, f := number(key.X), number(key.F)
	group := i.Group().PublicKey()
	g1, g2 := bn.Generator().Bytes(), bn.Generator2().Bytes()
	h1, h2, bigA := slow.G1(group.H1), slow.G1(group.H2), slow.G1(key.A)
	pg2, w := slow.G2(g2), slow.G2(group.W)

	b := hashToCurve(t, basename)
	k, bigT := b.Mul(f), bigA.Add(h2.Mul(a))
	r1 := b.Mul(rf)
	t2 := mod(new(big.Int).Sub(rb, new(big.Int).Mul(a, rx)))
	r2 := slow.Pair(bigA, pg2).Exp(new(big.Int).Neg(rx)).
		Mul(slow.Pair(h1, pg2).Exp(rf)).
		Mul(slow.Pair(h2, pg2).Exp(t2)).
		Mul(slow.Pair(h2, w).Exp(ra))
	t3 := hashMod(slow.P.Bytes(), g1[:], g2[:], group.H1[:], group.H2[:], group.W[:],
		point(b), point(k), point(bigT), point(r1), r2.Bytes())
	c := hashMod(bytes32(t3), message)
	response := func(r, c, secret *big.Int) []byte {
		return bytes32(mod(new(big.Int).Add(r, new(big.Int).Mul(c, secret))))
	}
	want := slices.Concat(point(b), point(k), point(bigT), bytes32(c),
		response(rx, c, x), response(rf, c, f), response(ra, c, a), response(rb, c, new(big.Int).Mul(a, x)),
		[]byte{0, 0, 0, 7, 0, 0, 0, 2})
	for _, e := range l.Entries {
		mu, rmu, rnu := draw(), draw(), draw()
		nu := mod(new(big.Int).Neg(new(big.Int).Mul(mu, f)))
		eb, ek := slow.G1(e.B), slow.G1(e.K)
		pt := ek.Mul(mu).Add(eb.Mul(nu))
		c := hashMod(slow.P.Bytes(), g1[:], point(b), point(k), e.B[:], e.K[:], point(pt),
			point(k.Mul(rmu).Add(b.Mul(rnu))), point(ek.Mul(rmu).Add(eb.Mul(rnu))), message)
		want = append(want, slices.Concat(point(pt), bytes32(c), response(rmu, c, mu), response(rnu, c, nu))...)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("signature is\n%x, want\n%x", got.Bytes(), want)
	}
}

func mod(x *big.Int) *big.Int { return x.Mod(x, slow.P) }

func bytes32(x *big.Int) []byte { return x.FillBytes(make([]byte, 32)) }

func point(p *slow.Point) []byte { return append(bytes32(p.X[0]), bytes32(p.Y[0])...) }

func hashMod(parts ...[]byte) *big.Int {
	h := sha256.Sum256(slices.Concat(parts...))
	return mod(new(big.Int).SetBytes(h[:]))
}

func hashToCurve(t *testing.T, message []byte) *slow.Point {
	t.Helper()
	for i := range 51 {
		h := sha256.Sum256(append([]byte{0, 0, 0, byte(i)}, message...))
		x := new(big.Int).SetBytes(h[:])
		x.Mod(x, slow.Q)
		y := new(big.Int).ModSqrt(slow.Eval(x, 1, 0, 0, 3), slow.Q)
		if y == nil {
			continue
		}
		m := new(big.Int).Lsh(y, 256)
		if m.Mod(m, slow.Q).Bit(0) == 1 {
			y.Sub(slow.Q, y)
		}
		return &slow.Point{X: slow.Constant(x), Y: slow.Constant(y)}
	}
	t.Fatal("no point")
	return nil
}
