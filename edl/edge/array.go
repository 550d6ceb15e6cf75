package edge

import "encoding"

// Integer are the types of Go that C's integers and enums become.
type Integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// width is the size of T in bytes.
func width[T Integer]() int {
	for size := 4; size > 0; size /= 2 {
		if beyond := uint64(1) << (8 * size); T(beyond) != 0 {
			return 2 * size
		}
	}
	return 1
}

// PutInts writes integers one after the other. If b is too short, the rest is
// left out.
func PutInts[T Integer](b Block, v []T) {
	size := width[T]()
	v = v[:min(len(v), len(b)/size)]
	switch size {
	case 1:
		for i, x := range v {
			b[i] = byte(x)
		}
	case 2:
		for i, x := range v {
			le.PutUint16(b[2*i:], uint16(x))
		}
	case 4:
		for i, x := range v {
			le.PutUint32(b[4*i:], uint32(x))
		}
	case 8:
		for i, x := range v {
			le.PutUint64(b[8*i:], uint64(x))
		}
	}
}

// GetInts reads integers, as many as both have.
func GetInts[T Integer](v []T, b Block) {
	size := width[T]()
	v = v[:min(len(v), len(b)/size)]
	switch size {
	case 1:
		for i := range v {
			v[i] = T(b[i])
		}
	case 2:
		for i := range v {
			v[i] = T(le.Uint16(b[2*i:]))
		}
	case 4:
		for i := range v {
			v[i] = T(le.Uint32(b[4*i:]))
		}
	case 8:
		for i := range v {
			v[i] = T(le.Uint64(b[8*i:]))
		}
	}
}

// Ints reads all integers of b; nil if there are none.
func Ints[T Integer](b Block) []T {
	v := makeSlice[T](len(b) / width[T]())
	GetInts(v, b)
	return v
}

// makeSlice is make, and nil for nothing.
func makeSlice[T any](n int) []T {
	if n == 0 {
		return nil
	}
	return make([]T, n)
}

// PutFloats writes floats (size 4) or doubles (size 8).
func PutFloats[T ~float32 | ~float64](b Block, v []T, size int) {
	for i, x := range v[:min(len(v), len(b)/size)] {
		if size == 4 {
			b.PutF32(4*i, float32(x))
		} else {
			b.PutF64(8*i, float64(x))
		}
	}
}

// GetFloats reads floats (size 4) or doubles (size 8).
func GetFloats[T ~float32 | ~float64](v []T, b Block, size int) {
	v = v[:min(len(v), len(b)/size)]
	for i := range v {
		if size == 4 {
			v[i] = T(b.F32(4 * i))
		} else {
			v[i] = T(b.F64(8 * i))
		}
	}
}

// Floats reads all floats or doubles of b; nil if there are none.
func Floats[T ~float32 | ~float64](b Block, size int) []T {
	v := makeSlice[T](len(b) / size)
	GetFloats(v, b, size)
	return v
}

// PutBools writes bytes of 0 and 1.
func PutBools[T ~bool](b Block, v []T) {
	for i, x := range v[:min(len(v), len(b))] {
		b.PutBool(i, bool(x))
	}
}

// GetBools reads bytes; all but zero is true.
func GetBools[T ~bool](v []T, b Block) {
	for i := range v[:min(len(v), len(b))] {
		v[i] = T(b.Bool(i))
	}
}

// Bools reads all bytes of b; nil if there are none.
func Bools[T ~bool](b Block) []T {
	v := makeSlice[T](len(b))
	GetBools(v, b)
	return v
}

// PutEach writes values of size bytes each with put.
func PutEach[T any](b Block, v []T, size int, put func(*T, Block)) {
	for i := range v[:min(len(v), len(b)/size)] {
		put(&v[i], b[i*size:][:size:size])
	}
}

// GetEach reads values of size bytes each with get.
func GetEach[T any](v []T, b Block, size int, get func(*T, Block)) {
	for i := range v[:min(len(v), len(b)/size)] {
		get(&v[i], b[i*size:][:size:size])
	}
}

// Each reads all values of b with get; nil if there are none.
func Each[T any](b Block, size int, get func(*T, Block)) []T {
	v := makeSlice[T](len(b) / size)
	GetEach(v, b, size, get)
	return v
}

// Binary is a structure that knows its bytes, as those of package isa do.
type Binary[T any] interface {
	*T
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// PutBinary writes a structure whose encoding is as long as b, and cannot
// fail.
func PutBinary[T any, P Binary[T]](v *T, b Block) {
	if _, err := P(v).AppendBinary(b[:0:len(b)]); err != nil {
		panic(err)
	}
}

// GetBinary reads a structure whose encoding is as long as b, and for which
// any bytes do.
func GetBinary[T any, P Binary[T]](v *T, b Block) {
	if err := P(v).UnmarshalBinary(b); err != nil {
		panic(err)
	}
}
