// Package platform is the host side of quotes on one machine: it runs the system
// enclaves, has the provisioning service certify the machine and the PCE certify
// the attestation key, keeps what can be kept, and makes quotes.
//
//	p, err := platform.Start(ctx, platform.Config{
//		Machine: m, PCE: pce, QE: qe, PPIDKey: doc, PCK: client, Dir: dir,
//	})
//	id, err := p.Identify(ctx)              // what the machine is registered with
//	target, _, err := p.InitQuote(ctx, &key) // whom the application makes its REPORT for
//	quote, err := p.Quote(ctx, &key, report, nil)
//
// It does what Intel's quoting library, its provider library and the ECDSA plug-in
// of AESM do, and is that plug-in of package aesm's Server. What is certified is
// certified anew as soon as the machine, its enclaves or its PCK certificate have
// changed; a machine that the service does not know yet can quote as soon as the
// service does. Nothing that is kept is needed: what is lost or damaged is made
// again.
//
// Calls of the system enclaves are short, so GOMAXPROCS needs no raising for them: a
// value above the number of processors makes each request to a server dearer, as
// the Go scheduler looks for work on all that are idle. It is for programs that
// run enclaves which compute for long.
//
// Locks: Platform.mu guards the initialisation under way; system.mu guards an
// enclave, and is held for reading during calls. None is taken while another is
// held.
//
// Sources: quote_wrapper/quote/qe_logic.cpp and qcnl of Intel's DCAP, of which no
// code is used; Intel SGX ECDSA QuoteLibReference API.
package platform
