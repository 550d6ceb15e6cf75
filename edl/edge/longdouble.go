package edge

import (
	"math"
	"math/big"
)

// LongDouble is a long double: 80 bits of x87 extended precision in 16 bytes.
// The last six are padding.
type LongDouble [16]byte

const (
	extBias   = 16383
	extMaxExp = 1<<15 - 1
)

// LongDoubleOf converts a float64, which is exact. NaNs lose their payload.
func LongDoubleOf(f float64) LongDouble {
	var sign uint16
	if math.Signbit(f) {
		sign = 1 << 15
	}
	pack := func(exp uint16, mantissa uint64) (l LongDouble) {
		le.PutUint64(l[:], mantissa)
		le.PutUint16(l[8:], sign|exp)
		return l
	}
	switch {
	case math.IsNaN(f):
		return pack(extMaxExp, 3<<62)
	case math.IsInf(f, 0):
		return pack(extMaxExp, 1<<63)
	case f == 0:
		return pack(0, 0)
	}
	frac, exp := math.Frexp(math.Abs(f)) // frac in [1/2, 1)
	return pack(uint16(exp-1+extBias), uint64(math.Ldexp(frac, 64)))
}

// Float64 converts to the nearest float64; infinity if the value is too large
// for one. Encodings that the processor refuses (SDM Vol. 1, "Unsupported
// Double Extended-Precision Floating-Point Encodings") are NaNs.
func (l LongDouble) Float64() float64 {
	mantissa, exp := le.Uint64(l[:]), le.Uint16(l[8:])
	negative := exp>>15 != 0
	exp &= extMaxExp
	value := func() float64 {
		switch {
		case exp == extMaxExp && mantissa == 1<<63:
			return math.Inf(1)
		case exp == extMaxExp, exp != 0 && mantissa>>63 == 0:
			return math.NaN()
		}
		f := new(big.Float).SetUint64(mantissa)
		f.SetMantExp(f, int(max(exp, 1))-extBias-63)
		v, _ := f.Float64()
		return v
	}()
	if negative {
		return math.Copysign(value, -1)
	}
	return value
}

// EncodeC writes l as C has it.
func (l *LongDouble) EncodeC(b Block) { copy(b, l[:]) }

// DecodeC reads l as C has it.
func (l *LongDouble) DecodeC(b Block) { copy(l[:], b) }
