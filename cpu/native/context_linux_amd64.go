package native

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/feidi-dev/feidi/cpu"
	"golang.org/x/sys/unix"
)

// Why enter or resume returned.
const (
	trapNone      = iota // the enclave executed EEXIT
	trapUnarmed          // nothing ran: the OS thread is not prepared
	trapFault            // a synchronous signal in enclave code: ENCLU or an exception
	trapInterrupt        // an asynchronous signal arrived in enclave code
)

// A context is what the assembly needs to enter and leave an enclave: one per
// logical processor. It lives outside the Go heap, at a fixed distance from
// its stubs, and holds no Go pointers.
type context struct {
	regs cpu.Regs // the enclave's; offsets are in asm_linux_amd64.h

	// The host's side, saved at entry.
	goSP, goBP, goFS uint64
	slot             uint64 // address of the thread's slot

	// What the signal handler saw.
	trap                uint32
	signo, sicode       uint32
	fcw                 uint16 // the enclave's, at EEXIT
	_                   uint16
	siaddr              uint64
	trapno, err, cr2    uint64
	start, end          uint64 // ELRANGE
	xsave               uint64 // address of the XSAVE area, 64-byte aligned
	xmask               uint64 // components saved and restored: XCR0
	foreign             uint64 // those that go into their initial configuration at entry
	enterStub           uint64
	resumeStub, exitPtr uint64
	exitStub            uint64
	owner               uint64    // the context that the exit stub returns to
	iret                [5]uint64 // RIP, CS, RFLAGS, RSP, SS
}

// A slot tells the signal handler which context, if any, an OS thread is
// inside of. m is the runtime's m for which the thread was armed.
type slot struct {
	ctx uint64
	m   uint64
}

const slotSize = 16

const (
	contextSize     = 16 << 10 // a context with its XSAVE area
	xsaveOffset     = 1 << 10
	xsaveSpace      = contextSize - xsaveOffset
	stubSize        = 512
	blockContexts   = 32
	blockCode       = blockContexts * stubSize
	blockSize       = blockCode + blockContexts*contextSize
	userCS, userSS  = 0x33, 0x2B
	resumeFlagsMask = 0x254DD5
	resumeFlagsSet  = 0x202
)

// A block is one mapping of stubs and contexts: code first, read-only and
// executable, then the contexts.
type block struct {
	mem  []byte
	free []*context
}

func newBlock() (*block, error) {
	mem, err := unix.Mmap(-1, 0, blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("native: no memory for contexts: %w", err)
	}
	b := &block{mem: mem}
	base := uint64(uintptr(unsafe.Pointer(&mem[0])))
	for i := range uint64(blockContexts) {
		at := blockCode + i*contextSize
		c := (*context)(unsafe.Pointer(&mem[at]))
		c.xsave = base + at + xsaveOffset
		writeStubs(mem[i*stubSize:(i+1)*stubSize], base+i*stubSize, base+at, c)
		b.free = append(b.free, c)
	}
	if err := unix.Mprotect(mem[:blockCode], unix.PROT_READ|unix.PROT_EXEC); err != nil {
		_ = unix.Munmap(mem)
		return nil, fmt.Errorf("native: the host refuses to make memory executable: %w", err)
	}
	return b, nil
}

// owns reports whether c is one of b's contexts.
func (b *block) owns(c *context) bool {
	at := uintptr(unsafe.Pointer(c)) - uintptr(unsafe.Pointer(&b.mem[0]))
	return at < blockSize
}

// addr returns the address of c.
func (c *context) addr() uint64 { return uint64(uintptr(unsafe.Pointer(c))) }

// xsaveArea returns c's XSAVE area.
func (c *context) xsaveArea() []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(c), xsaveOffset)), xsaveSpace)
}

// writeStubs writes the code that runs with a stack other than Go's. It is
// generated, and not in Go's text, for two reasons: the address of the exit
// stub is all that tells threads apart when an enclave leaves, and a profiler
// must not unwind from it.
//
// An enclave keeps that address from EENTER to EEXIT, and may by then be on
// another logical processor, resumed there after an AEX. So it is given the
// exit stub of a context that stands for the TCS, its home, whose owner is the
// context of whoever is inside.
func writeStubs(code []byte, at, ctx uint64, c *context) {
	var b []byte
	// op emits "REX.W opcode reg, [rcx+disp32]".
	op := func(opcode byte, reg int, disp uintptr) {
		rex := byte(0x48)
		if reg >= 8 {
			rex |= 4
		}
		b = append(b, rex, opcode, 0x81|byte(reg&7)<<3)
		b = binary.LittleEndian.AppendUint32(b, uint32(disp))
	}
	const (
		load, store, lea = 0x8B, 0x89, 0x8D
		rsp, rcx         = 4, 1
	)
	// loadAll loads every register but RSP and RCX. cpu.Regs has its own
	// order, so the pairs are written out.
	loadAll := func() {
		for _, r := range [...]struct {
			reg int
			off uintptr
		}{
			{0, unsafe.Offsetof(c.regs.RAX)}, {2, unsafe.Offsetof(c.regs.RDX)}, {3, unsafe.Offsetof(c.regs.RBX)},
			{5, unsafe.Offsetof(c.regs.RBP)}, {6, unsafe.Offsetof(c.regs.RSI)}, {7, unsafe.Offsetof(c.regs.RDI)},
			{8, unsafe.Offsetof(c.regs.R8)}, {9, unsafe.Offsetof(c.regs.R9)}, {10, unsafe.Offsetof(c.regs.R10)},
			{11, unsafe.Offsetof(c.regs.R11)}, {12, unsafe.Offsetof(c.regs.R12)}, {13, unsafe.Offsetof(c.regs.R13)},
			{14, unsafe.Offsetof(c.regs.R14)}, {15, unsafe.Offsetof(c.regs.R15)},
		} {
			op(load, r.reg, r.off)
		}
	}

	// Enter: RCX is the context.
	c.enterStub = at
	loadAll()
	op(load, rsp, unsafe.Offsetof(c.regs.RSP))
	op(load, rcx, unsafe.Offsetof(c.regs.RCX))
	b = append(b, 0xFF, 0x25) // jmp [rip+disp32]
	b = binary.LittleEndian.AppendUint32(b, uint32(ctx+uint64(unsafe.Offsetof(c.regs.RIP))-(at+uint64(len(b))+4)))

	// Resume: RCX is the context.
	c.resumeStub = at + uint64(len(b))
	loadAll()
	op(lea, rsp, unsafe.Offsetof(c.iret))
	op(load, rcx, unsafe.Offsetof(c.regs.RCX))
	b = append(b, 0x48, 0xCF) // iretq

	// Exit: where RCX pointed at EENTER, and where EEXIT jumps.
	c.exitStub, c.owner = at+uint64(len(b)), ctx
	b = append(b, 0x48, 0x8B, 0x0D) // mov rcx, [rip+disp32]
	b = binary.LittleEndian.AppendUint32(b, uint32(ctx+uint64(unsafe.Offsetof(c.owner))-(at+uint64(len(b))+4)))
	op(store, rsp, unsafe.Offsetof(c.regs.RSP))
	op(load, rsp, unsafe.Offsetof(c.goSP))
	b = append(b, 0xFF, 0xA1) // jmp [rcx+disp32]
	b = binary.LittleEndian.AppendUint32(b, uint32(unsafe.Offsetof(c.exitPtr)))
	c.exitPtr = uint64(exitedPC())

	n := copy(code, b)
	for i := range code[n:] {
		code[n+i] = 0xCC
	}
}
