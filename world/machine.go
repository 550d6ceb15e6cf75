package world

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/cpu"
)

// MaxPackages is how many processor packages a machine has at most.
const MaxPackages = 8

// Machine is a machine that is switched off: its fuses, and what the factory says
// of it.
type Machine struct {
	Name         string
	World        string // the name of its world; empty if no factory knows it
	FMSPC        [6]byte
	PCEID        uint16
	CPUSVN       [16]byte
	Packages     int
	LockedLaunch bool      // IA32_SGXLEPUBKEYHASH is the world's LEPubKeyHash, and cannot be written
	Created      time.Time // zero if no factory knows it

	dir          string // the state directory
	file         *machineFile
	fuses        cpu.Fuses
	lePubKeyHash [32]byte
}

// CPU returns the configuration of its processor. Of several packages it is that
// of the platform, since enclaves run on all of them.
func (m *Machine) CPU() cpu.Config {
	return cpu.Config{Fuses: m.fuses, CPUSVN: m.CPUSVN, LEPubKeyHash: m.lePubKeyHash}
}

// Manifest returns the platform manifest of a machine of several packages, which
// its firmware has made at its first start, or nil.
func (m *Machine) Manifest() []byte { return slices.Clone(m.file.Manifest) }

// Dir returns a directory, mode 0700, for what the machine's services keep. It is
// made when somebody asks for it; if that fails, so will the use of it.
func (m *Machine) Dir() string {
	dir := m.servicesDir()
	_ = os.MkdirAll(dir, 0o700)
	return dir
}

func (m *Machine) servicesDir() string { return filepath.Join(m.dir, machinesDir, m.Name+".d") }

// UseMachine returns the machine of a name in a state directory, of a world or
// not. If there is none it is made, with fuses drawn at random: no factory knows
// it, so that it makes no quotes unless it is adopted. Of two that make it at
// once, one does. The error is ErrName or ErrDamaged, or of the file system.
func UseMachine(dir, name string) (*Machine, error) {
	m, err := readMachine(dir, name)
	if !errors.Is(err, ErrNoMachine) {
		return m, err
	}
	f, err := newMachineFile()
	if err != nil {
		return nil, err
	}
	m = &Machine{Name: name, dir: dir, file: f}
	if err := m.write(true); errors.Is(err, ErrMachineExists) {
		return readMachine(dir, name)
	} else if err != nil {
		return nil, err
	}
	return m, nil
}

// MachineOptions say what machine the factory makes.
type MachineOptions struct {
	FMSPC        [6]byte  // its family; zero is DefaultFMSPC
	CPUSVN       [16]byte // zero is that of the family's newest level of TCB, or DefaultCPUSVN
	Packages     int      // 1 if it is 0; at most MaxPackages
	LockedLaunch bool     // without flexible launch control
}

