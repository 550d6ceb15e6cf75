package goabi

import "bytes"

// Magic begins the parameters that the builder fills in, in the runtime of a
// Go program for an enclave.
var Magic = [16]byte{0x64, 0x82, 0xf0, 0xe3, 0x7b, 0x5a, 0x1c, 0x9d, 0x5a, 0xc3, 0x97, 0x0e, 0xd8, 0xf2, 0xb6, 0x41}

// IsGo reports whether a file is a Go program for an enclave, or will be.
func IsGo(file []byte) bool {
	return bytes.HasPrefix(file, []byte("\x7fELF")) && bytes.Contains(file, Magic[:])
}
