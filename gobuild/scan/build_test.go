package scan

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// build links a command of testdata for linux/amd64 and returns its file.
func build(t testing.TB, command string, env []string, flags ...string) (name string) {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join("testdata", command, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, filepath.Base(file)), b)
	}
	write(t, filepath.Join(dir, "go.mod"), []byte("module scanned\n\ngo 1.26\n"))
	return link(t, dir, env, flags...)
}

func link(t testing.TB, dir string, env []string, flags ...string) (name string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a program")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	name = filepath.Join(dir, "linked")
	cmd := exec.Command("go", append(append([]string{"build", "-buildmode=pie", "-trimpath", "-o", name}, flags...), ".")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOAMD64=v1")
	cmd.Env = append(cmd.Env, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return name
}

func write(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// disassemble returns the mnemonics that objdump finds, by address.
func disassemble(t *testing.T, name string, flags ...string) map[uint64]string {
	t.Helper()
	tool, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("no objdump")
	}
	out, err := exec.Command(tool, append(append([]string{"-d", "-w", "-z", "--no-show-raw-insn", "-M", "intel64"}, flags...), name)...).Output()
	if err != nil {
		t.Skipf("objdump: %v", err)
	}
	found := map[uint64]string{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		address, text, ok := strings.Cut(s.Text(), ":\t")
		if !ok {
			continue
		}
		at, err := strconv.ParseUint(strings.TrimSpace(address), 16, 64)
		if err != nil {
			continue
		}
		found[at] = strings.TrimSpace(text)
	}
	return found
}
