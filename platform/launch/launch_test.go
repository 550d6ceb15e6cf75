package launch_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/le"
	"github.com/feidi-dev/feidi/arch/le/edl"
	"github.com/feidi-dev/feidi/arch/le/whitelist"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform/launch"
)

// processor is a processor to a launch enclave.
type processor struct{}

func (processor) Report(*isa.TargetInfo, [64]byte) (*isa.Report, error) {
	return &isa.Report{ReportBody: isa.ReportBody{ISVProdID: 0x20, ISVSVN: 7, MRSigner: [32]byte{0xFE}}}, nil
}
func (processor) Key(*isa.KeyRequest) (key [16]byte, err error) { return key, nil }
func (processor) VerifyReport(*isa.Report) error                { return nil }

// host is a launch enclave that can be started again, and die.
type host struct {
	edl.LaunchEnclaveECalls
	root *ecdsa.PrivateKey
}

func newHost() *host {
	h := &host{root: newKey()}
	h.restart()
	return h
}

func newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

func (h *host) restart() {
	h.LaunchEnclaveECalls = le.New(processor{}, le.Policy{WhiteListRoot: &h.root.PublicKey})
}

var errDead = errors.New("the enclave has died")

// dead is a launch enclave that has died.
type dead struct{}

func (dead) LeGetLaunchTokenWrapper(context.Context, *edl.SgxMeasurementT, *edl.SgxMeasurementT, *isa.Attributes) (ret int32, token edl.TokenT, err error) {
	return 0, token, errDead
}
func (dead) LeInitWhiteListWrapper(context.Context, []byte) (uint32, error) { return 0, errDead }

