// Package tvl is for an enclave that has the quote verification enclave (QvE) of
// its machine verify a quote. The host carries the quote there and the verdict
// back, and may lie about both; the QvE's REPORT says what the verdict was.
// Verdict.Check believes neither host nor REPORT before it has compared them. It is
// what Intel's trusted verification library has (sgx_tvl_verify_qve_report_and_identity).
//
//	the relying enclave          its host                 the QvE
//	nonce, TARGETINFO  -------->  quote, collateral,
//	                              time               ---->  verifies
//	Verdict.Check      <--------  verdict, REPORT    <----
//
// That a verdict is genuine does not make it a good one. It is the caller's to
// judge the Result; whether At is the present, since the host chose it; and whom the
// quote is of. If roots other than Intel's are in play, it must also compare the
// RootKeyID of the supplemental data, because a QvE serves whichever of the roots
// that its signer vouches for its host picks.
//
// The package also has the codes and the structures of these functions, as Go
// values: the QvE returns them.
//
// Sources: sgx_qve_header.h and sgx_ql_lib_common.h of Intel's DCAP, for layouts and
// numbers, and the behaviour of its QvE and TVL.
package tvl
