package le_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/arch/internal/fake"
	"github.com/feidi-dev/feidi/arch/le"
	"github.com/feidi-dev/feidi/arch/le/edl"
	"github.com/feidi-dev/feidi/arch/le/whitelist"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

const maker = "maker of system enclaves 32 byte" // MRSIGNER

var root = newKey()

func newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

// launcher is the launch enclave's processor: the fake one, and the key of tokens
// that it does not have.
type launcher struct {
	*fake.Enclave
	noKey bool
}

// Key returns a function of all that EGETKEY takes into account for EINITTOKEN_KEY,
// as a digest.
func (l *launcher) Key(q *isa.KeyRequest) (key [16]byte, err error) {
	if l.noKey || q.KeyName != isa.KeyEinitToken || l.Self.Attributes.Flags&isa.AttrEinitTokenKey == 0 ||
		q.KeyPolicy != 0 || q.ConfigSVN != 0 || q.ISVSVN > l.Self.ISVSVN || q.CPUSVN != l.Platform.CPUSVN {
		return key, errors.New("no such key")
	}
	mask := q.AttributeMask
	mask.Flags |= isa.AttrInit | isa.AttrDebug
	return tokenKey(l.Self.Attributes.And(mask), l.Self.MiscSelect&q.MiscMask, l.Self.ISVProdID, q.ISVSVN, q.CPUSVN, q.KeyID), nil
}

func tokenKey(a isa.Attributes, misc isa.MiscSelect, prodID, svn uint16, cpuSVN [16]byte, keyID [32]byte) [16]byte {
	h := sha256.New()
	_ = binary.Write(h, binary.LittleEndian, []uint64{uint64(a.Flags), uint64(a.XFRM), uint64(misc), uint64(prodID), uint64(svn)})
	h.Write(cpuSVN[:])
	h.Write(keyID[:])
	return [16]byte(h.Sum(nil))
}

func newLauncher() *launcher {
	p := &fake.Platform{Root: [16]byte{1}, Seal: [16]byte{2}, CPUSVN: [16]byte{5, 6}, KeyID: [32]byte{3}}
	l := &launcher{Enclave: p.NewEnclave("le", maker, 7, isa.AttrEinitTokenKey)}
	l.Self.ISVProdID, l.Self.MiscSelect = 0x20, isa.MiscEXINFO
	return l
}

// chain is a white list of the root's.
func chain(t testing.TB, version uint32, signers ...[32]byte) []byte {
	t.Helper()
	return chainOf(t, root, whitelist.List{LEProdID: 0x20, Version: version, Signers: signers})
}

