package scan

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var (
	nopRet = []byte{0x90, 0xC3}
	pad    = bytes.Repeat([]byte{0xCC}, 14)
)

// brief are the findings in a few words.
func brief(list []Finding) (s []string) {
	for _, f := range list {
		s = append(s, fmt.Sprintf("%s %#x %s", f.Function, f.Offset-imageBase-imageText, f.Instruction))
	}
	return s
}

func TestProgram(t *testing.T) {
	marker := append(append([]byte{0xEB, 0x1D}, sigStart+sigBoring...), 0xC3)
	for _, c := range []struct {
		name    string
		image   image
		rules   []Rule
		want    []string // findings
		allowed []string
	}{
		{"nothing", image{functions: []made{{"main.main", nopRet, pad, false}, {"main.b", nopRet, nil, false}}}, Default(), nil, nil},
		{"illegal", image{functions: []made{{"a", []byte{0x90, 0x0F, 0x05, 0xC3}, pad, false}, {"b", []byte{0x0F, 0xA2}, nil, false}}}, Default(),
			[]string{"a 0x1 SYSCALL", "b 0x12 CPUID"}, nil},
		// Bytes inside an instruction are none.
		{"immediate", image{functions: []made{{"a", []byte{0x68, 0x0F, 0x05, 0x0F, 0xA2, 0xC3}, pad, false}}}, nil, nil, nil},
		{"clock", image{functions: []made{{"runtime.cputicks", []byte{0x0F, 0x31}, nil, false}, {"runtime.enclrdtsc", []byte{0x0F, 0x31, 0x0F, 0xA2}, nil, false}}}, Default(),
			[]string{"runtime.cputicks 0x0 RDTSC", "runtime.enclrdtsc 0x4 CPUID"}, []string{"runtime.enclrdtsc 0x2 RDTSC"}},
		{"undecodable", image{functions: []made{{"a", []byte{0x90, 0x06, 0x0F, 0x05}, nil, false}}}, Default(), []string{"a 0x1 (undecodable)", "a 0x2 SYSCALL"}, nil},
		{"cut off", image{functions: []made{{"a", []byte{0x90, 0x48, 0xB8}, nil, false}, {"b", nopRet, nil, false}}}, Default(), []string{"a 0x1 (undecodable)", "a 0x2 (undecodable)"}, nil},
		{"into an instruction", image{functions: []made{{"a", []byte{0xEB, 0x01, 0x68, 0x0F, 0x05, 0xC3, 0xC3, 0xC3}, nil, false}}}, Default(), []string{"a 0x0 (branch)"}, nil},
		{"out of the code", image{functions: []made{{"a", []byte{0xE8, 0, 0, 0, 0x10, 0xC3}, nil, false}}}, Default(), []string{"a 0x0 (branch)"}, nil},
		{"into another function", image{functions: []made{{"a", []byte{0xEB, 0x02, 0x90, 0x90}, nil, false}, {"b", nopRet, nil, false}}}, Default(), nil, nil},
		{"to a breakpoint", image{functions: []made{{"a", []byte{0xEB, 0x01, 0xC3, 0xCC}, pad, false}}}, Default(), nil, nil},
		{"marker", image{functions: []made{{"crypto/internal/boring/sig.BoringCrypto", marker, nil, false}}}, Default(), nil, []string{"crypto/internal/boring/sig.BoringCrypto 0x2 (data)"}},
		{"marker elsewhere", image{functions: []made{{"main.main", marker, nil, false}}}, Default(), []string{"main.main 0x0 (branch)", "main.main 0x2 HLT"}, nil},
		{"into a marker", image{functions: []made{{"crypto/internal/boring/sig.BoringCrypto", append([]byte{0xEB, 0x02}, marker[2:]...), nil, false}}}, Default(),
			[]string{"crypto/internal/boring/sig.BoringCrypto 0x0 (branch)"}, []string{"crypto/internal/boring/sig.BoringCrypto 0x2 (data)"}},
		{"foreign", image{functions: []made{{"a", nopRet, nil, false}, {"memcpy", nopRet, nil, true}, {"go:textfipsstart", pad, nil, true}}}, Default(), []string{"memcpy 0x2 (foreign function)"}, nil},
		{"symbol only", image{symbols: true, functions: []made{{"a", nopRet, pad, false}, {"_start", nopRet, pad, false}, {"b", nopRet, nil, false}}}, Default(), []string{"_start 0x10 (foreign function)"}, nil},
		{"stray", image{symbols: true, functions: []made{{"a", nopRet, []byte{0x0F, 0x05}, false}, {"b", nopRet, pad, false}}}, Default(), []string{"a 0x2 (stray code)", "a 0x2 SYSCALL"}, nil},
		// Without symbols, what follows a function belongs to it.
		{"stray, stripped", image{functions: []made{{"a", nopRet, []byte{0x0F, 0x05}, false}, {"b", nopRet, pad, false}}}, Default(), []string{"a 0x2 SYSCALL"}, nil},
		{"stub", image{functions: []made{{"a", nopRet, pad, false}}, plt: []byte{0xFF, 0x35, 0, 0, 0, 0, 0x0F, 0x05}}, Default(), []string{".plt 0x16 SYSCALL"}, []string{".plt 0x10 (stray code)"}},
		{"slack", image{functions: []made{{"a", nopRet, nil, false}}, slack: []byte{0, 0, 0x0F, 0x05}}, Default(), []string{"(no code) 0x4 (stray code)"}, nil},
		{"code that is called data", image{functions: []made{{"a", nopRet, nil, false}}, plt: []byte{0x0F, 0x05}, edit: func(b []byte, s map[string]uint64) { b[s[".plt"]+8] = 2 }},
			Default(), []string{"(no code) 0x2 (stray code)"}, nil},
		{"slack of zeros", image{functions: []made{{"a", nopRet, nil, false}}, slack: make([]byte, 100)}, Default(), nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, symbols := range []bool{c.image.symbols, true} {
				c.image.symbols = symbols
				if symbols && strings.HasSuffix(c.name, "stripped") {
					continue
				}
				r, err := Program(c.image.build(), c.rules)
				if err != nil {
					t.Fatal(err)
				}
				found := brief(r.Findings)
				if c.name == "marker elsewhere" {
					found = found[:2]
				}
				if !slices.Equal(found, c.want) || !slices.Equal(brief(r.Allowed), c.allowed) {
					t.Errorf("symbols %v: found %q, allowed %q; want %q, %q", symbols, found, brief(r.Allowed), c.want, c.allowed)
				}
				if err := r.Err(); (err != nil) != (len(c.want) > 0) || err != nil && !errors.Is(err, ErrFound) {
					t.Errorf("error %v", err)
				}
				total := len(c.image.plt)
				if c.image.edit != nil {
					total = 0
				}
				for _, fn := range c.image.functions {
					total += len(fn.code) + len(fn.pad)
				}
				if r.Code+r.Padding != total {
					t.Errorf("%d bytes of code and %d of padding are not the %d that there are", r.Code, r.Padding, total)
				}
			}
		})
	}
}

