package cgen

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen"
	"github.com/feidi-dev/feidi/edl/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// loopTypes are the layouts of what loop_types.h defines.
var loopTypes = map[string]plan.Layout{
	"my_int": {Size: 4, Align: 4}, "item": {Size: 16, Align: 8}, "*item_ptr": {Size: 16, Align: 8},
	"*bytes_ptr": {Size: 1, Align: 1}, "key_array": {Size: 16, Align: 1},
}

// loadPlan plans an EDL file of the test data.
func loadPlan(t testing.TB, name string) *plan.Plan {
	t.Helper()
	i, _, err := edl.Load(filepath.Join("testdata", name), edl.Options{Open: os.ReadFile})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(i, plan.Options{Foreign: loopTypes})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// writeFiles writes generated files to a folder.
func writeFiles(t *testing.T, dir string, p *plan.Plan, o Options) {
	t.Helper()
	files, err := Generate(p, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGolden(t *testing.T) {
	files, err := Generate(loadPlan(t, "sample.edl"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		path := filepath.Join("testdata", "golden", file.Name)
		if *update {
			if err := os.WriteFile(path, file.Content, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != string(file.Content) {
			t.Errorf("%s differs from what is generated: go test ./edl/gen/cgen -run TestGolden -update", path)
		}
	}
}

func TestOptions(t *testing.T) {
	p := loadPlan(t, "sample.edl")
	for _, c := range []struct {
		name  string
		o     Options
		files string
	}{
		{"all", Options{}, "sample_u.h sample_u.c sample_t.h sample_t.c"},
		{"trusted", Options{Trusted: true}, "sample_t.h sample_t.c"},
		{"untrusted", Options{Untrusted: true}, "sample_u.h sample_u.c"},
		{"headers", Options{HeaderOnly: true}, "sample_u.h sample_t.h"},
		{"prefix", Options{UsePrefix: true, Untrusted: true}, "sample_u.h sample_u.c"},
	} {
		files, err := Generate(p, c.o)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range files {
			names = append(names, f.Name)
			proxy := "sgx_status_t add(sgx_enclave_id_t eid, int *retval, int ms, int status)"
			if c.o.UsePrefix {
				proxy = strings.Replace(proxy, " add(", " sample_add(", 1)
			}
			if strings.Contains(f.Name, "_u.") && !strings.Contains(string(f.Content), proxy) {
				t.Errorf("%s: %s has no %s", c.name, f.Name, proxy)
			}
		}
		if got := strings.Join(names, " "); got != c.files {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// Only the Open Enclave dialect has a deep copy out, and only its runtime.
func TestDeepOut(t *testing.T) {
	text := `enclave { struct s { size_t n; [size=n] void *p; }; trusted { public void f([out] struct s *q); }; };`
	i, _, err := edl.Load("x.edl", edl.Options{Dialect: edl.OpenEnclave, Open: fstest.MapFS{"x.edl": {Data: []byte(text)}}.ReadFile})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(i, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Generate(p, Options{}); !errors.Is(err, ErrDeepOnly) || !strings.Contains(err.Error(), "x.edl:1:") {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	call := func(name string, params ...*edl.Param) edl.Interface {
		return edl.Interface{Name: "x", ECalls: []*edl.Func{{Name: name, Result: edl.Type{Kind: edl.Int}, Params: params}}}
	}
	integer := func(name string) *edl.Param { return &edl.Param{Name: name, Type: edl.Type{Kind: edl.Int}} }
	text := &edl.Param{Name: "s", Type: edl.Type{Kind: edl.Char, Pointers: 1}, Attributes: edl.Attributes{Direction: edl.In, String: true}}
	for _, c := range []struct {
		name string
		i    edl.Interface
		ok   bool
	}{
		{"good", call("f", integer("a"), text), true},
		{"odd file name", edl.Interface{Name: "3 odd-names"}, true},
		{"no name", edl.Interface{}, false},
		{"folder", edl.Interface{Name: "../x"}, false},
		{"comment", edl.Interface{Name: "x*/"}, false},
		{"end of line", edl.Interface{Name: "x\u0085y"}, false},
		{"terminal", edl.Interface{Name: "x\x1b[31m"}, false},
		{"include for a terminal", edl.Interface{Name: "x", Includes: []string{"a\x1b[31m.h"}}, false},
		{"include", edl.Interface{Name: "x", Includes: []string{"a\"\nint x;"}}, false},
		{"function", call("f(void); int g"), false},
		{"digit", call("3f"), false},
		{"parameter", call("f", integer("a, int b")), false},
		{"type", call("f", &edl.Param{Name: "a", Type: edl.Type{Kind: edl.Foreign, Name: "int b;"}}), false},
		{"result", call("f", integer("retval")), false},
		{"length", call("f", text, integer("s_len")), false},
		{"struct", edl.Interface{Name: "x", Types: []*edl.Composite{{Kind: edl.StructKind, Name: "s {"}}}, false},
		{"element", edl.Interface{Name: "x", Types: []*edl.Composite{{Kind: edl.EnumKind, Elements: []edl.Element{{Name: "a-b"}}}}}, false},
	} {
		p, err := plan.New(&c.i, plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Generate(p, Options{}); (err == nil) != c.ok || err != nil && !errors.Is(err, gen.ErrName) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
