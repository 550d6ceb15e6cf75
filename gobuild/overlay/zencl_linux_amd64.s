//go:build feidi

#include "go_asm.h"
#include "textflag.h"

// A thread's pages, from its TCS on: the TCS, two SSA frames, the enclTD that
// GS points to, and the page that FS points to, which begins with the thread's
// XSAVE image. Before the TCS, a guard page and the stack of the gate; before
// that, another one and the stack of exceptions.
#define TCS_SSA   0x1000
#define TCS_TD    0x3000
#define SSA_GPR   (0x1000-184)
#define GATE_TOP  (0x1000+128)
#define XCPT_TOP  (0x1000+0x8000+0x1000+128)

#define STATE_FREE  0
#define STATE_OCALL 2
#define STATE_IN    3

#define R_AX 0
#define R_CX 8
#define R_DX 16
#define R_BX 24
#define R_SP 32
#define R_BP 40
#define R_SI 48
#define R_DI 56
#define R_8 64
#define R_9 72
#define R_10 80
#define R_11 88
#define R_12 96
#define R_13 104
#define R_14 112
#define R_15 120
#define R_FL 128
#define R_IP 136
#define TD(off) (enclTD_regs+off)(GS)

// The word that Go calls TLS, which has the g: at FS-8, and at a fixed distance
// from GS. While the gate is at work it has the gate's, for code of Go reads it
// after a call of assembly.
#define TLS_G 0xFF8(GS)

#define ENCLU BYTE $0x0F; BYTE $0x01; BYTE $0xD7
#define INSN_RDTSC BYTE $0x0F; BYTE $0x31

#define ECMD_ORET   -2
#define ERROR_UNEXPECTED 1

// CLEARFP puts the FPU and all vector registers into their initial state, so
// that none leaves with what was computed. Clobbers AX, DX and R8.
#define CLEARFP \
	LEAQ runtime·enclInitFP(SB), R8 \
	ADDQ $63, R8 \
	ANDQ $~63, R8 \
	MOVL runtime·enclXFRM(SB), AX \
	MOVL runtime·enclXFRM+4(SB), DX \
	XRSTOR64 (R8)

// ZEROREGS clears the registers that EEXIT has no use for.
#define ZEROREGS \
	XORL DX, DX \
	XORL R8, R8 \
	XORL R9, R9 \
	XORL R10, R10 \
	XORL R11, R11 \
	XORL R12, R12 \
	XORL R13, R13 \
	XORL R14, R14 \
	XORL R15, R15

// ENTERED brings the flags, the x87 FPU (FNINIT) and the control register of
// SSE, which are the host's, to what Go expects. SP is a stack of ours.
#define ENTERED \
	CLD \
	PUSHQ $0x202 \
	POPFQ \
	BYTE $0xDB; BYTE $0xE3 \
	LDMXCSR runtime·enclMXCSR(SB) \
	PXOR X15, X15

// func enclentry()
// Where EENTER begins: AX is CSSA, BX the TCS, CX the address to return to, DI
// the command and SI its argument. The stack is still the host's.
TEXT runtime·enclentry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	TESTQ AX, AX
	JNE  exception
	MOVQ SP, enclTD_hostSP(GS)
	MOVQ BP, enclTD_hostBP(GS)
	MOVQ CX, enclTD_hostRet(GS)
	CMPQ DI, $ECMD_ORET
	JEQ  oret
	CMPL enclTD_state(GS), $STATE_FREE
	JNE  refuse
	MOVQ $1, enclTD_inGate(GS)
	LEAQ TCS_TD(BX), DX
	MOVQ DX, enclTD_self(GS)
	LEAQ -GATE_TOP(BX), SP
	MOVQ SP, enclTD_gateSP(GS)
	LEAQ (TCS_SSA+SSA_GPR)(BX), R8
	MOVQ R8, enclTD_ssa(GS)
	MOVL $STATE_IN, enclTD_state(GS)
	ENTERED
	LEAQ enclTD_gateG(DX), R14
	LEAQ -(0x8000-0x800)(SP), R8
	MOVQ R8, g_stackguard0(R14)
	MOVQ R8, g_stackguard1(R14)
	MOVQ R14, TLS_G
	MOVQ $0, enclTD_appG(GS)
	XORL BP, BP
	MOVQ DX, AX
	MOVQ DI, BX
	MOVQ SI, CX
	LEAQ runtime·enclEnter<ABIInternal>(SB), R8
	CALL R8
	CMPQ AX, $-1
	JEQ  run
	JMP  runtime·enclret(SB)
run:
	JMP  runtime·enclrestore(SB)

