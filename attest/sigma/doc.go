// Package sigma is remote attestation with a key exchange: an enclave proves
// what it is to a service provider, who proves itself by a signature, and they
// agree on keys. It is the exchange of Intel's SGX SDK (sgx_ra_*, a SIGMA
// protocol), with the same bytes on the wire, so that either side may be a
// program made with the SDK.
//
//	client, in the enclave             service provider
//	Msg0        -- message 0 -->       ProcMsg0 (may be left out)
//	Msg1        -- message 1 -->       ProcMsg1
//	ProcMsg2    <-- message 2 --
//	            -- message 3 -->       ProcMsg3
//
// Both end with [Keys]. The client has them as soon as it has checked the
// provider's signature; whether the provider accepts the quote it learns from
// what the provider sends next, which is up to the application (the SDK's
// samples call it message 4).
//
// Quotes are opaque: ECDSA quotes of all versions and sizes, and EPID quotes.
// Making one is a function that the client is given, verifying one a function
// that the provider is given.
//
// # Messages
//
// Integers and coordinates are little-endian; so are the halves r and s of the
// signature.
//
//	message 0               message 2               message 3
//	  0  extended EPID        0  g_b (64)             0  CMAC (16)
//	     group, u32          64  SPID (16)           16  g_a (64)
//	  4                      80  quote type, u16     80  platform services (256),
//	                         82  KDF id, u16             zero
//	message 1                84  signature (64)     336  quote
//	  0  g_a (64)           148  CMAC (16)
//	 64  EPID group (4)     164  length of SigRL, u32
//	 68                     168  SigRL
//
// The signature is the provider's, of g_b | g_a. The CMACs are under the key
// SMK; that of message 2 covers what precedes it, that of message 3 what
// follows it. The quote's report data are SHA-256(g_a | g_b | VK) and 32 zeros.
//
// EPID group, SPID, quote type and SigRL have a meaning for EPID quotes only.
// Nothing in the exchange authenticates SigRL, a signed list of revoked
// signatures: the quoting enclave checks it, and the quote says which it was.
//
// # Secrets
//
// What is derived is cleared after use. The private key belongs to package
// crypto/ecdh, which has no means to clear it: it is let go after use.
//
// Sources: sgx_key_exchange.h of Intel's SGX SDK and the behaviour of its
// libraries (sgx_tkey_exchange, sgx_ukey_exchange); the message 0 of its
// RemoteAttestation sample.
package sigma
