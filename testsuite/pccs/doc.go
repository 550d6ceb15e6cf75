// Package pccs holds the caching service to what its clients know: Intel's.
//
// The tables of requests and answers in this folder say what Intel's PCCS 1.27
// answers, and each row where ours answers otherwise says why. They run against
// ours, and with
//
//	FEIDI_PCCS_INTEL=https://USERTOKEN:ADMINTOKEN@127.0.0.1:PORT go test ./testsuite/pccs
//
// against one of Intel's in OFFLINE mode, too, so that the tables are proven by
// the service that they describe. The test fills it: give it a database of no
// value. FEIDI_PCCS_INTEL_LAZY is the same for LAZY mode (see TestIntelLazy), and
// FEIDI_QCNL the path of Intel's client, libsgx_default_qcnl_wrapper.so, which then
// asks both services by itself.
package pccs
