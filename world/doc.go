// Package world is a factory of SGX machines with its own root of trust: what
// Intel is to its processors, in software.
//
// It burns the fuses of machines and remembers what a factory may know of them,
// certifies their provisioning certification keys (PCK), says which TCB is up to
// date, and revokes. The formats are Intel's, so that whoever verifies quotes of
// SGX verifies those of its machines, against the world's root and no other;
// every name in its certificates says SOFTWARE - NOT HARDWARE. Package
// pcs/server serves a world over HTTP.
//
// A World is two files in a state directory, and a file for each machine:
//
//	world/keys.json      its name and private keys; never changed
//	world/factory.json   what it knows: platforms, levels of TCB, revocations
//	machines/NAME.json   the fuses of a machine, which the machine has
//
// Nothing that is issued is kept. Certificates are functions of those files and
// signatures are deterministic (RFC 6979), so each is made when it is asked for,
// the same every time. Revocation lists, TCB info and identities are also
// functions of the day: they are issued at its beginning (UTC), or when
// something changed later in it.
//
// Several processes may have a world open. One that changes it holds a lock and
// replaces the file in one step, after which all others see the change. What a
// function has returned without error is on the disk.
//
// The files are secrets of mode 0600. A damaged one is reported and never
// replaced.
package world
