package scan

import "testing"

// TestNamed holds the opcodes whose plan says that they do not matter to what
// the functions that name instructions say.
func TestNamed(t *testing.T) {
	for op := range 256 {
		for modrm := range 256 {
			for prefix := range prefixREXW << 1 {
				if !named1[op] && identify1(byte(op), byte(modrm)) != Plain {
					t.Fatalf("%02X %02X matters", op, modrm)
				}
				if !named0F[op] && identify0F(byte(op), byte(modrm), prefix) != Plain {
					t.Fatalf("0F %02X %02X matters with prefixes %#x", op, modrm, prefix)
				}
			}
		}
	}
}

// TestOps holds every instruction that matters to have a name of its own, and
// a reason.
func TestOps(t *testing.T) {
	names := map[string]Op{}
	for op := none; op < numOps; op++ {
		if other, ok := names[op.String()]; ok {
			t.Errorf("%d and %d are both %q", op, other, op)
		}
		names[op.String()] = op
		if op != Plain && ops[op].why == "" {
			t.Errorf("%v has no reason", op)
		}
	}
}

func TestSet(t *testing.T) {
	s := set("00 0A-0C F0-FF")
	for op := range s {
		if want := op == 0 || op >= 0x0A && op <= 0x0C || op >= 0xF0; s[op] != want {
			t.Errorf("%02X: %v", op, s[op])
		}
	}
	if len(map1) != 256 || len(map0F) != 256 {
		t.Errorf("maps of %d and %d opcodes", len(map1), len(map0F))
	}
}

// TestRules holds each default rule to have a reason, and every rule about an
// instruction to name one.
func TestRules(t *testing.T) {
	names := map[string]bool{Data: true, Stray.String(): true}
	for op := Plain + 1; op < numOps; op++ {
		names[op.String()] = true
	}
	for _, r := range Default() {
		if r.Why == "" || !names[r.Instruction] || (r.Instruction == Data) != (r.Data != nil) {
			t.Errorf("%+v", r)
		}
	}
}
