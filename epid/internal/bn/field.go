package bn

import (
	"math/big"
	"math/bits"
)

// modulus is an odd number of exactly 256 bits, with what Montgomery's
// multiplication wants. Elements are kept as x·2^256 mod m, in four limbs, the
// least significant first.
type modulus struct {
	m    [4]uint64
	n0   uint64    // -1/m mod 2^64
	one  [4]uint64 // 2^256 mod m
	r2   [4]uint64 // 2^512 mod m
	less [4]uint64 // m-2, the exponent that inverts
	big  *big.Int
}

func newModulus(hex string) *modulus {
	m, ok := new(big.Int).SetString(hex, 16)
	if !ok || m.BitLen() != 256 {
		panic("bn: not a modulus of 256 bits: " + hex)
	}
	r := new(big.Int).Lsh(big.NewInt(1), 256)
	limb := new(big.Int).Lsh(big.NewInt(1), 64)
	n0 := new(big.Int).ModInverse(m, limb)
	return &modulus{
		m:    limbs(m),
		n0:   -n0.Uint64(),
		one:  limbs(new(big.Int).Mod(r, m)),
		r2:   limbs(new(big.Int).Mod(new(big.Int).Mul(r, r), m)),
		less: limbs(new(big.Int).Sub(m, big.NewInt(2))),
		big:  m,
	}
}

func limbs(x *big.Int) (z [4]uint64) {
	var b [32]byte
	x.FillBytes(b[:])
	return fromBytes(b[:])
}

// fromBytes reads 32 bytes, big-endian.
func fromBytes(b []byte) (z [4]uint64) {
	for i := range z {
		for _, v := range b[24-8*i : 32-8*i] {
			z[i] = z[i]<<8 | uint64(v)
		}
	}
	return z
}

func toBytes(x *[4]uint64) (b [32]byte) {
	for i := range b {
		b[31-i] = byte(x[i/8] >> (i % 8 * 8))
	}
	return b
}

// reduce sets z to the number of the five limbs, which is less than 2m, mod m.
func (m *modulus) reduce(z *[4]uint64, t0, t1, t2, t3, t4 uint64) {
	s0, b := bits.Sub64(t0, m.m[0], 0)
	s1, b := bits.Sub64(t1, m.m[1], b)
	s2, b := bits.Sub64(t2, m.m[2], b)
	s3, b := bits.Sub64(t3, m.m[3], b)
	_, b = bits.Sub64(t4, 0, b)
	keep := -b // all ones if the number was less than m
	z[0] = s0 ^ keep&(s0^t0)
	z[1] = s1 ^ keep&(s1^t1)
	z[2] = s2 ^ keep&(s2^t2)
	z[3] = s3 ^ keep&(s3^t3)
}

func (m *modulus) add(z, x, y *[4]uint64) {
	t0, c := bits.Add64(x[0], y[0], 0)
	t1, c := bits.Add64(x[1], y[1], c)
	t2, c := bits.Add64(x[2], y[2], c)
	t3, c := bits.Add64(x[3], y[3], c)
	m.reduce(z, t0, t1, t2, t3, c)
}

func (m *modulus) sub(z, x, y *[4]uint64) {
	t0, b := bits.Sub64(x[0], y[0], 0)
	t1, b := bits.Sub64(x[1], y[1], b)
	t2, b := bits.Sub64(x[2], y[2], b)
	t3, b := bits.Sub64(x[3], y[3], b)
	mask := -b
	var c uint64
	z[0], c = bits.Add64(t0, mask&m.m[0], 0)
	z[1], c = bits.Add64(t1, mask&m.m[1], c)
	z[2], c = bits.Add64(t2, mask&m.m[2], c)
	z[3], _ = bits.Add64(t3, mask&m.m[3], c)
}

