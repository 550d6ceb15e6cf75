package cli

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// ocallsOf is the plan of an interface with these OCALLs.
func ocallsOf(t testing.TB, decls string) *described {
	t.Helper()
	text := "enclave { struct point { int x; int y; }; enum color { RED, GREEN }; trusted { public int f([in] struct point *p, enum color c); }; untrusted {" + decls + "}; };"
	i, _, err := edl.Load("t.edl", edl.Options{Open: func(path string) ([]byte, error) {
		if path != "t.edl" {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(i, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &described{plan: p}
}

const someOCalls = `int a(int v) propagate_errno; void b([out, size=8] char *p, [in, string] const char *s); struct point c(void);`

// TestComplete completes what may be typed next.
func TestComplete(t *testing.T) {
	s := &session{described: ocallsOf(t, someOCalls)}
	for _, x := range []struct{ before, word, want string }{
		{"", "", "describe |enclave|exit|f(|functions|help|ocall |ocalls |reload"}, {"f", "f", "f(|functions"}, {"oc", "oc", "ocall |ocalls "},
		{"ocall ", "", "a=|b=|c="}, {"describe co", "co", "color"}, {"describe ", "", "a|b|c|color|f|point"},
		{"f(", "", "base64:|c: |false|hex:|null|p: |true|zero:"}, {"f({", "", "base64:|false|hex:|null|true|x: |y: |zero:"},
		{"f({x: 1}, G", "G", "GREEN"}, {"f(zz", "zz", ""},
		{"f(c: ", "", "GREEN|RED"}, {"f({1, 2}, ", "", "GREEN|RED|c: |p: "}, {"f(c: RED, p: {x", "x", "x: "}, {"f({x: ", "", "base64:|false|hex:|null|true|zero:"},
		{`f("`, "", ""}, {`f("a\"", `, "", "GREEN|RED|c: |p: "}, {"f([{x: 1}, {y", "y", "y: "}, {"f({}) ", "", ""}, {"nothing(", "", ""}, {"f(}}", "", ""},
	} {
		word, list := s.complete(x.before)
		if word != x.word || strings.Join(list, "|") != x.want {
			t.Errorf("%q: %q, %q, want %q", x.before, word, strings.Join(list, "|"), x.want)
		}
	}
}
