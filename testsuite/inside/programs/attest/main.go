// Attest is one side of an attestation. It does what its host asks for, a line at a
// time: a verb and its arguments, byte strings in hexadecimal. It answers with a
// line: ok and byte strings, or error and what it says.
package main

import (
	"bufio"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/attest/local"
	"github.com/feidi-dev/feidi/attest/sigma"
	"github.com/feidi-dev/feidi/inside"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		words := strings.Split(in.Text(), " ")
		var args [3][]byte
		for i := range min(len(args), len(words)-1) {
			args[i], _ = hex.DecodeString(words[i+1])
		}
		answer, err := serve(words[0], args[0], args[1:])
		if err != nil {
			fmt.Printf("error %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		line := "ok"
		for _, b := range answer {
			line += " " + hex.EncodeToString(b)
		}
		fmt.Println(line)
	}
}

// State of the exchange that is under way.
var (
	responder *local.Responder
	initiator *local.Initiator
	client    *sigma.Client
	sealed    cipher.AEAD // with the key of the last exchange
)

func serve(verb string, arg []byte, more [][]byte) (answer [][]byte, err error) {
	switch verb {
	case "msg1":
		responder = local.NewResponder(inside.Enclave{})
		return one(responder.Msg1())
	case "msg2":
		initiator = local.NewInitiator(inside.Enclave{}, local.LAv2)
		return one(initiator.ProcMsg1(arg))
	case "msg3":
		msg3, s, err := responder.ProcMsg2(arg, more[0])
		if err != nil {
			return nil, err
		}
		return accept(s, msg3)
	case "end":
		s, err := initiator.ProcMsg3(arg)
		if err != nil {
			return nil, err
		}
		return accept(s, s.Additional)
	case "send": // one message with each key, so that any nonce will do
		return [][]byte{sealed.Seal(nil, make([]byte, sealed.NonceSize()), arg, nil)}, nil
	case "receive":
		return one(sealed.Open(nil, make([]byte, sealed.NonceSize()), arg, nil))

	case "quote":
		var data [64]byte
		copy(data[:], arg)
		if len(more[0]) == 0 {
			return one(inside.Quote(context.Background(), data))
		}
		return one(inside.QuoteWith(context.Background(), data, &inside.QuoteOptions{Keys: []aesm.AttKeyID{aesm.ECDSAKeyID([32]byte(more[0]))}}))

	case "prove": // to the provider with this public key
		provider, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), arg)
		if err != nil {
			return nil, err
		}
		client, err = sigma.NewClient(provider, func(data [64]byte) ([]byte, error) {
			return inside.Quote(context.Background(), data)
		})
		if err != nil {
			return nil, err
		}
		return one(client.Msg1())
	case "proof":
		msg3, keys, err := client.ProcMsg2(arg)
		if err != nil {
			return nil, err
		}
		sealed = gcm(keys.SK[:])
		return [][]byte{msg3}, nil
	}
	return nil, fmt.Errorf("no verb %q", verb)
}

// accept begins a session with an enclave of the same signer, and no other.
func accept(s *local.Session, out []byte) ([][]byte, error) {
	self, err := inside.Self()
	if err != nil {
		return nil, err
	}
	if s.Peer.MRSigner != self.MRSigner {
		return nil, errors.New("the peer is of another signer")
	}
	sealed = gcm(s.Key[:])
	return [][]byte{out, s.Peer.MREnclave[:]}, nil
}

func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return a
}

func one(b []byte, err error) ([][]byte, error) { return [][]byte{b}, err }
