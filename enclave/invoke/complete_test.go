package invoke_test

import (
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/enclave/invoke"
)

const anyValue = "null true false hex: base64: zero:"

// TestComplete completes the arguments of a call.
func TestComplete(t *testing.T) {
	p := planOf(t, nil, `enclave { struct point { int x; int y; }; enum color { RED, GREEN };
		trusted { public int f([in] struct point *p, enum color c); }; };`)
	for text, want := range map[string]string{
		"": "p:  c:  " + anyValue, "{": "x:  y:  " + anyValue, "{x: ": anyValue, "c: ": "RED GREEN",
		"{1, 2}, ": "p:  c:  RED GREEN", "{x: 1, ": "x:  y:  " + anyValue, "[{x: 1}, {": "x:  y:  " + anyValue, "c: RED, p: {": "x:  y:  " + anyValue,
		`"`: "", `"a\"", `: "p:  c:  RED GREEN", "{}) ": "", "}}": "", "nothing: ": "p:  c:  " + anyValue,
	} {
		if got := strings.Join(invoke.Complete(p.ECalls[0], text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestDefinition writes definitions as EDL has them.
func TestDefinition(t *testing.T) {
	p := planOf(t, nil, `enclave { struct point { int x; uint8_t y[2]; }; enum color { RED, GREEN = 7 };
		trusted { public int f([in] struct point *p, enum color c); }; };`)
	want := map[string]string{
		"point": "struct point {\n    int x;\n    uint8_t y[2];\n} // 8 bytes", "color": "enum color { RED = 0, GREEN = 7 }",
	}
	for _, d := range p.Types {
		if got := invoke.Definition(d); got != want[d.Name] {
			t.Errorf("%s, want %s", got, want[d.Name])
		}
	}
	if got := invoke.Signature(p.ECalls[0]); got != "int f([in] struct point* p, enum color c)" {
		t.Error(got)
	}
}
