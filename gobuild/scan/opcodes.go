package scan

// The opcode maps of 64-bit mode (SDM Vol. 2D, "Opcode Map"), one letter an
// opcode and sixteen a row:
//
//	.  nothing follows                    m  ModRM
//	b  8-bit immediate                    B  ModRM and 8-bit immediate
//	z  immediate of the operand size,     Z  ModRM and such an immediate
//	   32 bits at most                    t  group 3: ModRM, and an immediate
//	v  immediate of the operand size         if the instruction is TEST
//	w  16-bit immediate                   c  ModRM that always names registers
//	e  16-bit and 8-bit immediate         j  8-bit displacement of a branch
//	o  offset of the address size         J  32-bit displacement of a branch
//	p  legacy prefix                      r  REX
//	x  no instruction                     E  escape to another map
const map1 = "" +
	"mmmmbzxxmmmmbzxE" + // 00
	"mmmmbzxxmmmmbzxx" + // 10
	"mmmmbzpxmmmmbzpx" + // 20
	"mmmmbzpxmmmmbzpx" + // 30
	"rrrrrrrrrrrrrrrr" + // 40
	"................" + // 50
	"xxEmppppzZbB...." + // 60
	"jjjjjjjjjjjjjjjj" + // 70
	"BZxBmmmmmmmmmmmm" + // 80
	"..........x....." + // 90
	"oooo....bz......" + // A0
	"bbbbbbbbvvvvvvvv" + // B0
	"BBw.EEBZe.w..bx." + // C0
	"mmmmxxx.mmmmmmmm" + // D0
	"jjjjbbbbJJxj...." + // E0
	"p.pp..tt......mm" //   F0

// UD0 and UD1 (0F FF, 0F B9) are none here: it depends on the processor, and on
// the assembler, whether they have a ModRM.
const map0F = "" +
	"mmmmx.....x.xmxx" + // 00
	"mmmmmmmmmmmmmmmm" + // 10
	"ccccxxxxmmmmmmmm" + // 20
	"......x.ExExxxxx" + // 30
	"mmmmmmmmmmmmmmmm" + // 40
	"mmmmmmmmmmmmmmmm" + // 50
	"mmmmmmmmmmmmmmmm" + // 60
	"BBBBmmm.mmxxmmmm" + // 70
	"JJJJJJJJJJJJJJJJ" + // 80
	"mmmmmmmmmmmmmmmm" + // 90
	"...mBmxx...mBmmm" + // A0
	"mmmmmmmmmxBmmmmm" + // B0
	"mmBmBBBm........" + // C0
	"mmmmmmmmmmmmmmmm" + // D0
	"mmmmmmmmmmmmmmmm" + // E0
	"mmmmmmmmmmmmmmmx" //   F0

// The maps in which every instruction has a ModRM, and either all or none has
// an 8-bit immediate, are sets of opcodes. They say nothing of the mandatory
// prefix: with the wrong one an instruction raises #UD, and is as long.
var (
	legacy38 = set("00-0B 10 14-15 17 1C-1E 20-25 28-2B 30-41 80-82 C8-CD CF D8 DB-DF F0-F1 F5-F6 F8-FC")
	legacy3A = set("08-0F 14-17 20-22 40-42 44 60-63 CC CE-CF DF F0")

	vex0F = set("10-17 28-2F 41-42 44-47 4A-4B 50-77 7C-7F 90-93 98-99 AE C2 C4-C6 D0-FE")
	vex38 = set("00-0F 13 16-1A 1C-1E 20-25 28-41 45-47 49 4B 50-53 58-5A 5C 5E 6C 72 78-79 8C 8E 90-93 96-9F " +
		"A6-B1 B4-BF CB-CD CF D2-D3 DA-EF F2-F3 F5-F7")
	vex3A = set("00-02 04-06 08-0F 14-19 1D 20-22 30-33 38-39 40-42 44 46 4A-4C 60-63 CE-CF DE-DF F0")

	evex0F = set("10-17 28-2F 51 54-76 78-7B 7E-7F C2 C4-C6 D1-EF F1-F6 F8-FE")
	evex38 = set("00 04 0B-0D 10-16 18-2D 30-40 42-47 4C-55 58-5B 62-66 68 70-73 75-7F 83 88-8B 8D 8F-93 96-AF " +
		"B4-BF C4 C6-C8 CA-CD CF D2-D3 DC-DF")
	evex3A = set("00-01 03-05 08-0B 0F 14-1B 1D-23 25-27 38-3B 3E-3F 42-44 50-51 54-57 66-67 70-73 C2 CE-CF")
	evexM5 = set("10-11 1D 2A 2C-2F 51 58-5F 6E 78-7E")
	evexM6 = set("13 2C-2D 42-43 4C-4F 56-57 96-9F A6-AF B6-BF D6-D7")

	// Those of VEX and EVEX map 0F with an immediate.
	vexImm8 = set("70-73 C2 C4-C6")
)

