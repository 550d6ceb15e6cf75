package build_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/le"
	leedl "github.com/feidi-dev/feidi/arch/le/edl"
	"github.com/feidi-dev/feidi/arch/le/whitelist"
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/testsuite/system"
)

// launching is a machine that launches only what the system enclaves' signer has
// signed, its launch enclave, and the factory's keys for white lists.
type launching struct {
	*testing.T
	fuses          cpu.Fuses
	m              *enclave.Machine
	le             *leedl.LaunchEnclave
	root, provider *ecdsa.PrivateKey
}

// newLaunching starts them. Enclaves of provisioner may have PROVISION_KEY.
func newLaunching(t *testing.T, provisioner *rsa.PrivateKey) *launching {
	t.Helper()
	l := &launching{T: t}
	var err error
	if l.fuses, err = cpu.NewFuses(rand.Reader); err != nil {
		t.Fatal(err)
	}
	for _, k := range []**ecdsa.PrivateKey{&l.root, &l.provider} {
		if *k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	l.m = l.locked(l.fuses, [16]byte{4, 4})
	doc, err := (&le.Policy{WhiteListRoot: &l.root.PublicKey, Provisioning: [][32]byte{mrSigner(provisioner)}}).Sign(signer())
	if err != nil {
		t.Fatal(err)
	}
	l.le = leedl.NewLaunchEnclave(start(t, l.m, build.LE, hex.EncodeToString(doc)))
	t.Cleanup(l.le.Close)
	return l
}

// locked starts a machine without flexible launch control.
func (l *launching) locked(f cpu.Fuses, cpuSVN [16]byte) *enclave.Machine {
	l.Helper()
	return system.PowerOn(l, enclave.MachineConfig{
		LockedLaunch: true, CPU: cpu.Config{Fuses: f, CPUSVN: cpuSVN, LEPubKeyHash: mrSigner(signer())},
	})
}

// mrSigner is MRSIGNER by the manual: SHA-256 of the modulus, little endian.
func mrSigner(k *rsa.PrivateKey) [32]byte {
	modulus := k.N.FillBytes(make([]byte, 384))
	slices.Reverse(modulus)
	return sha256.Sum256(modulus)
}

// app is an enclave of somebody's, for both modes.
func app(t *testing.T, key *rsa.PrivateKey, flags isa.AttributeFlags, salt uint64) *image.Image {
	t.Helper()
	b, err := toy.Build(toy.Options{Key: key, Debug: true, Attributes: isa.Attributes{Flags: flags}, Salt: salt})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, b)
}

// token asks for a token for an image in production mode, or with AttrDebug.
func (l *launching) token(img *image.Image, debug isa.AttributeFlags) (ret int32, _ *isa.EinitToken) {
	l.Helper()
	mrEnclave, signer := img.SigStruct.EnclaveHash, sha256.Sum256(img.SigStruct.Modulus[:])
	a := isa.Attributes{Flags: img.Attributes.Flags&^isa.AttrDebug | debug, XFRM: img.Attributes.XFRM & l.m.Processor().XFRM()}
	ret, b, err := l.le.LeGetLaunchTokenWrapper(context.Background(), (*leedl.SgxMeasurementT)(&mrEnclave), (*leedl.SgxMeasurementT)(&signer), &a)
	if err != nil {
		l.Fatal(err)
	}
	t := new(isa.EinitToken)
	if err := t.UnmarshalBinary(b[:]); err != nil {
		l.Fatal(err)
	}
	return ret, t
}

// must is token for an image that is to get one.
func (l *launching) must(img *image.Image, debug isa.AttributeFlags) *isa.EinitToken {
	l.Helper()
	ret, t := l.token(img, debug)
	if ret != le.Success {
		l.Fatalf("no token: %d", ret)
	}
	return t
}

