package world

import (
	"testing"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// What a service asks of a world, of one with 200 machines and 8 levels of TCB.
func BenchmarkWorld(b *testing.B) {
	w, _ := newWorld(b)
	var m *Machine
	err := w.locked(func() error {
		return w.change(func(f *factory) error {
			f.Families = []family{newFamily(DefaultFMSPC, DefaultCPUSVN, w.now())}
			for range 200 {
				f.Platforms = append(f.Platforms, platform{Machine: "m", FMSPC: DefaultFMSPC[:], Created: w.now(), RootProvisioningKey: draw16()})
			}
			return nil
		})
	})
	if err == nil {
		m, err = w.NewMachine("m", MachineOptions{})
	}
	for range 6 {
		if err == nil {
			m, err = w.Recover("m", RecoverOptions{})
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	ppid := ppidOf(w, m)
	for name, f := range map[string]func() error{
		"PCK":      func() error { _, err := w.PCK(ppid, 0, m.CPUSVN, build.PCE.SVN); return err },
		"TCBInfo":  func() error { _, err := w.TCBInfo(dcap.TEESGX, m.FMSPC, Selection{}); return err },
		"Identity": func() error { _, err := w.Identity(dcap.IdentityQE, Selection{}); return err },
		"PCKCRL":   func() error { _, err := w.PCKCRL(verify.ProcessorCA); return err },
		"state":    func() error { _, err := w.state(); return err },
		"reopen":   func() error { _, err := Open(w.dir, Options{}); return err },
		"revoke":   func() error { return w.RevokeMachine("m", KeyCompromise) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
