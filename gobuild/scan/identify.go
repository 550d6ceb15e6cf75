package scan

// identify names the instruction of an opcode of a map, or none. The bytes
// after the opcode are rest.
func identify(op byte, opmap, prefix int, rest []byte) Op {
	first := byte(0) // the ModRM, if there is one
	if len(rest) > 0 {
		first = rest[0]
	}
	switch opmap {
	case 0:
		return identify1(op, first)
	case 1:
		return identify0F(op, first, prefix)
	case 2:
		return identify38(op, first, prefix)
	}
	if op == 0xF0 {
		return HRESET
	}
	return Plain
}

// identify1 names the instruction of a one-byte opcode. The byte after the
// opcode is modrm, whatever it is.
func identify1(op, modrm byte) Op {
	reg, memory := modrm>>3&7, modrm>>6 != 3
	switch op {
	case 0x6C, 0x6D:
		return INS
	case 0x6E, 0x6F:
		return OUTS
	case 0x8C:
		return ifOp(reg <= 5, Plain) // MOV from a segment register
	case 0x8D:
		return ifOp(memory, Plain)
	case 0x8E:
		return ifOp(reg <= 5 && reg != 1, MOVToSeg)
	case 0x8F:
		return ifOp(reg == 0, Plain)
	case 0xC6, 0xC7:
		return ifOp(reg == 0 || modrm == 0xF8, Plain) // MOV; XABORT, XBEGIN
	case 0xCA, 0xCB:
		return FarRET
	case 0xCD:
		if modrm == 3 {
			return INT3Long
		}
		return INT
	case 0xCF:
		return IRET
	case 0xE4, 0xE5, 0xEC, 0xED:
		return IN
	case 0xE6, 0xE7, 0xEE, 0xEF:
		return OUT
	case 0xF1:
		return INT1
	case 0xF4:
		return HLT
	case 0xFA:
		return CLI
	case 0xFB:
		return STI
	case 0xFE:
		return ifOp(reg <= 1, Plain)
	case 0xFF:
		switch {
		case reg == 3:
			return ifOp(memory, FarCALL)
		case reg == 5:
			return ifOp(memory, FarJMP)
		}
		return ifOp(reg != 7, Plain)
	}
	return Plain
}

func ifOp(ok bool, op Op) Op {
	if ok {
		return op
	}
	return none
}

// oneByte0F are the instructions 0F xx that the opcode alone names.
var oneByte0F = [256]Op{
	0x02: LAR, 0x03: LSL, 0x05: SYSCALL, 0x06: CLTS, 0x07: SYSRET, 0x08: INVD,
	0x20: MOVCR, 0x21: MOVDR, 0x22: MOVCR, 0x23: MOVDR,
	0x30: WRMSR, 0x31: RDTSC, 0x32: RDMSR, 0x33: RDPMC, 0x34: SYSENTER, 0x35: SYSEXIT, 0x37: GETSEC,
	0xA1: POPSeg, 0xA2: CPUID, 0xA9: POPSeg, 0xAA: RSM,
	0xB2: LSS, 0xB4: LFS, 0xB5: LGS,
}

// identify0F names the instruction of an opcode after 0F.
func identify0F(op, modrm byte, prefix int) Op {
	if o := oneByte0F[op]; o != none {
		return o
	}
	reg, memory := modrm>>3&7, modrm>>6 != 3
	switch op {
	case 0x00:
		if reg == 6 && prefix&prefixF2 != 0 {
			return LKGS
		}
		return [8]Op{SLDT, STR, LLDT, LTR, VERR, VERW, none, none}[reg]
	case 0x01:
		if memory {
			return [8]Op{SGDT, SIDT, LGDT, LIDT, SMSW, ifOp(prefix&prefixF3 != 0, Plain), LMSW, INVLPG}[reg] // /5: RSTORSSP
		}
		return group7(modrm, prefix)
	case 0x09:
		if prefix&prefixF3 != 0 {
			return WBNOINVD
		}
		return WBINVD
	case 0x71, 0x72:
		return ifOp(!memory && (reg == 2 || reg == 4 || reg == 6), Plain)
	case 0x73:
		return ifOp(!memory && reg&2 != 0, Plain)
	case 0x78: // with a prefix it is AMD's
		return ifOp(prefix&(prefix66|prefixF2) == 0, VMREAD)
	case 0x79:
		return ifOp(prefix&(prefix66|prefixF2) == 0, VMWRITE)
	case 0xAE:
		return group15(reg, memory, prefix)
	case 0xB8:
		return ifOp(prefix&prefixF3 != 0, Plain) // POPCNT
	case 0xBA:
		return ifOp(reg >= 4, Plain)
	case 0xC7:
		return group9(reg, memory, prefix)
	}
	return Plain
}

