package server

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/world"
)

const origin = "http://pcs.test:8081"

// now is the time of the tests' worlds.
var now = time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)

// fixture is a world that has seen something: machines of one package and of
// two, and a TCB recovery. Tests change nothing of it but registrations.
type fixture struct {
	*world.World
	single, multi *world.Machine
	ppid          [16]byte // of the single one
}

var shared struct {
	sync.Once
	*fixture
	err error
}

// dirs are where worlds were made that several tests share.
var dirs []string

func TestMain(m *testing.M) {
	code := m.Run()
	for _, d := range dirs {
		os.RemoveAll(d)
	}
	os.Exit(code)
}

// theWorld is the world that tests share, for the drawing of its keys takes a
// second.
func theWorld(t testing.TB) *fixture {
	t.Helper()
	shared.Do(func() {
		var dir string
		if dir, shared.err = os.MkdirTemp("", "pcs"); shared.err == nil {
			dirs = append(dirs, dir)
			shared.fixture, shared.err = newFixture(dir)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.fixture
}

func newFixture(dir string) (*fixture, error) {
	w, err := world.Create(dir, world.Options{Name: "pcs-test", URL: origin, Now: func() time.Time { return now }})
	if err != nil {
		return nil, err
	}
	f := &fixture{World: w}
	if f.single, err = w.NewMachine("single", world.MachineOptions{}); err != nil {
		return nil, err
	}
	if f.single, err = w.Recover("single", world.RecoverOptions{Advisories: []string{"FEIDI-SA-1"}, Early: true}); err != nil {
		return nil, err
	}
	if f.multi, err = w.NewMachine("multi", world.MachineOptions{Packages: 2}); err != nil {
		return nil, err
	}
	f.ppid = f.ppidOf(f.single)
	return f, nil
}

// provisioningKey is what EGETKEY gives the world's PCE on a machine.
func (f *fixture) provisioningKey(m *world.Machine, cpuSVN [16]byte, pceSVN uint16) [16]byte {
	secs := &isa.SECS{
		MRSigner: f.LEPubKeyHash(), ISVProdID: build.PCE.ProdID, MiscSelect: cpu.DefaultMiscSelect,
		Attributes: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit | build.PCE.Attributes},
	}
	r := derive.ProvisioningRequest(cpuSVN, pceSVN)
	return cpu.ProvisioningKey(m.CPU().Fuses.RootProvisioningKey, secs, &r)
}

// ppidOf is what the PCE calls a machine.
func (f *fixture) ppidOf(m *world.Machine) [16]byte {
	return derive.PPID(f.provisioningKey(m, [16]byte{}, 0))
}

// encrypt encrypts a PPID as a PCE does.
func (f *fixture) encrypt(t testing.TB, name [16]byte) []byte {
	t.Helper()
	key, err := ppid.Open(f.PPIDDocument(), f.LEPubKeyHash())
	if err != nil {
		t.Fatal(err)
	}
	n := new(big.Int).SetBytes(key[:384])
	e := new(big.Int).SetBytes(key[384:])
	b, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &rsa.PublicKey{N: n, E: int(e.Int64())}, name[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pckQuery are the parameters of pckcert for the single machine.
func (f *fixture) pckQuery(t testing.TB) url.Values {
	t.Helper()
	return url.Values{
		"encrypted_ppid": {hex.EncodeToString(f.encrypt(t, f.ppid))}, "pceid": {"0000"},
		"cpusvn": {hex.EncodeToString(f.single.CPUSVN[:])}, "pcesvn": {fmt.Sprintf("%02x00", build.PCE.SVN)},
	}
}

// reply is an answer that a test got.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request through the transport. header are names and values.
func ask(t testing.TB, s *Server, method, path string, body []byte, header ...string) reply {
	t.Helper()
	r, err := http.NewRequest(method, origin+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.ContentLength != int64(len(got)) {
		t.Fatal(resp.ContentLength, len(got), err)
	}
	if id, err := hex.DecodeString(resp.Header.Get("Request-ID")); err != nil || len(id) != 16 {
		t.Errorf("%s %s: request ID %q", method, path, resp.Header.Get("Request-ID"))
	}
	if resp.StatusCode >= 400 {
		code, message := resp.Header.Get("Error-Code"), resp.Header.Get("Error-Message")
		if code == "" || message == "" || strings.ContainsAny(message, "\r\n") || len(got) > 0 {
			t.Errorf("%s %s: %d with code %q, message %q, body %q", method, path, resp.StatusCode, code, message, got)
		}
	}
	return reply{resp.StatusCode, resp.Header, got}
}

func get(t testing.TB, s *Server, path string) reply {
	t.Helper()
	return ask(t, s, http.MethodGet, path, nil)
}
