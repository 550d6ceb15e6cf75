// Package crosscheck holds Feidi's verifier of quotes (dcap/verify) against
// verifiers that others wrote, on the same quotes, collateral, roots and time,
// and explains each difference. It is a module of its own so that nobody who
// uses Feidi depends on the peers. Nothing but its tests uses it.
//
// Peers:
//
//   - go-tdx-guest (Google), a Go module, always;
//   - dcap-qvl (Phala), JavaScript, if node is there and js/node_modules is
//     (cd js && npm ci);
//   - any program of the protocol below that the environment names: Intel's
//     own library (FEIDI_QVL), oasis-core (FEIDI_OASIS), and go-tdx-guest of a
//     later commit than the last release (FEIDI_GO_TDX_GUEST).
//
// A peer that is not there is skipped with a reason. FEIDI_PEERS, a list of
// names with commas, says which must be.
//
// # Protocol of programs
//
//	PROGRAM [-n N] FOLDER
//
// verifies the set in FOLDER N times (once by default), reading its files
// once, and prints the outcome of the last. It exits with 0 whatever the
// outcome, and with anything else if there was none. The files of a set:
//
//	quote.bin                       the quote
//	pck.pem, pck_chain.pem          PCK certificate; it, its CA and the root
//	pckcrl.der, pckcrl_chain.pem    revocation list of that CA; that CA and the root
//	rootcrl.der                     revocation list of the root
//	tcbinfo.json, tcb_chain.pem     TCB info as served; its signer and the root
//	qeid.json, qeid_chain.pem       QE identity as served; its signer and the root
//	root.pem                        the root to trust
//	verify_at.txt                   the time to verify at, RFC 3339
//
// The outcome is one line,
//
//	accepted [STATUS]               such as UpToDate, if the program tells it
//	rejected REASON
//
// or, of Intel's library, four, one for each of its functions
// sgxAttestationVerifyPCKCertificate, ...VerifyTCBInfo,
// ...VerifyEnclaveIdentity and ...VerifyQuote:
//
//	pck_chain STATUS_OK
//	tcb_info STATUS_OK
//	qe_identity STATUS_OK
//	quote STATUS_TCB_OUT_OF_DATE
package crosscheck
