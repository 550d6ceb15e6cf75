// Enclave is the quote verification enclave, see package arch/qve. Package
// arch/build says how it is built. Its argument, if there is one, is a signed root
// certificate to trust in place of Intel's (qve.SignRoot), in hexadecimal.
package main

import (
	"context"
	"log"
	"os"

	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/arch/qve/edl"
	"github.com/feidi-dev/feidi/inside"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("qve: ")
	if err := serve(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func serve(args []string) error {
	self, err := inside.Self()
	if err != nil {
		return err
	}
	root, err := qve.Argument(args, self.MRSigner)
	if err != nil {
		return err
	}
	var roots [][]byte
	if root != nil {
		roots = [][]byte{root}
	}
	q, err := qve.New(leaf.Inside{}, roots...)
	if err != nil {
		return err
	}
	table := edl.QveTable(q)
	table.Limit = 512 << 10 // a call copies 40 KiB, and CRLs may grow; what all threads read must fit into the heap
	return inside.Serve(context.Background(), table)
}
