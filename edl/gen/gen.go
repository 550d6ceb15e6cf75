// Package gen writes source code that crosses the border of an enclave, by
// the plan of its interface: C that builds with the Intel SGX SDK, and Go for
// either side. It is pure: it returns files, and the caller stores them.
//
// The language is the beginning of a name: [C] and the options of it are in
// the files c*.go.
package gen

// File is a generated file.
type File struct {
	Name    string // without folder
	Content []byte
}