oret:
	CMPL enclTD_state(GS), $STATE_OCALL
	JNE  refuse
	MOVQ enclTD_ocallSP(GS), SP
	MOVL $STATE_IN, enclTD_state(GS)
	ENTERED
	MOVQ enclTD_ocallBP(GS), BP
	MOVQ enclTD_self(GS), R14
	LEAQ enclTD_gateG(R14), R14
	RET

refuse:
	// Nothing of the enclave is in a register yet.
	MOVQ $-1, DI
	MOVQ $ERROR_UNEXPECTED, SI
	MOVQ CX, BX
	MOVL $4, AX
	ENCLU
	BYTE $0x0F; BYTE $0x0B

exception:
	CMPQ AX, $1
	JNE  refuse
	CMPL enclTD_state(GS), $STATE_FREE
	JEQ  refuse
	MOVQ SP, enclTD_xhostSP(GS)
	MOVQ BP, enclTD_xhostBP(GS)
	MOVQ CX, enclTD_xhostRet(GS)
	LEAQ -XCPT_TOP(BX), SP
	ENTERED
	MOVQ enclTD_self(GS), AX
	LEAQ enclTD_xcptG(AX), R14
	LEAQ -(0x4000-0x800)(SP), R8
	MOVQ R8, g_stackguard0(R14)
	MOVQ R8, g_stackguard1(R14)
	MOVQ TLS_G, R8
	MOVQ R8, enclTD_xappG(GS)
	MOVQ R14, TLS_G
	XORL BP, BP
	MOVQ DI, BX
	LEAQ runtime·enclExcept<ABIInternal>(SB), R8
	CALL R8
	MOVQ enclTD_xappG(GS), R8
	MOVQ R8, TLS_G
	MOVQ AX, SI
	CLEARFP
	MOVQ $-1, DI
	MOVQ enclTD_xhostSP(GS), SP
	MOVQ enclTD_xhostBP(GS), BP
	MOVQ enclTD_xhostRet(GS), BX
	XORL CX, CX
	ZEROREGS
	MOVL $4, AX
	ENCLU
	BYTE $0x0F; BYTE $0x0B

// enclret ends an ECALL with the status in AX. The thread is free from the
// moment of its last store, so nothing of it is read after that.
TEXT runtime·enclret(SB),NOSPLIT|NOFRAME,$0
	MOVQ AX, SI
	CLEARFP
	MOVQ $-1, DI
	MOVQ enclTD_hostSP(GS), SP
	MOVQ enclTD_hostBP(GS), BP
	MOVQ enclTD_hostRet(GS), BX
	XORL CX, CX
	ZEROREGS
	MOVL $STATE_FREE, enclTD_state(GS)
	MOVL $4, AX
	ENCLU
	BYTE $0x0F; BYTE $0x0B

// func enclocall()
// Leaves by an OCALL with the thread's block and comes back after it.
TEXT runtime·enclocall(SB),NOSPLIT|NOFRAME,$0
	MOVQ BP, enclTD_ocallBP(GS)
	MOVQ SP, enclTD_ocallSP(GS)
	CLEARFP
	MOVQ enclTD_block(GS), SI
	MOVQ $(1<<24), DI
	MOVQ enclTD_hostSP(GS), SP
	MOVQ enclTD_hostBP(GS), BP
	MOVQ enclTD_hostRet(GS), BX
	XORL CX, CX
	ZEROREGS
	MOVL $STATE_OCALL, enclTD_state(GS)
	MOVL $4, AX
	ENCLU
	BYTE $0x0F; BYTE $0x0B

// func enclgate()
// What SYSCALL has become: the same registers go in and come out, but X0 to
// X15 are cleared. It runs on a stack of its own.
TEXT runtime·enclgate(SB),NOSPLIT|NOFRAME,$0
	MOVQ $1, enclTD_inGate(GS)
	MOVQ AX, TD(R_AX)
	MOVQ DX, TD(R_DX)
	MOVQ BX, TD(R_BX)
	MOVQ BP, TD(R_BP)
	MOVQ SI, TD(R_SI)
	MOVQ DI, TD(R_DI)
	MOVQ R8, TD(R_8)
	MOVQ R9, TD(R_9)
	MOVQ R10, TD(R_10)
	MOVQ R12, TD(R_12)
	MOVQ R13, TD(R_13)
	MOVQ R14, TD(R_14)
	MOVQ R15, TD(R_15)
	MOVQ 0(SP), CX
	MOVQ CX, TD(R_IP)
	LEAQ 8(SP), CX
	MOVQ CX, TD(R_SP)
	MOVQ enclTD_gateSP(GS), SP
	XORL BP, BP
	CLD
	PXOR X15, X15 // the gate's code takes it for zero; who calls may have used it
	MOVQ TLS_G, CX
	MOVQ CX, enclTD_appG(GS)
	MOVQ enclTD_self(GS), AX
	LEAQ enclTD_gateG(AX), R14
	MOVQ R14, TLS_G
	LEAQ runtime·enclDispatch<ABIInternal>(SB), CX
	CALL CX
	JMP  runtime·enclrestore(SB)

