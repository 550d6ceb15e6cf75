// Package dcap holds the values of Intel's Data Center Attestation Primitives:
// quotes of SGX enclaves and TDX guests, the certificates and revocation lists
// behind them, TCB info, enclave identities, and the collateral that a verifier
// needs. It reads them from their bytes and writes them.
//
// It judges nothing: package dcap/verify says whether a quote is to be
// believed, dcap/policy whether it is to be accepted. Package testpki makes
// quotes for tests.
//
// All input is hostile. Parsers take time and memory in proportion to their
// input, which is bounded (the Max constants), never panic, and answer with a
// *ParseError that says what is wrong and where. What a parser returns points
// into the bytes that it was given; whoever changes these changes it.
//
// Sources: Intel SGX and TDX DCAP Quoting Library API (quote formats), SGX PCK
// Certificate and CRL Profile Specification, Intel PCS API v4 (JSON).
package dcap
