package build

import "github.com/feidi-dev/feidi/isa"

// The system enclaves of EPID. Products and SVNs are those of Intel's: PvE and QE are
// one product, so that the QE opens what the PvE seals, and the QE has no key that
// tells platforms apart.
var (
	PVE    = Enclave{Name: "pve", Package: programs + "pve/enclave", ProdID: 1, SVN: 16, Threads: 8, Attributes: isa.AttrProvisionKey}
	EPIDQE = Enclave{Name: "epid-qe", Package: programs + "epidqe/enclave", ProdID: 1, SVN: 16, Threads: 8}
)