// named1 and named0F are the opcodes that identify1 and identify0F look at.
var (
	named1  = set("6C-6F 8C-8F C6-C7 CA-CB CD CF E4-E7 EC-EF F1 F4 FA-FB FE-FF")
	named0F = set("00-03 05-09 20-23 30-37 71-73 78-79 A1-A2 A9-AA AE B2 B4-B5 B8 BA C7")
)

// A plan says what follows an opcode: the number of bytes beside the ModRM and
// what that says, and these.
type plan uint16

const (
	planBytes  plan = 0xF
	planModRM  plan = 1 << iota << 3
	planSized       // an immediate of the operand size, 32 bits at most
	planBranch      // the bytes are the displacement of a branch
	planRare        // its letter says more
	planNamed       // the instruction may matter
	planNone        // no instruction
)

// plans are those of the one-byte opcodes and of map 0F.
var plans = [2]*[256]plan{planMap(map1, named1), planMap(map0F, named0F)}

func planMap(letters string, named *opcodes) *[256]plan {
	var ps [256]plan
	for op := range ps {
		ps[op] = planOf(letters[op])
		if named[op] {
			ps[op] |= planNamed
		}
	}
	return &ps
}

func planOf(letter byte) plan {
	switch letter {
	case '.':
		return 0
	case 'm':
		return planModRM
	case 'b':
		return 1
	case 'B':
		return planModRM | 1
	case 'w':
		return 2
	case 'e':
		return 3
	case 'z':
		return planSized
	case 'Z':
		return planModRM | planSized
	case 'j':
		return planBranch | 1
	case 'J':
		return planBranch | 4
	case 't':
		return planModRM | planRare
	case 'v', 'o', 'c':
		return planRare
	}
	return planNone
}

// addresses are the lengths of SIB and displacement by ModRM. Addresses of 32
// and of 64 bits are encoded alike.
var addresses = addressTable()

// addressSIB marks a length that is 4 more if the SIB has no base.
const addressSIB = 0x80

func addressTable() (t [256]uint8) {
	for modrm := range t {
		mod, rm := modrm>>6, modrm&7
		if mod == 3 {
			continue
		}
		switch {
		case mod == 1:
			t[modrm] = 1
		case mod == 2, rm == 5:
			t[modrm] = 4
		}
		if rm == 4 {
			t[modrm]++
			if mod == 0 {
				t[modrm] |= addressSIB
			}
		}
	}
	return t
}

// opcodes is a set of opcodes.
type opcodes [256]bool

// set reads ranges of hexadecimal opcodes.
func set(ranges string) *opcodes {
	var s opcodes
	hex := func(at int) int {
		v := 0
		for _, c := range []byte(ranges[at : at+2]) {
			if c >= 'A' {
				c -= 'A' - '9' - 1
			}
			v = v<<4 | int(c-'0')
		}
		return v
	}
	for at := 0; at < len(ranges); at += 3 {
		first := hex(at)
		last := first
		if at+2 < len(ranges) && ranges[at+2] == '-' {
			at += 3
			last = hex(at)
		}
		for op := first; op <= last; op++ {
			s[op] = true
		}
	}
	return &s
}
