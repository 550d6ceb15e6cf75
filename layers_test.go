package feidi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/feidi-dev/feidi"

// layers places every package. Imports go down, or stay in a layer. A folder
// that ends in a slash places what is below it.
var layers = map[string]int{
	"isa": 0, "status": 0, "tdx": 0, "dcap": 0,
	"internal/cmac": 0, "internal/p256": 0, "internal/der": 0, "internal/strictjson": 0, "internal/cpuid": 0, "internal/diff": 0, "internal/goabi": 0, "internal/text": 0,

	"image": 1, "measure": 1, "sign": 1, "sign/config": 1, "sign/sdk": 1,
	"edl": 1, "edl/plan": 1, "edl/gen": 1, "edl/gen/cgen": 1, "edl/gen/gogen": 1, "edl/gen/gogen/internal/": 1, "edl/value": 1, "edl/edge": 1, "edl/uedge": 1, "edl/tedge": 1,
	"attest/": 1, "epid": 1, "epid/": 1,
	"dcap/verify": 1, "dcap/policy": 1, "dcap/make": 1, "pccs/selection": 1,
	"seal": 1, "ratls": 1, "gobuild": 1, "gobuild/config": 1, "gobuild/scan": 1,
	"internal/asm": 1, "internal/atomicfile": 1, "internal/picture": 1, "internal/elf64": 1, "internal/toy": 1, "internal/host": 1, "internal/mistake": 1,

	"cpu": 2, "cpu/native": 2, "aesm": 2, "internal/systemd": 2,

	"enclave": 3, "enclave/invoke": 3, "enclave/tstdc": 3, "enclave/process": 3, "inside": 3, "inside/sealedfs": 3, "arch/": 3,

	"internal/state": 4, "platform": 4, "platform/qvl": 4, "platform/internal/": 4, "platform/launch": 4, "platform/epid": 4, "world": 4, "pcs": 4, "pcs/server": 4, "pccs": 4, "pccs/collateral": 4, "pccs/exchange": 4, "pccs/admin": 4, "pccs/store": 4, "verifyd": 4, "verifyd/wire": 4, "internal/prompt": 4, "internal/serve": 4, "pccs/server": 4, "pccs/config": 4, "pccs/web": 4,

	"internal/rig": 4,

	"internal/demo": 5, "internal/demo/": 5, "internal/cli": 5, "internal/release": 5, "internal/picture/cmd": 5, "cmd/feidi": 5, "examples": 5, "examples/": 5, "deploy": 5,

	// Nothing but tests imports these, so they may import everything.
	"testpki": testSide, "testsuite/": testSide, "internal/dbtest": testSide,
}

const testSide = 6

// hardware are the packages that serve people with real SGX: they know
// nothing of the software processor, not even indirectly.
var hardware = []string{
	"isa", "dcap", "image", "measure", "sign", "edl", "dcap/verify", "dcap/policy", "ratls", "aesm", "pcs", "pccs", "pccs/server", "pccs/web", "pccs/exchange", "pccs/config", "pccs/admin", "verifyd", "attest/local", "attest/sigma", "attest/tvl", "epid", "epid/quote",
}

// impure are imports that a pure package (layer 1) does without. The
// exceptions do no more than their package comments say.
var impure = []string{"os", "os/exec", "net", "net/http", "syscall", "log", "log/slog", "math/rand", "math/rand/v2"}

var impureAllowed = map[string]bool{
	"internal/host":       true, // asks the machine, by definition
	"internal/atomicfile": true, // writes files
	"gobuild":             true, // runs the Go toolchain
}

// modules are the packages that may import a module from elsewhere.
var modules = map[string][]string{
	"github.com/spf13/cobra":          {"internal/cli"},
	"github.com/pelletier/go-toml/v2": {"sign/config", "gobuild/config", "dcap/policy", "pccs/config", "internal/mistake"},
	"golang.org/x/arch":               {"cpu/native", "internal/asm"},
	"golang.org/x/sys":                {"cpu/native", "internal/host", "internal/cpuid", "enclave", "enclave/process"},
	"golang.org/x/term":               {"internal/prompt"},
	"modernc.org/sqlite":              {"pccs/store"},
	"github.com/jackc/pgx/v5":         {"pccs/store"},
	"github.com/go-sql-driver/mysql":  {"pccs/store", "internal/dbtest"},
}

// pkg is what `go list -deps -json` says of a package.
type pkg struct {
	ImportPath   string
	Standard     bool
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string
}

func TestLayers(t *testing.T) {
	for _, platform := range []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64"} {
		pkgs, err := list(platform)
		if errors.Is(err, exec.ErrNotFound) {
			t.Skip("no go command")
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range violations(pkgs) {
			t.Errorf("%s: %s", platform, v)
		}
	}
}

