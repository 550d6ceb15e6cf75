package gobuild

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// module writes a module with one main package and returns its directory.
func module(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module made.test/m\n\ngo 1.26\n"
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const hello = "package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(\"hello\\n\") }\n"

func TestBuild(t *testing.T) {
	cache := t.TempDir()
	tc := toolchain(t, cache)
	dir, o := module(t, map[string]string{"main.go": hello}), options()
	var files [3][]byte
	var wait sync.WaitGroup
	for i := range files { // at once, with one cache
		wait.Go(func() {
			b, err := tc.Build(context.Background(), dir, ".", nil, o, nil)
			if err != nil {
				t.Error(err)
			}
			files[i] = b
		})
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	check(t, files[0], o)
	if !bytes.Equal(files[0], files[1]) || !bytes.Equal(files[1], files[2]) {
		t.Error("three builds at once made different files")
	}
	program := only(t, filepath.Join(cache, "programs"))
	if err := os.Truncate(program, 1000); err != nil {
		t.Fatal(err)
	}
	overlays, err := filepath.Glob(filepath.Join(cache, "overlay-*", "runtime_zencl_*"))
	if err != nil || len(overlays) < 8 {
		t.Fatalf("files of the overlay: %q, %v", overlays, err)
	}
	if err := os.Truncate(overlays[0], 10); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(overlays[1]); err != nil {
		t.Fatal(err)
	}
	b, err := tc.Build(t.Context(), dir, ".", nil, o, nil)
	if err != nil || !bytes.Equal(b, files[0]) {
		t.Errorf("after the cache was broken: %v", err)
	}

	// Another source is another program, in the same place.
	changed := strings.Replace(hello, "hello", "HELLO", 1)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err := tc.Build(t.Context(), dir, ".", nil, o, nil); err != nil || bytes.Equal(b, files[0]) || !bytes.Contains(b, []byte("HELLO")) {
		t.Errorf("a changed source: %v", err)
	}
	// The same program stripped, as `go test` links one.
	var stripped []byte
	for _, flags := range []string{"-s -w", "-w"} {
		if err := tc.run(t.Context(), dir, append(append([]string{"build"}, mustFlags(t, tc)...), "-ldflags="+LinkerFlags+" "+flags, "-o", "stripped"), nil); err != nil {
			t.Fatal(err)
		}
		if stripped, err = os.ReadFile(filepath.Join(dir, "stripped")); err != nil {
			t.Fatal(err)
		}
		b, err := LinkCached(cache, stripped, o)
		if err != nil {
			t.Fatal(err)
		}
		check(t, b, o)
	}
	// Without -E, the program begins where an ordinary one does.
	if err := tc.run(t.Context(), dir, append(append([]string{"build"}, mustFlags(t, tc)...), "-o", "stripped"), nil); err != nil {
		t.Fatal(err)
	}
	if b, err = os.ReadFile(filepath.Join(dir, "stripped")); err != nil {
		t.Fatal(err)
	}
	if _, err := Link(b, o); err == nil || !strings.Contains(err.Error(), "-ldflags") {
		t.Errorf("another entry: %v", err)
	}
}

func mustFlags(t *testing.T, tc *Toolchain) []string {
	t.Helper()
	flags, err := tc.Flags(nil)
	if err != nil {
		t.Fatal(err)
	}
	return flags
}

func TestBuildErrors(t *testing.T) {
	cache := t.TempDir()
	tc := toolchain(t, cache)
	for name, c := range map[string]struct {
		files map[string]string
		pkg   string
		tags  []string
		is    error
		want  string
	}{
		"does not compile": {map[string]string{"main.go": "package main\n\nfunc main() { undefined() }\n"}, ".", nil, ErrCompile, "undefined: undefined"},
		"no package":       {map[string]string{"main.go": hello}, "./nowhere", nil, ErrCompile, "nowhere"},
		"no main package":  {map[string]string{"lib.go": "package lib\n"}, ".", nil, ErrCompile, "no main package"},
		"cgo":              {map[string]string{"main.go": "package main\n\n/*\n*/\nimport \"C\"\n\nfunc main() {}\n"}, ".", nil, ErrCompile, "build constraints exclude all Go files"},
		"a flag":           {map[string]string{"main.go": hello}, "-o=x", nil, ErrCompile, "-o=x"},
		"system call in bytes": {map[string]string{
			"main.go": "package main\n\nfunc call()\n\nfunc main() { call() }\n",
			"call.s":  "TEXT ·call(SB), 4, $0\n\tBYTE $0x0F; BYTE $0x05\n\tRET\n",
		}, ".", nil, ErrIllegal, "main.call: SYSCALL"},
		"trap in bytes": {map[string]string{
			"main.go": "package main\n\nfunc call()\n\nfunc main() { call() }\n",
			"call.s":  "TEXT ·call(SB), 4, $0\n\tBYTE $0xCD; BYTE $0x80\n\tBYTE $0xF4\n\tRET\n",
		}, ".", nil, ErrIllegal, "INT [cd 80]"},
		"undefined macro": {map[string]string{
			"main.go": "package main\n\nfunc call()\n\nfunc main() { call() }\n",
			"call.s":  "#undef SYSCALL\nTEXT ·call(SB), 4, $0\n\tSYSCALL\n\tRET\n",
		}, ".", nil, ErrIllegal, "main.call: SYSCALL"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tc.Build(t.Context(), module(t, c.files), c.pkg, c.tags, options(), nil)
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if files, _ := filepath.Glob(filepath.Join(cache, "enclaves", "*")); len(files) > 0 {
		t.Errorf("enclaves %q were made", files)
	}
	// The same assembly by its mnemonics is what the macros are for.
	dir := module(t, map[string]string{
		"main.go": "package main\n\nfunc call()\n\nfunc main() { call() }\n",
		"call.s":  "TEXT ·call(SB), 4, $0\n\tMOVL $39, AX\n\tSYSCALL\n\tXORL AX, AX\n\tXORL CX, CX\n\tCPUID\n\tRDTSC\n\tRDTSCP\n\tRET\n",
	})
	if _, err := tc.Build(t.Context(), dir, ".", nil, options(), nil); err != nil {
		t.Errorf("assembly by its mnemonics: %v", err)
	}
}

// TestForeign links an object that no Go compiler has made.
func TestForeign(t *testing.T) {
	tc := toolchain(t, t.TempDir())
	dir := module(t, map[string]string{
		"main.go": "package main\n\nfunc call()\n\nfunc main() { call() }\n",
		"call.s":  "TEXT ·call(SB), 4, $0\n\tCALL prebuilt(SB)\n\tRET\n",
	})
	if err := os.WriteFile(filepath.Join(dir, "prebuilt_linux_amd64.syso"), object("prebuilt", []byte{0x31, 0xC0, 0x0F, 0xA2, 0xC3}), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := tc.Build(t.Context(), dir, ".", nil, options(), nil)
	if !errors.Is(err, ErrIllegal) || !strings.Contains(err.Error(), "prebuilt") || !strings.Contains(err.Error(), ".syso") {
		t.Errorf("error %v", err)
	}
}

// TestExamples builds the examples of the repository: all of them can be
// enclaves.
func TestExamples(t *testing.T) {
	mains, err := filepath.Glob("../examples/*/main.go")
	if err != nil || len(mains) == 0 {
		t.Skip("no examples")
	}
	tc := toolchain(t, t.TempDir())
	for _, m := range mains {
		pkg := "./examples/" + filepath.Base(filepath.Dir(m))
		t.Run(filepath.Base(pkg), func(t *testing.T) {
			dir, own := "..", false
			if _, err := os.Stat(filepath.Join("..", pkg, "go.mod")); err == nil {
				dir, pkg, own = filepath.Join("..", pkg), ".", true
			}
			b, err := tc.Compile(t.Context(), dir, pkg, nil, nil)
			if err != nil && own {
				t.Skipf("needs modules of others: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := Scan(b); err != nil {
				t.Error(err)
			}
		})
	}
}
