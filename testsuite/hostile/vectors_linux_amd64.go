package hostile

// vectors are what is left in the vector registers, as far as Go's code on the
// way from EEXIT has not used them: XMM0 to XMM15, and with AVX-512 ZMM16 to
// ZMM31 and the mask registers.
type vectors struct {
	X [16][16]byte
	Z [16][64]byte
	K [8]uint64
}

// readVectors reads them. wide says that the processor has AVX-512. Implemented
// in vectors_linux_amd64.s.
//
//go:noescape
func readVectors(v *vectors, wide bool)
