package edl_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
)

// Places are those of the files as they were written, through macros, line
// continuations, tabs and letters of more than one byte.
func TestDiagnosticText(t *testing.T) {
	many := strings.Repeat("ä", 100)
	files := map[string]string{
		"wide.edl":  "enclave { /* " + many + " */ trusted { public void f(int *p); }; /* " + many + " */ };",
		"tab.edl":   "enclave {\n\ttrusted {\n\t\tpublic void f(int *p);\n\t};\n};",
		"utf8.edl":  "enclave { /* äöü */ trusted { public void f(int *p); }; };",
		"macro.edl": "#define P(x) int *x\nenclave { trusted { public void f(P(a)); }; };",
		"cont.edl":  "\ufeffenclave { trus\\\nted { public vo\\\nid f(int *p); }; };",
		"crlf.edl":  "enclave {\r\ntrusted {\r\npublic void f(int *p);\r\n};\r\n};",
		"long.edl":  "enclave { trusted {\npublic void f(int *\np\n); }; };",
	}
	for name, want := range map[string]string{
		"wide.edl": "wide.edl:1:242: error: the pointer `p` has no direction [direction]\n" +
			"    1 | ..." + strings.Repeat("ä", 19) + " */ trusted { public void f(int *p); }; /* " + strings.Repeat("ä", 60) + "...\n" +
			"      |    " + strings.Repeat(" ", 19+28) + "^~~~~~\n",
		"tab.edl": "tab.edl:3:17: error: the pointer `p` has no direction [direction]\n" +
			"    3 | \t\tpublic void f(int *p);\n" +
			"      | \t\t              ^~~~~~\n" +
			"      = write [in], [out], [in, out], or [user_check] to pass the address only\n",
		"utf8.edl": "utf8.edl:1:48: error: the pointer `p` has no direction [direction]\n" +
			"    1 | enclave { /* äöü */ trusted { public void f(int *p); }; };\n" +
			"      |                                             ^~~~~~\n",
		"macro.edl": "macro.edl:2:35: error: the pointer `a` has no direction [direction]\n" +
			"    2 | enclave { trusted { public void f(P(a)); }; };\n" +
			"      |                                   ^",
		"cont.edl": "cont.edl:3:6: error: the pointer `p` has no direction [direction]\n" +
			"    3 | id f(int *p); }; };\n" +
			"      |      ^~~~~~\n",
		"crlf.edl": "crlf.edl:3:15: error: the pointer `p` has no direction [direction]\n" +
			"    3 | public void f(int *p);\n" +
			"      |               ^~~~~~\n",
		"long.edl": "long.edl:2:15: error: the pointer `p` has no direction [direction]\n" +
			"    2 | public void f(int *\n" +
			"      |               ^~~~~\n",
	} {
		_, _, err := edl.Load(name, edl.Options{Open: open(files)})
		var ds edl.Diagnostics
		if !errors.As(err, &ds) || len(ds) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := ds.Text(); !strings.HasPrefix(got, want) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// Whatever a file and its name have in them, a terminal shows it only.
func TestDiagnosticIsPrintable(t *testing.T) {
	const name = "a\x1b[31m\n.edl"
	files := map[string]string{name: "enclave { trusted { \x1b]0;x\a \u009b31m \u202e public void f(int *p); }; };"}
	_, _, err := edl.Load(name, edl.Options{Open: open(files)})
	var ds edl.Diagnostics
	if !errors.As(err, &ds) {
		t.Fatal(err)
	}
	for _, text := range []string{err.Error(), strings.ReplaceAll(ds.Text(), "\n", "")} {
		if strings.ContainsAny(text, "\x1b\a\n\u009b\u202e") || !strings.HasPrefix(text, "a?[31m?.edl:1:") {
			t.Errorf("%q", text)
		}
	}
}

// All errors are reported, in the order of the text, and each once.
func TestDiagnosticsAreCollected(t *testing.T) {
	files := map[string]string{
		"a.edl": `enclave {
	from "none.edl" import *;
	struct s { int a };
	trusted {
		public void f(int *p, [in] int q);
		publik void g();
		void h([in, size=m] void *p, [out, string] char *s) allow(f);
		void ok();
	};
	nonsense { int x; };
	untrusted {
		[inn] void o(void *p, int a[]);
	};
};`}
	_, _, err := edl.Load("a.edl", edl.Options{Open: open(files)})
	var ds edl.Diagnostics
	if !errors.As(err, &ds) {
		t.Fatal(err)
	}
	var got []string
	for _, d := range ds {
		got = append(got, strings.TrimPrefix(d.Pos.String(), "a.edl:")+" "+string(d.Rule))
	}
	want := "2:7 file|3:18 syntax|5:17 direction|5:25 plain-value|6:3 syntax|7:55 trusted-form|10:2 syntax|12:4 unknown-attribute|12:16 direction|12:25 direction|12:30 array-size"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s\n%s", strings.Join(got, "|"), want, ds.Text())
	}
	if !strings.Contains(err.Error(), "more)") {
		t.Error(err)
	}
	var d *edl.Diagnostic
	if !errors.As(err, &d) {
		t.Error("a Diagnostic is in the error")
	}
}
