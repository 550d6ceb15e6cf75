// Hello says what it is, or serves the functions of edge/hello.edl to its host.
//
//	go run ./examples/hello
//	feidi run ./examples/hello
//	go run ./examples/hello/host hello.signed.so Alice
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/feidi-dev/feidi/examples/hello/edge"
	"github.com/feidi-dev/feidi/inside"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("hello: ")
	serve := flag.Bool("serve", false, "serve the host's calls")
	flag.Parse()
	self, err := inside.Self()
	switch {
	case *serve:
		err = inside.Serve(context.Background(), edge.HelloTable(&trusted{}))
	case errors.Is(err, inside.ErrNotEnclosed):
		fmt.Println("Hello, world. I am not in an enclave: try `feidi run ./examples/hello`.")
		err = nil
	case err == nil:
		fmt.Printf("Hello, world, from the enclave with MRENCLAVE %x.\n", self.MREnclave)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// trusted implements the trusted functions of the EDL.
type trusted struct {
	host  edge.HelloHost
	count atomic.Int32
}

// EcallHello implements edge.HelloECalls.
func (t *trusted) EcallHello(ctx context.Context, name string) (int32, error) {
	n := t.count.Add(1)
	return n, t.host.OcallPrintString(ctx, fmt.Sprintf("Hello, %s. You are number %d.\n", name, n))
}
