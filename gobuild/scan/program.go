package scan

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// maxParts bounds the executable sections and segments of a program. The Go
// linker makes two and one.
const maxParts = 64

// padding is INT3, which the Go linker puts between functions.
const padding = 0xCC

// Program scans a linked program. The rules say which findings are allowed;
// most callers pass Default, with more of their own. The report keeps parts of
// the file. The error is of a file that is not such a program, or is broken.
func Program(file []byte, rules []Rule) (*Report, error) {
	f, err := elf64.Parse(file)
	if err != nil {
		return nil, err
	}
	if f.Type != elf64.TypeDyn || f.Machine != elf64.MachineAMD64 {
		return nil, bad(elf64.OffType, "type %d for machine %d: build for GOARCH=amd64 with -buildmode=pie", f.Type, f.Machine)
	}
	s := &scanner{rules: rules, report: &Report{}}
	if s.regions, err = regions(f); err != nil {
		return nil, err
	}
	if s.segments, err = segments(f); err != nil {
		return nil, err
	}
	if s.functions, err = functions(f); err != nil {
		return nil, err
	}
	fns := s.functions
	if _, ok := slices.BinarySearchFunc(fns, f.Entry, func(fn function, at uint64) int { return cmp.Compare(fn.start, at) }); !ok {
		return nil, bad(elf64.OffEntry, "entry point %#x is the start of no function", f.Entry)
	}
	for i := range s.regions {
		if fns, err = s.region(&s.regions[i], fns); err != nil {
			return nil, err
		}
	}
	if len(fns) > 0 {
		return nil, bad(0, "function %.80q at %#x is in no executable section", fns[0].name, fns[0].start)
	}
	s.fillers(f)
	s.branches()
	order := func(a, b Finding) int { return cmp.Compare(a.Offset, b.Offset) }
	slices.SortStableFunc(s.report.Findings, order)
	slices.SortStableFunc(s.report.Allowed, order)
	return s.report, nil
}

// A region is an executable section.
type region struct {
	name    string
	start   uint64
	code    []byte
	begins  bitmap // where instructions begin
	targets bitmap // where branches lead
}

func (r *region) end() uint64 { return r.start + uint64(len(r.code)) }

// regions returns the executable sections by address. Each is loaded from
// where it is in the file, and none overlaps another one.
func regions(f *elf64.File) ([]region, error) {
	var rs []region
	total := uint64(0)
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Flags&elf64.SectionExec == 0 || s.Size == 0 {
			continue
		}
		if len(rs) == maxParts {
			return nil, bad(s.Header, "more than %d executable sections", maxParts)
		}
		if at, ok := f.Loaded(s.Address, s.Size); s.Kind == elf64.SectionNobits || !ok || at != s.Offset || s.Address+s.Size < s.Address {
			return nil, bad(s.Header, "executable section %.80q is not loaded from where it is in the file", s.Name)
		}
		if total += s.Size; total > uint64(len(f.Bytes)) {
			return nil, bad(s.Header, "executable sections are longer than the file")
		}
		rs = append(rs, region{name: s.Name, start: s.Address, code: f.Data(s)})
	}
	slices.SortStableFunc(rs, func(a, b region) int { return cmp.Compare(a.start, b.start) })
	for i := range rs {
		if i > 0 && rs[i-1].end() > rs[i].start {
			return nil, bad(elf64.OffSections, "executable sections %.80q and %.80q overlap", rs[i-1].name, rs[i].name)
		}
		rs[i].begins, rs[i].targets = newBitmap(len(rs[i].code)), newBitmap(len(rs[i].code))
	}
	return rs, nil
}

type scanner struct {
	rules     []Rule
	regions   []region
	segments  []*elf64.Segment // the executable ones
	functions []function
	report    *Report
	astray    bool // a branch leads out of the regions
}

