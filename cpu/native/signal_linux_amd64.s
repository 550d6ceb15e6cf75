#include "go_asm.h"
#include "textflag.h"
#include "asm_linux_amd64.h"

// handler wraps every signal handler of the process. It runs on Go's signal
// stack, with DI the signal, SI the siginfo and DX the ucontext, possibly with
// an enclave's FS: it may not touch TLS or call Go before FS is put back.
TEXT ·handler(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVL $SYS_gettid, AX
	SYSCALL
	SHLQ $4, AX
	CMPQ AX, ·slotsSize(SB)
	JAE  chain
	ADDQ ·slots(SB), AX
	MOVQ slot_ctx(AX), R9
	TESTQ R9, R9
	JZ   chain

	// The thread is inside, or on its way in or out. The kernel leaves AC as
	// the enclave had it; Go does not expect alignment checks.
	PUSHFQ
	ANDQ $~0x40000, 0(SP)
	POPFQ

	// A fault, or a signal that somebody sent?
	MOVQ UC_RIP(DX), R10
	MOVL 8(SI), R8           // si_code
	CMPL R8, $0
	JLE  sent
	CMPL DI, $4              // SIGILL
	JEQ  fault
	CMPL DI, $11             // SIGSEGV
	JEQ  fault
	CMPL DI, $5              // SIGTRAP
	JEQ  fault
	CMPL DI, $7              // SIGBUS
	JEQ  fault
	CMPL DI, $8              // SIGFPE
	JEQ  fault
	CMPL DI, $31             // SIGSYS
	JEQ  fault
	JMP  sent

chain:
	// Not inside: the handler that was there before, as if we were not.
	MOVLQZX DI, AX
	MOVQ $·oldHandlers(SB), CX
	MOVQ (CX)(AX*8), AX
	JMP  AX

fault:
	// What the instruction was is for Go to find out: its bytes may be gone
	// by now, and a fault in here would be the end of the process.
	MOVL $const_trapFault, context_trap(R9)
	JMP  leave

sent:
	// Let Go have the signal, on its own FS and in a proper frame, as if it
	// had come in the exit stub: a profiler reads the stack that it is told of.
	SUBQ $72, SP
	MOVQ R9, 0(SP)
	MOVQ R10, 8(SP)
	MOVQ DX, 16(SP)
	MOVQ DI, 24(SP)
	MOVQ SI, 32(SP)
	MOVQ UC_RSP(DX), AX
	MOVQ AX, 48(SP)
	MOVQ context_goSP(R9), AX
	MOVQ AX, UC_RSP(DX)
	MOVQ context_exitStub(R9), AX
	MOVQ AX, UC_RIP(DX)
	CMPB ·hasFSGSBASE(SB), $0
	JEQ  sentSlow
	RDFSBASEQ AX
	MOVQ AX, 40(SP)
	MOVQ context_goFS(R9), AX
	WRFSBASEQ AX
sentCall:
	MOVLQZX DI, AX
	MOVQ $·oldHandlers(SB), CX
	MOVQ (CX)(AX*8), AX
	CALL AX
	MOVQ 0(SP), R9
	MOVQ 8(SP), R10
	MOVQ 16(SP), DX
	MOVQ 24(SP), DI
	MOVQ 32(SP), SI
	MOVQ R10, UC_RIP(DX)
	MOVQ 48(SP), AX
	MOVQ AX, UC_RSP(DX)
	CMPB ·hasFSGSBASE(SB), $0
	JEQ  sentSlowBack
	MOVQ 40(SP), AX
	WRFSBASEQ AX
sentDone:
	ADDQ $72, SP
	// Enclave code was interrupted: that is an AEX. Stubs just go on.
	CMPQ R10, context_start(R9)
	JB   done
	CMPQ R10, context_end(R9)
	JAE  done
	MOVL $const_trapInterrupt, context_trap(R9)
	JMP  leave
done:
	RET

sentSlow:
	MOVQ DX, R13
	MOVL $ARCH_GET_FS, DI
	LEAQ 40(SP), SI
	MOVL $SYS_arch_prctl, AX
	SYSCALL
	MOVL $ARCH_SET_FS, DI
	MOVQ context_goFS(R9), SI
	MOVL $SYS_arch_prctl, AX
	SYSCALL
	MOVQ 16(SP), DX
	MOVQ 24(SP), DI
	MOVQ 32(SP), SI
	JMP  sentCall
sentSlowBack:
	MOVL $ARCH_SET_FS, DI
	MOVQ 40(SP), SI
	MOVL $SYS_arch_prctl, AX
	SYSCALL
	MOVQ 24(SP), DI
	MOVQ 32(SP), SI
	JMP  sentDone

leave:
	// Save the enclave's registers and make the thread come back to Go.
	MOVL DI, context_signo(R9)
	MOVL 8(SI), AX
	MOVL AX, context_sicode(R9)
	MOVQ 16(SI), AX
	MOVQ AX, context_siaddr(R9)
	MOVQ UC_TRAPNO(DX), AX
	MOVQ AX, context_trapno(R9)
	MOVQ UC_ERR(DX), AX
	MOVQ AX, context_err(R9)
	MOVQ UC_CR2(DX), AX
	MOVQ AX, context_cr2(R9)
	MOVQ UC_RAX(DX), AX
	MOVQ AX, REG_RAX(R9)
	MOVQ UC_RCX(DX), AX
	MOVQ AX, REG_RCX(R9)
	MOVQ UC_RDX(DX), AX
	MOVQ AX, REG_RDX(R9)
	MOVQ UC_RBX(DX), AX
	MOVQ AX, REG_RBX(R9)
	MOVQ UC_RSP(DX), AX
	MOVQ AX, REG_RSP(R9)
	MOVQ UC_RBP(DX), AX
	MOVQ AX, REG_RBP(R9)
	MOVQ UC_RSI(DX), AX
	MOVQ AX, REG_RSI(R9)
	MOVQ UC_RDI(DX), AX
	MOVQ AX, REG_RDI(R9)
	MOVQ UC_R8(DX), AX
	MOVQ AX, REG_R8(R9)
	MOVQ UC_R9(DX), AX
	MOVQ AX, REG_R9(R9)
	MOVQ UC_R10(DX), AX
	MOVQ AX, REG_R10(R9)
	MOVQ UC_R11(DX), AX
	MOVQ AX, REG_R11(R9)
	MOVQ UC_R12(DX), AX
	MOVQ AX, REG_R12(R9)
	MOVQ UC_R13(DX), AX
	MOVQ AX, REG_R13(R9)
	MOVQ UC_R14(DX), AX
	MOVQ AX, REG_R14(R9)
	MOVQ UC_R15(DX), AX
	MOVQ AX, REG_R15(R9)
	MOVQ UC_EFL(DX), AX
	MOVQ AX, REG_RFLAGS(R9)
	MOVQ UC_RIP(DX), AX
	MOVQ AX, REG_RIP(R9)

	MOVQ $·trapped(SB), AX
	MOVQ AX, UC_RIP(DX)
	MOVQ R9, UC_RCX(DX)
	MOVQ context_goSP(R9), AX
	MOVQ AX, UC_RSP(DX)
	MOVQ $0x202, UC_EFL(DX)
	MOVW $const_userCS, UC_CS(DX) // a far branch may have left 64-bit mode

	CMPB ·hasFSGSBASE(SB), $0
	JEQ  leaveSlow
	RDFSBASEQ AX
	MOVQ AX, REG_FS(R9)
	RDGSBASEQ AX
	MOVQ AX, REG_GS(R9)
	MOVQ context_goFS(R9), AX
	WRFSBASEQ AX
left:
	MOVQ context_slot(R9), AX
	MOVQ $0, slot_ctx(AX)
	RET

leaveSlow:
	MOVL $ARCH_GET_FS, DI
	LEAQ REG_FS(R9), SI
	MOVL $SYS_arch_prctl, AX
	SYSCALL
	MOVL $ARCH_GET_GS, DI
	LEAQ REG_GS(R9), SI
	MOVL $SYS_arch_prctl, AX
	SYSCALL
	MOVL $ARCH_SET_FS, DI
	MOVQ context_goFS(R9), SI
	MOVL $SYS_arch_prctl, AX
	SYSCALL
	JMP  left
