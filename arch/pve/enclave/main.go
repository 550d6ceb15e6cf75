// Enclave is the provisioning enclave of EPID, see package arch/pve. Package
// arch/build says how it is built. Its argument, if there is one, is a signed
// extended EPID group, in hexadecimal.
package main

import (
	"context"
	"log"
	"os"

	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/pve"
	"github.com/feidi-dev/feidi/arch/pve/edl"
	"github.com/feidi-dev/feidi/inside"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("pve: ")
	if err := serve(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func serve(args []string) error {
	self, err := inside.Self()
	if err != nil {
		return err
	}
	group, err := pve.Argument(args, self.MRSigner)
	if err != nil {
		return err
	}
	table := edl.PveTable(pve.New(leaf.Inside{}, group))
	table.Limit = 16 << 10 // a call copies up to 2 KiB
	return inside.Serve(context.Background(), table)
}
