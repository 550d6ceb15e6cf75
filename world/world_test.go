package world

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/ppid"
)

// keysOfTests are drawn once, since that takes long.
var keysOfTests = sync.OnceValues(drawRSA)

// clockOfTests is a clock that tests set.
type clockOfTests struct{ time.Time }

func (c *clockOfTests) now() time.Time { return c.Time }

var noon = time.Date(2026, 6, 1, 12, 30, 15, 999, time.UTC)

// newWorld makes a world at noon.
func newWorld(t testing.TB) (*World, *clockOfTests) {
	t.Helper()
	k, err := keysOfTests()
	if err != nil {
		t.Fatal(err)
	}
	c := &clockOfTests{noon}
	w, err := create(filepath.Join(t.TempDir(), "state"), Options{Name: "test", Now: c.now}, k)
	if err != nil {
		t.Fatal(err)
	}
	return w, c
}

// reopen opens the world once more, as another process does.
func (w *World) reopen(t testing.TB) *World {
	t.Helper()
	other, err := Open(w.dir, Options{Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	return other
}

func TestCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "feidi world init") {
		t.Errorf("opened where there is none: %v", err)
	}
	if err := Remove(dir); !errors.Is(err, ErrNone) {
		t.Errorf("removed where there is none: %v", err)
	}
	for _, o := range []Options{
		{Name: "a b"}, {Name: strings.Repeat("a", 25)}, {URL: "localhost"}, {URL: "http://x/"}, {URL: "http://x/?y"},
		{URL: "ftp://x"}, {URL: "http://x y"}, {URL: "http://a:b@x"}, {URL: "http://" + strings.Repeat("x", 200)},
	} {
		if _, err := create(dir, o, rsaKeys{}); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}

	w, err := Create(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Name()) != 8 || w.URL() != DefaultURL || time.Since(w.Created()) > time.Hour {
		t.Errorf("name %q, URL %q, created %v", w.Name(), w.URL(), w.Created())
	}
	if _, err := Create(dir, Options{}); !errors.Is(err, ErrExists) {
		t.Errorf("created twice: %v", err)
	}
	o := w.reopen(t)
	if !bytes.Equal(o.Root(), w.Root()) || !o.EnclaveKey().Equal(w.EnclaveKey()) || !bytes.Equal(o.PPIDDocument(), w.PPIDDocument()) || o.Name() != w.Name() {
		t.Error("opened again it is another world")
	}
	block, rest := pem.Decode(w.RootPEM())
	if block == nil || len(rest) != 0 || !bytes.Equal(block.Bytes, w.Root()) {
		t.Errorf("root %s", w.RootPEM())
	}
	if runtime.GOOS != "windows" {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if want := map[bool]os.FileMode{false: 0o600, true: 0o700}[d.IsDir()]; err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// The key of the enclaves and the one of PPIDs are what arch/ppid takes.
func TestPPIDKey(t *testing.T) {
	w, _ := newWorld(t)
	modulus := w.EnclaveKey().N.FillBytes(make([]byte, 384))
	slices.Reverse(modulus)
	if w.LEPubKeyHash() != sha256.Sum256(modulus) {
		t.Error("LEPubKeyHash is not the MRSIGNER of the enclave key")
	}
	key, err := ppid.Open(w.PPIDDocument(), w.LEPubKeyHash())
	if err != nil {
		t.Fatal(err)
	}
	k := &rsa.PublicKey{N: w.keys.ppid.N, E: 65537}
	if !bytes.Equal(key[:384], k.N.FillBytes(make([]byte, 384))) {
		t.Error("the document is of another key")
	}
	want := [16]byte{1, 2, 3}
	b, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, k, want[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.DecryptPPID(b); got != want || err != nil {
		t.Errorf("PPID %x, %v", got, err)
	}
	short, _ := rsa.EncryptOAEP(sha256.New(), rand.Reader, k, want[:15], nil)
	for _, bad := range [][]byte{nil, b[:383], make([]byte, 384), bytes.Repeat([]byte{0xff}, 384), short} {
		if _, err := w.DecryptPPID(bad); !errors.Is(err, ErrPPID) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

func TestRemove(t *testing.T) {
	w, _ := newWorld(t)
	of, err := w.NewMachine("of-the-world", MachineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	free, err := UseMachine(w.dir, "free")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Machine{of, free} {
		if err := os.WriteFile(filepath.Join(m.Dir(), "kept"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Remove(w.dir); err != nil {
		t.Fatal(err)
	}
	if _, err := w.FMSPCs(); !errors.Is(err, ErrNone) {
		t.Errorf("asked when removed: %v", err)
	}
	if _, err := w.NewMachine("x", MachineOptions{}); !errors.Is(err, ErrNone) {
		t.Errorf("a machine made when removed: %v", err)
	}
	var left []string
	err = filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			left = append(left, strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(w.dir)+"/"))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if want := []string{"machines/free.d/kept", "machines/free.json"}; !slices.Equal(left, want) {
		t.Errorf("left are %q", left)
	}

	// Another world in its place is not taken for it.
	k, _ := keysOfTests()
	if _, err := create(w.dir, Options{}, k); err != nil {
		t.Fatal(err)
	}
	if _, err := w.FMSPCs(); !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "another world") {
		t.Errorf("asked when replaced: %v", err)
	}
}

// Every kind of damage is found, named with its file, and nothing is made anew.
func TestDamage(t *testing.T) {
	w, _ := newWorld(t)
	if _, err := w.NewMachine("m", MachineOptions{Packages: 2}); err != nil {
		t.Fatal(err)
	}
	ask := func() error {
		o, err := Open(w.dir, Options{})
		if err == nil {
			_, err = o.Machine("m")
		}
		return err
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{w.path(keysFile), w.path(factoryFile), filepath.Join(w.dir, machinesDir, "m.json")} {
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, bad []byte) {
			t.Helper()
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := ask(); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %s: %v", path, what, err)
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, bad) {
				t.Errorf("%s: %s: it was written to", path, what)
			}
		}
		check("empty", nil)
		check("cut", good[:len(good)/2])
		check("more", append(slices.Clip(good), '1'))
		check("another field", bytes.Replace(good, []byte("{"), []byte(`{"new": 1,`), 1))
		check("null", []byte("null"))
		check("no object", []byte(`{}`))
		// Each digit of what is not white space.
		for i := range good {
			if c := good[i]; c >= '0' && c <= '9' || c >= 'a' && c <= 'f' {
				bad := bytes.Clone(good)
				bad[i] = "1032547698"[max(0, int(c-'0')%10)]
				if c >= 'a' {
					bad[i] = c ^ 1
				}
				if i%17 == 0 {
					check("a digit changed", bad)
				}
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := ask(); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNoMachine) {
			t.Errorf("%s missing: %v", path, err)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(); err != nil {
		t.Errorf("repaired: %v", err)
	}
	// The files of another world, each whole.
	other, _ := newWorld(t)
	for _, name := range []string{keysFile, factoryFile} {
		theirs, _ := os.ReadFile(other.path(name))
		good, _ := os.ReadFile(w.path(name))
		if err := os.WriteFile(w.path(name), theirs, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := ask(); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s of another world: %v", name, err)
		}
		if err := os.WriteFile(w.path(name), good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The keys of a checksum that is right are checked, too.
func TestWrongKeys(t *testing.T) {
	w, _ := newWorld(t)
	for name, change := range map[string]func(*keyFile){
		"version":       func(f *keyFile) { f.Version = 2 },
		"id":            func(f *keyFile) { f.ID = f.ID[1:] },
		"name":          func(f *keyFile) { f.Name = "a/b" },
		"created":       func(f *keyFile) { f.Created = f.Created.Add(1) },
		"URL":           func(f *keyFile) { f.URL = "x" },
		"another root":  func(f *keyFile) { f.Root = f.PlatformCA },
		"no root":       func(f *keyFile) { f.Root = make([]byte, 32) },
		"short root":    func(f *keyFile) { f.Root = f.Root[1:] },
		"registration":  func(f *keyFile) { f.Registration = f.Registration[1:] },
		"RSA":           func(f *keyFile) { f.PPID = f.PPID[1:] },
		"exponent":      func(f *keyFile) { f.Enclave = f.PPID },
		"root's digest": func(f *keyFile) { f.RootSHA256 = nil },
	} {
		f := *w.file
		change(&f)
		b, err := encode(&f)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), keysFile)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := readKeys(path); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What one process changes, another sees at once.
func TestSharedState(t *testing.T) {
	w, _ := newWorld(t)
	daemon := w.reopen(t)
	for i := range 20 {
		fmspc := [6]byte{1, byte(i)}
		if _, err := w.NewMachine(string(rune('a'+i)), MachineOptions{FMSPC: fmspc}); err != nil {
			t.Fatal(err)
		}
		if _, err := daemon.TCBInfo(0, fmspc, Selection{}); err != nil {
			t.Errorf("machine %d is not known: %v", i, err)
		}
	}
	// Many that write lose nothing.
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			o := w.reopen(t)
			for j := range 4 {
				if _, err := o.NewMachine(string([]rune{'x', rune('a' + i), rune('a' + j)}), MachineOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	s, err := daemon.state()
	if err != nil || len(s.Platforms) != 20+32 || s.Generation != 1+20+32 {
		t.Errorf("%d platforms in generation %d, %v", len(s.Platforms), s.Generation, err)
	}
}

func parse(t testing.TB, pemBytes []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(pemBytes)
	if block == nil {
		t.Fatalf("no PEM: %s", pemBytes)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
