// Package pccs is a Provisioning Certificate Caching Service (PCCS): it keeps
// the PCK certificates of platforms and the collateral of verifiers near those
// who need them, as Intel's reference service does. It has what such a service
// knows and decides; package pccs/server is its HTTP, pccs/store its database,
// pccs/collateral says what is genuine.
//
// Nothing gets into the cache that was not verified, from the service behind or
// from an administrator. Each document is fetched again in its own time, before it
// runs out; what fails is tried again by itself, and the old copy stays, which is
// served with a word of why, or refused, by the policy. Of several instances on one
// database one does it.
//
// Clients need no right to ask. So there is one fetch for all who want the same, what
// failed is not asked for again at once, what fails too often altogether is not
// asked for at all for a while, and nothing that a client invents gets into
// memory without bound or into the database.
//
// Locks: Service.mu is held for moments only, and never while the store or the
// service behind is asked.
package pccs
