#include "textflag.h"

// func rdtsc() uint64
// The fences keep the reading in its place among the loads and stores of the
// caller (SDM Vol. 2B, "RDTSC").
TEXT ·rdtsc(SB),NOSPLIT,$0-8
	MFENCE
	LFENCE
	RDTSC
	LFENCE
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET
