package build_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	_ "github.com/feidi-dev/feidi/cpu/native" // executes enclaves
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/testsuite/system"
)

var cache string // where gobuild may write

func TestMain(m *testing.M) { os.Exit(system.Main(m, &cache)) }

// signer is the key of all system enclaves.
var signer = sync.OnceValue(newSigner)

func newSigner() *rsa.PrivateKey {
	k, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

func parse(t testing.TB, b []byte) *image.Image {
	t.Helper()
	img, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// running is a system enclave that runs.
type running struct {
	*process.Process
	e *enclave.Enclave
}

// start starts a system enclave.
func start(t testing.TB, m *enclave.Machine, b build.Enclave, args ...string) running {
	t.Helper()
	p := process.New(process.Config{Args: append([]string{b.Name}, args...), Stderr: os.Stderr})
	e := load(t, m, system.Image(t, cache, b, signer()), p.Option())
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
	return running{p, e}
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
	e := load(t, m, system.Image(t, cache, b, signer()), p.Option())
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
