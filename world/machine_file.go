package world

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/atomicfile"
)

// machineFile is machines/NAME.json. The first four fields are all that a machine
// has that no factory knows, and of older ones there is no checksum.
type machineFile struct {
	Warning             string `json:"warning"`
	RootProvisioningKey []byte `json:"root_provisioning_key"` // of several packages, the platform's
	RootSealKey         []byte `json:"root_seal_key"`
	CPUSVN              []byte `json:"cpu_svn"`

	World        string           `json:"world,omitempty"`
	WorldID      octets           `json:"world_id,omitempty"`
	FMSPC        octets           `json:"fmspc,omitempty"`
	PCEID        uint16           `json:"pce_id,omitempty"`
	Created      *time.Time       `json:"created,omitempty"`
	LockedLaunch bool             `json:"locked_launch,omitempty"`
	LEPubKeyHash octets           `json:"le_pub_key_hash,omitempty"` // where launch control is locked
	Instance     octets           `json:"platform_instance_id,omitempty"`
	Packages     []machinePackage `json:"packages,omitempty"` // where there are several
	Manifest     []byte           `json:"platform_manifest,omitempty"`

	SHA256 octets `json:"sha256,omitempty"`
}

// machinePackage is a processor package in a machine of several.
type machinePackage struct {
	ID     octets `json:"id"`
	Secret octets `json:"secret"`
}

func (f *machineFile) checksum() *octets { return &f.SHA256 }

var machineName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$`)

const extension = ".json"

// machinePath returns the file of a machine.
func machinePath(dir, name string) (string, error) {
	if !machineName.MatchString(name) {
		return "", fmt.Errorf("%.80q: machine: %w, at most 64", name, ErrName)
	}
	return filepath.Join(dir, machinesDir, name+extension), nil
}

// newMachineFile draws fuses.
func newMachineFile() (*machineFile, error) {
	f, err := cpu.NewFuses(rand.Reader)
	if err != nil {
		return nil, err
	}
	return &machineFile{
		Warning: warning, RootProvisioningKey: f.RootProvisioningKey[:], RootSealKey: f.RootSealKey[:], CPUSVN: make([]byte, 16),
	}, nil
}

// readMachine reads the machine of a name. If there is none the error is
// ErrNoMachine.
func readMachine(dir, name string) (*Machine, error) {
	path, err := machinePath(dir, name)
	if err != nil {
		return nil, err
	}
	b, err := readFile(path)
	if notThere(err) {
		return nil, fmt.Errorf("%s: %w", name, ErrNoMachine)
	}
	if err != nil {
		return nil, err
	}
	return parseMachine(dir, name, path, b)
}

// parseMachine reads a machine's file.
func parseMachine(dir, name, path string, b []byte) (*Machine, error) {
	f := new(machineFile)
	if err := decode(path, b, f); err != nil {
		if !old(b) {
			return nil, err
		}
		*f = machineFile{}
		if err := json.Unmarshal(b, f); err != nil {
			return nil, damaged(path, "%v", err)
		}
	}
	m := &Machine{Name: name, dir: dir, file: f}
	if err := m.load(); err != nil {
		return nil, damaged(path, "%v", err)
	}
	return m, nil
}

// old reports whether a file is one of the first version, which has four fields.
func old(b []byte) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(b, &fields) != nil || len(fields) != 4 {
		return false
	}
	for _, name := range []string{"warning", "root_provisioning_key", "root_seal_key", "cpu_svn"} {
		if fields[name] == nil {
			return false
		}
	}
	return true
}

// load checks the file and sets the machine's fields.
func (m *Machine) load() error {
	f := m.file
	if err := readFields(
		field{"root_provisioning_key", f.RootProvisioningKey, m.fuses.RootProvisioningKey[:]},
		field{"root_seal_key", f.RootSealKey, m.fuses.RootSealKey[:]},
		field{"cpu_svn", f.CPUSVN, m.CPUSVN[:]},
	); err != nil {
		return err
	}
	m.World, m.PCEID, m.LockedLaunch, m.Packages = f.World, f.PCEID, f.LockedLaunch, max(1, len(f.Packages))
	if f.World == "" {
		return nil
	}
	if f.Created == nil || !worldName.MatchString(f.World) || len(f.WorldID) != 16 {
		return errors.New("it is of a world, and does not say of which and since when")
	}
	m.Created = *f.Created
	if err := readFields(field{"fmspc", f.FMSPC, m.FMSPC[:]}); err != nil {
		return err
	}
	if f.LockedLaunch {
		if err := readFields(field{"le_pub_key_hash", f.LEPubKeyHash, m.lePubKeyHash[:]}); err != nil {
			return err
		}
	}
	if len(f.Packages) == 0 {
		return nil
	}
	if len(f.Packages) > MaxPackages || len(f.Instance) != 16 || len(f.Manifest) == 0 {
		return errors.New("it has packages, but no platform_instance_id or platform_manifest, or too many")
	}
	for _, p := range f.Packages {
		if len(p.ID) != 16 || len(p.Secret) != 16 {
			return errors.New("id and secret of a package have not 16 bytes")
		}
	}
	return nil
}

// write writes the file of a machine. A new one replaces none: the error is
// ErrMachineExists.
func (m *Machine) write(isNew bool) error {
	path, err := machinePath(m.dir, m.Name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := atomicfile.SyncDir(m.dir); err != nil { // it may have just got the directory of machines
		return err
	}
	b, err := encode(m.file)
	if err != nil {
		return err
	}
	write := atomicfile.Write
	if isNew {
		write = atomicfile.Create
	}
	if err := write(path, b, 0o600); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", m.Name, ErrMachineExists)
	} else if err != nil {
		return err
	}
	return m.load()
}

// machineNames returns the names of all machines, sorted.
func machineNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, machinesDir))
	if err != nil && !notThere(err) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), extension); ok && machineName.MatchString(name) && !e.IsDir() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// removeMachines removes the machines that are of a world, and what their services
// have kept. A damaged file stays for who wants to look into it.
func removeMachines(dir string) error {
	atomicfile.Clean(filepath.Join(dir, machinesDir), 0) // what killed writers have left has fuses in it
	names, err := machineNames(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		m, err := readMachine(dir, name)
		if err != nil || m.World == "" {
			continue
		}
		path, err := machinePath(dir, name)
		if err != nil {
			return err
		}
		if err := errors.Join(os.RemoveAll(m.servicesDir()), os.Remove(path)); err != nil {
			return err
		}
	}
	return nil
}
