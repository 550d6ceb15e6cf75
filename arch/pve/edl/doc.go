package edl

//go:generate go run github.com/feidi-dev/feidi/cmd/feidi edl gen pve.edl --lang go --package edl
