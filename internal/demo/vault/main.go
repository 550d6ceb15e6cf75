// Vault is the demo's enclave: it attests to others, on its machine and far away,
// and keeps a secret that it is given.
package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"log"
	"sync"

	"github.com/feidi-dev/feidi/attest/local"
	"github.com/feidi-dev/feidi/attest/sigma"
	"github.com/feidi-dev/feidi/inside"
	"github.com/feidi-dev/feidi/internal/demo/vault/edge"
	"github.com/feidi-dev/feidi/isa"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("vault: ")
	if err := inside.Serve(context.Background(), edge.VaultTable(&vault{})); err != nil {
		log.Fatal(err)
	}
}

// vault has at most one exchange of each kind under way, and one key.
type vault struct {
	mu        sync.Mutex
	responder *local.Responder
	initiator *local.Initiator
	client    *sigma.Client
	keys      *sigma.Keys
}

// errOrder is the error of a call before the one that it needs.
var errOrder = errors.New("the calls are out of order")

// MeetBegin implements edge.VaultECalls.
func (v *vault) MeetBegin(context.Context) (msg1 [local.Msg1Size]byte, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.responder = local.NewResponder(inside.Enclave{})
	b, err := v.responder.Msg1()
	copy(msg1[:], b)
	return msg1, err
}

// MeetReply implements edge.VaultECalls.
func (v *vault) MeetReply(_ context.Context, msg1 *[local.Msg1Size]byte) (msg2 [local.Msg2Size]byte, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.initiator = local.NewInitiator(inside.Enclave{}, local.LAv2)
	b, err := v.initiator.ProcMsg1(msg1[:])
	copy(msg2[:], b)
	return msg2, err
}

// MeetAnswer implements edge.VaultECalls.
func (v *vault) MeetAnswer(_ context.Context, msg2 *[local.Msg2Size]byte) (msg3 [local.Msg3Size]byte, peer [32]byte, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.responder == nil {
		return msg3, peer, errOrder
	}
	b, s, err := v.responder.ProcMsg2(msg2[:], nil)
	if err != nil {
		return msg3, peer, err
	}
	if err := family(s); err != nil {
		return msg3, peer, err
	}
	copy(msg3[:], b)
	return msg3, s.Peer.MREnclave, nil
}

// MeetEnd implements edge.VaultECalls.
func (v *vault) MeetEnd(_ context.Context, msg3 *[local.Msg3Size]byte) (peer [32]byte, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.initiator == nil {
		return peer, errOrder
	}
	s, err := v.initiator.ProcMsg3(msg3[:])
	if err != nil {
		return peer, err
	}
	return s.Peer.MREnclave, family(s)
}

// family accepts enclaves of the same signer, if the host may not look into them.
func family(s *local.Session) error {
	self, err := inside.Self()
	switch {
	case err != nil:
		return err
	case s.Peer.MRSigner != self.MRSigner:
		return errors.New("the peer is another signer's")
	case s.Peer.Attributes.Flags&isa.AttrDebug != 0:
		return errors.New("the peer is a debug enclave")
	}
	return nil
}

// ProveBegin implements edge.VaultECalls. That the host says who the provider is
// would not do for an enclave with secrets of its own: it would have the key built in.
func (v *vault) ProveBegin(ctx context.Context, provider *[64]byte) (msg1 [sigma.Msg1Size]byte, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, provider[:]...))
	if err != nil {
		return msg1, err
	}
	v.client, err = sigma.NewClient(key, func(data [64]byte) ([]byte, error) {
		return inside.Quote(context.WithoutCancel(ctx), data)
	})
	if err != nil {
		return msg1, err
	}
	b, err := v.client.Msg1()
	copy(msg1[:], b)
	return msg1, err
}

// Prove implements edge.VaultECalls.
func (v *vault) Prove(_ context.Context, msg2 []byte, room uint64) (msg3 []byte, size uint64, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.client == nil {
		return nil, 0, errOrder
	}
	msg3, v.keys, err = v.client.ProcMsg2(msg2)
	return fit(msg3, room, err)
}

// Keep implements edge.VaultECalls.
func (v *vault) Keep(_ context.Context, encrypted []byte, room uint64) (blob []byte, size uint64, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keys == nil {
		return nil, 0, errOrder
	}
	block, err := aes.NewCipher(v.keys.SK[:])
	if err != nil {
		return nil, 0, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, 0, err
	}
	secret, err := aead.Open(nil, nil, encrypted, nil)
	if err != nil {
		return nil, 0, err
	}
	blob, err = inside.Seal(secret, nil, isa.PolicyMRSigner)
	return fit(blob, room, err)
}

// Open implements edge.VaultECalls.
func (v *vault) Open(_ context.Context, blob []byte) (digest [32]byte, err error) {
	secret, _, err := inside.Unseal(blob)
	if err != nil {
		return digest, err
	}
	return sha256.Sum256(secret), nil
}

// fit is a result with its size, if there is room for it.
func fit(b []byte, room uint64, err error) ([]byte, uint64, error) {
	switch {
	case err != nil:
		return nil, 0, err
	case uint64(len(b)) > room:
		return nil, 0, errors.New("the result has no room")
	}
	return b, uint64(len(b)), nil
}
