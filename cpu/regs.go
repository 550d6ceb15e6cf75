package cpu

// Regs is the register state that the leaves read and write: what EENTER
// passes in, EEXIT passes out and an AEX saves. XSAVE state travels
// separately, in the standard format.
type Regs struct {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI uint64
	R8, R9, R10, R11, R12, R13, R14, R15   uint64
	RFLAGS, RIP                            uint64
	FSBase, GSBase                         uint64
}
