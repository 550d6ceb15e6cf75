// Package verifyd is a service that verifies quotes over HTTP, for those whose
// relying parties are not written in Go:
//
//	POST /v1/verify   a quote, and the verdict on it (see package wire)
//	GET  /healthz     200 while it takes requests, 503 once it is to stop
//	GET  /metrics     counters for Prometheus
//
// A [Handler] is the service, for any server; a [Server] runs it with timeouts,
// and stops without breaking off what is under way.
//
// It asks nobody who they are. Verdicts are no secrets, but work is: put it on
// a loopback address or behind a proxy that knows its clients. And a verdict is
// worth as much as the connection it came over: who can change the answer can
// write "accepted".
//
// Lock order: there is one lock each in Cache and in the metrics, and nothing
// is called under either.
package verifyd