// TestFindings bounds the report of a hostile file.
func TestFindings(t *testing.T) {
	r, err := Program(image{functions: []made{{"a", bytes.Repeat([]byte{0xF4}, 3*maxFindings), nil, false}}}.build(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) != maxFindings || r.More != 2*maxFindings {
		t.Errorf("%d findings and %d more", len(r.Findings), r.More)
	}
	if err := r.Err(); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "30000") {
		t.Errorf("error %v", err)
	}
}

func TestErrors(t *testing.T) {
	put32 := func(section string, off uint64, v uint32) func([]byte, map[string]uint64) {
		return func(b []byte, s map[string]uint64) { le.PutUint32(b[le.Uint64(b[s[section]+24:])+off:], v) }
	}
	header := func(section string, off, v uint64) func([]byte, map[string]uint64) {
		return func(b []byte, s map[string]uint64) { le.PutUint64(b[s[section]+off:], v) }
	}
	for _, c := range []struct {
		name, want string
		edit       func([]byte, map[string]uint64)
	}{
		{"executable", "type 2 for machine 62", func(b []byte, _ map[string]uint64) { b[16] = 2 }},
		{"machine", "machine 183", func(b []byte, _ map[string]uint64) { b[18] = 183 }},
		{"entry", "entry point 0x401001 is the start of no function", func(b []byte, _ map[string]uint64) { b[24]++ }},
		{"magic", "magic 0xfffffff0", put32(".gopclntab", 0, 0xFFFFFFF0)},
		{"many functions", "4294967298 functions", put32(".gopclntab", 12, 1)},
		{"no functions", "0 functions", put32(".gopclntab", 8, 0)},
		{"description", "described outside", put32(".gopclntab", pclnHeaderSize+5+4, 1<<30)},
		{"order", "before its start", put32(".gopclntab", pclnHeaderSize+5, 1<<30)},
		{"long", "does not lie in an executable section", put32(".gopclntab", pclnHeaderSize+5+16, 1<<30)},
		{"short table", "cut short", header(".gopclntab", 32, 20)},
		{"no table", "no .gopclntab section", func(b []byte, s map[string]uint64) { b[s[".gopclntab"]]++ }},
		{"no text", "no .text section", func(b []byte, s map[string]uint64) { b[s[".text"]]++ }},
		{"moved text", "is not loaded from where it is", header(".text", 16, 0x500000)},
		{"no code", "is in no executable section", header(".text", 8, 2)},
		{"writable", "writable and executable", func(b []byte, _ map[string]uint64) { b[68] = 7 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			im := image{functions: []made{{"a", nopRet, pad, false}, {"b", nopRet, nil, false}}, edit: c.edit}
			_, err := Program(im.build(), Default())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
