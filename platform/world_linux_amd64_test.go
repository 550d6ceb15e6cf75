package platform_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/cpu/native" // executes enclaves
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/platform"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/testpki"
)

var cache string // where gobuild may write

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "feidi-platform-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	cache = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

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

// The images are built once.
var (
	pceImage = compiled(build.PCE)
	qeImage  = compiled(build.QE)
	ideImage = compiled(build.IDE)
)

func compiled(e build.Enclave) func() *image.Image {
	return sync.OnceValue(func() *image.Image {
		ctx := context.Background()
		tc := must(gobuild.FindToolchain(ctx, cache))
		o := e.Options(signer(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		return must(image.Parse(must(tc.Build(ctx, ".", e.Package, nil, o, nil))))
	})
}

// powerOn starts a machine, or skips the test where there can be none.
func powerOn(t testing.TB, c cpu.Config) *enclave.Machine {
	t.Helper()
	if testing.Short() {
		t.Skip("builds enclaves")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	m, err := enclave.PowerOn(enclave.MachineConfig{CPU: c})
	if errors.Is(err, enclave.ErrNoEngine) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
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
	app *enclave.Enclave
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
	h := &host{w: w, cpu: powerOn(w, w.cpu)}
	h.app = must(h.cpu.Load(context.Background(), must(image.Parse(must(toy.Build(toy.Options{Key: signer(), Threads: 16}))))))
	w.Cleanup(func() {
		if err := h.app.Destroy(); err != nil {
			w.Error(err)
		}
	})
	return h
}

func (w *world) config(m *enclave.Machine) platform.Config {
	return platform.Config{
		Machine: m, PCE: pceImage(), QE: qeImage(), PPIDKey: must(ppid.Sign(&service().PublicKey, signer())),
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
	if want := derive.PPID(provisioningKey(w.cpu.Fuses, must(h.PCE(context.Background())), [16]byte{}, 0)); !bytes.Equal(name, want[:]) {
		w.Fatalf("PPID %x, the factory's %x", name, want)
	}
	w.machine.QEID, w.machine.SGX.PPID, w.machine.SGX.PCESVN = id.QEID, [16]byte(name), id.PCESVN
	w.pki.QE.MRSigner = h.QESECS().MRSigner
	h.certify()
	return id
}

// certify issues the PCK certificate for what the factory's record says.
func (h *host) certify() {
	sgx := &h.w.machine.SGX
	var pck crypto.Signer = derive.PCK(provisioningKey(h.w.cpu.Fuses, must(h.PCE(context.Background())), sgx.CPUSVN, sgx.PCESVN))
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
	h.w.Helper()
	t, err := h.app.Alloc(isa.TargetInfoSize + 64 + isa.ReportSize)
	if err != nil {
		h.w.Fatal(err)
	}
	defer t.Free()
	copy(t.Bytes(), must(target.AppendBinary(nil)))
	copy(t.Bytes()[isa.TargetInfoSize:], "hi")
	ms := toy.Encode(toy.MSReport{TargetInfo: t.Addr(), ReportData: t.Addr() + isa.TargetInfoSize, Report: t.Addr() + isa.TargetInfoSize + 64})
	if err := h.app.ECall(context.Background(), int(toy.ECallReport), ms); err != nil {
		h.w.Fatal(err)
	}
	r := new(isa.Report)
	if err := r.UnmarshalBinary(bytes.Clone(t.Bytes()[isa.TargetInfoSize+64:][:isa.ReportSize])); err != nil {
		h.w.Fatal(err)
	}
	return r
}

// accepts asks the application whether a REPORT is for it.
func (h *host) accepts(r *isa.Report) bool {
	h.w.Helper()
	in, err := h.app.Alloc(isa.ReportSize)
	if err != nil {
		h.w.Fatal(err)
	}
	defer in.Free()
	copy(in.Bytes(), must(r.AppendBinary(nil)))
	ms := toy.Encode(toy.MSVerifyReport{Report: in.Addr()})
	if err := h.app.ECall(context.Background(), int(toy.ECallVerifyReport), ms); err != nil {
		h.w.Fatal(err)
	}
	return must(toy.Decode[toy.MSVerifyReport](ms)).Valid == 1
}

// codeIs checks the code that clients of AESM would be told.
func codeIs(t testing.TB, what string, err error, want aesm.Code) {
	t.Helper()
	var c aesm.Code
	if !errors.As(err, &c) || c != want {
		t.Errorf("%s: %v: %v, and not %v", what, err, c, want)
	}
}

// provisioningKey is what the factory computes: the key that EGETKEY gives to a
// PCE, from the fuses and the manual's table of what keys depend on, in the layout
// that package cpu documents but with none of its code.
func provisioningKey(f cpu.Fuses, s isa.SECS, cpuSVN [16]byte, isvSVN uint16) [16]byte {
	le := binary.LittleEndian
	b := make([]byte, 642)
	le.PutUint16(b, uint16(isa.KeyProvision))
	le.PutUint16(b[36:], s.ISVProdID)
	le.PutUint16(b[38:], isvSVN)
	le.PutUint64(b[56:], uint64(s.Attributes.Flags&^isa.AttrMode64Bit))
	le.PutUint64(b[72:], uint64(^isa.AttrMode64Bit)) // the mask
	copy(b[120:], s.MRSigner[:])
	copy(b[200:], cpuSVN[:])
	padding := b[216 : 216+352] // 00 01 FF... 00 DigestInfo
	for i := range padding {
		padding[i] = 0xFF
	}
	padding[0], padding[1] = 0, 1
	copy(padding[352-20:], "\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20")
	le.PutUint32(b[568:], uint32(s.MiscSelect))
	return cmac.Sum(f.RootProvisioningKey, b)
}
