package native

import (
	"errors"
	"sync"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/cpuid"
	"github.com/feidi-dev/feidi/isa"
	"golang.org/x/sys/unix"
)

// Name is the name under which the engine registers.
const Name = "native"

// DefaultEPCSize is the size of the EPC if the configuration gives none. It is
// address space, not memory: pages cost nothing until they are touched.
const DefaultEPCSize = 64 << 30

func init() {
	cpu.RegisterEngine(Name, func(c cpu.Config) (cpu.Engine, error) { return New(c) })
}

// Engine executes enclave code on the host's processor.
type Engine struct {
	proc    *cpu.Processor
	mem     *memory
	epcBase cpu.PA

	mu     sync.Mutex
	ranges []*elrange
	blocks []*block
}

// New powers on a processor with a native engine. c.Memory is ignored: the
// engine brings its own.
func New(c cpu.Config) (*Engine, error) {
	if err := setup(); err != nil {
		return nil, err
	}
	if c.EPCSize == 0 {
		c.EPCSize = DefaultEPCSize
	}
	mem, err := newMemory(c.EPCSize)
	if err != nil {
		return nil, err
	}
	e := &Engine{mem: mem}
	c.Memory = mem
	if c.XFRM == 0 {
		c.XFRM = isa.XFRM(cpuid.XCR0())
	}
	c.XSave = xsaveLayout()
	c.EPCMChanged = e.epcmChanged
	if e.proc, err = cpu.New(c); err != nil {
		_ = mem.close()
		return nil, err
	}
	e.epcBase = e.proc.EPCBase()
	return e, nil
}

// Name implements cpu.Engine.
func (e *Engine) Name() string { return Name }

// Processor implements cpu.Engine.
func (e *Engine) Processor() *cpu.Processor { return e.proc }

// Alloc implements cpu.Engine.
func (e *Engine) Alloc(size int) (cpu.Buffer, error) { return newBuffer(size) }

// Reserve implements cpu.Engine.
func (e *Engine) Reserve(size, base uint64) (cpu.Range, error) {
	r, err := e.reserve(size, base)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ranges = append(e.ranges, r)
	return r, nil
}

// Close implements cpu.Engine.
func (e *Engine) Close() error {
	var errs []error
	for _, r := range e.allRanges() {
		errs = append(errs, r.Close())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.blocks {
		errs = append(errs, unix.Munmap(b.mem))
	}
	e.blocks = nil
	return errors.Join(append(errs, e.mem.close())...)
}

func (e *Engine) allRanges() []*elrange {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*elrange(nil), e.ranges...)
}

// forget removes r from the list of ranges, and reports whether it was there.
func (e *Engine) forget(r *elrange) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, have := range e.ranges {
		if have == r {
			e.ranges = append(e.ranges[:i], e.ranges[i+1:]...)
			return true
		}
	}
	return false
}

// epcmChanged tightens or loosens the host's protection of a page whose EPCM
// entry changed.
func (e *Engine) epcmChanged(_ cpu.PA, linear uint64) {
	for _, r := range e.allRanges() {
		if linear-r.base < r.size {
			r.sync(linear)
			return
		}
	}
}

// protection is what enclave code may do with a page: what the page tables
// and the EPCM both allow.
func (e *Engine) protection(pa cpu.PA, linear uint64, perm cpu.Perm) int {
	entry := e.proc.EPCM(pa)
	if !entry.Valid || entry.PT != isa.PTREG || entry.Address != linear || entry.Blocked || entry.Pending || entry.Modified {
		return unix.PROT_NONE
	}
	perm &= entry.Perm
	prot := unix.PROT_NONE
	if perm&cpu.PermR != 0 {
		prot |= unix.PROT_READ
	}
	if perm&cpu.PermW != 0 {
		prot |= unix.PROT_WRITE
	}
	if perm&cpu.PermX != 0 {
		prot |= unix.PROT_EXEC
	}
	return prot
}

// newContext takes a context from a block with room.
func (e *Engine) newContext() (*context, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.blocks {
		if n := len(b.free); n > 0 {
			c := b.free[n-1]
			b.free = b.free[:n-1]
			return c, nil
		}
	}
	b, err := newBlock()
	if err != nil {
		return nil, err
	}
	e.blocks = append(e.blocks, b)
	n := len(b.free)
	c := b.free[n-1]
	b.free = b.free[:n-1]
	return c, nil
}

func (e *Engine) freeContext(c *context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.regs = cpu.Regs{} // an enclave's, if it did not leave
	for _, b := range e.blocks {
		if b.owns(c) {
			b.free = append(b.free, c)
		}
	}
}
