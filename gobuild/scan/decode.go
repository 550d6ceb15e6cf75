package scan

// MaxLen is the longest instruction in bytes; a longer one is #GP.
const MaxLen = 15

// Inst is a decoded instruction of 64-bit mode.
type Inst struct {
	Len    int   // in bytes, 1 to MaxLen
	Op     Op    // which it is, if that matters here; Plain otherwise
	Branch bool  // a near branch to Disp bytes after its end
	Disp   int32 // 0 if there is no Branch
}

// A Prefix is in force for the opcode that follows.
const (
	prefix66 = 1 << iota
	prefix67
	prefixF2
	prefixF3
	prefixLock
	prefixREX
	prefixREXW
)

// Decode decodes the instruction at the start of code, as a processor of
// Intel does in 64-bit mode. It is false if code begins with something that is
// no instruction of the SDM that runs on a processor with SGX, or with one
// that code does not hold to its end. So 3DNow!, SSE4a, FMA4, XOP and APX are
// no instructions.
//
// A reserved combination of prefixes, or of an opcode with a register, may be
// taken for an instruction: it raises #UD, and no byte after it runs.
func Decode(code []byte) (Inst, bool) {
	if len(code) > MaxLen {
		code = code[:MaxLen]
	}
	prefix, at := 0, 0
	for at < len(code) {
		c := code[at]
		at++
		switch map1[c] {
		case 'p':
			// A REX that is not the last prefix is ignored.
			prefix = prefix&^(prefixREX|prefixREXW) | legacyPrefix(c)
		case 'r':
			prefix &^= prefixREX | prefixREXW
			prefix |= prefixREX
			if c&8 != 0 {
				prefix |= prefixREXW
			}
		case 'E':
			return escape(code, at, prefix)
		default:
			return operands(code, at, prefix, plans[0][c], 0)
		}
	}
	return Inst{}, false
}

func legacyPrefix(c byte) int {
	switch c {
	case 0x66:
		return prefix66
	case 0x67:
		return prefix67
	case 0xF0:
		return prefixLock
	case 0xF2:
		return prefixF2
	case 0xF3:
		return prefixF3
	}
	return 0 // a segment
}

// escape decodes what follows 0F, and the vector prefixes C5, C4 and 62, of
// which code[at-1] is one.
func escape(code []byte, at, prefix int) (Inst, bool) {
	if len(code) <= at {
		return Inst{}, false
	}
	if code[at-1] != 0x0F {
		if prefix&(prefix66|prefixF2|prefixF3|prefixLock|prefixREX) != 0 {
			return Inst{}, false // #UD (SDM Vol. 2A, "VEX and the 66H, F2H, and F3H Prefixes" and its neighbours)
		}
		return vector(code, at)
	}
	c := code[at]
	at++
	if c != 0x38 && c != 0x3A {
		return operands(code, at, prefix, plans[1][c], 1)
	}
	if len(code) <= at {
		return Inst{}, false
	}
	switch op := code[at]; {
	case c == 0x38 && legacy38[op]:
		return operands(code, at+1, prefix, planModRM|planNamed, 2)
	case c == 0x3A && legacy3A[op]:
		return operands(code, at+1, prefix, planModRM|planNamed|1, 3)
	}
	return Inst{}, false
}

// vector decodes an instruction whose VEX or EVEX prefix begins at code[at-1].
// None of them is illegal in an enclave and none is a branch.
func vector(code []byte, at int) (Inst, bool) {
	n := 1 // bytes of the prefix after its first
	switch code[at-1] {
	case 0xC4:
		n = 2
	case 0x62:
		n = 3
	}
	if len(code) <= at+n {
		return Inst{}, false
	}
	payload, op := code[at:at+n], code[at+n]
	at += n + 1
	p := planModRM
	var known *opcodes
	switch {
	case n == 1 || n == 2 && payload[0]&0x1F == 1:
		known = vex0F
		if vexImm8[op] {
			p |= 1
		} else if op == 0x77 { // VZEROUPPER, VZEROALL
			p = 0
		}
	case n == 2:
		switch payload[0] & 0x1F {
		case 2:
			known = vex38
		case 3:
			known, p = vex3A, p|1
		}
	case payload[0]&0x08 == 0 && payload[1]&0x04 != 0: // otherwise #UD, or APX
		switch payload[0] & 7 {
		case 1:
			known = evex0F
			if vexImm8[op] {
				p |= 1
			}
		case 2:
			known = evex38
		case 3:
			known, p = evex3A, p|1
		case 5:
			known = evexM5
		case 6:
			known = evexM6
		}
	}
	if known == nil || !known[op] {
		return Inst{}, false
	}
	return operands(code, at, 0, p, 0)
}

// operands decodes what follows the opcode, code[at-1], of a map: 0 for the
// one-byte opcodes, 1 to 3 for 0F, 0F 38 and 0F 3A.
func operands(code []byte, at, prefix int, p plan, opmap int) (Inst, bool) {
	op, end := code[at-1], at+int(p&planBytes)
	var modrm byte
	if p&planModRM != 0 {
		if at >= len(code) {
			return Inst{}, false
		}
		modrm = code[at]
		length := addresses[modrm]
		if length&addressSIB != 0 && at+1 < len(code) && code[at+1]&7 == 5 {
			length += 4
		}
		end += 1 + int(length&^addressSIB)
	}
	if p&(planSized|planRare|planNone) != 0 {
		switch {
		case p&planNone != 0:
			return Inst{}, false
		case p&planSized != 0:
			end += immediate(prefix)
		default:
			end += rare(op, modrm, prefix, opmap)
		}
	}
	if end > len(code) {
		return Inst{}, false
	}
	inst := Inst{Len: end, Op: Plain}
	if p&planNamed != 0 {
		if opmap == 0 && modrm == 0xF8 && op == 0xC7 { // XBEGIN
			p |= planBranch
		}
		if inst.Op = identify(op, opmap, prefix, code[at:end]); inst.Op == none {
			return Inst{}, false
		}
	}
	if p&planBranch != 0 {
		inst.Branch = true
		switch tail := code[at:end]; {
		case len(tail) == 1:
			inst.Disp = int32(int8(tail[0]))
		case p&planSized != 0 && immediate(prefix) == 2:
			inst.Disp = int32(int16(le.Uint16(tail[len(tail)-2:])))
		default: // the operand size changes nothing on Intel's processors
			inst.Disp = int32(le.Uint32(tail[len(tail)-4:]))
		}
	}
	return inst, true
}

// rare returns the number of bytes after the opcode and the ModRM of opcodes
// that planOf calls rare.
func rare(op, modrm byte, prefix, opmap int) int {
	switch {
	case opmap == 1: // MOV to and from CRn and DRn: a ModRM that names no memory
		return 1
	case op&0xF8 == 0xB8: // MOV
		if prefix&prefixREXW != 0 {
			return 8
		}
		return immediate(prefix)
	case op&0xFC == 0xA0: // MOV
		if prefix&prefix67 != 0 {
			return 4
		}
		return 8
	case modrm>>3&7 > 1: // group 3, but not TEST
		return 0
	case op == 0xF6:
		return 1
	}
	return immediate(prefix)
}

// immediate is the length of an immediate of the operand size, which is never
// longer than 32 bits.
func immediate(prefix int) int {
	if prefix&(prefix66|prefixREXW) == prefix66 {
		return 2
	}
	return 4
}
