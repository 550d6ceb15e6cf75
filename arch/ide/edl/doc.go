package edl

//go:generate go run github.com/feidi-dev/feidi/cmd/feidi edl gen id_enclave.edl --lang go --package edl
