package toy

import "github.com/feidi-dev/feidi/internal/asm"

// spin emits a loop of RCX rounds that changes no register but RCX, which is
// then zero, and no flag.
func (r *runtime) spin() {
	next, done := r.local(), r.local()
	r.Label(next)
	r.Jrcxz(done)
	r.Lea(rcx, asm.Ptr(rcx, -1))
	r.JmpShort(next)
	r.Label(done)
}

// vectorPattern is what register i holds: 32 bytes, of which XMM registers
// take the first half.
func vectorPattern(i int) (p [32]byte) {
	for j := range p {
		p[j] = byte(i*37 + j*11 + 0x5A)
	}
	return p
}

// vectorHold emits ECallXmmHold or ECallYmmHold.
func (r *runtime) vectorHold(ymm bool) {
	move, halves := r.Movups, int32(1)
	if ymm {
		move, halves = r.Vmovups, 2
	}
	at := func(i, half int32) asm.Mem { return asm.Mem{Label: "vector_pattern", Disp: 32*i + 16*half} }
	r.buffers(512)
	r.Mov(rcx, asm.Ptr(r8, 0))
	for i := range asm.X15 + 1 {
		move(i, at(int32(i), 0))
	}
	r.spin()
	for i := range asm.X15 + 1 {
		move(asm.Ptr(rsp, 32*int32(i)), i)
	}
	if ymm {
		r.Vzeroupper()
	}
	r.Xor(eax, eax)
	for i := range int32(16) {
		for h := range halves {
			same := r.local()
			r.Movups(asm.X0, asm.Ptr(rsp, 32*i+16*h))
			r.Pcmpeqb(asm.X0, at(i, h))
			r.Pmovmskb(ecx, asm.X0)
			r.Cmp(ecx, asm.Imm(0xFFFF))
			r.JccShort(asm.Z, same)
			r.Inc(eax)
			r.Label(same)
		}
	}
	r.Mov(asm.Ptr(r8, 8), rax)
	r.release()
}

// held are the registers of ECallGprHold, in the order of gprPattern; RCX
// counts, and RSP is checked by what is stored below it.
var held = []asm.Reg{rax, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15}

// gprPattern are the values of the held registers, and then the arithmetic
// flags: CF, AF, SF and OF.
func gprPattern() []uint64 {
	var p []uint64
	for i := range held {
		p = append(p, 0x0123_4567_89AB_CDEF*uint64(2*i+1))
	}
	return append(p, 0x891)
}

// gprHold emits ECallGprHold.
func (r *runtime) gprHold() {
	p := gprPattern()
	n := int32(len(held))
	r.save()
	r.Push(rdi)
	r.Mov(td(tdRecoverRSP), rsp)
	r.Mov(rcx, asm.Ptr(rdi, 0))
	r.Push(asm.Imm(p[n]))
	r.Popfq()
	for i, x := range held {
		r.Mov(x, asm.Imm(p[i]))
	}
	r.spin()
	r.Pushfq()
	for i := n - 1; i >= 0; i-- {
		r.Push(held[i])
	}
	r.And(asm.Ptr(rsp, 8*n), asm.Imm(arithmeticFlags))
	r.Lea(rsi, asm.At("gpr_pattern"))
	r.Xor(eax, eax)
	for i := range n + 1 {
		same := r.local()
		r.Mov(rdx, asm.Ptr(rsp, 8*i))
		r.Cmp(rdx, asm.Ptr(rsi, 8*i))
		r.JccShort(asm.Z, same)
		r.Inc(eax)
		r.Label(same)
	}
	r.Add(rsp, asm.Imm(8*(n+1)))
	same := r.local()
	r.Cmp(rsp, td(tdRecoverRSP))
	r.JccShort(asm.Z, same)
	r.Inc(eax)
	r.Mov(rsp, td(tdRecoverRSP))
	r.Label(same)
	r.Pop(rdi)
	r.Mov(asm.Ptr(rdi, 8), rax)
	r.restore()
	r.success()
}
