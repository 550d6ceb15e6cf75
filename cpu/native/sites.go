package native

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/arch/x86/x86asm"
)

// A site is an instruction that the engine replaces, with one as long.
type site struct {
	off int // in the code that was searched
	old []byte
	new []byte
}

var (
	enclu   = []byte{0x0F, 0x01, 0xD7}
	jmpRBX  = []byte{0xFF, 0xE3, 0x90} // jmp *%rbx; nop
	ud2     = []byte{0x0F, 0x0B}
	movEAX4 = [][]byte{
		{0xB8, 0x04, 0x00, 0x00, 0x00},             // mov $4, %eax
		{0x48, 0xC7, 0xC0, 0x04, 0x00, 0x00, 0x00}, // mov $4, %rax
	}
	// Instructions that are #UD inside an enclave and execute outside
	// (SDM Vol. 3D, "Illegal Instructions").
	cpuidInst    = []byte{0x0F, 0xA2}
	syscallInst  = []byte{0x0F, 0x05}
	sysenterInst = []byte{0x0F, 0x34}
	int80Inst    = []byte{0xCD, 0x80}
)

const (
	int3Inst = 0xCC
	intLen   = 2 // of INT n

	maxInstLen = 15
)

// exitWindow is how many bytes before an ENCLU its "mov $4, %eax" is looked for.
const exitWindow = 80

// exitSites returns the ENCLUs of code that are certainly EEXIT: a "mov $4,
// %eax" from which straight-line code leads to the ENCLU without another
// write to EAX.
func exitSites(code []byte) []site {
	var found []site
	for at := 0; ; at += len(enclu) {
		i := bytes.Index(code[at:], enclu)
		if i < 0 {
			return found
		}
		at += i
		for from := at - 5; from >= max(0, at-exitWindow); from-- {
			if n := movesFour(code[from:]); n > 0 && straight(code[from+n:at]) {
				found = append(found, site{at, enclu, jmpRBX})
				break
			}
		}
	}
}

func movesFour(code []byte) int {
	for _, m := range movEAX4 {
		if bytes.HasPrefix(code, m) {
			return len(m)
		}
	}
	return 0
}

// straight reports whether code decodes as whole instructions that neither
// branch nor write RAX.
func straight(code []byte) bool {
	for len(code) > 0 {
		inst, ok := decodeInst(code)
		if !ok || branches(inst) || writesRAX(inst) {
			return false
		}
		code = code[inst.Len:]
	}
	return true
}

func branches(inst x86asm.Inst) bool {
	switch inst.Op {
	case x86asm.CALL, x86asm.RET, x86asm.LRET, x86asm.IRET, x86asm.IRETD, x86asm.IRETQ, x86asm.INT, x86asm.UD1, x86asm.UD2, x86asm.HLT,
		x86asm.SYSCALL, x86asm.SYSENTER, x86asm.XABORT, x86asm.LJMP, x86asm.LCALL:
		return true
	}
	for _, a := range inst.Args {
		if _, ok := a.(x86asm.Rel); ok {
			return true
		}
	}
	return inst.Op == x86asm.JMP
}

func writesRAX(inst x86asm.Inst) bool {
	switch inst.Op {
	case x86asm.MUL, x86asm.DIV, x86asm.IDIV, x86asm.CBW, x86asm.CWDE, x86asm.CDQE, x86asm.CPUID, x86asm.RDTSC, x86asm.RDTSCP,
		x86asm.XGETBV, x86asm.LAHF, x86asm.LODSB, x86asm.LODSW, x86asm.LODSD, x86asm.LODSQ, x86asm.CMPXCHG, x86asm.CMPXCHG8B,
		x86asm.CMPXCHG16B, x86asm.XLATB, x86asm.RDMSR, x86asm.RDPMC, x86asm.IN:
		return true
	case x86asm.IMUL:
		if inst.Args[1] == nil {
			return true
		}
	case x86asm.CMP, x86asm.TEST, x86asm.PUSH:
		return false
	case x86asm.XCHG, x86asm.XADD:
		return isRAX(inst.Args[0]) || isRAX(inst.Args[1])
	}
	return isRAX(inst.Args[0])
}

func isRAX(a x86asm.Arg) bool {
	switch a {
	case x86asm.AL, x86asm.AH, x86asm.AX, x86asm.EAX, x86asm.RAX:
		return true
	}
	return false
}

// illegalSites returns the instructions among which that stand in function, a
// whole function that begins at its first byte.
func illegalSites(function []byte, which ...[]byte) []site {
	if !containsAny(function, which) {
		return nil
	}
	var found []site
	for at := 0; at < len(function); {
		for _, w := range which {
			if bytes.HasPrefix(function[at:], w) {
				found = append(found, site{at, w, ud2})
			}
		}
		n := instLen(function[at:])
		if n == 0 {
			return found // beyond what the decoder knows, nothing is certain
		}
		at += n
	}
	return found
}

func containsAny(b []byte, which [][]byte) bool {
	for _, w := range which {
		if bytes.Contains(b, w) {
			return true
		}
	}
	return false
}

