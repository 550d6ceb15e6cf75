package world_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/binary"
	"math/big"
	"path/filepath"
	"testing"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/images"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/platform"
	"github.com/feidi-dev/feidi/world"
)

// The machine and its PCE are the world's, but its quoting enclave is somebody
// else's, who signs what he likes.
func TestOthersQE(t *testing.T) {
	h, other := newWorld(t, "laptop"), newWorld(t)
	c, p := h.powerOn("laptop"), h.pcs()
	w, signer := h.world(), other.world().EnclaveKey()
	key, err := ppid.Open(w.PPIDDocument(), w.LEPubKeyHash())
	if err != nil {
		t.Fatal(err)
	}
	n := len(key) - 4 // modulus and exponent
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(key[:n]), E: int(binary.BigEndian.Uint32(key[n:]))}
	doc, err := ppid.Sign(public, signer)
	if err != nil {
		t.Fatal(err)
	}
	service, err := pcs.New(pcs.Config{URL: p.Address})
	if err != nil {
		t.Fatal(err)
	}
	rogue, err := platform.Start(t.Context(), platform.Config{
		Machine: c.Machine, PCE: h.image(build.PCE, w, w.EnclaveKey()), QE: h.image(build.QE, w, signer), PPIDKey: doc, PCK: service,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rogue.Close(); err != nil {
			t.Error(err)
		}
	}()
	id := rogue.KeyID()
	target, _, err := rogue.InitQuote(t.Context(), &id)
	if err != nil {
		t.Fatal(err)
	}
	r, err := report(c.app, target)
	if err != nil {
		t.Fatal(err)
	}
	q, err := rogue.Quote(t.Context(), &id, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	v := h.verify(q, "--root", h.root(), "--collateral", p.Address)
	h.refused("a quote of another's QE", v, "STATUS_QE_IDENTITY_MISMATCH", "the quoting enclave's MRSIGNER is", "and not")
}

// image returns a system enclave that is signed by anybody.
func (h *home) image(e build.Enclave, w *world.World, signer *rsa.PrivateKey) *image.Image {
	h.Helper()
	img, err := images.Image(h.within(startTime), e, signer, w.Created(), images.Options{Cache: filepath.Join(built, "cache", "test")})
	if err != nil {
		h.Fatal(err)
	}
	return img
}

// A quote is refused with an identity of the QE that is altered, or another
// world's.
func TestWrongIdentity(t *testing.T) {
	h, other := newWorld(t, "laptop"), newWorld(t, "laptop")
	c, p := h.powerOn("laptop"), h.pcs()
	q := mustQuote(h.aesmd("laptop", "--pcs", p.Address), c.app)
	h.accepted("the quote", q, p.Address)
	save := func(from *daemon) string {
		to := filepath.Join(from.h.dir, "collateral")
		h.run("collateral", "save", filepath.Join(h.dir, "quote.bin"), "--pccs", from.Address, "--no-cache", "-o", to)
		return to
	}
	own, others := save(p), save(other.pcs())
	root := h.root()
	if v := h.verify(q, "--root", root, "--collateral", own); !v.Accepted {
		t.Fatal(v)
	}

	file := filepath.Join(own, "qeid.json")
	genuine := h.read(file)
	altered := bytes.Replace(genuine, []byte(`"isvprodid":1`), []byte(`"isvprodid":2`), 1)
	if bytes.Equal(altered, genuine) {
		t.Fatalf("%s", genuine)
	}
	h.write(file, altered)
	h.refused("an altered identity", h.verify(q, "--root", root, "--collateral", own),
		"STATUS_SGX_ENCLAVE_IDENTITY_INVALID_SIGNATURE", "the identity is not signed with the key of")

	h.write(file, h.read(filepath.Join(others, "qeid.json")))
	h.refused("another world's identity", h.verify(q, "--root", root, "--collateral", own),
		"STATUS_SGX_ENCLAVE_IDENTITY_INVALID_SIGNATURE", "the identity is not signed with the key of")
	h.write(filepath.Join(own, "qeid_chain.pem"), h.read(filepath.Join(others, "qeid_chain.pem")))
	h.refused("another world's identity with its chain", h.verify(q, "--root", root, "--collateral", own),
		"STATUS_SGX_CRL_UNKNOWN_ISSUER", "QE identity")
}
