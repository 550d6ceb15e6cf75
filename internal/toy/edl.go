package toy

import _ "embed"

// EDL describes the ECALLs of every enclave of this package, and the OCALLs of
// ECallPrint and ECallAsk, to those who call by name.
//
//go:embed toy.edl
var EDL string