func (s *scanner) add(f Finding) {
	f.Bytes = f.Bytes[:min(len(f.Bytes), MaxLen)]
	list := &s.report.Findings
	if allows(s.rules, &f) {
		list = &s.report.Allowed
	}
	if len(*list) == maxFindings {
		s.report.More++
		return
	}
	*list = append(*list, f)
}

// region scans the functions at the start of fns that are in r, and what is
// between them, and returns the other functions.
func (s *scanner) region(r *region, fns []function) ([]function, error) {
	at, before := r.start, r.name
	for len(fns) > 0 && fns[0].start < r.end() {
		fn := fns[0]
		if fn.start < at || fn.end < fn.start || fn.end > r.end() {
			return nil, bad(0, "function %.80q, %#x to %#x, does not lie in an executable section", fn.name, fn.start, fn.end)
		}
		s.gap(r, function{name: before, start: at, end: fn.start})
		// The linker itself marks where the code of the FIPS module begins
		// and ends by functions that are all padding.
		if code := r.code[fn.start-r.start : fn.end-r.start]; fn.foreign && !isPadding(code) {
			s.add(Finding{
				Class: Foreign, Function: fn.name, Offset: fn.start, Bytes: code,
				Instruction: Foreign.String(), Why: "no compilation unit of Go holds it: it came with a prebuilt object",
			})
		}
		s.report.Functions++
		s.function(r, fn)
		at, before, fns = fn.end, fn.name, fns[1:]
	}
	s.gap(r, function{name: before, start: at, end: r.end()})
	return fns, nil
}

// gap scans what is between two functions, unless it is padding.
func (s *scanner) gap(r *region, gap function) {
	code := r.code[gap.start-r.start : gap.end-r.start]
	if isPadding(code) {
		s.report.Padding += len(code)
		return
	}
	s.add(Finding{
		Class: Stray, Function: gap.name, Offset: gap.start, Bytes: code, Instruction: Stray.String(),
		Why: "follows the function, belongs to none and is not padding",
	})
	s.function(r, gap)
}

func isPadding(code []byte) bool {
	return len(code) == 0 || code[0] == padding && bytes.Equal(code[:len(code)-1], code[1:])
}

// function decodes a function from its first byte to its last.
func (s *scanner) function(r *region, fn function) {
	first := int(fn.start - r.start)
	code := r.code[:fn.end-r.start]
	// Without a symbol table, a function ends with the padding after it.
	last := len(code)
	for last > first && code[last-1] == padding {
		last--
	}
	data := dataIn(s.rules, fn.name)
	instructions, at := 0, first
	for at < last {
		if data != nil {
			if n := skip(data, code[at:]); n > 0 {
				s.add(Finding{
					Class: Undecodable, Function: fn.name, Offset: r.start + uint64(at), Bytes: code[at : at+n],
					Instruction: Data, Why: "bytes that are no instructions",
				})
				at += n
				continue
			}
		}
		inst, ok := Decode(code[at:])
		if !ok {
			s.find(r, fn.name, at, min(at+MaxLen, len(code)), none)
			at++
			continue
		}
		r.begins.set(at)
		instructions++
		if inst.Op != Plain {
			s.find(r, fn.name, at, at+inst.Len, inst.Op)
		}
		at += inst.Len
		if inst.Branch {
			s.target(r, at, inst.Disp)
		}
	}
	if at < len(code) {
		r.begins.set(at) // its last instruction may be a breakpoint
	}
	s.report.Instructions += instructions
	s.report.Code += at - first
	s.report.Padding += len(code) - at
}

// find adds a finding about the bytes of r from one to another offset.
func (s *scanner) find(r *region, name string, from, to int, op Op) {
	class := Illegal
	switch op {
	case none:
		class = Undecodable
	case RDTSC, RDTSCP:
		class = Timestamp
	}
	s.add(Finding{
		Class: class, Function: name, Offset: r.start + uint64(from), Bytes: r.code[from:to],
		Instruction: op.String(), Why: ops[op].why,
	})
}
