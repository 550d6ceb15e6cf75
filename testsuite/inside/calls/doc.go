// Package calls is both sides of the EDL that the tests of Go enclaves call.
package calls

//go:generate go run github.com/feidi-dev/feidi/cmd/feidi edl gen calls.edl --lang go --package calls
