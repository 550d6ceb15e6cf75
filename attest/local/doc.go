// Package local is local attestation: two enclaves of one machine prove to each
// other what they are, and agree on a key. It is the exchange of Intel's SGX
// SDK (sgx_dh.h), with the same bytes on the wire, so that either side may be
// an enclave made with the SDK.
//
//	responder                          initiator
//	Msg1        -- message 1 -->       ProcMsg1
//	ProcMsg2    <-- message 2 --
//	            -- message 3 -->       ProcMsg3
//
// Both end with a [Session]: a key (the SDK's AEK), and what the processor says
// of the peer. That the peer runs on this machine is proven. Whether it is one
// to talk to is for the caller to say, who must look at [Session.Peer], at
// MRENCLAVE or MRSIGNER and at the debug attribute, before using the key.
//
// A host carries the messages, and can hold them back or mix them up; all it
// gets by that is an exchange that fails.
//
// # Messages
//
// Integers and coordinates are little-endian.
//
//	message 1           message 2           message 3
//	  0  g_a (64)         0  g_b (64)         0  CMAC (16)
//	 64  TARGETINFO      64  REPORT          16  REPORT
//	576                 496  CMAC (16)      448  length of what follows, u32
//	                    512                 452  additional properties
//
// There are two versions. They differ in what report data and CMACs cover, and
// the initiator chooses. SMK is the key of the CMACs, derived as AEK is.
//
//	                        LAv1                           LAv2
//	report data, message 2  SHA-256(g_a | g_b) | KDF id    SHA-256(spec | g_b)
//	CMAC, message 2         REPORT                         g_b
//	report data, message 3  SHA-256(g_b | g_a)             SHA-256(g_a | spec)
//	CMAC, message 3         all that follows               additional | g_a
//
// spec is 64 bytes that tell the responder how to make a TARGETINFO of a
// REPORT. In LAv2 message 2 has them in place of the report data.
//
// # Secrets
//
// What is derived is cleared after use. The private key belongs to package
// crypto/ecdh, which has no means to clear it: it is let go after use.
//
// Sources: sgx_dh.h of Intel's SGX SDK and the behaviour of its library
// (sgx_dh_*, sgx_LAv1_*, sgx_LAv2_*).
package local