// instLen is the length of the instruction at the start of code, 0 if it
// cannot be told. It knows some instructions that x86asm does not.
func instLen(code []byte) int {
	switch {
	case bytes.HasPrefix(code, []byte{0xF3, 0x0F, 0x1E, 0xFA}): // endbr64
		return 4
	case len(code) >= 3 && code[0] == 0x0F && code[1] == 0x01 && code[2] >= 0xC0: // enclu, xgetbv and their kin
		return 3
	case len(code) >= 2 && code[0]&^0x0F == 0x40 && code[1] == 0x0F: // REX before xsavec and its kin
		if n := groupC7(code[1:]); n > 0 {
			return n + 1
		}
	}
	if n := groupC7(code); n > 0 {
		return n
	}
	inst, ok := decodeInst(code)
	if !ok {
		return 0
	}
	return inst.Len
}

// decodeInst decodes one whole instruction. Of one that is cut off, x86asm
// returns the first byte, as if that were a prefix that stands alone.
func decodeInst(code []byte) (x86asm.Inst, bool) {
	inst, err := x86asm.Decode(code, 64)
	return inst, err == nil && inst.Op != 0
}

// groupC7 is the length of 0F C7 with an operand, without prefixes, or 0.
func groupC7(code []byte) int {
	if len(code) < 4 || code[0] != 0x0F || code[1] != 0xC7 {
		return 0
	}
	mod, rm := code[2]>>6, code[2]&7
	n := 3
	base := rm
	if mod != 3 && rm == 4 {
		base = code[3] & 7
		n++
	}
	switch {
	case mod == 1:
		n++
	case mod == 2 || mod == 0 && base == 5:
		n += 4
	}
	if n > len(code) {
		return 0
	}
	return n
}

// prohibited reports whether the instruction at the start of code raises #UD
// inside an enclave where the host raises #GP for user mode: port I/O,
// software interrupts, RDPMC and GETSEC.
func prohibited(code []byte) bool {
	for i := 0; i < len(code) && i < 4; i++ {
		switch c := code[i]; {
		case c == 0x66 || c == 0xF2 || c == 0xF3 || c&0xF0 == 0x40: // prefixes
			continue
		case c >= 0x6C && c <= 0x6F, c >= 0xE4 && c <= 0xE7, c >= 0xEC && c <= 0xEF, c == 0xCD:
			return true
		case c == 0x0F && i+1 < len(code):
			return code[i+1] == 0x33 || code[i+1] == 0x37
		}
		return false
	}
	return false
}

// isEnclu reports whether code begins with ENCLU.
func isEnclu(code []byte) bool {
	return len(code) >= 3 && binary.LittleEndian.Uint16(code) == 0x010F && code[2] == 0xD7
}

// saveAll is the end of the function by which older releases of Intel's SDK
// save extended state before an OCALL: mov $-1, %eax; mov $-1, %edx;
// xsavec64 (%rcx); jmp over fxsave64 (%rcx); ret. Later ones mask with XFRM
// by themselves.
var saveAll = []byte{
	0xB8, 0xFF, 0xFF, 0xFF, 0xFF, 0xBA, 0xFF, 0xFF, 0xFF, 0xFF,
	0x48, 0x0F, 0xC7, 0x21, 0xEB, 0x04, 0x48, 0x0F, 0xAE, 0x01, 0xC3,
}

// Offsets in saveAll: of the mask's halves, and of XSAVEC.
const saveAllLow, saveAllHigh, saveAllXSAVEC = 1, 6, 10

// mayXSave reports whether code may have an instruction that saves extended
// state, wherever its instructions begin: XSAVE, XSAVEC or XSAVEOPT, or the
// first bytes of one at its end.
func mayXSave(code []byte) bool {
	for _, op := range [][]byte{{0x0F, 0xAE}, {0x0F, 0xC7}} {
		for at := 0; ; {
			i := bytes.Index(code[at:], op)
			if i < 0 {
				break
			}
			if at += i + len(op); at == len(code) {
				return true
			}
			if mod, reg := code[at]>>6, code[at]>>3&7; mod != 3 && (reg == 4 || reg == 6 && op[1] == 0xAE) {
				return true
			}
		}
	}
	return len(code) > 0 && code[len(code)-1] == 0x0F
}

// isXSave reports whether code begins with XSAVE, XSAVEC, XSAVEOPT or XRSTOR:
// the instructions for programs whose mask of components is EDX:EAX.
func isXSave(code []byte) bool {
	i := 0
	for i < len(code) && bytes.IndexByte([]byte{0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x67}, code[i]) >= 0 { // segments, address size
		i++
	}
	if i < len(code) && code[i]&0xF0 == 0x40 { // REX
		i++
	}
	if code = code[i:]; len(code) < 3 || code[0] != 0x0F || code[2]>>6 == 3 {
		return false
	}
	switch op := code[2] >> 3 & 7; code[1] {
	case 0xAE:
		return op == 4 || op == 5 || op == 6 // XSAVE, XRSTOR, XSAVEOPT
	case 0xC7:
		return op == 4 // XSAVEC
	}
	return false
}
