package toy

import (
	"fmt"

	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

// ecalls emits the functions of the ECALL table. Each is a System V function
// of the block in RDI that returns a status.
func (r *runtime) ecalls() {
	body := [ecallCount]func(){
		ECallEmpty: r.success,
		ECallAdd: func() {
			r.Mov(rax, asm.Ptr(rdi, 0))
			r.Add(rax, asm.Ptr(rdi, 8))
			r.Mov(asm.Ptr(rdi, 16), rax)
			r.success()
		},
		ECallSum:          r.sum,
		ECallReport:       r.report,
		ECallVerifyReport: r.verifyReport,
		ECallGetKey:       r.getKey,
		ECallOCall:        r.ecallOCall,
		ECallOCallLoop:    r.ecallOCallLoop,
		ECallSpin: func() {
			r.Label("spin")
			r.JmpShort("spin")
		},
		ECallWait: func() {
			r.Mov(rax, asm.Ptr(rdi, 0))
			r.Label("wait")
			r.Pause()
			r.Cmp(asm.Ptr(rax, 0), asm.Imm(0))
			r.JccShort(asm.Z, "wait")
			r.success()
		},
		ECallCompute: func() {
			r.Push(rdi)
			r.Mov(rdi, asm.Ptr(rdi, 0))
			r.Call("compute")
			r.Pop(rdi)
			r.Mov(asm.Ptr(rdi, 8), rax)
			r.success()
		},
		ECallFault: r.fault,
		ECallPeek: func() {
			r.Mov(rax, asm.Ptr(rdi, 0))
			r.Mov(rax, asm.Ptr(rax, 0))
			r.Mov(asm.Ptr(rdi, 8), rax)
			r.success()
		},
		ECallPoke: func() {
			r.Mov(rax, asm.Ptr(rdi, 0))
			r.Mov(rcx, asm.Ptr(rdi, 8))
			r.Mov(asm.Ptr(rax, 0), rcx)
			r.success()
		},
		ECallCopy: func() {
			r.Mov(rcx, asm.Ptr(rdi, 16))
			r.Mov(rsi, asm.Ptr(rdi, 8))
			r.Mov(rdi, asm.Ptr(rdi, 0))
			r.RepMovsb()
			r.success()
		},
		ECallEnclu: r.enclu,
		ECallInfo:  r.info,
		ECallTLS: func() {
			r.Rdfsbase(rax)
			r.Mov(asm.Ptr(rdi, 0), rax)
			r.Rdgsbase(rax)
			r.Mov(asm.Ptr(rdi, 8), rax)
			r.Mov(rax, td(tdSelf))
			r.Mov(asm.Ptr(rdi, 16), rax)
			r.success()
		},
		ECallXmmHold: func() { r.vectorHold(false) },
		ECallYmmHold: func() { r.vectorHold(true) },
		ECallGprHold: r.gprHold,
		ECallPlus: func() {
			r.Mov(rax, asm.Ptr(rdi, 8))
			r.Add(rax, asm.Ptr(rdi, 16))
			r.Mov(asm.Ptr(rdi, 0), rax)
			r.success()
		},
		ECallTotal: r.total,
		ECallPrint: func() { r.forward(0) },
		ECallAsk:   func() { r.forward(1) },
	}
	for i, f := range body {
		r.Align(16, 0x90)
		r.Func(ECALL(i).String())
		f()
	}
	r.Align(16, 0x90)
	r.Func("compute")
	emitCompute(r.Assembler)
	r.cmac()
}

// success emits the return of status 0.
func (r *runtime) success() {
	r.Xor(eax, eax)
	r.Ret()
}

// local returns a label that nothing else uses.
func (r *runtime) local() string {
	r.next++
	return fmt.Sprintf(".%d", r.next)
}

func (r *runtime) sum() {
	r.Mov(rsi, asm.Ptr(rdi, 0))
	r.Mov(rcx, asm.Ptr(rdi, 8))
	r.Xor(eax, eax)
	r.Jrcxz("sum_done")
	r.Label("sum_next")
	r.Movzx(edx, asm.Ptr(rsi, 0).Sized(1))
	r.Add(rax, rdx)
	r.Inc(rsi)
	r.Dec(rcx)
	r.JccShort(asm.NZ, "sum_next")
	r.Label("sum_done")
	r.Mov(asm.Ptr(rdi, 16), rax)
	r.success()
}

func (r *runtime) total() {
	r.Mov(rsi, asm.Ptr(rdi, 8))
	r.Mov(rcx, asm.Ptr(rdi, 16))
	r.Xor(eax, eax)
	r.Jrcxz("total_done")
	r.Label("total_next")
	r.Movzx(edx, asm.Ptr(rsi, 0).Sized(1))
	r.Add(rax, rdx)
	r.Inc(rsi)
	r.Dec(rcx)
	r.JccShort(asm.NZ, "total_next")
	r.Label("total_done")
	r.Mov(asm.Ptr(rdi, 0), rax)
	r.success()
}

// forward emits an OCALL with the block of the ECALL, whose status it returns.
func (r *runtime) forward(index int) {
	r.Push(rbx) // which aligns the stack
	r.Mov(rsi, rdi)
	r.Mov(edi, asm.Imm(int64(index)))
	r.Call("trts_ocall")
	r.Pop(rbx)
	r.Ret()
}

func (r *runtime) ecallOCall() {
	r.Push(rbx) // which also aligns the stack
	r.Mov(rbx, rdi)
	r.Mov(rsi, asm.Ptr(rbx, 8))
	r.Test(rsi, rsi)
	r.JccShort(asm.Z, "ocall_call")
	r.Mov(rax, asm.Ptr(rbx, 16))
	r.Mov(asm.Ptr(rsi, 0), rax)
	r.Label("ocall_call")
	r.Mov(edi, asm.Ptr(rbx, 0))
	r.Call("trts_ocall")
	r.Mov(asm.Ptr(rbx, 24), rax)
	r.Mov(rsi, asm.Ptr(rbx, 8))
	r.Test(rsi, rsi)
	r.JccShort(asm.Z, "ocall_done")
	r.Mov(rax, asm.Ptr(rsi, 8))
	r.Mov(asm.Ptr(rbx, 32), rax)
	r.Label("ocall_done")
	r.Pop(rbx)
	r.success()
}

func (r *runtime) ecallOCallLoop() {
	r.Push(rbx)
	r.Mov(rbx, rdi)
	r.Mov(asm.Ptr(rbx, 24), asm.Imm(0))
	r.Mov(asm.Ptr(rbx, 32), asm.Imm(0))
	r.Label("ocall_next")
	r.Mov(rax, asm.Ptr(rbx, 24))
	r.Cmp(rax, asm.Ptr(rbx, 16))
	r.JccShort(asm.AE, "ocall_end")
	r.Mov(edi, asm.Ptr(rbx, 0))
	r.Mov(rsi, asm.Ptr(rbx, 8))
	r.Call("trts_ocall")
	r.Mov(asm.Ptr(rbx, 32), rax)
	r.Test(eax, eax)
	r.JccShort(asm.NZ, "ocall_end")
	r.Inc(asm.Ptr(rbx, 24))
	r.JmpShort("ocall_next")
	r.Label("ocall_end")
	r.Pop(rbx)
	r.success()
}

func (r *runtime) info() {
	put := func(off int32) { r.Mov(asm.Ptr(rdi, off), rax) }
	r.Lea(rcx, asm.At("image_base"))
	r.Mov(rax, rcx)
	put(0)
	r.Lea(rax, asm.At("g_scratch"))
	put(8)
	r.Mov(eax, asm.Imm(ScratchSize))
	put(16)
	r.Mov(rax, asm.Mem{Label: "g_global_data", Disp: globalHeapOffset})
	r.Add(rax, rcx)
	put(24)
	r.Mov(rax, asm.Mem{Label: "g_global_data", Disp: globalHeapSize})
	put(32)
	r.Mov(rax, td(tdSelf))
	r.Sub(rax, asm.Imm(r.tdAfter))
	put(40)
	r.Add(rax, asm.Imm(ssaAfter))
	put(48)
	r.Sub(rax, asm.Imm(ssaAfter+stackBelow))
	put(56)
	r.Mov(rax, asm.At("g_init"))
	put(64)
	r.success()
}

// enclu executes ENCLU with the block's registers, which are at encluRegs.
func (r *runtime) enclu() {
	const regs = 48
	r.save()
	r.Push(rdi)
	r.arm("enclu_recover")
	r.Mov(rax, asm.Ptr(rdi, regs+32))
	r.And(eax, asm.Imm(arithmeticFlags))
	r.Push(rax)
	r.Popfq()
	r.Mov(rax, asm.Ptr(rdi, regs))
	r.Mov(rbx, asm.Ptr(rdi, regs+8))
	r.Mov(rcx, asm.Ptr(rdi, regs+16))
	r.Mov(rdx, asm.Ptr(rdi, regs+24))
	r.Enclu()
	r.Pushfq()
	r.Mov(rdi, asm.Ptr(rsp, 8))
	r.Pop(asm.Ptr(rdi, regs+32))
	r.Mov(asm.Ptr(rdi, regs), rax)
	r.Mov(asm.Ptr(rdi, regs+8), rbx)
	r.Mov(asm.Ptr(rdi, regs+16), rcx)
	r.Mov(asm.Ptr(rdi, regs+24), rdx)
	r.Xor(ecx, ecx)
	r.JmpShort("enclu_done")
	r.Label("enclu_recover")
	r.Mov(ecx, asm.Imm(1))
	r.Label("enclu_done")
	r.Pop(rdi)
	r.disarm()
	r.restore()
	r.success()
}

// arithmeticFlags are CF, PF, AF, ZF, SF and OF.
const arithmeticFlags = isa.FlagCF | isa.FlagPF | isa.FlagAF | isa.FlagZF | isa.FlagSF | isa.FlagOF

// emitCompute emits a System V function: xorshift64 for RDI rounds.
func emitCompute(a *asm.Assembler) {
	a.Mov(rax, asm.Imm(computeSeed))
	a.Test(rdi, rdi)
	a.JccShort(asm.Z, "compute_done")
	a.Align(16, 0x90)
	a.Label("compute_next")
	for _, s := range []struct {
		shift func(asm.Operand, uint8)
		by    uint8
	}{{a.Shl, 13}, {a.Shr, 7}, {a.Shl, 17}} {
		a.Mov(rcx, rax)
		s.shift(rcx, s.by)
		a.Xor(rax, rcx)
	}
	a.Dec(rdi)
	a.JccShort(asm.NZ, "compute_next")
	a.Label("compute_done")
	a.Ret()
}

const computeSeed = 0x1E3779B97F4A7C15

// ComputeCode returns the code that ECallCompute runs: a position-independent
// System V function of the number of rounds, to be compared outside.
func ComputeCode() []byte {
	a := asm.New()
	emitCompute(a)
	p, err := a.Assemble(0)
	if err != nil {
		panic(err) // the code is constant
	}
	return p.Code
}

// Compute is what ECallCompute returns for n rounds, in Go.
func Compute(n uint64) uint64 {
	x := uint64(computeSeed)
	for ; n > 0; n-- {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}
