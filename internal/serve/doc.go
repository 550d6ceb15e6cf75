// Package serve is what the HTTP daemons share: connections that are limited in
// number and time, an end that waits for the requests under way, TLS whose
// certificate can be replaced, and the two ends of systemd's protocols for
// daemons. It knows nothing of what is served.
package serve
