package enclave

// Interrupt asks every thread of e for an AEX, as a late end of an earlier
// call's context does. Nobody wants these: they are resumed.
func Interrupt(e *Enclave) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range e.threads {
		t.cpu.Interrupt()
	}
}

// FreeEPC returns the number of free EPC pages of m.
func FreeEPC(m *Machine) uint64 { return m.alloc.Available() }