// NewMachine makes a machine: the factory burns its fuses, remembers its root
// provisioning key, and forgets its root seal key. A machine of one package can
// be certified at once, one of several after it was registered.
//
// The first machine of a family defines its TCB: its CPUSVN is up to date.
//
// Errors: ErrName, ErrMachineExists, ErrOptions.
func (w *World) NewMachine(name string, o MachineOptions) (*Machine, error) {
	if _, err := machinePath(w.dir, name); err != nil {
		return nil, err
	}
	if o.Packages < 0 || o.Packages > MaxPackages {
		return nil, fmt.Errorf("%w: a machine of %d packages: it has 1 to %d", ErrOptions, o.Packages, MaxPackages)
	}
	if o.FMSPC == [6]byte{} {
		o.FMSPC = DefaultFMSPC
	}
	m := &Machine{Name: name, dir: w.dir}
	err := w.locked(func() error {
		if _, err := readMachine(w.dir, name); err == nil {
			return fmt.Errorf("%s: %w", name, ErrMachineExists)
		} else if !errors.Is(err, ErrNoMachine) {
			return err
		}
		return w.build(m, &o)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// build makes a machine. What the factory knows comes first: a machine that it
// knows and that was never delivered does no harm.
func (w *World) build(m *Machine, o *MachineOptions) error {
	var err error
	if m.file, err = newMachineFile(); err != nil {
		return err
	}
	now := w.now()
	f := m.file
	f.World, f.WorldID, f.FMSPC, f.Created = w.file.Name, w.file.ID, o.FMSPC[:], &now
	if o.LockedLaunch {
		hash := w.LEPubKeyHash()
		f.LockedLaunch, f.LEPubKeyHash = true, hash[:]
	}
	if o.Packages > 1 {
		f.Instance = draw16()
		for range o.Packages {
			f.Packages = append(f.Packages, machinePackage{draw16(), draw16()})
		}
		if f.Manifest, err = newManifest(w.keys.registration.PublicKey(), f); err != nil {
			return err
		}
	}
	err = w.change(func(state *factory) error {
		family := state.family(o.FMSPC[:])
		if family == nil {
			if o.CPUSVN == [16]byte{} {
				o.CPUSVN = DefaultCPUSVN
			}
			state.Families = append(state.Families, newFamily(o.FMSPC, o.CPUSVN, now))
		} else if o.CPUSVN == [16]byte{} {
			o.CPUSVN = [16]byte(family.newest().CPUSVN)
		}
		f.CPUSVN = o.CPUSVN[:]
		state.learn(m)
		return nil
	})
	if err != nil {
		return err
	}
	return m.write(true)
}

// learn has the factory remember a machine: its packages if there are several,
// else the platform that it is.
func (f *factory) learn(m *Machine) {
	file := m.file
	for _, p := range file.Packages {
		f.Packages = append(f.Packages, packaged{
			ID: p.ID, Secret: p.Secret, Machine: m.Name, FMSPC: file.FMSPC, PCEID: file.PCEID, Made: *file.Created,
		})
	}
	if len(file.Packages) == 0 {
		f.Platforms = append(f.Platforms, platform{
			Machine: m.Name, FMSPC: file.FMSPC, PCEID: file.PCEID, Created: *file.Created,
			RootProvisioningKey: file.RootProvisioningKey,
		})
	}
}

func draw16() octets {
	b := make([]byte, 16)
	rand.Read(b)
	return b
}

// Machine returns the machine of a name. One that no factory knows has no World.
//
// Errors: ErrName, ErrNoMachine, ErrOtherWorld, ErrDamaged.
func (w *World) Machine(name string) (*Machine, error) {
	m, err := readMachine(w.dir, name)
	if err != nil {
		return nil, err
	}
	if m.World != "" && string(m.file.WorldID) != string(w.file.ID) {
		return nil, fmt.Errorf("%s: %w, %s", name, ErrOtherWorld, m.World)
	}
	return m, nil
}

// Machines returns all machines of the state directory, sorted by name, with
// those that no factory knows, and without those of other worlds.
func (w *World) Machines() ([]*Machine, error) {
	names, err := machineNames(w.dir)
	if err != nil {
		return nil, err
	}
	var list []*Machine
	for _, name := range names {
		switch m, err := w.Machine(name); {
		case err == nil:
			list = append(list, m)
		case !errors.Is(err, ErrOtherWorld) && !errors.Is(err, ErrNoMachine): // removed meanwhile
			return nil, err
		}
	}
	return list, nil
}

// Adopt has the factory get to know a machine that it has not made: one of a
// single package, of the family DefaultFMSPC. Its fuses stay, and its CPUSVN goes
// up to the newest of the family, as by an update of microcode: what was sealed on
// it can be opened as before. A machine that is of this world is returned as it
// is.
//
// Errors: ErrName, ErrNoMachine, ErrOtherWorld.
func (w *World) Adopt(name string) (*Machine, error) {
	var m *Machine
	err := w.locked(func() (err error) {
		if m, err = w.Machine(name); err != nil || m.World != "" {
			return err
		}
		now := w.now()
		f := m.file
		f.World, f.WorldID, f.FMSPC, f.Created = w.file.Name, w.file.ID, DefaultFMSPC[:], &now
		err = w.change(func(state *factory) error {
			if state.family(f.FMSPC) == nil {
				state.Families = append(state.Families, newFamily(DefaultFMSPC, DefaultCPUSVN, now))
			}
			f.CPUSVN = highest(f.CPUSVN, state.family(f.FMSPC).newest().CPUSVN)
			if !slices.ContainsFunc(state.Platforms, func(p platform) bool { return string(p.RootProvisioningKey) == string(f.RootProvisioningKey) }) {
				state.learn(m)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return m.write(false)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// highest returns the higher of each component of two CPUSVNs.
func highest(a, b []byte) []byte {
	c := slices.Clone(a)
	for i := range c {
		c[i] = max(c[i], b[i])
	}
	return c
}
