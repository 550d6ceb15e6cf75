package enclave

import (
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/feidi-dev/feidi/cpu"
)

// MachineConfig describes a machine. The zero value is a machine with the
// first engine of this platform, fuses drawn at random, and launch control
// that accepts every signer, as a Linux machine with flexible launch control.
type MachineConfig struct {
	// Engine names the engine; empty for the first in cpu.Engines.
	Engine string
	// CPU configures the processor. Zero Fuses are drawn at random.
	CPU cpu.Config
	// LockedLaunch keeps IA32_SGXLEPUBKEYHASH as CPU.LEPubKeyHash says, so
	// that any other signer needs an EINITTOKEN. Otherwise Load writes the
	// signer's hash before EINIT, as the Linux driver does.
	LockedLaunch bool
}

// Machine is a powered-on software machine. It is safe for concurrent use.
type Machine struct {
	engine cpu.Engine
	alloc  *cpu.EPCAllocator
	locked bool
	launch sync.Mutex // held from writing IA32_SGXLEPUBKEYHASH to EINIT
	loaded atomic.Int64
}

// PowerOn starts a machine.
func PowerOn(c MachineConfig) (*Machine, error) {
	if c.CPU.Fuses == (cpu.Fuses{}) {
		f, err := cpu.NewFuses(rand.Reader)
		if err != nil {
			return nil, err
		}
		c.CPU.Fuses = f
	}
	if c.Engine == "" {
		names := cpu.Engines()
		if len(names) == 0 {
			return nil, ErrNoEngine
		}
		c.Engine = names[0]
	}
	e, err := cpu.Open(c.Engine, c.CPU)
	if err != nil {
		return nil, fmt.Errorf("enclave: %w", err)
	}
	return &Machine{engine: e, alloc: cpu.NewEPCAllocator(e.Processor()), locked: c.LockedLaunch}, nil
}

// Engine returns the machine's engine.
func (m *Machine) Engine() cpu.Engine { return m.engine }

// Processor returns the machine's processor.
func (m *Machine) Processor() *cpu.Processor { return m.engine.Processor() }

// Close powers the machine off. It refuses while an enclave is loaded.
func (m *Machine) Close() error {
	if n := m.loaded.Load(); n > 0 {
		return fmt.Errorf("enclave: the machine cannot be powered off: %d of its enclaves are not destroyed", n)
	}
	return m.engine.Close()
}
