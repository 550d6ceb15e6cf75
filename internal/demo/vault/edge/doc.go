// Package edge is the border of the demo's enclave, as vault.edl describes it.
package edge

//go:generate go run github.com/feidi-dev/feidi/cmd/feidi edl gen vault.edl --lang go --package edge
