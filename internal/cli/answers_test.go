package cli

import (
	"bufio"
	"bytes"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
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
	if c := common([]string{"raw_add(", "raw_ask("}); c != "raw_a" || common(nil) != "" {
		t.Errorf("common: %q", c)
	}
	list := []string{"a", "bbb", "cc", "d"}
	for width, want := range map[int]string{80: "a    bbb  cc   d\n", 10: "a    bbb\ncc   d\n", 1: "a\nbbb\ncc\nd\n"} {
		if got := columns(list, width); got != want {
			t.Errorf("columns, %d wide: %q, want %q", width, got, want)
		}
	}
}

// TestKeys reads what Ctrl-C becomes, also into little room.
func TestKeys(t *testing.T) {
	for _, size := range []int{16, 17, 64} {
		k := &keys{ReadWriter: bytes.NewBufferString("ab\x03cd\x03\x03")}
		got, err := io.ReadAll(bufio.NewReaderSize(k, size))
		if want := "ab\x05\x15\rcd\x05\x15\r\x05\x15\r"; err != nil || string(got) != want {
			t.Errorf("%d bytes at once: %q, %v, want %q", size, got, err, want)
		}
	}
}

// TestShow shows values that take more than a line.
func TestShow(t *testing.T) {
	for _, x := range []struct{ src, want string }{
		{"5", "5"}, {"255", "255 (0xff)"}, {"-255", "-255"}, {"null", "null"}, {"hex:61620000", `"ab", of 4 bytes`}, {"hex:6100ff", "hex:6100ff"},
		{"zero:40", "zero:40"}, {"zero:4", "hex:00000000"}, {"{a: 1}", "{a: 1}"},
		{"hex:" + strings.Repeat("ff", 40), "40 bytes\n    00000000  ff ff ff ff ff ff ff ff  ff ff ff ff ff ff ff ff  |................|\n    *\n    00000020  ff ff ff ff ff ff ff ff                           |........|"},
		{"{a: hex:" + strings.Repeat("fe", 33) + ", bb: 3}", "{\n    a: 33 bytes\n      00000000  fe fe fe fe fe fe fe fe  fe fe fe fe fe fe fe fe  |................|\n      *\n      00000020  fe                                                |.|\n    bb: 3\n  }"},
		{"[" + strings.Repeat("100000000, ", 20) + "]", "[\n" + wrapped("100000000", 20) + "  ]"},
	} {
		v, err := value.ParseValue(x.src, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := showValue(v, "  "); got != x.want {
			t.Errorf("%.40s:\n%s\nwant\n%s", x.src, got, x.want)
		}
	}
}

// wrapped is n times an element, as many to a line as fit.
func wrapped(element string, n int) string {
	var b strings.Builder
	for i := 0; i < n; {
		b.WriteString("    ")
		line := ""
		for ; i < n && len(line)+len(element) <= inlineWidth; i++ {
			line += element + ", "
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

func TestLineDiff(t *testing.T) {
	for _, x := range []struct{ a, b, want string }{
		{"a\nb\nc\n", "a\nB\nc\n", "@@ line 2 @@\n a\n-b\n+B\n c\n"},
		{"a\nb\n", "b\n", "@@ line 1 @@\n-a\n b\n"},
		{"a\n1\nx\n2\n", "a\n3\nx\n4\n", "@@ line 2 @@\n a\n-1\n+3\n x\n-2\n+4\n"},
	} {
		if got := lineDiff("f", x.a, x.b); got != "--- f\n+++ f, formatted\n"+x.want {
			t.Errorf("%q to %q:\n%s", x.a, x.b, got)
		}
	}
	long := strings.Repeat("a\n", maxDiff+1)
	if got := lineDiff("f", long+"b\n", "c\n"+long); !strings.Contains(got, "-b\n") {
		t.Error("a long text has no difference")
	}
}

func TestEdger8rArgs(t *testing.T) {
	for _, x := range [][2]string{
		{"/usr/bin/sgx_edger8r --trusted a.edl", "edl gen --trusted a.edl"}, {"sgx_edger8r.exe a", "edl gen a"},
	} {
		if got := strings.Join(Args(strings.Fields(x[0])), " "); got != x[1] {
			t.Errorf("%s: %s, want %s", x[0], got, x[1])
		}
	}
	got := strings.Join(edger8rOptions(strings.Fields("edl gen -Trusted --SEARCH-PATH a -I b -D x -- -trusted")), " ")
	if got != "edl gen --trusted --search-path a -I b -D x -- -trusted" {
		t.Error(got)
	}
}
