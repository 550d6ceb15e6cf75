package world

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/internal/atomicfile"
	"github.com/feidi-dev/feidi/isa"
)

// Machines whose owner has the secrets of two gives one the key of the other: it is
// not registered, for of two with one PPID only one could be revoked.
func TestSharedKey(t *testing.T) {
	w, _ := newWorld(t)
	var pair [2]*Machine
	for i, o := range []MachineOptions{{Packages: 2}, {Packages: 2, FMSPC: [6]byte{9}, CPUSVN: [16]byte{9}}} {
		m, err := w.NewMachine(string(rune('a'+i)), o)
		if err != nil {
			t.Fatal(err)
		}
		pair[i] = m
	}
	a, b := pair[0], pair[1]
	b.file.RootProvisioningKey = a.file.RootProvisioningKey
	manifest, err := newManifest(w.keys.registration.PublicKey(), b.file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Register(a.Manifest()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Register(manifest); !errors.Is(err, ErrManifest) {
		t.Errorf("a second platform with one key: %v", err)
	}
	// The same by adopting it as a machine of one package.
	old, err := json.Marshal(struct {
		Warning string `json:"warning"`
		Root    []byte `json:"root_provisioning_key"`
		Seal    []byte `json:"root_seal_key"`
		CPUSVN  []byte `json:"cpu_svn"`
	}{"x", a.file.RootProvisioningKey, a.file.RootSealKey, make([]byte, 16)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, machinesDir, "clone.json"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Adopt("clone"); err == nil {
		if s, err := w.state(); err != nil || len(s.Platforms) != 1 {
			t.Errorf("a platform was adopted a second time, %v", err)
		}
	}
	if _, err := w.state(); err != nil {
		t.Errorf("the world does not open any more: %v", err)
	}
}

// Remove leaves no keys, whatever the directory is called, and whoever was killed.
func TestRemoveAll(t *testing.T) {
	k, err := keysOfTests()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a[1]", "a[", "plain"} {
		dir := filepath.Join(t.TempDir(), name)
		w, err := create(dir, Options{Name: "x"}, k)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.NewMachine("m", MachineOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, machinesDir, atomicfile.Temporary+"1"), []byte("fuses"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Remove(dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && !strings.HasSuffix(path, lockFile) {
				t.Errorf("%s is left", path)
			}
			return nil
		})
	}
}

// What takes a certificate off a list is no reason to put it on one.
func TestRemoveFromCRL(t *testing.T) {
	w, _ := newWorld(t)
	if _, err := w.NewMachine("a", MachineOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := w.RevokeMachine("a", RemoveFromCRL); !errors.Is(err, ErrOptions) {
		t.Error(err)
	}
}

// processor makes no REPORTs that mean something.
type processor struct{}

func (processor) Report(*isa.TargetInfo, [64]byte) (*isa.Report, error) { return new(isa.Report), nil }
func (processor) Key(*isa.KeyRequest) (k [isa.KeySize]byte, err error)  { return k, nil }
func (processor) VerifyReport(*isa.Report) error                        { return nil }

// The world's documents fit into the structures of the quote verification enclave.
func TestQvE(t *testing.T) {
	w, _ := newWorld(t)
	m, err := w.NewMachine("a", MachineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	q, c := quoteOf(t, w, m), collateral(t, w, m, Selection{})
	e, err := qve.New(processor{}, w.Root())
	if err != nil {
		t.Fatal(err)
	}
	supplemental := make([]byte, tvl.SupplementalSize)
	binary.LittleEndian.PutUint16(supplemental, 3)
	binary.LittleEndian.PutUint16(supplemental[2:], 3)
	ret, _, result, err := e.SgxQveVerifyQuote(t.Context(), q, qve.NewCollateral(c, dcap.TEESGX), noon.Add(time.Minute).Unix(), nil, supplemental)
	if ret != 0 || result != 0 || err != nil {
		t.Errorf("%v, %v, %v", tvl.Code(ret), tvl.Result(result), err)
	}
}

// The packages of a machine may be registered as two platforms: both are revoked.
func TestRevokeSplit(t *testing.T) {
	w, _ := newWorld(t)
	m, err := w.NewMachine("a", MachineOptions{Packages: 4})
	if err != nil {
		t.Fatal(err)
	}
	var halves []*Machine
	for _, p := range [][]machinePackage{m.file.Packages[:2], m.file.Packages[2:]} {
		f := *m.file
		f.Packages, f.Instance, f.RootProvisioningKey = p, draw16(), draw16()
		if f.Manifest, err = newManifest(w.keys.registration.PublicKey(), &f); err != nil {
			t.Fatal(err)
		}
		h := &Machine{Name: "a", dir: w.dir, file: &f}
		if err := h.load(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Register(f.Manifest); err != nil {
			t.Fatal(err)
		}
		halves = append(halves, h)
	}
	if err := halves[0].write(false); err != nil { // what the owner says that the machine is
		t.Fatal(err)
	}
	if err := w.RevokeMachine("a", KeyCompromise); err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(verify.WithRoots(w.Root()))
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range halves {
		r, err := v.Verify(quoteOf(t, w, h), collateral(t, w, h, Selection{}), noon.Add(time.Minute))
		if err == nil || r.Status != verify.StatusSGXPCKRevoked {
			t.Errorf("half %d: %v", i, err)
		}
	}
}

// A process that has the world open does not write what it remembers over a damaged
// file, whatever of it is damaged.
func TestDamagedWhileOpen(t *testing.T) {
	w, _ := newWorld(t)
	if _, err := w.NewMachine("a", MachineOptions{}); err != nil {
		t.Fatal(err)
	}
	path := w.path(factoryFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"cut": whole[:600], "changed": append(append([]byte{}, whole[:700]...), append([]byte{whole[700] ^ 1}, whole[701:]...)...),
	} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := w.NewMachine("b", MachineOptions{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(b) {
			t.Errorf("%s: the file was replaced, %v", name, err)
		}
	}
}

// Who has nothing to register does not wait until others have changed the world.
func TestForgedManifestDoesNotWait(t *testing.T) {
	w, _ := newWorld(t)
	other, _ := newWorld(t)
	m, err := other.NewMachine("m", MachineOptions{Packages: 2})
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(w.path(lockFile))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := w.Register(m.Manifest()); !errors.Is(err, ErrUnknownPackage) { // and not ErrBusy
		t.Error(err)
	}
}
