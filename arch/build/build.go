// Package build says what the system enclaves are built from, and as what. Who
// signs them is the caller's to say: one key for all of them, since the ID enclave
// has the QE's keys only then.
package build

import (
	"crypto/rsa"
	"time"

	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/isa"
)

// Enclave is a system enclave.
type Enclave struct {
	Name    string // a short one, and the program's
	Package string // of the program
	SVN     uint16 // ISVSVN
	Threads int
}

// The system enclaves. All have ISVPRODID 1 and may derive provisioning keys; SVNs
// are those of Intel's.
var (
	PCE = Enclave{Name: "pce", Package: programs + "pce/enclave", SVN: 16, Threads: 8}
	QE  = Enclave{Name: "qe", Package: programs + "qe/enclave", SVN: 11, Threads: 32}
	IDE = Enclave{Name: "ide", Package: programs + "ide/enclave", SVN: 5, Threads: 8}
)

const programs = "github.com/feidi-dev/feidi/arch/"

// heap is enough for all threads to make quotes while garbage waits: with 16 MiB
// the collector comes too late under load.
const heap = 64 << 20

// Options returns what gobuild.Toolchain's Build takes. The measurement depends on
// neither key nor date.
func (e Enclave) Options(key *rsa.PrivateKey, date time.Time) gobuild.Options {
	return gobuild.Options{
		Heap: heap, Threads: e.Threads,
		ISVProdID: 1, ISVSVN: e.SVN, Attributes: isa.AttrProvisionKey,
		Key: key, Date: date,
	}
}