// enclrestore goes back to the program with the registers of the thread.
TEXT runtime·enclrestore(SB),NOSPLIT|NOFRAME,$0
	MOVQ enclTD_appG(GS), CX
	MOVQ CX, TLS_G
	CMPQ enclTD_full(GS), $0
	JNE  full
	PXOR X15, X15
	MOVQ TD(R_AX), AX
	MOVQ TD(R_DX), DX
	MOVQ TD(R_BX), BX
	MOVQ TD(R_BP), BP
	MOVQ TD(R_SI), SI
	MOVQ TD(R_DI), DI
	MOVQ TD(R_8), R8
	MOVQ TD(R_9), R9
	MOVQ TD(R_10), R10
	MOVQ TD(R_12), R12
	MOVQ TD(R_13), R13
	MOVQ TD(R_14), R14
	MOVQ TD(R_15), R15
	MOVQ TD(R_SP), SP
	MOVQ TD(R_IP), CX
	MOVQ $0, enclTD_inGate(GS)
	JMP  CX
full:
	// As rt_sigreturn does: all registers, flags, and the FPU.
	MOVQ $0, enclTD_full(GS)
	PXOR X15, X15
	CMPQ enclTD_fp(GS), $0
	JEQ  nofp
	MOVQ enclTD_self(GS), CX
	ADDQ $0x1000, CX
	MOVL runtime·enclXFRM(SB), AX
	MOVL runtime·enclXFRM+4(SB), DX
	XRSTOR64 (CX)
	MOVQ $0, enclTD_fp(GS)
nofp:
	MOVQ enclTD_gateSP(GS), SP
	MOVQ TD(R_FL), CX
	PUSHQ CX
	MOVQ TD(R_AX), AX
	MOVQ TD(R_CX), CX
	MOVQ TD(R_DX), DX
	MOVQ TD(R_BX), BX
	MOVQ TD(R_BP), BP
	MOVQ TD(R_SI), SI
	MOVQ TD(R_DI), DI
	MOVQ TD(R_8), R8
	MOVQ TD(R_9), R9
	MOVQ TD(R_10), R10
	MOVQ TD(R_11), R11
	MOVQ TD(R_12), R12
	MOVQ TD(R_13), R13
	MOVQ TD(R_14), R14
	MOVQ TD(R_15), R15
	POPFQ
	MOVQ TD(R_SP), SP
	MOVQ $0, enclTD_inGate(GS)
	BYTE $0x65; BYTE $0xFF; BYTE $0x24; BYTE $0x25; LONG $(enclTD_regs+R_IP) // jmp *gs:ip

