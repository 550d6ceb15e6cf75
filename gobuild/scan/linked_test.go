package scan

import (
	"debug/gosym"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// TestHello finds what is known to be illegal in a program that was built as
// usual, and nothing else, with and without a symbol table.
func TestHello(t *testing.T) {
	b := read(t, build(t, "hello", nil))
	stripped := read(t, build(t, "hello", nil, "-ldflags=-s -w"))
	for _, image := range [][]byte{b, stripped} {
		r, err := Program(image, Default())
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, f := range r.Findings {
			count[f.Instruction]++
			if !strings.HasPrefix(f.Function, "runtime.") && !strings.HasPrefix(f.Function, "internal/") && f.Function != "time.now" {
				t.Errorf("%v", f)
			}
		}
		for _, f := range r.Findings {
			if f.Class != Illegal && f.Class != Timestamp {
				t.Errorf("%v", f)
			}
		}
		if count["SYSCALL"] < 30 || count["CPUID"] < 3 || count["RDTSC"] != 1 || count["RDTSCP"] != 1 || len(count) != 4 {
			t.Errorf("found %v", count)
		}
		var allowed []string
		for _, f := range r.Allowed {
			allowed = append(allowed, f.Function+" "+f.Instruction)
		}
		want := []string{"runtime.systemstack INT 3", "runtime.abort INT 3", "runtime.exitThread INT 3", "runtime.sigreturn__sigaction INT 3", ".plt (stray code)"}
		if !slices.Equal(allowed, want) {
			t.Errorf("allowed %q, want %q", allowed, want)
		}
		if err := r.Err(); err == nil || !strings.Contains(err.Error(), "CPUID") {
			t.Errorf("error %v", err)
		}
		t.Logf("%d functions, %d instructions, %d bytes of code, %d of padding: %v", r.Functions, r.Instructions, r.Code, r.Padding, count)
	}
}

// TestStripped holds the functions of a program without a symbol table to be
// those of the program with one, and to what debug/gosym reads.
func TestStripped(t *testing.T) {
	named := read(t, build(t, "hello", nil))
	stripped := read(t, build(t, "hello", nil, "-ldflags=-s -w"))
	var lists [2][]function
	for i, b := range [][]byte{named, stripped} {
		f, err := elf64.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if lists[i], err = functions(f); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			continue
		}
		text := f.Section(".text")
		table, err := gosym.NewTable(nil, gosym.NewLineTable(f.Data(f.Section(".gopclntab")), text.Address))
		if err != nil {
			t.Fatal(err)
		}
		if len(table.Funcs) != len(lists[i]) {
			t.Fatalf("%d functions, and %d to debug/gosym", len(lists[i]), len(table.Funcs))
		}
		for j, fn := range lists[i] {
			if want := table.Funcs[j]; fn.name != want.Name || fn.start != want.Entry || fn.end != want.End {
				t.Fatalf("%+v, and to debug/gosym %s %#x-%#x", fn, want.Name, want.Entry, want.End)
			}
		}
	}
	if len(lists[0]) != len(lists[1]) {
		t.Fatalf("%d functions with symbols, %d without", len(lists[0]), len(lists[1]))
	}
	for i, fn := range lists[0] {
		if bare := lists[1][i]; fn.name != bare.name || fn.start != bare.start || fn.end > bare.end {
			t.Fatalf("%+v with symbols, %+v without", fn, bare)
		}
	}
}

// TestForeign links an object of a C compiler into a program without cgo, and
// an assembly function that encodes a system call in bytes.
func TestForeign(t *testing.T) {
	cc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc")
	}
	dir := t.TempDir()
	for _, file := range []string{"main.go", "call_amd64.s", "prebuilt.c.txt"} {
		write(t, filepath.Join(dir, strings.TrimSuffix(file, ".txt")), read(t, filepath.Join("testdata/foreign", file)))
	}
	source, object := filepath.Join(dir, "prebuilt.c"), filepath.Join(dir, "prebuilt_amd64.syso")
	if out, err := exec.Command(cc, "-m64", "-O0", "-fno-stack-protector", "-fcf-protection=none", "-c", "-o", object, source).CombinedOutput(); err != nil {
		t.Skipf("%s makes no object for amd64: %v\n%s", cc, err, out)
	}
	if err := os.Remove(source); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.mod"), []byte("module scanned\n\ngo 1.26\n"))
	for _, flags := range []string{"-linkmode=internal", "-linkmode=internal -s -w"} {
		r, err := Program(read(t, link(t, dir, nil, "-ldflags="+flags)), Default())
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, f := range r.Findings {
			if !strings.Contains(f.Function, ".") || strings.HasPrefix(f.Function, "main.") {
				found = append(found, f.Function+" "+f.Instruction)
			}
		}
		want := []string{"helper (foreign function)", "prebuilt (foreign function)", "prebuilt CPUID", "main.call SYSCALL"}
		if !slices.Equal(found, want) {
			t.Errorf("%s: found %q, want %q", flags, found, want)
		}
	}
}

// TestGate finds nothing in a program whose system calls, CPUIDs and RDTSCs
// were made calls of gates, and in its gates only what they may have.
func TestGate(t *testing.T) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("no go command: %v", err)
	}
	dir := t.TempDir()
	gate := filepath.Join(dir, "gate.s.txt")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(strings.TrimSpace(string(out)), "src/runtime/zgate_linux_amd64.s"): gate,
	}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, gate, read(t, "testdata/gate/gate.s.txt"))
	write(t, filepath.Join(dir, "overlay.json"), overlay)
	macros := `-asmflags=all=-D "SYSCALL=CALL runtime·enclgate(SB)" -D "CPUID=CALL runtime·enclcpuid(SB)" ` +
		`-D "RDTSC=CALL runtime·enclrdtsc(SB)" -D "RDTSCP=CALL runtime·enclrdtsc(SB)"`
	b := read(t, build(t, "gate", nil, "-overlay", filepath.Join(dir, "overlay.json"), macros))
	r, err := Program(b, Default())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if r, err = Program(b, nil); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range r.Findings {
		if f.Class == Timestamp || f.Instruction == SYSCALL.String() || f.Instruction == CPUID.String() {
			found = append(found, f.Function+" "+f.Instruction)
		}
	}
	if want := []string{"runtime.enclrdtsc RDTSC"}; !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
}
