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

// StackPointer returns the untrusted stack pointer of the next entry that c
// makes.
func StackPointer(c *Call) uint64 { return c.t.sp }

// LowerStack has the next call of e enter n bytes lower on the untrusted
// stack, and returns where it would have.
func LowerStack(e *Enclave, n uint64) (top uint64) {
	t, err := e.acquire()
	if err != nil {
		panic(err)
	}
	defer e.release(t)
	top = t.sp
	t.sp -= n
	return top
}
