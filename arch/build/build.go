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
	ProdID  uint16 // ISVPRODID
	SVN     uint16 // ISVSVN
	Threads int

	Attributes isa.AttributeFlags // which keys it may have
}

// The system enclaves that make quotes. Products and SVNs are those of Intel's.
var (
	PCE = Enclave{Name: "pce", Package: programs + "pce/enclave", ProdID: 1, SVN: 16, Threads: 8, Attributes: isa.AttrProvisionKey}
	QE  = Enclave{Name: "qe", Package: programs + "qe/enclave", ProdID: 1, SVN: 11, Threads: 32, Attributes: isa.AttrProvisionKey}
	IDE = Enclave{Name: "ide", Package: programs + "ide/enclave", ProdID: 1, SVN: 5, Threads: 8, Attributes: isa.AttrProvisionKey}
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
		ISVProdID: e.ProdID, ISVSVN: e.SVN, Attributes: e.Attributes,
		Key: key, Date: date,
	}
}
