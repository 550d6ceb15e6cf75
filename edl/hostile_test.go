package edl_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
)

// Hostile input ends with a clear error, soon and within bounds.
func TestHostile(t *testing.T) {
	wrap := func(s string) string { return "enclave { trusted { public void f(); }; " + s + " };" }
	bomb := "#define A0 x x x x x x x x x x\n"
	for i := range 12 {
		bomb += fmt.Sprintf("#define A%d A%d A%d A%d A%d A%d A%d A%d A%d A%d A%d\n", i+1, i, i, i, i, i, i, i, i, i, i)
	}
	paste := "#define P(a) Q(a)\n#define Q(a) a##a\n" + strings.Repeat("P(", 40) + "x" + strings.Repeat(")", 40)
	deep := "#define I(x) x\n" + strings.Repeat("I(", 100) + strings.Repeat(")", 100)
	deeper := "#define I(x) x\n" + strings.Repeat("I(", 50000) + strings.Repeat(")", 50000)
	double := "#define D(x) x x\n" + strings.Repeat("D(", 60) + "x" + strings.Repeat(")", 60)
	tree := func(file string) ([]byte, error) {
		base := strings.TrimSuffix(file, ".edl")
		return fmt.Appendf(nil, `enclave { from "%s1.edl" import *; from "%s2.edl" import *; };`, base, base), nil
	}
	diamond := func(file string) ([]byte, error) {
		n := 0
		fmt.Sscanf(file, "%d.edl", &n)
		if n == 40 {
			return []byte("enclave { trusted { public void f(); }; };"), nil
		}
		return fmt.Appendf(nil, `enclave { from "%d.edl" import *; from "./%d.edl" import *; };`, n+1, n+1), nil
	}
	selfTwice := func(string) ([]byte, error) {
		return []byte("#include \"0.edl\"\n#include \"0.edl\"\n"), nil
	}
	text := func(s string) func(string) ([]byte, error) {
		return func(string) ([]byte, error) { return []byte(s), nil }
	}
	for _, c := range []struct {
		name string
		open func(string) ([]byte, error)
		want string
	}{
		{"nesting of 10 MB", text(strings.Repeat("{", 10<<20)), "larger than 4 MiB"},
		{"nesting", text(strings.Repeat("{", 50000)), "`{` is not expected"},
		{"too many tokens", text("enclave {" + strings.Repeat("{ ", 1<<18)), "tokens"},
		{"a long token", text("enclave {" + strings.Repeat("x", 1<<20)), "is not expected"},
		{"errors without end", text(wrap(strings.Repeat("?;\n", 20000))), "(and 49 more)"},
		{"bad functions", text(wrap("trusted {" + strings.Repeat("void f(int* p);\n", 5000) + "};")), "(and 49 more)"},
		{"bad operands", text(wrap("trusted { void f(int a" + strings.Repeat(",[in,size=zz]void*p", 5000) + "); };")), "(and 49 more)"},
		{"many names", text("enclave { from \"1.edl\" import a" + strings.Repeat(",a", 20000) + "; };"), "names"},
		{"unclosed blocks", text("enclave {" + strings.Repeat("trusted {", 20000)), "is not expected"},
		{"a macro bomb", text(bomb + "A12"), "tokens"},
		{"a token bomb", text(paste), "too long"},
		{"deep calls", text(deep), "nested deeper"},
		{"deeper calls", text(deeper), "tokens"},
		{"doubling calls", text(double), "tokens"},
		{"deep conditions", text(strings.Repeat("#if 1\n", 10000)), "nested deeper"},
		{"deep expressions", text("#if " + strings.Repeat("(", 100000) + "\n#endif"), "nested too deeply"},
		{"deep negation", text("#if " + strings.Repeat("!", 100000) + "1\n#endif"), "nested too deeply"},
		{"macros without end", text(func() string {
			var b strings.Builder
			for i := range 30000 {
				fmt.Fprintf(&b, "#define M%d\n", i)
			}
			return b.String()
		}()), "macros"},
		{"a chain of macros", text(func() string {
			var b strings.Builder
			for i := range 10000 {
				fmt.Fprintf(&b, "#define M%d M%d\n", i, i+1)
			}
			return b.String() + "M0"
		}()), "M10000"},
		{"a tree of imports", tree, "nested deeper"},
		{"diamonds of imports", diamond, "imports"},
		{"an include of itself", selfTwice, "nested deeper"},
		{"large members", text(wrap("struct s {" + strings.Repeat("int x;", 10000) + "};")), "(and 49 more)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := edl.Load("0.edl", edl.Options{Open: c.open})
			var ds edl.Diagnostics
			if !errors.As(err, &ds) {
				t.Fatalf("%v", err)
			}
			if msg := ds.Error(); !strings.Contains(msg, c.want) || len(msg) > 1000 || strings.Contains(msg, "\n") {
				t.Errorf("%.1000s", msg)
			}
			if src, err := c.open("0.edl"); err == nil && len(src) < 100000 {
				if _, err := edl.FormatSource("0.edl", src); err != nil && !errors.As(err, &ds) {
					t.Error(err)
				}
			}
		})
	}
}