// enclsigreturn is where signal handlers return to.
TEXT runtime·enclsigreturn(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVL $15, AX
	CALL runtime·enclgate(SB)
	BYTE $0x0F; BYTE $0x0B

// enclcpuid is what CPUID has become: it looks into the table that the host
// gave, as far as that was believed.
TEXT runtime·enclcpuid(SB),NOSPLIT|NOFRAME,$0
	PUSHQ R8
	PUSHQ R9
	LEAQ runtime·enclCPUID(SB), R8
	MOVL runtime·enclCPUIDRows(SB), R9
row:
	TESTL R9, R9
	JEQ  none
	CMPL 0(R8), AX
	JNE  next
	CMPL 4(R8), CX
	JEQ  found
	CMPL 4(R8), $-1
	JEQ  found
next:
	ADDQ $24, R8
	DECL R9
	JMP  row
found:
	MOVL 8(R8), AX
	MOVL 12(R8), BX
	MOVL 16(R8), CX
	MOVL 20(R8), DX
	JMP  done
none:
	XORL AX, AX
	XORL BX, BX
	XORL CX, CX
	XORL DX, DX
done:
	POPQ R9
	POPQ R8
	RET

// enclrdtscp is what RDTSCP has become.
TEXT runtime·enclrdtscp(SB),NOSPLIT|NOFRAME,$0
	XORL CX, CX
	JMP  runtime·enclrdtsc(SB)

// enclrdtsc is what RDTSC has become: the counter itself where it is legal,
// else one that only grows.
TEXT runtime·enclrdtsc(SB),NOSPLIT|NOFRAME,$0
	CMPQ runtime·enclClock(SB), $0
	JEQ  count
	INSN_RDTSC
	RET
count:
	MOVQ $1000, AX
	LOCK
	XADDQ AX, runtime·enclTicks(SB)
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL AX, AX
	RET

// enclvdso is a clock_gettime with C's calling convention, for the runtime to
// use in place of the kernel's: DI is the clock and SI the timespec. It reads
// the clock page by itself, and leaves the rest to the gate.
TEXT runtime·enclvdso(SB),NOSPLIT|NOFRAME,$0
	MOVQ runtime·enclClock(SB), R8
	TESTQ R8, R8
	JEQ  slow
	MOVL $const_enclClockReal, R9
	TESTL DI, DI
	JEQ  read
	CMPL DI, $1
	JNE  slow
	MOVL $const_enclClockMono, R9
read:
	MOVQ const_enclClockSeq(R8), R10
	TESTQ $1, R10
	JNE  slow
	MOVQ (R8)(R9*1), R11      // nanoseconds
	INSN_RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	SUBQ const_enclClockTSC(R8), AX
	JMI  slow
	MOVQ const_enclClockMult(R8), CX
	TESTQ CX, CX
	JEQ  slow
	MULQ CX
	CMPQ R10, const_enclClockSeq(R8)
	JNE  slow
	SHRQ $32, DX, AX
	ADDQ R11, AX
	JMI  slow
	TESTL DI, DI
	JNE  mono
	MOVQ $const_enclMaxReal, CX
	CMPQ AX, CX
	JGE  slow
	JMP  split
mono:
	// Time does not go back.
	MOVQ AX, CX
latest:
	MOVQ runtime·enclMono(SB), AX
	CMPQ CX, AX
	JLE  split
	LOCK
	CMPXCHGQ CX, runtime·enclMono(SB)
	JNE  latest
	MOVQ CX, AX
split:
	XORL DX, DX
	MOVQ $1000000000, CX
	DIVQ CX
	MOVQ AX, 0(SI)
	MOVQ DX, 8(SI)
	XORL AX, AX
	RET
slow:
	MOVL $228, AX
	CALL runtime·enclgate(SB)
	RET

// func enclTSC() uint64
TEXT runtime·enclTSC(SB),NOSPLIT,$0-8
	INSN_RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func enclRandom() (v uint64, ok bool)
TEXT runtime·enclRandom(SB),NOSPLIT,$0-9
	RDRANDQ AX
	SETCS ok+8(FP)
	MOVQ AX, v+0(FP)
	RET

// func enclReport(target, data, report uintptr)
// EREPORT: the three are aligned to 512, 128 and 512 bytes.
TEXT runtime·enclReport(SB),NOSPLIT,$0-24
	MOVQ target+0(FP), BX
	MOVQ data+8(FP), CX
	MOVQ report+16(FP), DX
	XORL AX, AX
	ENCLU
	RET

// func enclPause()
TEXT runtime·enclPause(SB),NOSPLIT,$0-0
	PAUSE
	RET

// func enclWhere() uintptr
// The address of the parameters, by which the enclave finds out where it is.
TEXT runtime·enclWhere(SB),NOSPLIT,$0-8
	LEAQ runtime·enclParams(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func enclText() (rt0, sigreturn, first, last uintptr)
// Addresses of code, which no relocation is needed to know.
TEXT runtime·enclText(SB),NOSPLIT,$0-32
	LEAQ runtime·rt0_go(SB), AX
	MOVQ AX, rt0+0(FP)
	LEAQ runtime·enclsigreturn(SB), AX
	MOVQ AX, sigreturn+8(FP)
	LEAQ runtime·enclentry(SB), AX
	MOVQ AX, first+16(FP)
	LEAQ runtime·enclsigreturn(SB), AX
	MOVQ AX, last+24(FP)
	RET

// func enclEndThread()
// Ends the thread's ECALL with success.
TEXT runtime·enclEndThread(SB),NOSPLIT|NOFRAME,$0-0
	XORL AX, AX
	JMP  runtime·enclret(SB)

// func exitThread(wait *atomic.Uint32)
// The word that wait points to is cleared when the stack is not used any more:
// the gate does so, on its own.
TEXT runtime·exitThread(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ 8(SP), DI
	MOVL $const_enclExitThread, AX
	CALL runtime·enclgate(SB)
	BYTE $0x0F; BYTE $0x0B
