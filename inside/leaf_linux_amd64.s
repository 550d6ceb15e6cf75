//go:build feidi

#include "textflag.h"

#define ENCLU BYTE $0x0F; BYTE $0x01; BYTE $0xD7

// func ereportLeaf(target, data, report unsafe.Pointer)
TEXT ·ereportLeaf(SB),NOSPLIT,$0-24
	MOVQ target+0(FP), BX
	MOVQ data+8(FP), CX
	MOVQ report+16(FP), DX
	MOVL $0, AX
	ENCLU
	RET

// func egetkeyLeaf(request, key unsafe.Pointer) (rax uint64)
TEXT ·egetkeyLeaf(SB),NOSPLIT,$0-24
	MOVQ request+0(FP), BX
	MOVQ key+8(FP), CX
	MOVL $1, AX
	ENCLU
	MOVQ AX, rax+16(FP)
	RET

// func lfence()
TEXT ·lfence(SB),NOSPLIT,$0-0
	LFENCE
	RET
