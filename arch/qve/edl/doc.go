package edl

//go:generate go run github.com/feidi-dev/feidi/cmd/feidi edl gen qve.edl --lang go --package edl --type quote3_error_t=uint32_t --type sgx_ql_qv_result_t=uint32_t
