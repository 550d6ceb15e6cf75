package scan

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// The table of functions that every Go program carries for its runtime
// (cmd/link/internal/ld/pcln.go): a header, and after it, at offsets that the
// header gives, the names and the functions.
const (
	pclnMagic      = 0xFFFFFFF1 // Go 1.20 and later
	pclnHeaderSize = 8 + 8*8
	funcSize       = 44 // of runtime._func, without what its counts append
	noUnit         = math.MaxUint32
	maxName        = 1024
)

var le = binary.LittleEndian

// pclnNames are the sections that hold the table: of Go 1.26, and before.
var pclnNames = []string{".gopclntab", ".data.rel.ro.gopclntab"}

// pclntab returns the functions of the table. Each ends where the next one
// starts, so that padding belongs to it; the last one ends where it says.
func pclntab(f *elf64.File, text uint64) ([]function, error) {
	var s *elf64.Section
	for _, name := range pclnNames {
		if s == nil {
			s = f.Section(name)
		}
	}
	if s == nil {
		return nil, bad(0, "no %s section: this is no program of the Go linker", pclnNames[0])
	}
	b := f.Data(s)
	if len(b) < pclnHeaderSize {
		return nil, bad(s.Offset, "function table of %d bytes is cut short", len(b))
	}
	if magic := le.Uint32(b); magic != pclnMagic || b[6] != 1 || b[7] != 8 {
		return nil, bad(s.Offset, "function table with magic %#x, quantum %d, pointers of %d bytes: this is no program of Go 1.20 or later for amd64", magic, b[6], b[7])
	}
	size := uint64(len(b))
	n, names, table := le.Uint64(b[8:]), le.Uint64(b[32:]), le.Uint64(b[64:])
	if n == 0 || n > size/8 || !elf64.Within(table, n*8+4, size) || names > size {
		return nil, bad(s.Offset+8, "function table with %d functions at %#x does not lie in its section of %#x bytes", n, table, size)
	}
	nameTable := string(b[names:])
	functions := make([]function, n)
	for i := range functions {
		at := table + uint64(i)*8
		start, info, end := uint64(le.Uint32(b[at:])), table+uint64(le.Uint32(b[at+4:])), uint64(le.Uint32(b[at+8:]))
		if !elf64.Within(info, funcSize, size) {
			return nil, bad(s.Offset+at+4, "function %d of the function table is described outside it", i)
		}
		if end < start || text+end < text {
			return nil, bad(s.Offset+at+8, "function %d of the function table ends at %#x, before its start %#x", i, end, start)
		}
		functions[i] = function{
			name:  cString(nameTable, le.Uint32(b[info+4:])),
			start: text + start,
			end:   text + end,
			// The linker writes no compilation unit for a symbol that did
			// not come from a Go object.
			foreign: le.Uint32(b[info+32:]) == noUnit,
		}
	}
	return functions, nil
}

// cString returns the NUL-terminated string at off. It shares the table's
// memory, so that names that overlap cost nothing.
func cString(table string, off uint32) string {
	if uint64(off) >= uint64(len(table)) {
		return ""
	}
	s := table[off:]
	s = s[:min(len(s), maxName)]
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	return s
}
