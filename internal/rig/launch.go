package rig

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/le"
	"github.com/feidi-dev/feidi/arch/le/whitelist"
	"github.com/feidi-dev/feidi/platform/launch"
	"github.com/feidi-dev/feidi/world"
)

// Launch starts the launch enclave of a machine that was made with locked launch
// control, on o.On. Production enclaves are launched of the world and of o.Signers,
// and debug enclaves of everybody.
//
// The world signs the white list, and has no list of its own: to those whom the
// machine's list has, what is missing is added.
func Launch(ctx context.Context, m *world.Machine, o Options) (*launch.Running, error) {
	w := o.Enclaves.World
	keys, err := newListKeys(w.EnclaveKey())
	if err != nil {
		return nil, err
	}
	policy, err := (&le.Policy{WhiteListRoot: &keys.root.PublicKey}).Sign(w.EnclaveKey())
	if err != nil {
		return nil, err
	}
	img, err := o.Enclaves.Image(ctx, build.LE)
	if err != nil {
		return nil, err
	}
	r, err := launch.Start(ctx, launch.Config{
		Machine: o.On, Image: img, Policy: policy, WhiteList: filepath.Join(m.Dir(), "white-list"), Stderr: o.Stderr,
	})
	if err != nil {
		return nil, err
	}
	if err := keys.allow(ctx, r.Service, append([][32]byte{w.LEPubKeyHash()}, o.Signers...)); err != nil {
		return nil, errors.Join(fmt.Errorf("the white list of %s: %w", m.Name, err), r.Close())
	}
	return r, nil
}

// listKeys are the keys that a world signs white lists with.
type listKeys struct{ root, provider *ecdsa.PrivateKey }

// newListKeys derives them from the key that signs the world's system enclaves, so
// that a world has them that was made before there were any. Whoever has that key
// could sign a launch enclave that launches anything.
func newListKeys(key *rsa.PrivateKey) (k listKeys, err error) {
	if k.root, err = derive(key, "feidi: root of white lists"); err != nil {
		return k, err
	}
	k.provider, err = derive(key, "feidi: provider of white lists")
	return k, err
}

// derive derives a key on P-256: HKDF with SHA-256 of the key in PKCS #1 gives 48
// bytes, of which FIPS 186-5, A.2.1, makes the private key.
func derive(key *rsa.PrivateKey, label string) (*ecdsa.PrivateKey, error) {
	b, err := hkdf.Key(sha256.New, x509.MarshalPKCS1PrivateKey(key), nil, label, 48)
	if err != nil {
		return nil, err
	}
	one := big.NewInt(1)
	d := new(big.Int).SetBytes(b)
	d.Mod(d, new(big.Int).Sub(elliptic.P256().Params().N, one))
	return ecdsa.ParseRawPrivateKey(elliptic.P256(), d.Add(d, one).FillBytes(make([]byte, 32)))
}

// allow has the list of a launch enclave contain signers.
func (k *listKeys) allow(ctx context.Context, s *launch.Service, signers [][32]byte) error {
	list := whitelist.List{LEProdID: build.LE.ProdID}
	if b, err := s.WhiteList(ctx); err == nil { // else there is none
		c, err := whitelist.Parse(b)
		if err != nil {
			return err
		}
		list = c.List
	}
	complete := true
	for _, signer := range signers {
		if !list.Allows(signer) {
			list.Signers, complete = append(list.Signers, signer), false
		}
	}
	if complete {
		return nil
	}
	list.Version++
	certificate, err := whitelist.Certify(k.root, &k.provider.PublicKey)
	if err != nil {
		return err
	}
	b, err := list.Sign(&certificate, k.provider)
	if err != nil {
		return err
	}
	return s.RegisterWhiteList(ctx, b)
}
