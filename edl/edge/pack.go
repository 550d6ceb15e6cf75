package edge

// Pack packs structs with buffers of their own, of size bytes each, into b.
// It returns what pack does for each: the regions of the buffers.
func Pack[T, R any](c *Caller, b Block, v []T, size int, pack func(*T, *Caller, Block) R) []R {
	r := make([]R, len(v))
	for i := range v {
		r[i] = pack(&v[i], c, b[i*size:][:size:size])
	}
	return r
}

// Repack takes back what the other side made of structs that were packed.
func Repack[T, R any](c *Caller, b Block, v []T, size int, r []R, repack func(*T, *Caller, Block, R)) {
	for i := range v {
		repack(&v[i], c, b[i*size:][:size:size], r[i])
	}
}

// Unpack unpacks all structs of size bytes in b: unpack reads each and finds
// its buffers, and when all of them have passed the checks, load copies them.
func Unpack[T, R any](c *Callee, b Block, size int, unpack func(*T, *Callee, Block) R, load func(*T, *Callee, R)) ([]T, []R) {
	n := len(b) / size
	v, r := makeSlice[T](n), makeSlice[R](n)
	for i := range v {
		r[i] = unpack(&v[i], c, b[i*size:][:size:size])
	}
	for i := range v {
		if c.err != nil {
			break
		}
		load(&v[i], c, r[i])
	}
	return v, r
}

// Store writes the buffers of structs back that Unpack has unpacked, and the
// structs to b.
func Store[T, R any](c *Callee, b Block, v []T, size int, r []R, store func(*T, *Callee, Block, R)) {
	for i := range v {
		store(&v[i], c, b[i*size:][:size:size], r[i])
	}
}
