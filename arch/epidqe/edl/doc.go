package edl

// The type is an enum.
//go:generate go run github.com/feidi-dev/feidi/cmd/feidi edl gen epid_qe.edl --lang go --package edl --type sgx_quote_sign_type_t=uint32_t
