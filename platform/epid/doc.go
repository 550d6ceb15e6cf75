// Package epid is the host side of EPID quotes on one machine: AESM's service for
// the older scheme of attestation. It runs the quoting enclave, and the
// provisioning enclave when the machine has to become a member of a group, and
// keeps the member's key, sealed, in a file.
//
//	s, err := epid.Start(ctx, epid.Config{Machine: m, PvE: pve, QE: qe, Group: doc, Provisioner: p, Dir: dir})
//	server.Services.EPID = s
//
// The machine is provisioned when a quote is initialised first, and again if its
// key cannot be opened any more, is of another extended group, or was made at
// another CPUSVN or an older ISVSVN. If the latter fails, the old key serves on.
// What is lost or damaged is made again: it will be the same member.
//
// Locks: Service.turn is held by who provisions, and guards the key; Service.mu
// guards the enclave, and is held for reading during calls. turn is taken first.
//
// Source: epid_quote_service_bundle of Intel's AESM, of which no code is used.
package epid
