#include "go_asm.h"
#include "textflag.h"
#include "asm_linux_amd64.h"

// func currentM() uintptr
// The address of the running thread's m.
TEXT ·currentM(SB),NOSPLIT,$0-8
	MOVQ TLS, AX
	MOVQ 0(AX)(TLS*1), AX
	MOVQ const_gOffM(AX), AX
	MOVQ AX, ret+0(FP)
	RET

// func fpuControl() (mxcsr uint32, fcw uint16)
TEXT ·fpuControl(SB),NOSPLIT,$0-6
	STMXCSR mxcsr+0(FP)
	FSTCW fcw+4(FP)
	RET

// PUBLISH saves the host's side of context CX and announces CX in the
// thread's slot; from then on the signal handler treats the thread as inside.
// If the thread is not armed yet it returns at once with trapUnarmed.
// GS, which Go does not use, is written only when it changes: that is slow.
// Clobbers AX and DX.
#define PUBLISH \
	MOVQ SP, context_goSP(CX) \
	MOVQ BP, context_goBP(CX) \
	MOVQ TLS, AX \
	MOVQ 0(AX)(TLS*1), AX \
	MOVQ const_gOffM(AX), AX \
	MOVQ ·procidOffset(SB), DX \
	MOVQ (AX)(DX*1), DX \
	SHLQ $4, DX \
	ADDQ ·slots(SB), DX \
	CMPQ slot_m(DX), AX \
	JNE  unarmed \
	MOVQ DX, context_slot(CX) \
	CMPB ·hasFSGSBASE(SB), $0 \
	JEQ  slow \
	RDFSBASEQ AX \
	MOVQ AX, context_goFS(CX) \
	MOVQ CX, slot_ctx(DX) \
	MOVQ REG_GS(CX), AX \
	RDGSBASEQ DX \
	CMPQ AX, DX \
	JEQ  2(PC) \
	WRGSBASEQ AX \
	MOVQ REG_FS(CX), AX \
	WRFSBASEQ AX

// SLOWBASES does the end of PUBLISH by system calls. Clobbers AX, DX, DI, SI,
// R11 and R12 and leaves the context in CX.
#define SLOWBASES \
	MOVQ CX, R12 \
	MOVL $ARCH_GET_FS, DI \
	LEAQ context_goFS(R12), SI \
	MOVL $SYS_arch_prctl, AX \
	SYSCALL \
	MOVQ context_slot(R12), DX \
	MOVQ R12, slot_ctx(DX) \
	MOVL $ARCH_SET_GS, DI \
	MOVQ REG_GS(R12), SI \
	MOVL $SYS_arch_prctl, AX \
	SYSCALL \
	MOVL $ARCH_SET_FS, DI \
	MOVQ REG_FS(R12), SI \
	MOVL $SYS_arch_prctl, AX \
	SYSCALL \
	MOVQ R12, CX

