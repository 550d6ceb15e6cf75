package engine

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// epcSize is the size of a test machine's EPC in bytes.
const epcSize = 16 << 20

// signer is the key that signs probes; making one takes a while.
var signer = sync.OnceValues(func() (*rsa.PrivateKey, error) { return sign.GenerateKey(rand.Reader) })

// A machine is a powered-on engine with the list of its free EPC pages.
type machine struct {
	e    cpu.Engine
	p    *cpu.Processor
	free *cpu.EPCAllocator
}

// powerOn powers a machine on for the length of a test.
func powerOn(t *testing.T, open func(cpu.Config) (cpu.Engine, error)) *machine {
	t.Helper()
	e, err := open(cpu.Config{EPCSize: epcSize, CPUSVN: [16]byte{1, 1}, Fuses: cpu.Fuses{RootSealKey: [16]byte{1}, RootProvisioningKey: [16]byte{2}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return &machine{e: e, p: e.Processor(), free: cpu.NewEPCAllocator(e.Processor())}
}

// page takes a free EPC page.
func (m *machine) page(t *testing.T) cpu.PA {
	t.Helper()
	runs, err := m.free.Alloc(1)
	if err != nil {
		t.Fatal(err)
	}
	return runs[0].PA
}

// buffer returns ordinary memory for the length of a test.
func (m *machine) buffer(t *testing.T, size int) cpu.Buffer {
	t.Helper()
	b, err := m.e.Alloc(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Free)
	return b
}

// must ends the test unless err is nil.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// secInfo returns a SECINFO of a page type with permissions or state bits.
func secInfo(pt isa.PageType, bits isa.SecInfoFlags) isa.SecInfo {
	return isa.SecInfo{Flags: isa.MakeSecInfoFlags(bits, pt)}
}

// Permissions in SECINFO.
const (
	permR   = isa.SecInfoR
	permRW  = isa.SecInfoR | isa.SecInfoW
	permRX  = isa.SecInfoR | isa.SecInfoX
	permRWX = isa.SecInfoRWX
)
