// Package system is what tests of the system enclaves share: machines that are on,
// enclaves that are built once, an application, and AESM's socket.
package system

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/build"
	_ "github.com/feidi-dev/feidi/cpu/native" // the engine, where there is one
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
)

// Main runs the tests of a program, for its TestMain, and returns the exit code.
// Meanwhile cache is a directory for Image.
func Main(m *testing.M, cache *string) (code int) {
	dir, err := os.MkdirTemp("", "feidi-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	*cache = dir
	return m.Run()
}

// PowerOn switches a machine on until the test ends, which it skips where there can
// be no enclaves.
func PowerOn(t testing.TB, c enclave.MachineConfig) *enclave.Machine {
	t.Helper()
	if testing.Short() {
		t.Skip("builds enclaves")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	m, err := enclave.PowerOn(c)
	if errors.Is(err, enclave.ErrNoEngine) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, m.Close) })
	return m
}

// made are the images that were built, by enclave and key.
var made = struct {
	sync.Mutex
	images map[string]*image.Image
}{images: map[string]*image.Image{}}

// Image returns a system enclave that a key has signed. It is built in the directory
// cache when it is asked for the first time; all get the same, which is not to be
// changed.
func Image(t testing.TB, cache string, e build.Enclave, key *rsa.PrivateKey) *image.Image {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	name := fmt.Sprintf("%s %x", e.Name, key.N)
	if made.images[name] != nil {
		return made.images[name]
	}
	tc, err := gobuild.FindToolchain(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	b, err := tc.Build(t.Context(), ".", e.Package, nil, e.Options(key, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), nil)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	made.images[name] = img
	return img
}

// Serve serves at a socket, as AESM does, until the test ends, and returns its path.
func Serve(t testing.TB, s aesm.Services) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "aesm.socket")
	l, err := aesm.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- (&aesm.Server{Services: s}).Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		closed(t, func() error { return <-done })
	})
	return path
}

// CodeIs checks the code that clients of AESM are told.
func CodeIs(t testing.TB, what string, err error, want aesm.Code) {
	t.Helper()
	var c aesm.Code
	if !errors.As(err, &c) || c != want {
		t.Errorf("%s: %v: %v, and not %v", what, err, c, want)
	}
}

func closed(t testing.TB, f func() error) {
	t.Helper()
	if err := f(); err != nil {
		t.Error(err)
	}
}
