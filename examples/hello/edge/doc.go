package edge

//go:generate go run github.com/feidi-dev/feidi/cmd/feidi edl gen hello.edl --lang go --package edge
