package platform_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/cpu/native" // executes enclaves
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/platform"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/system"
)

var cache string // where gobuild may write

func TestMain(m *testing.M) { os.Exit(system.Main(m, &cache)) }

// signer is the key of all system enclaves.
var signer = sync.OnceValue(func() *rsa.PrivateKey { return must(sign.GenerateKey(rand.Reader)) })

// service is the key of who certifies machines, to which PPIDs are encrypted.
var service = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 3072)) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// world is a factory, its service, and the fuses of a machine.
type world struct {
	testing.TB
	pki      *testpki.PKI
	machine  *testpki.Platform // its certificates
	server   *httptest.Server
	requests atomic.Int64
	status   atomic.Int64 // that the service answers with; 0 to work
	cpu      cpu.Config
	dir      string
	now      atomic.Int64 // seconds that the machine's clock is ahead
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, pki: testpki.New(), dir: t.TempDir() + "/state"}
	w.machine = w.pki.Platform()
	w.pki.QE.MiscSelectMask = 0 // EXINFO is the machine's to have
	w.cpu = cpu.Config{Fuses: must(cpu.NewFuses(rand.Reader)), CPUSVN: w.machine.SGX.CPUSVN}
	service := w.pki.PCS()
	service.Fault = func(r http.ResponseWriter, _ *http.Request) bool {
		w.requests.Add(1)
		if s := w.status.Load(); s != 0 {
			r.WriteHeader(int(s))
			return true
		}
		return false
	}
	w.server = httptest.NewServer(service)
	t.Cleanup(w.server.Close)
	return w
}

// host is a machine that runs, with an application.
type host struct {
	*platform.Platform
	w   *world
	cpu *enclave.Machine
	app *system.App
}

// start starts the machine.
func (w *world) start(edits ...func(*platform.Config)) *host {
	w.Helper()
	h := w.boot()
	c := w.config(h.cpu)
	for _, e := range edits {
		e(&c)
	}
	var err error
	if h.Platform, err = platform.Start(w.Context(), c); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(h.off)
	return h
}

// boot starts a machine with nothing but the application.
func (w *world) boot() *host {
	w.Helper()
	h := &host{w: w, cpu: system.PowerOn(w, enclave.MachineConfig{CPU: w.cpu})}
	h.app = system.NewApp(w, h.cpu, signer())
	return h
}

func (w *world) image(e build.Enclave) *image.Image { return system.Image(w, cache, e, signer()) }

func (w *world) config(m *enclave.Machine) platform.Config {
	return platform.Config{
		Machine: m, PCE: w.image(build.PCE), QE: w.image(build.QE), PPIDKey: must(ppid.Sign(&service().PublicKey, signer())),
		PCK: must(pcs.New(pcs.Config{URL: w.server.URL, Attempts: 1})),
		Dir: w.dir, Stderr: os.Stderr,
		Now: func() time.Time { return w.pki.Now.Add(time.Duration(w.now.Load()) * time.Second) },
	}
}

// off ends the machine's enclaves.
func (h *host) off() {
	if h.Platform == nil {
		return
	}
	if err := h.Close(); err != nil {
		h.w.Error(err)
	}
	h.Platform = nil
}

// register has the factory certify the machine at the TCB that the service knows,
// from what the machine says of itself.
func (h *host) register() *platform.ID {
	w := h.w
	w.Helper()
	id, err := h.Identify(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	name, err := rsa.DecryptOAEP(sha256.New(), nil, service(), id.EncryptedPPID[:], nil)
	if err != nil {
		w.Fatal(err)
	}
	if want := derive.PPID(h.provisioningKey([16]byte{}, 0)); !bytes.Equal(name, want[:]) {
		w.Fatalf("PPID %x, the factory's %x", name, want)
	}
	w.machine.QEID, w.machine.SGX.PPID, w.machine.SGX.PCESVN = id.QEID, [16]byte(name), id.PCESVN
	w.pki.QE.MRSigner = h.QESECS().MRSigner
	h.certify()
	return id
}

// provisioningKey is the PCE's.
func (h *host) provisioningKey(cpuSVN [16]byte, isvSVN uint16) [16]byte {
	secs := must(h.PCE(context.Background()))
	return system.Key(isa.KeyProvision, &h.w.cpu.Fuses, &secs, cpuSVN, isvSVN)
}

// certify issues the PCK certificate for what the factory's record says.
func (h *host) certify() {
	sgx := &h.w.machine.SGX
	var pck crypto.Signer = derive.PCK(h.provisioningKey(sgx.CPUSVN, sgx.PCESVN))
	h.w.machine.Reissue(func(c *testpki.Template) { c.Key = pck })
}

// init makes the attestation key ready.
func (h *host) init() (*isa.TargetInfo, []byte) {
	h.w.Helper()
	key := h.KeyID()
	target, id, err := h.InitQuote(h.w.Context(), &key)
	if err != nil {
		h.w.Fatal(err)
	}
	return target, id
}

// report has the application make a REPORT for a target.
func (h *host) report(target *isa.TargetInfo) *isa.Report {
	return h.app.Report(target, [64]byte{'h', 'i'})
}
