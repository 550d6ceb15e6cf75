package local_test

import (
	"fmt"

	"github.com/feidi-dev/feidi/attest/local"
)

// Two enclaves of one machine. In an enclave a type with three methods that
// call inside.Target, inside.Report and inside.VerifyReport is the Enclave.
func Example() {
	server, client := newEnclave(9, 1), newEnclave(9, 2)

	r := local.NewResponder(server)
	msg1, err := r.Msg1()
	if err != nil {
		fmt.Println(err)
		return
	}

	i := local.NewInitiator(client, local.LAv2)
	msg2, err := i.ProcMsg1(msg1)
	if err != nil {
		fmt.Println(err)
		return
	}

	msg3, atServer, err := r.ProcMsg2(msg2, []byte("ready"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if atServer.Peer.MREnclave != client.body.MREnclave { // whom the server serves
		fmt.Println("not this client")
		return
	}

	atClient, err := i.ProcMsg3(msg3)
	if err != nil {
		fmt.Println(err)
		return
	}
	if atClient.Peer.MRSigner != server.body.MRSigner { // whom the client trusts
		fmt.Println("not this server")
		return
	}
	fmt.Println(atClient.Version, atClient.Key == atServer.Key, string(atClient.Additional))
	// Output: LAv2 true ready
}
