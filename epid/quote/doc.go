// Package quote is about EPID quotes, with which enclaves attested in the first
// years of SGX: sgx_quote_t of version 2. It reads and writes them, and verifies
// them as the attestation service does.
//
//	offset size
//	     0    2 version, 2
//	     2    2 sign type: 0 unlinkable, 1 linkable
//	     4    4 ID of the EPID group
//	     8    2 ISVSVN of the quoting enclave
//	    10    2 ISVSVN of the PCE
//	    12    4 extended EPID group ID: whose groups; 0 is Intel
//	    16   32 basename: 16 bytes SPID, then 16 random bytes, or zeros if linkable
//	    48  384 body of the enclave's REPORT
//	   432    4 size of what follows: 680 + 160·n
//	   436      signature, sealed to the attestation service (epid.SealSignature)
//
// Numbers are little-endian; n is the number of entries of the SigRL that the
// quote was made with. The group's members sign the first 432 bytes.
//
// Only who has the attestation service's private key can verify a quote: the
// signature would tell everybody else which linkable quotes are of one machine.
// What it says to relying parties is not part of this package, but for
// PlatformInfo, which AESM reads. Neither is a policy: a quote whose signature is
// good may be of a debug enclave, or of a machine that is out of date.
//
// Sources: sgx_quote.h, se_quote_internal.h, quoting_enclave.cpp and
// platform_info_blob.h of Intel's SGX SDK, of which no code is used.
package quote
