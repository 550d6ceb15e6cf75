package scan

import (
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// FuzzDecode decodes anything.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x0F, 0x05})
	f.Add([]byte{0x62, 0xF1, 0x7C, 0x48, 0x10, 0x80, 1, 2, 3, 4})
	f.Add([]byte{0x66, 0x48, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, code []byte) {
		inst, ok := Decode(code)
		if !ok {
			if inst != (Inst{}) {
				t.Fatalf("no instruction, but %+v", inst)
			}
			return
		}
		if inst.Len < 1 || inst.Len > MaxLen || inst.Len > len(code) || inst.Op == none || inst.Op >= numOps || !inst.Branch && inst.Disp != 0 {
			t.Fatalf("%+v of %d bytes", inst, len(code))
		}
		// What follows an instruction does not change it, and nothing of it
		// can be missing.
		if again, ok := Decode(code[:inst.Len:inst.Len]); !ok || again != inst {
			t.Fatalf("%+v, and alone %v, %+v", inst, ok, again)
		}
		for n := range inst.Len {
			if short, ok := Decode(code[:n]); ok {
				t.Fatalf("%+v, and cut to %d bytes %+v", inst, n, short)
			}
		}
	})
}

// FuzzProgram scans files that may be anything.
func FuzzProgram(f *testing.F) {
	marker := append(append([]byte{0xEB, 0x1D}, sigStart+sigFIPS...), 0xC3)
	for _, symbols := range []bool{false, true} {
		f.Add(image{symbols: symbols, functions: []made{{"a", nopRet, pad, false}, {"runtime.enclx", []byte{0x0F, 0x31, 0xEB, 0xFC}, nil, false}}}.build())
		f.Add(image{symbols: symbols, plt: []byte{0xFF, 0x25, 0, 0, 0, 0}, slack: []byte{1}, functions: []made{
			{"crypto/internal/boring/sig.FIPSOnly", marker, pad, false}, {"memcpy", []byte{0xE8, 0, 0, 0, 0x10, 0x06}, []byte{0x90}, true},
		}}.build())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Program(b, Default())
		if err != nil {
			var fe *FormatError
			var ee *elf64.Error
			if !errors.As(err, &fe) && !errors.As(err, &ee) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			return
		}
		if len(r.Findings) > maxFindings || len(r.Allowed) > maxFindings || r.Code+r.Padding > len(b) || r.Instructions > r.Code {
			t.Fatalf("%d findings, %d bytes of code, %d of padding, %d instructions in %d bytes", len(r.Findings), r.Code, r.Padding, r.Instructions, len(b))
		}
		if err := r.Err(); err != nil && strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Fatalf("error %q", err)
		}
		for _, list := range [][]Finding{r.Findings, r.Allowed} {
			for i, x := range list {
				if i > 0 && x.Offset < list[i-1].Offset || len(x.Bytes) > MaxLen || len(x.Bytes) == 0 || x.Instruction == "" || x.Why == "" {
					t.Fatalf("finding %d: %+v", i, x)
				}
			}
		}
	})
}
