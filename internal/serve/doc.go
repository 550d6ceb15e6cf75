// Package serve is what the HTTP daemons share: connections that are limited in
// number and time, an end that waits for the requests under way, and TLS whose
// certificate can be replaced. It knows nothing of what is served.
package serve
