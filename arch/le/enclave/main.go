// Enclave is the launch enclave, see package arch/le. Package arch/build says how it
// is built. Its argument, if there is one, is a signed policy, in hexadecimal.
package main

import (
	"context"
	"log"
	"os"

	"github.com/feidi-dev/feidi/arch/le"
	"github.com/feidi-dev/feidi/arch/le/edl"
	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/inside"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("le: ")
	if err := serve(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func serve(args []string) error {
	self, err := inside.Self()
	if err != nil {
		return err
	}
	policy, err := le.Argument(args, self.MRSigner)
	if err != nil {
		return err
	}
	table := edl.LaunchEnclaveTable(le.New(leaf.Inside{}, policy))
	table.Limit = 128 << 10 // a call copies up to 65 KiB: a white list
	return inside.Serve(context.Background(), table)
}
