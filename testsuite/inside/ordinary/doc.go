// Package ordinary has tests of ordinary Go programs: of what they do with
// files, sockets, memory and time. They hold of any Go program; the package
// above runs them in an enclave, by `feidi test`.
package ordinary
