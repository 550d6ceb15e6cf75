// Package testpki is a fake Intel: the certificate authorities, platforms, TCB
// information, revocation lists and quotes of SGX and TDX attestation, made for
// tests of whoever relies on quotes. A valid quote and what verifies it takes
// three lines:
//
//	pki := testpki.New()
//	quote := pki.Platform().TDXQuote()
//	raw, collateral := quote.Bytes(), quote.Collateral() // valid at pki.Now, under pki.Root
//
// Everything can be made wrong. Data are structs that a test changes before
// they are signed, certificates and lists are made again with Reissue and CRL,
// and each thing that is signed has edits that see its bytes before and after.
//
// The names are Intel's because relying parties compare them; the keys are new
// in each PKI, and anybody who knows the seed has them. Nothing here comes from
// Intel or says anything of a machine. Never install such a root anywhere: give
// it to the verifier under test, and to nothing else.
//
// The package writes the formats by itself and shares no code with the parsers
// of package dcap, of which it uses the plain data types only. It is a second
// opinion on the formats, and each can judge the other.
//
// It is for tests, so what cannot be made panics: an error would be ignored or
// checked in a hundred places. A PKI may be used from many goroutines as long
// as none changes its fields.
//
// Sources: Intel SGX PCK Certificate and CRL Profile Specification, Intel SGX
// and TDX DCAP Quoting Library API, Intel PCS API v4.
package testpki
