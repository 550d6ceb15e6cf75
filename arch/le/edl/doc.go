package edl

// The size is that of an EINITTOKEN.
//go:generate go run github.com/feidi-dev/feidi/cmd/feidi edl gen launch_enclave.edl --lang go --package edl --type token_t=304
