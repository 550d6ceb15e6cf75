#include "textflag.h"

// func hold(nr uintptr, p *[64]uint64, wide bool) (r uintptr)
// Makes a system call without arguments while the secret at p is in every
// register that there is.
TEXT ·hold(SB),NOSPLIT,$0-32
	MOVQ p+8(FP), CX
	MOVOU 0(CX), X0
	MOVOU 16(CX), X1
	MOVOU 32(CX), X2
	MOVOU 48(CX), X3
	MOVOU 64(CX), X4
	MOVOU 80(CX), X5
	MOVOU 96(CX), X6
	MOVOU 112(CX), X7
	MOVOU 128(CX), X8
	MOVOU 144(CX), X9
	MOVOU 160(CX), X10
	MOVOU 176(CX), X11
	MOVOU 192(CX), X12
	MOVOU 208(CX), X13
	MOVOU 224(CX), X14
	MOVOU 240(CX), X15
	CMPB wide+16(FP), $0
	JEQ  narrow
	VMOVDQU64 0(CX), Z16
	VMOVDQU64 64(CX), Z17
	VMOVDQU64 128(CX), Z18
	VMOVDQU64 192(CX), Z19
	VMOVDQU64 256(CX), Z24
	VMOVDQU64 320(CX), Z31
	KMOVQ 0(CX), K1
	KMOVQ 8(CX), K5
	KMOVQ 16(CX), K7
narrow:
	MOVQ 0(CX), BX
	MOVQ 8(CX), R8
	MOVQ 16(CX), R9
	MOVQ 24(CX), R10
	MOVQ 32(CX), R12
	MOVQ 40(CX), R13
	MOVQ 48(CX), R15
	MOVQ 56(CX), SI
	MOVQ 64(CX), DI
	MOVQ 72(CX), DX
	MOVQ nr+0(FP), AX
	SYSCALL
	MOVQ AX, r+24(FP)
	RET
