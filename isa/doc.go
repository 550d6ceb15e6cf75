// Package isa is Intel SGX as data: every structure, constant and code of the
// instruction set, named and laid out as in the Intel Software Developer's
// Manual, Volume 3D (cited as "SDM Vol. 3D").
//
// The package decides nothing: it has no checks, no cryptography and no state,
// and imports only the standard library. Structures are fixed-size values
// whose reserved fields are spelled out, because the processor checks them.
// Every structure T has a constant TSize and implements
// encoding.BinaryAppender and encoding.BinaryUnmarshaler; all integers are
// little-endian. UnmarshalBinary accepts exactly TSize bytes.
package isa
