// Package speed has benchmarks of what Go programs do, to be run outside and
// inside an enclave: docs/performance.md compares them. It holds nothing else.
package speed
