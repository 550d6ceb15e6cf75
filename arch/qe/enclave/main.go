// Enclave is the quoting enclave, see package arch/qe. Package arch/build says how
// it is built. Its argument, if there is one, is a signed key to encrypt PPIDs to
// (package ppid), in hexadecimal.
package main

import (
	"context"
	"log"
	"os"
	"runtime/debug"

	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/arch/qe"
	"github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/inside"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("qe: ")
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
	debug.SetGCPercent(400) // next to nothing outlives a call, and a collection at 16 MiB is soon enough for the heap of package arch/build
	table := edl.Qe3Table(qe.New(leaf.Inside{}, key))
	table.Limit = 256 << 10 // a call copies up to 30 KiB, if the host's buffers are not larger than they must be
	return inside.Serve(context.Background(), table)
}
