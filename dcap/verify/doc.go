// Package verify says whether a quote of an SGX enclave or a TDX guest is
// genuine, and what Intel says of the platform that it comes from. It makes
// the checks of Intel's Quote Verification Library (QVL) of 2026, in its
// order, and answers with its result codes.
//
// It needs no SGX, no cgo, no network and no clock: collateral and time are
// arguments. Package pcs gets collateral; dcap/policy judges a Result, because
// a genuine quote may still be of the wrong enclave, or of one under debug,
// which this package does not judge.
//
// Trust ends in root keys: Intel's, which are built in, unless WithRoots names
// others, which then take their place. A quote of a software platform never
// passes for one of Intel's.
//
// It is stricter than the QVL where that is only lax: certificates that are
// not yet valid, CA certificates without the right to sign, unknown critical
// extensions, duplicate keys in JSON and several readings of one text are
// refused. RATIONALE.md has the list.
package verify
