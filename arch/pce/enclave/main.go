// Enclave is the provisioning certification enclave, see package arch/pce. Package
// arch/build says how it is built.
package main

import (
	"context"
	"log"

	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/pce"
	"github.com/feidi-dev/feidi/arch/pce/edl"
	"github.com/feidi-dev/feidi/inside"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("pce: ")
	table := edl.PceTable(pce.New(leaf.Inside{}))
	table.Limit = 16 << 10 // a call copies 2 KiB
	if err := inside.Serve(context.Background(), table); err != nil {
		log.Fatal(err)
	}
}
