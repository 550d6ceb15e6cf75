// Package edl reads the Enclave Definition Language: the functions that an
// enclave and its host call of each other, as the Intel SGX SDK's sgx_edger8r
// defines them, with Open Enclave's spelling as a dialect. It is pure: files
// are opened by a function of the caller.
//
// Load reads a file and its imports, checks every rule and returns an
// Interface; docs/edl-rules.md lists the rules. Parse and Format work on the
// text of one file, before the preprocessor, and keep all of it.
package edl
