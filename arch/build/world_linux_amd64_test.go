package build_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/cpu/native" // executes enclaves
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

var cache string // where gobuild may write

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "feidi-arch-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	cache = dir
	// As the command does: every thread of a program may be inside.
	runtime.GOMAXPROCS(runtime.NumCPU() + 2*gobuild.DefaultThreads)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// signer is the key of all system enclaves.
var signer = sync.OnceValue(newSigner)

func newSigner() *rsa.PrivateKey {
	k, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
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

// compile builds a system enclave.
func compile(t testing.TB, e build.Enclave) *image.Image {
	t.Helper()
	ctx := context.Background()
	tc, err := gobuild.FindToolchain(ctx, cache)
	if err != nil {
		t.Fatal(err)
	}
	b, err := tc.Build(ctx, ".", e.Package, nil, e.Options(signer(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, b)
}

func parse(t testing.TB, b []byte) *image.Image {
	t.Helper()
	img, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// system is a system enclave that runs.
type system struct {
	*process.Process
	e *enclave.Enclave
}

// start starts a system enclave.
func start(t testing.TB, m *enclave.Machine, b build.Enclave, args ...string) system {
	t.Helper()
	p := process.New(process.Config{Args: append([]string{b.Name}, args...), Stderr: os.Stderr})
	e := load(t, m, compile(t, b), p.Option())
	if err := p.Start(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if s, err := p.Wait(); err != nil || s.Signal != syscall.SIGTERM {
			t.Errorf("%s ended with %+v, %v", b.Name, s, err)
		}
	})
	return system{p, e}
}

// end runs a system enclave that ends by itself, and returns its exit code and what
// it said.
func end(t testing.TB, m *enclave.Machine, b build.Enclave, args ...string) (code int, stderr []byte) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := process.New(process.Config{Args: append([]string{b.Name}, args...), Stderr: w})
	e := load(t, m, compile(t, b), p.Option())
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err = p.Start(ctx, e)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if stderr, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return s.ExitCode, stderr
}

func load(t testing.TB, m *enclave.Machine, img *image.Image, opts ...enclave.Option) *enclave.Enclave {
	t.Helper()
	e, err := m.Load(context.Background(), img, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Destroy(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// application is an enclave that makes REPORTs.
func application(t testing.TB, m *enclave.Machine) *enclave.Enclave {
	t.Helper()
	b, err := toy.Build(toy.Options{Key: signer()})
	if err != nil {
		t.Fatal(err)
	}
	return load(t, m, parse(t, b))
}

// report has the application make a REPORT for a target.
func report(t testing.TB, app *enclave.Enclave, target isa.TargetInfo, data [64]byte) *isa.Report {
	t.Helper()
	in, err := app.Alloc(isa.TargetInfoSize + 64 + isa.ReportSize)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Free()
	b, err := target.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	copy(in.Bytes(), append(b, data[:]...))
	ms := toy.Encode(toy.MSReport{
		TargetInfo: in.Addr(), ReportData: in.Addr() + isa.TargetInfoSize, Report: in.Addr() + isa.TargetInfoSize + 64,
	})
	if err := app.ECall(context.Background(), int(toy.ECallReport), ms); err != nil {
		t.Fatal(err)
	}
	r := new(isa.Report)
	if err := r.UnmarshalBinary(bytes.Clone(in.Bytes()[isa.TargetInfoSize+64:])); err != nil {
		t.Fatal(err)
	}
	return r
}

// accepts asks the application whether a REPORT is for it.
func accepts(t testing.TB, app *enclave.Enclave, r *isa.Report) bool {
	t.Helper()
	in, err := app.Alloc(isa.ReportSize)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Free()
	b, err := r.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	copy(in.Bytes(), b)
	ms := toy.Encode(toy.MSVerifyReport{Report: in.Addr()})
	if err := app.ECall(context.Background(), int(toy.ECallVerifyReport), ms); err != nil {
		t.Fatal(err)
	}
	out, err := toy.Decode[toy.MSVerifyReport](ms)
	if err != nil {
		t.Fatal(err)
	}
	return out.Valid == 1
}

// provisioningKey is what the factory computes: the key that EGETKEY gives to a
// PCE, from the fuses and the manual's table of what keys depend on, in the layout
// that package cpu documents but with none of its code.
func provisioningKey(f cpu.Fuses, pce *enclave.Enclave, cpuSVN [16]byte, isvSVN uint16) [16]byte {
	s := pce.SECS()
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