// launch checks what EINIT says to an image, and that it runs if that is nothing.
func (l *launching) launch(what string, m *enclave.Machine, want isa.ErrorCode, img *image.Image, opts ...enclave.Option) {
	l.Helper()
	e, err := m.Load(context.Background(), img, opts...)
	if !errors.Is(err, want) && (err != nil || want != 0) {
		l.Errorf("%s: %v, want %v", what, err, want)
	}
	if err != nil {
		return
	}
	ms := toy.Encode(toy.MSAdd{A: 40, B: 2})
	if err := e.ECall(context.Background(), int(toy.ECallAdd), ms); err != nil {
		l.Errorf("%s: it does not run: %v", what, err)
	}
	if err := e.Destroy(); err != nil {
		l.Error(err)
	}
}

// give gives a white list.
func (l *launching) give(version uint32, signers ...[32]byte) uint32 {
	l.Helper()
	cert, err := whitelist.Certify(l.root, &l.provider.PublicKey)
	if err != nil {
		l.Fatal(err)
	}
	chain, err := (&whitelist.List{LEProdID: build.LE.ProdID, Version: version, Signers: signers}).Sign(&cert, l.provider)
	if err != nil {
		l.Fatal(err)
	}
	ret, err := l.le.LeInitWhiteListWrapper(context.Background(), chain)
	if err != nil {
		l.Fatal(err)
	}
	return ret
}

