package toy

import (
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

// buffers emits the prologue of a function that needs aligned buffers of n
// bytes in all, from RSP on; R8 is the block. release undoes it.
func (r *runtime) buffers(n int64) {
	r.Push(rbp)
	r.Mov(rbp, rsp)
	r.Push(rbx)
	r.Mov(r8, rdi)
	r.Sub(rsp, asm.Imm(n))
	r.And(rsp, asm.Imm(-isa.TargetInfoSize))
}

func (r *runtime) release() {
	r.Lea(rsp, asm.Ptr(rbp, -8))
	r.Pop(rbx)
	r.Pop(rbp)
	r.success()
}

// copyIn copies n bytes from the address in the block's field at off to
// RSP+to; copyOut does the opposite.
func (r *runtime) copyIn(to int32, off int32, n int64) {
	r.Lea(rdi, asm.Ptr(rsp, to))
	r.Mov(rsi, asm.Ptr(r8, off))
	r.Mov(ecx, asm.Imm(n))
	r.RepMovsb()
}

func (r *runtime) copyOut(off int32, from int32, n int64) {
	r.Mov(rdi, asm.Ptr(r8, off))
	r.Lea(rsi, asm.Ptr(rsp, from))
	r.Mov(ecx, asm.Imm(n))
	r.RepMovsb()
}

// zero clears n bytes at RSP+at.
func (r *runtime) zero(at int32, n int64) {
	r.Lea(rdi, asm.Ptr(rsp, at))
	r.Mov(ecx, asm.Imm(n))
	r.Xor(eax, eax)
	r.RepStosb()
}

func (r *runtime) report() {
	const target, data, report = 0, 512, 1024
	r.buffers(1536)
	r.copyIn(target, 0, isa.TargetInfoSize)
	r.copyIn(data, 8, 64)
	r.Mov(rbx, rsp)
	r.Lea(rcx, asm.Ptr(rsp, data))
	r.Lea(rdx, asm.Ptr(rsp, report))
	r.Xor(eax, eax) // EREPORT
	r.Enclu()
	r.copyOut(16, report, isa.ReportSize)
	r.release()
}

func (r *runtime) getKey() {
	const request, key = 0, 512
	r.buffers(1024)
	r.copyIn(request, 0, isa.KeyRequestSize)
	r.zero(key, isa.KeySize)
	r.Mov(rbx, rsp)
	r.Lea(rcx, asm.Ptr(rsp, key))
	r.Mov(eax, asm.Imm(isa.EGETKEY))
	r.Enclu()
	r.Mov(asm.Ptr(r8, 16), rax)
	r.copyOut(8, key, isa.KeySize)
	r.zero(key, isa.KeySize)
	r.release()
}

func (r *runtime) verifyReport() {
	const (
		request, report, key, schedule = 0, 512, 1024, 1040

		mac     = report + isa.ReportMACOffset + 32
		keyID   = report + isa.ReportMACOffset
		reqID   = request + 40 // KEYREQUEST.KEYID
		buffers = 1536
	)
	r.buffers(buffers)
	r.zero(request, isa.KeyRequestSize)
	r.copyIn(report, 0, isa.ReportSize)
	r.Mov(asm.Ptr(rsp, request).Sized(1), asm.Imm(isa.KeyReport))
	for i := int32(0); i < 32; i += 16 {
		r.Movups(asm.X0, asm.Ptr(rsp, keyID+i))
		r.Movups(asm.Ptr(rsp, reqID+i), asm.X0)
	}
	r.Mov(asm.Ptr(r8, 8), asm.Imm(0))
	r.Mov(rbx, rsp)
	r.Lea(rcx, asm.Ptr(rsp, key))
	r.Mov(eax, asm.Imm(isa.EGETKEY))
	r.Enclu()
	r.Mov(asm.Ptr(r8, 16), rax)
	r.Test(eax, eax)
	r.Jcc(asm.NZ, "verify_done")

	r.Lea(rdi, asm.Ptr(rsp, schedule))
	r.Movups(asm.X1, asm.Ptr(rsp, key))
	r.Call("aes_expand")
	r.Lea(rsi, asm.Ptr(rsp, report))
	r.Mov(ecx, asm.Imm(isa.ReportMACOffset/16))
	r.Call("aes_cmac")
	r.Movups(asm.X1, asm.Ptr(rsp, mac))
	r.Pcmpeqb(asm.X0, asm.X1)
	r.Pmovmskb(eax, asm.X0)
	r.Cmp(eax, asm.Imm(0xFFFF))
	r.JccShort(asm.NZ, "verify_done")
	r.Mov(asm.Ptr(r8, 8), asm.Imm(1))
	r.Label("verify_done")
	r.zero(0, buffers)
	for x := asm.X0; x <= asm.X4; x++ {
		r.Pxor(x, x)
	}
	r.release()
}

// cmac emits AES-128 and CMAC over whole blocks (NIST SP 800-38B).
func (r *runtime) cmac() {
	// aes_expand: RDI is where the 11 round keys go, XMM1 the key.
	r.Func("aes_expand")
	r.Movdqa(asm.Ptr(rdi, 0), asm.X1)
	for i, rcon := range []uint8{1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x1B, 0x36} {
		r.Aeskeygenassist(asm.X2, asm.X1, rcon)
		r.Pshufd(asm.X2, asm.X2, 0xFF)
		r.Movdqa(asm.X3, asm.X1)
		for range 3 {
			r.Pslldq(asm.X3, 4)
			r.Pxor(asm.X1, asm.X3)
		}
		r.Pxor(asm.X1, asm.X2)
		r.Movdqa(asm.Ptr(rdi, int32(16*(i+1))), asm.X1)
	}
	r.Ret()

	// aes_encrypt: XMM0 is the block, RDI the round keys.
	r.Func("aes_encrypt")
	r.Pxor(asm.X0, asm.Ptr(rdi, 0))
	for i := int32(1); i < 10; i++ {
		r.Aesenc(asm.X0, asm.Ptr(rdi, 16*i))
	}
	r.Aesenclast(asm.X0, asm.Ptr(rdi, 160))
	r.Ret()

	// aes_cmac: RSI is the message, ECX its length in blocks (at least 1),
	// RDI the round keys; XMM0 the result. The subkey K1 stays in XMM4.
	r.Func("aes_cmac")
	r.Pxor(asm.X0, asm.X0)
	r.Call("aes_encrypt")
	r.Sub(rsp, asm.Imm(16))
	r.Movups(asm.Ptr(rsp, 0), asm.X0)
	r.Pop(rax) // big-endian: the first half is the higher
	r.Pop(rdx)
	r.Bswap(rax)
	r.Bswap(rdx)
	r.Add(rdx, rdx)
	r.Adc(rax, rax)
	r.Sbb(r9, r9)
	r.And(r9d, asm.Imm(0x87))
	r.Xor(rdx, r9)
	r.Bswap(rax)
	r.Bswap(rdx)
	r.Push(rdx)
	r.Push(rax)
	r.Movups(asm.X4, asm.Ptr(rsp, 0))
	r.Add(rsp, asm.Imm(16))
	r.Pxor(asm.X0, asm.X0)
	r.Label("cmac_next")
	r.Movups(asm.X1, asm.Ptr(rsi, 0))
	r.Pxor(asm.X0, asm.X1)
	r.Dec(ecx)
	r.JccShort(asm.Z, "cmac_last")
	r.Call("aes_encrypt")
	r.Add(rsi, asm.Imm(16))
	r.JmpShort("cmac_next")
	r.Label("cmac_last")
	r.Pxor(asm.X0, asm.X4)
	r.Jmp("aes_encrypt")
}
