// Package pcs gets what a verifier of SGX and TDX quotes needs besides the
// quote: from Intel's Provisioning Certification Service (PCS), from a caching
// service of the same interface (PCCS), from its own cache on disk, or from a
// bundle that somebody saved.
//
//	c, err := pcs.New(pcs.Config{CacheDir: dir})
//	collateral, report, err := c.Collateral(ctx, pcs.Request{TEE: dcap.TEETDX, FMSPC: fmspc, CA: pcs.Platform})
//
// The zero Config asks Intel. [ParseQCNL] reads the configuration file of
// Intel's own client, [LoadBundle] and [SaveBundle] work without a network.
//
// Nothing that comes back is trusted or verified here: Intel's signatures cover
// it, and package dcap/verify checks them. What is looked at is only whether
// a reply is the document that was asked for, and how long it is good for.
// Replies are bounded, and every failure is an [*Error] that says what to do.
//
// Sources: Intel SGX and TDX PCS API v4, Intel's PCCS and its client QCNL.
package pcs