// A test of the test: each rule finds a violation made for it, and only that.
func TestLayersFindsViolations(t *testing.T) {
	std := pkg{ImportPath: "os", Standard: true}
	for _, c := range []struct {
		name, want string
		pkgs       []pkg
	}{
		{"upward edge", "isa (layer 0) imports cpu (layer 2)", []pkg{
			{ImportPath: module + "/isa", Imports: []string{module + "/cpu"}},
		}},
		{"upward edge into the command", "enclave (layer 3) imports internal/cli (layer 5)", []pkg{
			{ImportPath: module + "/enclave", Imports: []string{module + "/internal/cli"}},
		}},
		{"test side in a product", "cpu (layer 2) imports testsuite/engine (layer 6)", []pkg{
			{ImportPath: module + "/cpu", Imports: []string{module + "/testsuite/engine"}},
		}},
		{"test imports count", "isa (layer 0) imports image (layer 1)", []pkg{
			{ImportPath: module + "/isa", TestImports: []string{module + "/image"}},
		}},
		{"no layer", "newcomer has no layer", []pkg{{ImportPath: module + "/newcomer"}}},
		{"the processor behind a service", "aesm depends on cpu", []pkg{
			{ImportPath: module + "/aesm", Deps: []string{module + "/enclave", module + "/cpu"}},
		}},
		{"impure", "measure imports os", []pkg{{ImportPath: module + "/measure", Imports: []string{"os"}}}},
		{"values import a module", "isa imports golang.org/x/sys/unix", []pkg{
			{ImportPath: module + "/isa", Imports: []string{"golang.org/x/sys/unix"}},
			{ImportPath: "golang.org/x/sys/unix"},
		}},
		{"module of another package", "cpu imports github.com/spf13/cobra", []pkg{
			{ImportPath: module + "/cpu", Imports: []string{"github.com/spf13/cobra"}},
			{ImportPath: "github.com/spf13/cobra"},
		}},
		{"nothing", "", []pkg{
			{ImportPath: module + "/cpu", Imports: []string{module + "/isa", "os"}},
			{ImportPath: module + "/isa", Imports: []string{"fmt"}},
		}},
	} {
		got := strings.Join(violations(append(c.pkgs, std)), "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// list lists the module's packages and all that they depend on.
func list(platform string) ([]pkg, error) {
	goos, goarch, _ := strings.Cut(platform, "/")
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports,TestImports,XTestImports,Deps", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list for %s: %w\n%s", platform, err, &stderr)
	}
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return pkgs, nil
		} else if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
}

// own returns the path of a package inside the module.
func own(path string) (string, bool) { return strings.CutPrefix(path, module+"/") }

func layer(path string) (int, bool) {
	if l, ok := layers[path]; ok {
		return l, true
	}
	for dir := path; ; {
		i := strings.LastIndexByte(dir, '/')
		if i < 0 {
			return 0, false
		}
		dir = dir[:i]
		if l, ok := layers[dir+"/"]; ok {
			return l, true
		}
	}
}

// violations are the breaches of the rules above, in the order of pkgs.
func violations(pkgs []pkg) []string {
	var v []string
	report := func(format string, args ...any) {
		if s := fmt.Sprintf(format, args...); !slices.Contains(v, s) {
			v = append(v, s)
		}
	}
	std := map[string]bool{"C": true}
	for _, p := range pkgs {
		std[p.ImportPath] = std[p.ImportPath] || p.Standard
	}
	for _, p := range pkgs {
		from, ok := own(p.ImportPath)
		if !ok {
			continue
		}
		l, ok := layer(from)
		if !ok {
			report("%s has no layer: place it in layers_test.go", from)
			continue
		}
		// A test may use the test side; for the rest it obeys the layers,
		// so that no layer is tested through the one above.
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			to, ok := own(imp)
			if !ok {
				continue
			}
			lt, ok := layer(to)
			if ok && lt > l && (lt != testSide || slices.Contains(p.Imports, imp)) {
				report("%s (layer %d) imports %s (layer %d)", from, l, to, lt)
			}
		}
		for _, imp := range p.Imports {
			if l == 1 && slices.Contains(impure, imp) && !impureAllowed[from] {
				report("%s imports %s: packages of layer 1 do no I/O", from, imp)
			}
			if _, ok := own(imp); !ok && !std[imp] && foreign(imp) && !mayImport(from, imp) {
				report("%s imports %s: only %v may", from, imp, modules[moduleOf(imp)])
			}
		}
		if slices.Contains(hardware, from) {
			for _, d := range p.Deps {
				if to, ok := own(d); ok && (to == "cpu" || strings.HasPrefix(to, "cpu/")) {
					report("%s depends on %s: it serves real hardware, too", from, to)
				}
			}
		}
	}
	return v
}

// foreign reports whether an import path has a host name in front.
func foreign(imp string) bool {
	host, _, _ := strings.Cut(imp, "/")
	return strings.Contains(host, ".")
}

func moduleOf(imp string) string {
	for m := range modules {
		if imp == m || strings.HasPrefix(imp, m+"/") {
			return m
		}
	}
	return ""
}

func mayImport(from, imp string) bool { return slices.Contains(modules[moduleOf(imp)], from) }

// unsafeFile are the names of files that may import unsafe.
var unsafeFile = regexp.MustCompile(`_unsafe(_[a-z0-9]+)*\.go$`)

func mayBeUnsafe(file string) bool {
	return unsafeFile.MatchString(file) || strings.HasPrefix(file, "cpu/native/") || strings.HasPrefix(file, "gobuild/overlay/")
}

// TestUnsafe looks at every Go file, whatever its build constraints.
func TestUnsafe(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || len(path) > 1 && strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || mayBeUnsafe(filepath.ToSlash(path)) {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range f.Imports {
			if imp.Path.Value == `"unsafe"` || imp.Path.Value == `"C"` {
				t.Errorf("%s imports %s: only *_unsafe.go, cpu/native and gobuild/overlay may import unsafe, and nothing cgo", path, imp.Path.Value)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUnsafeFiles(t *testing.T) {
	for file, want := range map[string]bool{
		"cpu/epc.go": false, "gobuild/overlay/zencl_gate.go": true, "gobuild/link.go": false, "cpu/native/run.go": true, "enclave/buffer_unsafe.go": true,
		"enclave/buffer_unsafe_linux_amd64.go": true, "unsafe.go": false, "enclave/unsafely.go": false,
	} {
		if got := mayBeUnsafe(file); got != want {
			t.Errorf("%s may be unsafe: %v, want %v", file, got, want)
		}
	}
}
