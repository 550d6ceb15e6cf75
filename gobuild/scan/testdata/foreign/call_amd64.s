TEXT ·call(SB), 4, $0
	CALL prebuilt(SB)
	BYTE $0x0F; BYTE $0x05
	RET
