package scan

import (
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRandom compares the lengths of instructions made at random with
// objdump's, where both know an instruction. An encoding that only raises #UD
// may be an instruction to one of them.
func TestRandom(t *testing.T) {
	if _, err := exec.LookPath("objdump"); err != nil {
		t.Skip("no objdump")
	}
	const n, slot = 100000, 32 // instructions, and bytes for each
	rng := rand.New(rand.NewPCG(1, 2))
	code := make([]byte, n*slot)
	for i := range n {
		b := code[i*slot:][:slot]
		for j := range b {
			b[j] = 0x90
			if j < MaxLen {
				b[j] = byte(rng.Uint32())
			}
		}
		at := 0
		switch kind := rng.IntN(4); kind {
		case 0:
			b[0] = 0xC5
		case 1:
			b[0], b[1] = 0xC4, b[1]&0xE0|byte(1+rng.IntN(3))
		case 2:
			b[0], b[1], b[2] = 0x62, b[1]&0xF0|[]byte{1, 2, 3, 5, 6}[rng.IntN(5)], b[2]|4
		default:
			if rng.IntN(2) == 0 {
				b[at] = []byte{0x66, 0xF2, 0xF3, 0x67, 0x64}[rng.IntN(5)]
				at++
			}
			if rng.IntN(3) == 0 {
				b[at] = 0x40 | b[at]&0xF
				at++
			}
			if rng.IntN(3) > 0 {
				b[at] = 0x0F
				if escape := rng.IntN(6); escape < 2 {
					b[at+1] = []byte{0x38, 0x3A}[escape]
				}
			}
		}
	}
	name := filepath.Join(t.TempDir(), "random")
	write(t, name, code)
	found := disassemble(t, name, "-D", "-b", "binary", "-m", "i386:x86-64")
	compared, differ := map[byte]int{}, 0
	for at := uint64(0); at < uint64(len(code)); at += slot {
		text := found[at]
		inst, ok := Decode(code[at:])
		next := at + 1
		for ; found[next] == "" && next < at+slot; next++ {
		}
		// To objdump, FWAIT is a prefix, and one that does not apply to what
		// follows it stands alone.
		opcode := code[at]
		for i := at; map1[opcode] == 'p' || map1[opcode] == 'r'; i++ {
			opcode = code[i+1]
		}
		last := text[strings.LastIndexByte(text, ' ')+1:]
		if !ok || text == "" || strings.Contains(text, "(bad)") || opcode == 0x9B || strings.HasPrefix(last, "rex") || alone[last] {
			continue
		}
		if opcode != 0xC4 && opcode != 0xC5 && opcode != 0x62 {
			opcode = 0
		}
		compared[opcode]++
		if uint64(inst.Len) != next-at {
			if differ++; differ < 20 {
				t.Errorf("% x: length %d; objdump: %d, %q", code[at:at+MaxLen], inst.Len, next-at, text)
			}
		}
	}
	t.Logf("compared %d legacy, %d C5, %d C4, %d EVEX; %d differences", compared[0], compared[0xC5], compared[0xC4], compared[0x62], differ)
	for _, opcode := range []byte{0, 0xC5, 0xC4, 0x62} {
		if compared[opcode] < 500 {
			t.Errorf("only %d with opcode %#x", compared[opcode], opcode)
		}
	}
}

// alone are objdump's names of prefixes.
var alone = map[string]bool{
	"data16": true, "addr32": true, "lock": true, "repz": true, "repnz": true,
	"cs": true, "ds": true, "es": true, "fs": true, "gs": true, "ss": true,
}