// mul sets z to x·y/2^256: Montgomery's multiplication, a limb of y at a time.
func (m *modulus) mul(z, x, y *[4]uint64) {
	var t0, t1, t2, t3, t4, t5, c uint64
	m0, m1, m2, m3 := m.m[0], m.m[1], m.m[2], m.m[3]
	x0, x1, x2, x3 := x[0], x[1], x[2], x[3]
	for _, yi := range y {
		h0, l0 := bits.Mul64(x0, yi)
		h1, l1 := bits.Mul64(x1, yi)
		h2, l2 := bits.Mul64(x2, yi)
		h3, l3 := bits.Mul64(x3, yi)
		t0, c = bits.Add64(t0, l0, 0)
		t1, c = bits.Add64(t1, l1, c)
		t2, c = bits.Add64(t2, l2, c)
		t3, c = bits.Add64(t3, l3, c)
		t4, t5 = bits.Add64(t4, 0, c)
		t1, c = bits.Add64(t1, h0, 0)
		t2, c = bits.Add64(t2, h1, c)
		t3, c = bits.Add64(t3, h2, c)
		t4, c = bits.Add64(t4, h3, c)
		t5 += c

		k := t0 * m.n0
		h0, l0 = bits.Mul64(m0, k)
		h1, l1 = bits.Mul64(m1, k)
		h2, l2 = bits.Mul64(m2, k)
		h3, l3 = bits.Mul64(m3, k)
		_, c = bits.Add64(t0, l0, 0)
		t0, c = bits.Add64(t1, l1, c)
		t1, c = bits.Add64(t2, l2, c)
		t2, c = bits.Add64(t3, l3, c)
		t3, c = bits.Add64(t4, 0, c)
		t4 = t5 + c
		t0, c = bits.Add64(t0, h0, 0)
		t1, c = bits.Add64(t1, h1, c)
		t2, c = bits.Add64(t2, h2, c)
		t3, c = bits.Add64(t3, h3, c)
		t4 += c
	}
	m.reduce(z, t0, t1, t2, t3, t4)
}

// exp sets z to x^e, for an exponent that is no secret.
func (m *modulus) exp(z, x, e *[4]uint64) {
	base, acc := *x, m.one
	for i := 255; i >= 0; i-- {
		m.mul(&acc, &acc, &acc)
		if e[i/64]>>(i%64)&1 == 1 {
			m.mul(&acc, &acc, &base)
		}
	}
	*z = acc
}

// set reads 32 bytes and reports whether they are less than m.
func (m *modulus) set(z *[4]uint64, b []byte) bool {
	v := fromBytes(b)
	var borrow uint64
	for i := range v {
		_, borrow = bits.Sub64(v[i], m.m[i], borrow)
	}
	m.mul(z, &v, &m.r2)
	return borrow == 1
}

// setWide reads at most 64 bytes and takes them mod m, in constant time.
func (m *modulus) setWide(z *[4]uint64, b []byte) {
	var wide [64]byte
	copy(wide[64-len(b):], b)
	high, low := fromBytes(wide[:32]), fromBytes(wide[32:])
	m.mul(&high, &high, &m.r2) // Montgomery form of high
	m.mul(&high, &high, &m.r2) // of high·2^256
	m.mul(&low, &low, &m.r2)
	m.add(z, &high, &low)
}

func (m *modulus) bytes(x *[4]uint64) [32]byte {
	var z [4]uint64
	m.mul(&z, x, &[4]uint64{1})
	return toBytes(&z)
}

func (m *modulus) setInt(z *[4]uint64, v uint64) { m.mul(z, &[4]uint64{v}, &m.r2) }

// ctSelect sets z to x where mask is all ones, and leaves it where mask is 0.
func ctSelect(z, x *[4]uint64, mask uint64) {
	for i := range z {
		z[i] ^= mask & (z[i] ^ x[i])
	}
}

// ctEqual returns all ones if x = y, and else 0.
func ctEqual(x, y uint64) uint64 {
	d := x ^ y
	return (d|-d)>>63 - 1
}
