package edl

// The sizes are those of packed structures (ecdsa_quote.h) and of an enum.
//go:generate go run github.com/feidi-dev/feidi/cmd/feidi edl gen qe3.edl --lang go --package edl --type ref_plaintext_ecdsa_data_sdk_t=1223 --type sgx_ql_cert_key_type_t=uint32_t
