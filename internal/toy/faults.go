package toy

import (
	"github.com/feidi-dev/feidi/internal/asm"
)

// arm makes EXCEPT continue at label with the present stack, if the block in
// RDI asks for it (Trap.Armed). It uses RAX.
func (r *runtime) arm(label string) {
	skip := r.local()
	r.Xor(eax, eax)
	for off := int32(tdExitInfo); off <= tdErrCD; off += 8 {
		r.Mov(td(off), rax)
	}
	r.Cmp(asm.Ptr(rdi, 0), asm.Imm(0))
	r.JccShort(asm.Z, skip)
	r.Lea(rax, asm.At(label))
	r.Mov(td(tdRecoverRSP), rsp)
	r.Mov(td(tdRecoverRIP), rax)
	r.Label(skip)
}

// disarm ends what arm began and fills in the Trap at RDI; RCX is Faulted.
func (r *runtime) disarm() {
	r.Push(asm.Imm(2))
	r.Popfq()
	r.Mov(td(tdRecoverRIP), asm.Imm(0))
	r.Mov(asm.Ptr(rdi, 8), rcx)
	for i := range int32(4) {
		r.Mov(rax, td(tdExitInfo+8*i))
		r.Mov(asm.Ptr(rdi, 16+8*i), rax)
	}
}

// fault emits the ECALL and one function for each kind. On entry to those,
// RDX is Arg; they leave by a jump to fault_none with RAX the value.
func (r *runtime) fault() {
	r.save()
	r.Push(rdi)
	r.Mov(rcx, asm.Ptr(rdi, 48))
	r.Cmp(rcx, asm.Imm(faultCount))
	r.Jcc(asm.AE, "fault_unknown")
	r.arm("fault_recover")
	r.Mov(rdx, asm.Ptr(rdi, 56))
	r.Lea(rax, asm.At("fault_table"))
	r.Movsxd(rcx, asm.PtrIndex(rax, rcx, 4, 0))
	r.Add(rcx, rax)
	r.Xor(eax, eax)
	r.JmpTo(rcx)

	r.Label("fault_none")
	r.Xor(ecx, ecx)
	r.JmpShort("fault_done")
	r.Label("fault_recover")
	r.Xor(eax, eax)
	r.Mov(ecx, asm.Imm(1))
	r.Label("fault_done")
	r.Pop(rdi)
	r.Mov(asm.Ptr(rdi, 64), rax)
	r.disarm()
	r.Ldmxcsr(asm.At("mxcsr_default"))
	r.restore()
	r.success()
	r.Label("fault_unknown")
	r.Pop(rdi)
	r.restore()
	r.Mov(eax, asm.Imm(ErrorInvalidArg))
	r.Ret()

	body := [faultCount]func(){
		FaultUD2: r.Ud2,
		FaultCPUID: func() {
			r.Xor(ecx, ecx)
			r.Cpuid()
		},
		FaultSyscall: func() {
			r.Mov(eax, asm.Imm(harmlessSyscall))
			r.Syscall()
		},
		FaultInt3: r.Int3,
		FaultDiv0: func() {
			r.Xor(edx, edx)
			r.Xor(ecx, ecx)
			r.Div(ecx)
		},
		FaultRead: func() { r.Mov(rax, asm.Ptr(rdx, 0)) },
		FaultWrite: func() {
			r.Mov(asm.Ptr(rdx, 0), rax)
		},
		FaultWriteCode: func() { // the byte that is there
			r.Lea(rdx, asm.At(FaultSymbol(FaultWriteCode)))
			r.Mov(asm.CL, asm.Ptr(rdx, 0))
			r.Mov(asm.Ptr(rdx, 0), asm.CL)
		},
		FaultJump: func() { r.JmpTo(rdx) },
		FaultRDTSC: func() {
			r.Rdtsc()
			r.Shl(rdx, 32)
			r.Or(rax, rdx)
		},
		FaultGP: func() {
			r.Mov(rdx, asm.Imm(nonCanonical))
			r.Mov(rax, asm.Ptr(rdx, 0))
		},
		FaultHLT: r.Hlt,
		FaultXM: func() {
			r.Ldmxcsr(asm.At("mxcsr_zm"))
			r.Pxor(asm.X1, asm.X1)
			r.Movdqu(asm.X0, asm.At("one"))
			r.Divsd(asm.X0, asm.X1)
		},
		FaultAC: func() {
			r.Pushfq()
			r.Or(asm.Ptr(rsp, 0), asm.Imm(flagAC))
			r.Popfq()
			r.Mov(eax, asm.Ptr(rsp, 1))
		},
	}
	for i, f := range body {
		r.Func(FaultSymbol(FaultKind(i)))
		f()
		r.Jmp("fault_none")
	}
}

const (
	harmlessSyscall = 39      // getpid, should anything let it through
	nonCanonical    = 1 << 62 // an address
)

// Masks of MXCSR: all exceptions, and all but division by zero.
const (
	mxcsrDefault = 0x1F80
	mxcsrZM      = 0x1D80
)
