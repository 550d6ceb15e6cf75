// Package edl reads the Enclave Definition Language: the functions that an
// enclave and its host call of each other, as the Intel SGX SDK's sgx_edger8r
// defines them. It is pure: files are opened by a function of the caller.
package edl
