package toy

import (
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

// Commands in RDI at EENTER, and the RDI of a finished call at EEXIT.
const (
	CmdInit   = -1
	CmdORET   = -2
	CmdExcept = -3
	ERET      = -1
)

// Statuses in RSI at EEXIT, named as in the Intel SDK.
const (
	Success             = 0
	ErrorUnexpected     = 1
	ErrorInvalidArg     = 2
	ErrorInvalidFunc    = 0x1001
	ErrorEnclaveCrashed = 0x1006
)

// Offsets in the thread data page.
const (
	tdSelf       = 0x00 // address of the page
	tdLastSP     = 0x08 // stack of the thread's last OCALL that is still out, or 0
	tdFrame      = 0x10 // frame of the ECALL that runs: {command, previous frame, URBP, URSP}
	tdReturn     = 0x18 // where the next EEXIT goes: RCX of the last EENTER
	tdRecoverRIP = 0x20 // where EXCEPT continues the thread, or 0
	tdRecoverRSP = 0x28
	tdExitInfo   = 0x30 // what EXCEPT found in SSA[0]
	tdFaultRIP   = 0x38
	tdMAddr      = 0x40
	tdErrCD      = 0x48
)

// Distances from the TCS that do not depend on the options.
const (
	guardSize  = guardPages * isa.PageSize
	stackBelow = guardSize    // from the stack's top to the TCS
	ssaAfter   = isa.PageSize // from the TCS to SSA[0]
)

// A runtime emits the code of an enclave.
type runtime struct {
	*asm.Assembler
	tdAfter  int32 // from the TCS to the thread data
	gprAfter int32 // from the TCS to the GPRSGX area of SSA[0]
	trapExit bool
	next     int // for local labels
}

func newRuntime(o *Options) *runtime {
	frame := int32(o.SSAFrameSize) * isa.PageSize
	return &runtime{
		Assembler: asm.New(),
		tdAfter:   ssaAfter + ssaFrames*frame + guardSize,
		gprAfter:  ssaAfter + frame - isa.GPRSGXSize,
		trapExit:  o.TrapExit,
	}
}

func td(offset int32) asm.Mem { return asm.In(asm.GS, offset) }

// entry emits the code at TCS.OENTRY and the common exit.
func (r *runtime) entry() {
	r.Func("enclave_entry")
	r.Cld()
	r.Test(rax, rax)
	r.Jcc(asm.NZ, "trts_except")
	r.Mov(td(tdReturn), rcx)
	r.Lea(rax, asm.Ptr(rbx, r.tdAfter))
	r.Mov(td(tdSelf), rax)
	r.Mov(rax, td(tdLastSP))
	r.Cmp(edi, asm.Imm(CmdORET))
	r.Jcc(asm.Z, "trts_oret")

	// The stack of a nested call continues below that of the OCALL.
	r.Label("begin")
	r.Mov(rdx, rsp)
	r.Lea(rsp, asm.Ptr(rbx, -stackBelow))
	r.Test(rax, rax)
	r.JccShort(asm.Z, "root")
	r.Mov(rsp, rax)
	r.Label("root")
	r.Push(rdx)
	r.Push(rbp)
	r.Push(td(tdFrame))
	r.Push(rdi)
	r.Mov(td(tdFrame), rsp)
	r.Test(edi, edi)
	r.Jcc(asm.S, "trts_command")
	r.Cmp(asm.At("g_crashed").Sized(4), asm.Imm(0))
	r.Jcc(asm.NZ, "crashed")
	r.Cmp(edi, asm.Imm(ecallCount))
	r.Jcc(asm.AE, "bad_index")
	r.Mov(edi, edi)
	r.Lea(rax, asm.At("ecall_table"))
	r.Movsxd(rdx, asm.PtrIndex(rax, rdi, 4, 0))
	r.Add(rax, rdx)
	r.Mov(rdi, rsi)
	r.CallTo(rax)

	// EAX is the status of the call.
	r.Label("finish")
	r.Mov(esi, eax)
	r.Mov(rdi, asm.Imm(ERET))
	r.Mov(rsp, td(tdFrame))
	r.Pop(rdx)
	r.Pop(td(tdFrame))
	r.Pop(rbp)
	r.Pop(rsp)

	r.Label("leave")
	r.Mov(rbx, td(tdReturn))
	r.Jmp("trts_exit")
	r.Label("crashed")
	r.Mov(eax, asm.Imm(ErrorEnclaveCrashed))
	r.Jmp("finish")
	r.Label("bad_index")
	r.Mov(eax, asm.Imm(ErrorInvalidFunc))
	r.Jmp("finish")

	r.exit()
	r.command()
	r.ocall()
	r.except()
}

// exit emits EEXIT to RBX with RDI and RSI as results.
func (r *runtime) exit() {
	r.Func("trts_exit")
	for _, x := range []asm.Reg{ecx, edx, r8d, r9d, r10d, r11d, r12d, r13d, r14d, r15d} {
		r.Xor(x, x)
	}
	if r.trapExit {
		r.Mov(eax, asm.At("leaf_eexit"))
	} else {
		r.Mov(eax, asm.Imm(isa.EEXIT))
	}
	r.Enclu()
	r.Ud2()
}

// command emits the commands other than ORET and EXCEPT, at CSSA 0.
func (r *runtime) command() {
	r.Func("trts_command")
	r.Cmp(edi, asm.Imm(CmdInit))
	r.JccShort(asm.NZ, "unexpected")
	r.Mov(asm.At("g_init"), rsi)
	r.Xor(eax, eax)
	r.Jmp("finish")
	r.Label("unexpected")
	r.Mov(asm.At("g_crashed").Sized(4), asm.Imm(1))
	r.Mov(eax, asm.Imm(ErrorUnexpected))
	r.Jmp("finish")
}

// calleeSaved are the registers that a System V function keeps.
var calleeSaved = []asm.Reg{rbx, rbp, r12, r13, r14, r15}

func (r *runtime) save() {
	for _, x := range calleeSaved {
		r.Push(x)
	}
}

func (r *runtime) restore() {
	for i := len(calleeSaved) - 1; i >= 0; i-- {
		r.Pop(calleeSaved[i])
	}
}

// ocall emits trts_ocall, a System V function of the index in EDI and the
// block in RSI that returns the status of the OCALL, and the ORET that makes
// it return.
func (r *runtime) ocall() {
	r.Func("trts_ocall")
	r.save()
	r.Push(td(tdLastSP))
	r.Mov(td(tdLastSP), rsp)
	r.Mov(rax, td(tdFrame))
	r.Mov(rbp, asm.Ptr(rax, 16))
	r.Mov(rsp, asm.Ptr(rax, 24))
	r.Mov(edi, edi)
	r.Jmp("leave")

	r.Func("trts_oret")
	r.Test(rax, rax)
	r.Jcc(asm.Z, "begin") // nothing to return to
	r.Mov(rsp, rax)
	r.Pop(td(tdLastSP))
	r.restore()
	r.Mov(eax, esi)
	r.Ret()
}

// except emits the first phase of exception handling, which runs with CSSA 1
// and needs no stack: RSP and RBP stay the host's.
func (r *runtime) except() {
	r.Func("trts_except")
	r.Mov(esi, asm.Imm(ErrorUnexpected))
	r.Cmp(edi, asm.Imm(CmdExcept))
	r.Jcc(asm.NZ, "except_crash")
	r.Cmp(rax, asm.Imm(1))
	r.Jcc(asm.NZ, "except_crash")
	r.Mov(esi, asm.Imm(ErrorEnclaveCrashed))
	r.Mov(r9, td(tdRecoverRIP))
	r.Test(r9, r9)
	r.Jcc(asm.Z, "except_crash")

	gpr := func(off int32) asm.Mem { return asm.Ptr(rbx, r.gprAfter+off) }
	r.Mov(eax, gpr(isa.GPRSGXOffExitInfo))
	r.Mov(td(tdExitInfo), rax)
	r.Mov(rax, gpr(isa.GPRSGXOffRIP))
	r.Mov(td(tdFaultRIP), rax)
	r.Mov(rax, gpr(-isa.ExInfoSize))
	r.Mov(td(tdMAddr), rax)
	r.Mov(eax, gpr(-isa.ExInfoSize+8))
	r.Mov(td(tdErrCD), rax)
	r.Mov(gpr(isa.GPRSGXOffRIP), r9)
	r.Mov(rax, td(tdRecoverRSP))
	r.Mov(gpr(isa.GPRSGXOffRSP), rax)
	r.And(gpr(offRFLAGS).Sized(4), asm.Imm(^(flagAC | int64(isa.FlagDF))))
	r.Mov(td(tdRecoverRIP), asm.Imm(0))
	r.Xor(esi, esi)

	r.Label("except_leave")
	r.Mov(rdi, asm.Imm(ERET))
	r.Mov(rbx, rcx)
	r.Jmp("trts_exit")
	r.Label("except_crash")
	r.Mov(asm.At("g_crashed").Sized(4), asm.Imm(1))
	r.JmpShort("except_leave")
}

const (
	offRFLAGS = 128     // of GPRSGX
	flagAC    = 1 << 18 // of RFLAGS
)