// func enter(c *context)
// Enters the enclave through the context's entry stub. Returns when the
// enclave has executed EEXIT (trapNone), or when the handler brought the
// thread back (another trap kind).
TEXT ·enter(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ 8(SP), CX
	MOVQ context_foreign(CX), R8
	TESTQ R8, R8
	JNE  foreign
publish:
	PUBLISH
	JMP  (context_enterStub)(CX)
foreign:
	// Which components that the enclave must not see does the host use?
	CMPB ·hasXInUse(SB), $0
	JEQ  initialize
	MOVL $1, CX
	XGETBV                   // XCR0 and XINUSE
	MOVQ 8(SP), CX
	SHLQ $32, DX
	ORQ  DX, AX
	TESTQ R8, AX
	JEQ  publish
initialize:
	MOVL R8, AX
	MOVQ R8, DX
	SHRQ $32, DX
	MOVQ ·initialState(SB), R9
	XRSTOR64 (R9)
	JMP  publish
slow:
	SLOWBASES
	JMP  (context_enterStub)(CX)
unarmed:
	MOVL $const_trapUnarmed, context_trap(CX)
	RET

// func resume(c *context)
// Like enter, with the whole register state, flags and XSAVE image of c.
TEXT ·resume(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ 8(SP), CX
	PUBLISH
restore:
	MOVQ context_xsave(CX), R8
	MOVL context_xmask(CX), AX
	MOVL (context_xmask+4)(CX), DX
	XRSTOR64 (R8)
	JMP  (context_resumeStub)(CX)
slow:
	SLOWBASES
	JMP  restore
unarmed:
	MOVL $const_trapUnarmed, context_trap(CX)
	RET

// HOSTSTATE puts back what Go expects of the FPU and flags. Clobbers AX.
#define HOSTSTATE \
	LDMXCSR ·hostMXCSR(SB) \
	CMPB ·hasAVX(SB), $0 \
	JEQ  2(PC) \
	VZEROUPPER \
	MOVQ context_goBP(CX), BP

// HOSTKEYS puts back the host's protection keys. Clobbers AX, DX and R8.
#define HOSTKEYS \
	MOVQ CX, R8 \
	MOVL ·hostPKRU(SB), AX \
	XORL CX, CX \
	XORL DX, DX \
	WRPKRU \
	MOVQ R8, CX

// exited is where exit stubs jump after EEXIT: CX is the context, SP the
// host's stack at enter, and the enclave's RSP is saved already.
TEXT ·exited(SB),NOSPLIT|NOFRAME,$0
	PUSHFQ
	POPQ REG_RFLAGS(CX)
	MOVQ AX, REG_RAX(CX)
	MOVQ DX, REG_RDX(CX)
	MOVQ BX, REG_RBX(CX)
	MOVQ BP, REG_RBP(CX)
	MOVQ SI, REG_RSI(CX)
	MOVQ DI, REG_RDI(CX)
	MOVQ R8, REG_R8(CX)
	MOVQ R9, REG_R9(CX)
	MOVQ R10, REG_R10(CX)
	MOVQ R11, REG_R11(CX)
	MOVQ R12, REG_R12(CX)
	MOVQ R13, REG_R13(CX)
	MOVQ R14, REG_R14(CX)
	MOVQ R15, REG_R15(CX)
	TESTL $FLAGS_UNWELCOME, REG_RFLAGS(CX)
	JNE  flags
flagged:
	CMPB ·hasFSGSBASE(SB), $0
	JEQ  slow
	MOVQ context_goFS(CX), AX
	WRFSBASEQ AX
back:
	MOVQ context_slot(CX), AX
	MOVQ $0, slot_ctx(AX)
	CMPB ·hasPKU(SB), $0
	JNE  keys
host:
	FSTCW context_fcw(CX)
	MOVW context_fcw(CX), AX
	CMPW AX, ·hostFCW(SB)
	JNE  control
controlled:
	HOSTSTATE
	MOVL $const_trapNone, context_trap(CX)
	RET
flags:
	PUSHQ $0x202
	POPFQ
	JMP  flagged
control:
	BYTE $0xDB; BYTE $0xE2   // FNCLEX: FLDCW would raise an exception that waits
	FLDCW ·hostFCW(SB)
	JMP  controlled
keys:
	HOSTKEYS
	JMP  host
slow:
	MOVQ CX, R12
	MOVL $ARCH_SET_FS, DI
	MOVQ context_goFS(R12), SI
	MOVL $SYS_arch_prctl, AX
	SYSCALL
	MOVQ R12, CX
	JMP  back

// trapped is where the signal handler sends the thread: CX is the context, SP
// the host's stack at enter. The handler has saved the registers and put FS
// back; the enclave's XSAVE state is still live.
TEXT ·trapped(SB),NOSPLIT|NOFRAME,$0
	PUSHQ $0x202             // sigreturn leaves NT as the enclave had it
	POPFQ
	MOVQ context_xsave(CX), R8
	MOVL context_xmask(CX), AX
	MOVL (context_xmask+4)(CX), DX
	XSAVE64 (R8)
	CMPB ·hasPKU(SB), $0
	JNE  keys
host:
	BYTE $0xDB; BYTE $0xE3  // FNINIT
	FLDCW ·hostFCW(SB)
	HOSTSTATE
	RET
keys:
	HOSTKEYS
	JMP  host

// func rdpkru() uint32
TEXT ·rdpkru(SB),NOSPLIT,$0-4
	XORL CX, CX
	RDPKRU
	MOVL AX, ret+0(FP)
	RET

// func exitedPC() uintptr
TEXT ·exitedPC(SB),NOSPLIT,$0-8
	MOVQ $·exited(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func handlerPC() uintptr
TEXT ·handlerPC(SB),NOSPLIT,$0-8
	MOVQ $·handler(SB), AX
	MOVQ AX, ret+0(FP)
	RET
