package toy

import "github.com/feidi-dev/feidi/internal/asm"

// Registers, in lower case to read as assembly.
const (
	rax, rcx, rdx, rbx = asm.RAX, asm.RCX, asm.RDX, asm.RBX
	rsp, rbp, rsi, rdi = asm.RSP, asm.RBP, asm.RSI, asm.RDI
	r8, r9, r10, r11   = asm.R8, asm.R9, asm.R10, asm.R11
	r12, r13, r14, r15 = asm.R12, asm.R13, asm.R14, asm.R15

	eax, ecx, edx, esi, edi = asm.EAX, asm.ECX, asm.EDX, asm.ESI, asm.EDI
	r8d, r9d, r10d, r11d    = asm.R8D, asm.R9D, asm.R10D, asm.R11D
	r12d, r13d, r14d, r15d  = asm.R12D, asm.R13D, asm.R14D, asm.R15D
)
