package scan

import (
	"cmp"
	"math/bits"
	"slices"
)

// bitmap has a bit for every byte of a section.
type bitmap []uint64

func newBitmap(n int) bitmap    { return make(bitmap, (n+63)/64) }
func (b bitmap) set(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b bitmap) has(i int) bool { return b[i>>6]>>(i&63)&1 != 0 }

func (b bitmap) within(c bitmap) bool {
	for i := range b {
		if b[i]&^c[i] != 0 {
			return false
		}
	}
	return true
}

// target notes where a branch leads whose end is the byte at of r.
func (s *scanner) target(r *region, at int, disp int32) {
	if to := at + int(disp); to >= 0 && to < len(r.code) {
		r.targets.set(to)
		return
	}
	if other, to := s.at(r.start + uint64(at) + uint64(int64(disp))); other != nil {
		other.targets.set(to)
		return
	}
	s.astray = true
}

// at returns the section of an address and the offset there, or nil.
func (s *scanner) at(address uint64) (*region, int) {
	for i := range s.regions {
		if r := &s.regions[i]; address >= r.start && address < r.end() {
			return r, int(address - r.start)
		}
	}
	return nil, 0
}

// branches adds the near branches that do not lead to the start of an
// instruction. Only if there are any does it look for them.
func (s *scanner) branches() {
	good := !s.astray
	for i := range s.regions {
		good = good && s.regions[i].targets.within(s.regions[i].begins)
	}
	if good {
		return
	}
	for i := range s.regions {
		r := &s.regions[i]
		for w, word := range r.begins {
			for ; word != 0; word &= word - 1 {
				at := w*64 + bits.TrailingZeros64(word)
				inst, ok := Decode(r.code[at:])
				if !ok || !inst.Branch {
					continue
				}
				end := r.start + uint64(at+inst.Len)
				why := "leads into the middle of an instruction, or to data"
				to, off := s.at(end + uint64(int64(inst.Disp)))
				if to == nil {
					why = "leads out of the executable sections"
				} else if to.begins.has(off) {
					continue
				}
				address := r.start + uint64(at)
				s.add(Finding{
					Class: Branch, Function: s.name(r, address), Offset: address, Bytes: r.code[at : at+inst.Len],
					Instruction: Branch.String(), Why: why,
				})
			}
		}
	}
}

// name returns the name of the last function that starts at or before an
// address of r.
func (s *scanner) name(r *region, address uint64) string {
	i, ok := slices.BinarySearchFunc(s.functions, address, func(fn function, at uint64) int { return cmp.Compare(fn.start, at) })
	if !ok {
		i--
	}
	if i < 0 || s.functions[i].start < r.start {
		return r.name
	}
	return s.functions[i].name
}
