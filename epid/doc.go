// Package epid is EPID 2.0, the group signatures of SGX's first attestation
// scheme: an issuer makes a group and lets members join it; a member signs;
// a verifier learns that some member of the group signed, and that it is not
// revoked, but not which one.
//
//	issuer                  member                     verifier
//	NewIssuer
//	Group.PublicKey  ---->  NewGroup  ------------->   NewGroup
//	nonce            ---->  NewSecret, Group.Join
//	Certify          <----  JoinRequest
//	Credential       ---->  Group.NewMember
//	                        Member.Sign  ---------->   Verifier.Verify
//
// The issuer never learns a member's secret f, so that it cannot sign in its
// place, nor tell whose a signature is.
//
// # Basenames
//
// Two signatures of one member with the same basename have the same K, and are
// thus known as one member's ([Linked]). Without a basename each signature has
// a fresh one, and nobody can tell.
//
// # Revocation
//
// A group is revoked by [GroupRL], a member by its private key, which has to be
// known ([PrivRL]), or by one of its signatures ([SigRL]): then each signature
// carries a proof for each entry that its signer did not make that one. A
// verifier may keep its own list for one basename ([VerifierRL]).
//
// # Formats
//
// All are sequences of big-endian octet strings: numbers of 32 bytes, points
// of 64 or 128, counters of 4.
//
//	PublicKey   gid 4, h1 64, h2 64, w 128                             260
//	IssuerKey   gid 4, gamma 32                                         36
//	JoinRequest F 64, c 32, s 32                                       128
//	Credential  gid 4, A 64, x 32                                      100
//	PrivateKey  gid 4, A 64, x 32, f 32                                132
//	Signature   B 64, K 64, T 64, c sx sf sa sb 32, version 4, n 4,
//	            n times (T 64, c smu snu 32)                   360 + 160·n
//	PrivRL      gid 4, version 4, n 4, n times f 32              12 + 32·n
//	SigRL       gid 4, version 4, n 4, n times (B 64, K 64)     12 + 128·n
//	GroupRL     version 4, n 4, n times gid 4                      8 + 4·n
//	VerifierRL  gid 4, B 64, version 4, n 4, n times K 64        76 + 64·n
//
// A group ID has 4 bytes, as SGX has it; in Intel's SDK for other devices it
// has 16, and all that contain one are 12 bytes longer. Signatures do not
// contain it. In SGX's messages and quotes the ID is in little-endian order.
//
// [SignFile] puts lists and keys into the signed files of Intel's issuer, and
// [SealSignature] a signature into the encrypted form that SGX quotes have.
// Package epid/quote has the quotes, and verifies them.
//
// # What it is not
//
// EPID 1.1, and the split signatures of TPMs. Random sources may be nil, which
// is crypto/rand; others serve tests. Secrets are not cleared from memory; the
// time that operations take does not depend on them.
//
// Sources: Intel's EPID SDK, whose names for fields are used, and E. Brickell,
// J. Li: "Enhanced Privacy ID from Bilinear Pairing for Hardware
// Authentication and Attestation"; se_quote_internal.h of SGX's SDK.
package epid
