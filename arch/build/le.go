package build

import "github.com/feidi-dev/feidi/isa"

// LE is the launch enclave. Product and SVN are those of Intel's. It has the key of
// tokens, and none that tells platforms apart.
var LE = Enclave{Name: "le", Package: programs + "le/enclave", ProdID: 0x20, SVN: 7, Threads: 8, Attributes: isa.AttrEinitTokenKey}