// list makes a white list with the signer of a modulus.
func (h *host) list(t testing.TB, version uint32, modulus *[384]byte) []byte {
	t.Helper()
	provider := newKey()
	cert, err := whitelist.Certify(h.root, &provider.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	b, err := (&whitelist.List{LEProdID: 0x20, Version: version, Signers: [][32]byte{sha256.Sum256(modulus[:])}}).Sign(&cert, provider)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newService(t testing.TB, h edl.LaunchEnclaveECalls, path string) *launch.Service {
	t.Helper()
	s, err := launch.New(t.Context(), h, path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Signers, by their moduli.
var ann, bob = &[384]byte{1}, &[384]byte{2}

// production reports whether a production enclave of a signer may be launched.
func production(t testing.TB, s *launch.Service, modulus *[384]byte) bool {
	t.Helper()
	token, err := s.LaunchToken(t.Context(), [32]byte{5}, modulus, isa.Attributes{Flags: isa.AttrMode64Bit})
	if err == nil && (token.MREnclave != [32]byte{5} || token.MRSigner != sha256.Sum256(modulus[:]) || token.Attributes.Flags != isa.AttrMode64Bit) {
		t.Errorf("token %+v", token)
	}
	return err == nil
}

// What AESM's clients are told.
func TestCodes(t *testing.T) {
	h := newHost()
	s := newService(t, h, filepath.Join(t.TempDir(), "list"))
	services := aesm.Services{Launch: s}
	token := func(flags byte) aesm.Request {
		return &aesm.GetLaunchTokenRequest{MREnclave: make([]byte, 32), MRSigner: bob[:], Attributes: append([]byte{flags}, make([]byte, 15)...)}
	}
	forged := h.list(t, 9, bob)
	forged[200] ^= 1
	register := func(b []byte) aesm.Request { return &aesm.RegisterRequest{Buf: b} }
	for _, c := range []struct {
		name    string
		request aesm.Request
		want    aesm.Code
	}{
		{"debug", token(2), aesm.Success},
		{"production without a list", token(0), aesm.ErrUnexpected},
		{"the list, and there is none", &aesm.GetWhiteListSizeRequest{}, aesm.ErrUnexpected},
		{"nothing as a list", register(nil), aesm.ErrParameter},
		{"garbage as a list", register(make([]byte, 300)), aesm.ErrParameter},
		{"a huge list", register(make([]byte, 1<<20)), aesm.ErrParameter},
		{"a forged list", register(forged), aesm.ErrParameter},
		{"a list", register(h.list(t, 4, ann)), aesm.Success},
		{"off the list", token(0), aesm.ErrGetLicenseToken},
		{"PROVISION_KEY", token(0x12), aesm.ErrGetLicenseToken},
		{"a reserved attribute", token(0x0A), aesm.ErrGetLicenseToken},
		{"a stale list", register(h.list(t, 3, bob)), aesm.Success},
		{"which changes nothing", token(0), aesm.ErrGetLicenseToken},
		{"a newer list", register(h.list(t, 5, bob)), aesm.Success},
		{"on the list", token(0), aesm.Success},
	} {
		if got := code(t, services.Answer(t.Context(), c.request)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func code(t testing.TB, r aesm.Response) aesm.Code {
	t.Helper()
	switch r := r.(type) {
	case *aesm.GetLaunchTokenResponse:
		return r.ErrorCode
	case *aesm.GetWhiteListSizeResponse:
		return r.ErrorCode
	case *aesm.RegisterResponse:
		return r.ErrorCode
	}
	t.Fatalf("response %T", r)
	return 0
}

// A list outlives service and enclave, and an older one does not come back.
func TestKept(t *testing.T) {
	h, path := newHost(), filepath.Join(t.TempDir(), "list")
	s := newService(t, h, path)
	list := h.list(t, 4, ann)
	if err := s.RegisterWhiteList(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		if b, err := s.WhiteList(t.Context()); err != nil || !bytes.Equal(b, list) {
			t.Errorf("%s: list %x, %v", when, b, err)
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, list) {
			t.Errorf("%s: file %x, %v", when, b, err)
		}
		if !production(t, s, ann) || production(t, s, bob) {
			t.Errorf("%s: the list is not in force", when)
		}
	}
	check("once registered")
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	h.restart()
	check("the enclave was started again")
	h.restart()
	if err := s.RegisterWhiteList(t.Context(), h.list(t, 3, bob)); err != nil {
		t.Error(err)
	}
	check("an older list for a new enclave")
	h.restart()
	s = newService(t, h, path)
	check("the service was started again")

	list = h.list(t, 6, ann)
	h.restart()
	if err := s.RegisterWhiteList(t.Context(), list); err != nil {
		t.Error(err)
	}
	check("a newer list for a new enclave")
	b, err := s.WhiteList(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	check("a caller changed what it got")
}

// A list that cannot be kept is not acknowledged, until it can.
func TestNotKept(t *testing.T) {
	h, dir := newHost(), filepath.Join(t.TempDir(), "not there")
	path := filepath.Join(dir, "list")
	s := newService(t, h, path)
	list := h.list(t, 4, ann)
	for range 2 {
		if err := s.RegisterWhiteList(t.Context(), list); !errors.Is(err, aesm.ErrFileAccess) {
			t.Errorf("no directory: %v", err)
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.RegisterWhiteList(t.Context(), list); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, list) {
		t.Errorf("file %x, %v", b, err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("files %v, %v", names, err)
	}
}

func TestDamaged(t *testing.T) {
	h, path := newHost(), filepath.Join(t.TempDir(), "list")
	list := h.list(t, 4, ann)
	forged := bytes.Clone(list)
	forged[len(forged)-1] ^= 1
	for name, b := range map[string][]byte{
		"empty": {}, "cut": list[:len(list)-1], "larger than can be": make([]byte, 1<<20), "forged": forged,
	} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := launch.New(t.Context(), h, path); !errors.Is(err, launch.ErrDamaged) || s != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := launch.New(t.Context(), h, t.TempDir()); err == nil || errors.Is(err, launch.ErrDamaged) || s != nil {
		t.Errorf("a directory: %v", err)
	}
}

func TestDead(t *testing.T) {
	h, path := newHost(), filepath.Join(t.TempDir(), "list")
	s := newService(t, dead{}, path)
	if _, err := s.LaunchToken(t.Context(), [32]byte{}, ann, isa.Attributes{}); !errors.Is(err, errDead) {
		t.Error(err)
	}
	list := h.list(t, 4, ann)
	if err := s.RegisterWhiteList(t.Context(), list); !errors.Is(err, errDead) {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a list is kept that no enclave has taken: %v", err)
	}
	if err := os.WriteFile(path, list, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := launch.New(t.Context(), dead{}, path); !errors.Is(err, errDead) {
		t.Error(err)
	}
}
