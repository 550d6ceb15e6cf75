// Enclave is the quoting enclave of EPID, see package arch/epidqe. Package
// arch/build says how it is built.
package main

import (
	"context"
	"log"

	"github.com/feidi-dev/feidi/arch/epidqe"
	"github.com/feidi-dev/feidi/arch/epidqe/edl"
	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/inside"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("epid-qe: ")
	table := edl.EpidQeTable(epidqe.New(leaf.Inside{}))
	table.Limit = 1 << 20 // a call copies up to 512 KiB, if SigRL and quote are as large as AESM lets them be
	if err := inside.Serve(context.Background(), table); err != nil {
		log.Fatal(err)
	}
}