// Debug enclaves start with a token, and only with theirs.
func TestLaunchToken(t *testing.T) {
	stranger, other := newSigner(), newSigner()
	l := newLaunching(t, other)
	img := app(t, stranger, 0, 1)
	debug := enclave.WithDebug()
	l.launch("no token", l.m, isa.ErrInvalidEinitToken, img)
	l.launch("no token, debug", l.m, isa.ErrInvalidEinitToken, img, debug)
	good := l.must(img, isa.AttrDebug)
	token := enclave.WithEinitToken(good)
	l.launch("its token", l.m, 0, img, debug, token)
	l.launch("its token again", l.m, 0, img, debug, token)

	l.launch("another enclave", l.m, isa.ErrInvalidMeasurement, app(t, stranger, 0, 2), debug, token)
	l.launch("another signer", l.m, isa.ErrInvalidMeasurement, app(t, other, 0, 1), debug, token)
	l.launch("production mode", l.m, isa.ErrInvalidAttribute, img, token)
	for i, change := range []func(*isa.EinitToken){
		func(t *isa.EinitToken) { t.MAC[7] ^= 1 },
		func(t *isa.EinitToken) { t.Attributes.Flags &^= isa.AttrDebug },
		func(t *isa.EinitToken) { t.MREnclave[0] ^= 1 },
		func(t *isa.EinitToken) { t.KeyID[0] ^= 1 },
		func(t *isa.EinitToken) { t.CPUSVNLE[0] = 3 },
		func(t *isa.EinitToken) { t.ISVSVNLE++ },
		func(t *isa.EinitToken) { t.ISVProdIDLE++ },
		func(t *isa.EinitToken) { t.MaskedMiscSelectLE ^= 1 },
	} {
		forged := *good
		change(&forged)
		if i == 1 { // nothing else is wrong with the enclave
			l.launch("forged", l.m, isa.ErrInvalidEinitToken, img, enclave.WithEinitToken(&forged))
			continue
		}
		l.launch("forged", l.m, isa.ErrInvalidEinitToken, img, debug, enclave.WithEinitToken(&forged))
	}

	older := l.locked(l.fuses, [16]byte{4, 3})
	l.launch("a token of a newer CPUSVN", older, isa.ErrInvalidCPUSVN, img, debug, token)
	newer := l.locked(l.fuses, [16]byte{4, 5})
	l.launch("a token of an older CPUSVN", newer, 0, img, debug, token)
	elsewhere, err := cpu.NewFuses(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	l.launch("a token of another machine", l.locked(elsewhere, [16]byte{4, 4}), isa.ErrInvalidEinitToken, img, debug, token)
}

// Production enclaves start if their signer is on the list, and those with
// PROVISION_KEY if the launch enclave's signer says so.
func TestWhiteList(t *testing.T) {
	stranger, provisioner := newSigner(), newSigner()
	l := newLaunching(t, provisioner)
	img := app(t, stranger, 0, 1)
	refused := func(what string, want int32, img *image.Image, debug isa.AttributeFlags) {
		t.Helper()
		if ret, token := l.token(img, debug); ret != want || *token != (isa.EinitToken{}) {
			t.Errorf("%s: %d with %+v, want %d", what, ret, token, want)
		}
	}
	given := func(what string, ret, want uint32) {
		t.Helper()
		if ret != want {
			t.Errorf("%s: %d, want %d", what, ret, want)
		}
	}
	refused("no list", le.WhiteListUninitialized, img, 0)
	given("a list without it", l.give(4, [32]byte{1}), le.Success)
	refused("off the list", le.InvalidPrivilege, img, 0)
	given("a list with it, too old", l.give(3, mrSigner(stranger)), le.AlreadyUpdated)
	given("a list with it, of the same version", l.give(4, mrSigner(stranger)), le.AlreadyUpdated)
	refused("on a stale list", le.InvalidPrivilege, img, 0)
	given("a list with it", l.give(5, [32]byte{1}, mrSigner(stranger)), le.Success)
	l.launch("on the list", l.m, 0, img, enclave.WithEinitToken(l.must(img, 0)))

	const provision = isa.AttrProvisionKey
	refused("PROVISION_KEY", le.InvalidAttribute, app(t, stranger, provision, 1), 0)
	refused("PROVISION_KEY under debug", le.InvalidAttribute, app(t, stranger, provision, 1), isa.AttrDebug)
	img = app(t, provisioner, provision, 1)
	refused("PROVISION_KEY, off the list", le.InvalidPrivilege, img, 0)
	given("a list of everybody", l.give(6, [32]byte{}), le.Success)
	l.launch("PROVISION_KEY by the policy", l.m, 0, img, enclave.WithEinitToken(l.must(img, 0)))
	refused("PROVISION_KEY, and everybody is on the list", le.InvalidAttribute, app(t, stranger, provision, 1), 0)

	// EINITTOKEN_KEY is the LE's signer's alone, whatever the token says.
	img = app(t, stranger, isa.AttrEinitTokenKey, 1)
	l.launch("EINITTOKEN_KEY", l.m, isa.ErrInvalidAttribute, img, enclave.WithEinitToken(l.must(img, 0)))
}

// A launch enclave does not take the word of another signer for its policy.
func TestOtherSignersPolicy(t *testing.T) {
	m := system.PowerOn(t, enclave.MachineConfig{})
	root, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := (&le.Policy{WhiteListRoot: &root.PublicKey}).Sign(newSigner())
	if err != nil {
		t.Fatal(err)
	}
	if code, stderr := end(t, m, build.LE, hex.EncodeToString(doc)); code != 1 || !bytes.Contains(stderr, []byte("another than the enclave's signer")) {
		t.Errorf("the LE ended with %d and said %q", code, stderr)
	}
}

// BenchmarkLaunchToken is a token from outside of the enclave.
func BenchmarkLaunchToken(b *testing.B) {
	m := system.PowerOn(b, enclave.MachineConfig{CPU: cpu.Config{LEPubKeyHash: mrSigner(signer())}})
	e := leedl.NewLaunchEnclave(start(b, m, build.LE))
	defer e.Close()
	for b.Loop() {
		ret, _, err := e.LeGetLaunchTokenWrapper(context.Background(), &leedl.SgxMeasurementT{1}, &leedl.SgxMeasurementT{2}, &isa.Attributes{Flags: isa.AttrDebug})
		if ret != 0 || err != nil {
			b.Fatal(ret, err)
		}
	}
}
