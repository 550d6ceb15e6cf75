// Package gen is what the back ends of EDL share. Each writes source code that
// crosses the border of an enclave, by the plan of its interface: package cgen
// C that builds with the Intel SGX SDK, and package gogen Go for either side.
// They are pure: they return files, and the caller stores them.
package gen

import "errors"

// ErrName says that a name of the interface, or one that the caller chose, has
// no place in generated code.
var ErrName = errors.New("the name does not fit into generated code")

// File is a generated file.
type File struct {
	Name    string // without folder
	Content []byte
}
