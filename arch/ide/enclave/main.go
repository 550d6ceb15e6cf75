// Enclave is the ID enclave, see package arch/ide. Package arch/build says how
// it is built. Its argument, if there is one, is a signed key to encrypt PPIDs to
// (package ppid), in hexadecimal.
package main

import (
	"context"
	"log"
	"os"

	"github.com/feidi-dev/feidi/arch/ide"
	"github.com/feidi-dev/feidi/arch/ide/edl"
	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/inside"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("ide: ")
	if err := serve(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func serve(args []string) error {
	self, err := inside.Self()
	if err != nil {
		return err
	}
	key, err := ppid.Argument(args, self.MRSigner)
	if err != nil {
		return err
	}
	table := edl.IdEnclaveTable(ide.New(leaf.Inside{}, key))
	table.Limit = 16 << 10 // a call copies 2 KiB
	return inside.Serve(context.Background(), table)
}