// group7 names 0F 01 with a ModRM that names no memory.
func group7(modrm byte, prefix int) Op {
	rep := func(np, f2, f3 Op) Op {
		switch {
		case prefix&prefixF3 != 0:
			return f3
		case prefix&prefixF2 != 0:
			return f2
		}
		return np
	}
	tdx := func(op, np Op) Op {
		if prefix&prefix66 != 0 {
			return op
		}
		return np
	}
	switch modrm {
	case 0xC0:
		return ENCLV
	case 0xC1:
		return VMCALL
	case 0xC2:
		return VMLAUNCH
	case 0xC3:
		return VMRESUME
	case 0xC4:
		return VMXOFF
	case 0xC5:
		return PCONFIG
	case 0xC6:
		return rep(WRMSRNS, RDMSRLIST, WRMSRLIST)
	case 0xC8:
		return MONITOR
	case 0xC9:
		return MWAIT
	case 0xCA:
		return rep(CLAC, ERETS, ERETU)
	case 0xCB:
		return STAC
	case 0xCC:
		return tdx(TDCALL, none)
	case 0xCD:
		return tdx(SEAMRET, none)
	case 0xCE:
		return tdx(SEAMOPS, none)
	case 0xCF:
		return tdx(SEAMCALL, ENCLS)
	case 0xD0, 0xD5, 0xD6, 0xD7: // XGETBV, XEND, XTEST, ENCLU
		return Plain
	case 0xD1:
		return XSETBV
	case 0xD4:
		return VMFUNC
	case 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF:
		return [8]Op{VMRUN, VMMCALL, VMLOAD, VMSAVE, STGI, CLGI, SKINIT, INVLPGA}[modrm&7]
	case 0xE8: // SERIALIZE, XSUSLDTRK
		return rep(Plain, Plain, SETSSBSY)
	case 0xE9: // XRESLDTRK
		return rep(none, Plain, none)
	case 0xEA: // SAVEPREVSSP
		return rep(none, none, Plain)
	case 0xEC:
		return rep(none, none, UIRET)
	case 0xED:
		return rep(none, none, TESTUI)
	case 0xEE: // RDPKRU
		return rep(Plain, none, CLUI)
	case 0xEF: // WRPKRU
		return rep(Plain, none, STUI)
	case 0xF8:
		return SWAPGS
	case 0xF9:
		return RDTSCP
	case 0xFA, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF:
		return [6]Op{MONITORX, MWAITX, CLZERO, RDPRU, INVLPGB, TLBSYNC}[modrm-0xFA]
	}
	switch modrm >> 3 & 7 {
	case 4:
		return SMSW
	case 6:
		return LMSW
	}
	return none
}

// group15 names 0F AE: the extended state, the bases of FS and GS, fences.
func group15(reg byte, memory bool, prefix int) Op {
	f3 := prefix&prefixF3 != 0
	switch {
	case memory:
		if reg == 6 && f3 {
			return CLRSSBSY
		}
		return Plain
	case reg < 4: // RDFSBASE and its kin
		return ifOp(f3, Plain)
	case reg == 4: // PTWRITE
		return ifOp(f3, Plain)
	}
	return Plain // INCSSP, LFENCE, MFENCE, SFENCE, TPAUSE, UMONITOR, UMWAIT
}

// group9 names 0F C7.
func group9(reg byte, memory bool, prefix int) Op {
	if !memory {
		switch {
		case reg == 6 && prefix&prefixF3 != 0:
			return SENDUIPI
		}
		return ifOp(reg >= 6, Plain) // RDRAND, RDSEED, RDPID
	}
	switch reg {
	case 1, 4: // CMPXCHG8B, CMPXCHG16B, XSAVEC
		return Plain
	case 3:
		return XRSTORS
	case 5:
		return XSAVES
	case 6:
		switch {
		case prefix&prefixF3 != 0:
			return VMXON
		case prefix&prefix66 != 0:
			return VMCLEAR
		}
		return VMPTRLD
	case 7:
		return VMPTRST
	}
	return none
}

// identify38 names the instruction of an opcode after 0F 38.
func identify38(op, modrm byte, prefix int) Op {
	memory := modrm>>6 != 3
	switch {
	case op >= 0x80 && op <= 0x82:
		return [3]Op{INVEPT, INVVPID, INVPCID}[op-0x80]
	case op == 0xD8: // Key Locker, wide
		return ifOp(prefix&prefixF3 != 0 && memory, Plain)
	case op == 0xDC && prefix&prefixF3 != 0 && !memory:
		return LOADIWKEY
	case op == 0xF5:
		return ifOp(prefix&prefix66 != 0, WRUSS)
	case op == 0xF8 && prefix&prefixF3 != 0:
		if memory {
			return ENQCMDS
		}
		return UWRMSR
	case op == 0xF8 && prefix&prefixF2 != 0 && !memory:
		return URDMSR
	}
	return Plain
}