func chainOf(t testing.TB, root *ecdsa.PrivateKey, l whitelist.List) []byte {
	t.Helper()
	provider := newKey()
	cert, err := whitelist.Certify(root, &provider.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Sign(&cert, provider)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ask asks for a token.
func ask(t testing.TB, e *le.LE, signer [32]byte, flags isa.AttributeFlags) (int32, edl.TokenT) {
	t.Helper()
	ret, token, err := e.LeGetLaunchTokenWrapper(context.Background(), &edl.SgxMeasurementT{0xE}, (*edl.SgxMeasurementT)(&signer), &isa.Attributes{Flags: flags, XFRM: 0xe7})
	if err != nil || (ret == 0) != (token != edl.TokenT{}) {
		t.Fatalf("%d, token %x, %v", ret, token, err)
	}
	return ret, token
}

// give gives a white list.
func give(t testing.TB, e *le.LE, chain []byte) uint32 {
	t.Helper()
	ret, err := e.LeInitWhiteListWrapper(context.Background(), chain)
	if err != nil {
		t.Fatal(err)
	}
	return ret
}

// A token against the manual's table, and its MAC against the key that EINIT derives
// from the token.
func TestToken(t *testing.T) {
	l := newLauncher()
	e := le.New(l, le.Policy{})
	ret, token := ask(t, e, [32]byte{0xA}, isa.AttrDebug|isa.AttrMode64Bit)
	if ret != 0 {
		t.Fatal(ret)
	}
	const attributesLE = 0x21 // INIT and EINITTOKEN_KEY, without MODE64BIT
	want := make([]byte, 304)
	u := binary.LittleEndian
	u.PutUint32(want, 1)
	u.PutUint64(want[48:], 6)
	u.PutUint64(want[56:], 0xe7)
	want[64], want[128] = 0xE, 0xA
	copy(want[192:], []byte{5, 6})
	u.PutUint16(want[208:], 0x20)
	u.PutUint16(want[210:], 7)
	u.PutUint32(want[236:], 1)
	u.PutUint64(want[240:], attributesLE)
	copy(want[256:288], token[256:288])
	key := tokenKey(isa.Attributes{Flags: attributesLE}, 1, 0x20, 7, [16]byte{5, 6}, [32]byte(token[256:288]))
	mac := cmac.Sum(key, want[:192])
	copy(want[288:], mac[:])
	if !bytes.Equal(token[:], want) {
		t.Errorf("token %x\nwant  %x", token, want)
	}
	if _, again := ask(t, e, [32]byte{0xA}, isa.AttrDebug); bytes.Equal(again[256:288], token[256:288]) {
		t.Error("two tokens have one KEYID")
	}
}

// Whom the policy lets in, and of two reasons against it the one that Intel's LE
// finds first.
func TestWhoMayLaunch(t *testing.T) {
	own, isv, provisioner, stranger := [32]byte([]byte(maker)), [32]byte{1}, [32]byte{2}, [32]byte{3}
	const production, debug, provision = isa.AttrMode64Bit, isa.AttrMode64Bit | isa.AttrDebug, isa.AttrProvisionKey
	policy := le.Policy{WhiteListRoot: &root.PublicKey, Provisioning: [][32]byte{provisioner}}
	none, some, all := le.New(newLauncher(), policy), le.New(newLauncher(), policy), le.New(newLauncher(), policy)
	if ret := give(t, some, chain(t, 1, own, isv)); ret != 0 {
		t.Fatal(ret)
	}
	if ret := give(t, all, chain(t, 1, [32]byte{})); ret != 0 {
		t.Fatal(ret)
	}
	for _, c := range []struct {
		name   string
		le     *le.LE
		signer [32]byte
		flags  isa.AttributeFlags
		want   int32
	}{
		{"debug", none, stranger, debug, 0},
		{"debug, off the list", some, stranger, debug, 0},
		{"production without a list", none, isv, production, 42},
		{"production", some, isv, production, 0},
		{"production, off the list", some, stranger, production, 41},
		{"production, all on the list", all, stranger, production, 0},

		{"provisioning", some, own, production | provision, 0},
		{"provisioning by the policy, off the list", some, provisioner, production | provision, 41},
		{"provisioning by the policy, under debug", some, provisioner, debug | provision, 0},
		{"provisioning, only on the list", some, isv, production | provision, 40},
		{"provisioning, though all are on the list", all, isv, production | provision, 40},
		{"provisioning under debug", all, isv, debug | provision, 40},
		{"provisioning before the list", none, isv, production | provision, 40},

		{"EINITTOKEN_KEY, which EINIT refuses", some, isv, production | isa.AttrEinitTokenKey, 0},
		{"KSS, CET and AEX-Notify", some, isv, production | isa.AttrKSS | isa.AttrCET | isa.AttrAEXNotify, 0},
		{"bit 3", some, isv, production | 1<<3, 40},
		{"bit 56", none, stranger, debug | 1<<56, 40},
		{"bit 63 before the list", none, isv, production | 1<<63, 40},
		{"bit 55", some, isv, production | 1<<55, 0},
	} {
		if ret, _ := ask(t, c.le, c.signer, c.flags); ret != c.want {
			t.Errorf("%s: %d, want %d", c.name, ret, c.want)
		}
	}
	m, a := &edl.SgxMeasurementT{}, &isa.Attributes{Flags: isa.AttrDebug}
	for _, ask := range []func() (int32, edl.TokenT, error){
		func() (int32, edl.TokenT, error) { return all.LeGetLaunchTokenWrapper(t.Context(), nil, m, a) },
		func() (int32, edl.TokenT, error) { return all.LeGetLaunchTokenWrapper(t.Context(), m, nil, a) },
		func() (int32, edl.TokenT, error) { return all.LeGetLaunchTokenWrapper(t.Context(), m, m, nil) },
	} {
		if ret, _, err := ask(); ret != 38 || err != nil {
			t.Errorf("a pointer is null: %d, %v", ret, err)
		}
	}
}

func TestWhiteList(t *testing.T) {
	isv, other := [32]byte{1}, [32]byte{2}
	e := le.New(newLauncher(), le.Policy{WhiteListRoot: &root.PublicKey})
	wrongProduct := chainOf(t, root, whitelist.List{LEProdID: 0x21, Version: 9, Signers: [][32]byte{isv}})
	otherRoot := chainOf(t, newKey(), whitelist.List{LEProdID: 0x20, Version: 9, Signers: [][32]byte{isv}})
	forged := chain(t, 9, isv)
	forged[152] ^= 1
	for _, c := range []struct {
		name  string
		chain []byte
		want  uint32
		now   [32]byte // who is on the list afterwards
	}{
		{"nothing", nil, 38, [32]byte{}},
		{"another root", otherRoot, 38, [32]byte{}},
		{"another product", wrongProduct, 38, [32]byte{}},
		{"the first", chain(t, 4, isv), 0, isv},
		{"the same version", chain(t, 4, other), 213, isv},
		{"an older one", chain(t, 3, other), 213, isv},
		{"version 0", chain(t, 0, other), 213, isv},
		{"a newer one that is forged", forged, 38, isv},
		{"a newer one of another root", otherRoot, 38, isv},
		{"a newer one", chain(t, 1<<31, other), 0, other},
		{"the first again", chain(t, 4, isv), 213, other},
		{"the last one", chain(t, 1<<32-1, isv), 0, isv},
	} {
		if ret := give(t, e, c.chain); ret != c.want {
			t.Errorf("%s: %d, want %d", c.name, ret, c.want)
		}
		for _, signer := range [][32]byte{isv, other} {
			if ret, _ := ask(t, e, signer, isa.AttrMode64Bit); (ret == 0) != (signer == c.now) {
				t.Errorf("after %s: signer %x gets %d", c.name, signer[0], ret)
			}
		}
	}
	// Without a root there is no list.
	if ret := give(t, le.New(newLauncher(), le.Policy{}), chain(t, 1, isv)); ret != 38 {
		t.Errorf("no root: %d", ret)
	}
}

// A list is the enclave's own, though the caller's buffer changes.
func TestWhiteListIsCopied(t *testing.T) {
	e := le.New(newLauncher(), le.Policy{WhiteListRoot: &root.PublicKey})
	b := chain(t, 1, [32]byte{1})
	if ret := give(t, e, b); ret != 0 {
		t.Fatal(ret)
	}
	clear(b)
	if ret, _ := ask(t, e, [32]byte{2}, 0); ret != 41 {
		t.Errorf("a signer that was not on the list: %d", ret)
	}
}

// A processor that fails makes an error of its own, and no token and no list.
func TestBrokenProcessor(t *testing.T) {
	l := newLauncher()
	e := le.New(l, le.Policy{WhiteListRoot: &root.PublicKey})
	l.FailReport.Store(1)
	if ret, _ := ask(t, e, [32]byte{}, isa.AttrDebug); ret != 37 {
		t.Errorf("no report: %d", ret)
	}
	l.FailReport.Store(1)
	if ret := give(t, e, chain(t, 1, [32]byte{1})); ret != 37 {
		t.Errorf("no report: %d", ret)
	}
	if ret, _ := ask(t, e, [32]byte{1}, 0); ret != 42 {
		t.Errorf("a list is there that was not taken: %d", ret)
	}
	l.noKey = true
	if ret, _ := ask(t, e, [32]byte{}, isa.AttrDebug); ret != 39 {
		t.Errorf("no key: %d", ret)
	}
}

// Lists that come at the same time leave the one with the highest version.
func TestConcurrent(t *testing.T) {
	e := le.New(newLauncher(), le.Policy{WhiteListRoot: &root.PublicKey})
	var wait sync.WaitGroup
	for v := range uint32(8) {
		b := chain(t, v, [32]byte{byte(v + 1)})
		wait.Go(func() {
			if ret := give(t, e, b); ret != 0 && ret != 213 {
				t.Errorf("version %d: %d", v, ret)
			}
		})
		wait.Go(func() { ask(t, e, [32]byte{1}, 0) })
	}
	wait.Wait()
	if ret, _ := ask(t, e, [32]byte{8}, 0); ret != 0 {
		t.Errorf("the highest version is not the last: %d", ret)
	}
}

func BenchmarkToken(b *testing.B) {
	e := le.New(newLauncher(), le.Policy{WhiteListRoot: &root.PublicKey})
	signers := make([][32]byte, whitelist.MaxSigners)
	for i := range signers {
		signers[i] = [32]byte{1, byte(i), byte(i >> 8)}
	}
	if ret := give(b, e, chain(b, 1, signers...)); ret != 0 {
		b.Fatal(ret)
	}
	last := signers[len(signers)-1]
	for b.Loop() {
		if ret, _ := ask(b, e, last, isa.AttrMode64Bit); ret != 0 {
			b.Fatal(ret)
		}
	}
}

// Whatever a host gives as a white list, nobody gets onto it without the root.
func FuzzLE(f *testing.F) {
	e := le.New(newLauncher(), le.Policy{WhiteListRoot: &root.PublicKey})
	f.Fuzz(func(t *testing.T, chain []byte) {
		if ret := give(t, e, chain); ret != le.InvalidParameter {
			t.Errorf("%d", ret)
		}
		if ret, _ := ask(t, e, [32]byte{1}, 0); ret != le.WhiteListUninitialized {
			t.Errorf("a token after that: %d", ret)
		}
	})
}
