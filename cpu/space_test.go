package cpu

import (
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

// spacePages is the size of the range of the model test.
const spacePages = 32

// FuzzAddressSpace runs a program of changes against the page tables and
// against one entry for each page.
func FuzzAddressSpace(f *testing.F) {
	f.Add([]byte{0, 1, 4, 9, 3, 1, 2, 2, 0, 0, 2, 0, 3, 1, 7})
	f.Add([]byte{0, 0, 32, 0, 7, 2, 10, 5, 0, 1, 1, 12, 1, 0, 0, 0, 12, 1, 12, 7})
	f.Fuzz(func(t *testing.T, prog []byte) {
		type pte struct {
			pa   PA
			perm Perm
			ok   bool
		}
		var model [spacePages]pte
		a := NewAddressSpace(testBase, spacePages*isa.PageSize)
		for ; len(prog) >= 5; prog = prog[5:] {
			from, n := uint64(prog[1]), uint64(prog[2])
			pa, perm := PA(prog[3])*isa.PageSize, Perm(prog[4]&7)
			var err error
			switch prog[0] % 3 {
			case 0:
				err = a.Map(at(from), pa, n, perm)
			case 1:
				err = a.Unmap(at(from), n)
			case 2:
				err = a.Protect(at(from), n, perm)
			}
			if bad := from > spacePages || from+n > spacePages; bad != (err != nil) {
				t.Fatalf("%d pages at %d: %v", n, from, err)
			} else if bad {
				continue
			}
			for i := from; i < from+n; i++ {
				switch prog[0] % 3 {
				case 0:
					model[i] = pte{pa + PA((i-from)*isa.PageSize), perm, true}
				case 1:
					model[i] = pte{}
				case 2:
					if model[i].ok {
						model[i].perm = perm
					}
				}
			}
		}
		for i, want := range model {
			pa, perm, ok := a.Lookup(at(uint64(i)) + 5)
			if ok != want.ok || ok && (pa != want.pa+5 || perm != want.perm) {
				t.Fatalf("page %d: %#x %v %v, want %+v", i, uint64(pa), perm, ok, want)
			}
		}
		runs := a.Mappings()
		for i, r := range runs {
			if r.Pages == 0 || i > 0 && (runs[i-1].end() > r.Linear || runs[i-1].joins(r)) {
				t.Fatalf("runs are not minimal: %+v", runs)
			}
		}
	})
}

func TestAddressSpaceRejects(t *testing.T) {
	a := NewAddressSpace(testBase, testSize)
	for _, err := range []error{
		a.Map(testBase+1, 0, 1, PermR), a.Map(testBase, 1, 1, PermR), a.Map(testBase-isa.PageSize, 0, 1, PermR),
		a.Map(testBase, 0, 1<<62, PermR), a.Unmap(testBase+testSize, 1), a.Protect(0, 1, PermR),
	} {
		if err == nil {
			t.Error("a bad range was accepted")
		}
	}
	if err := a.Map(testBase+testSize, 0, 0, PermR); err != nil {
		t.Error(err)
	}
	if s := (PermR | PermX).String(); s != "r-x" {
		t.Errorf("String() = %q", s)
	}
}

func BenchmarkLookup(b *testing.B) {
	a := NewAddressSpace(0, 1<<40)
	for i := range uint64(200) {
		if err := a.Map(i*16*isa.PageSize, PA(i*4*isa.PageSize), 3, PermR); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, _, ok := a.Lookup(133*16*isa.PageSize + 7); !ok {
			b.Fatal("not mapped")
		}
	}
}
