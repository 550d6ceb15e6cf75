package cli

import (
	"bufio"
	"bytes"
	"errors"
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

// TestAnswers reads answers and compares what they are taken for.
func TestAnswers(t *testing.T) {
	d := ocallsOf(t, someOCalls)
	for _, x := range []struct{ line, want string }{
		{"a=1", "1 _ 0x0 []"}, {"a = {ret: -1, errno: 2}", "-1 2 0x0 []"}, {"a={errno: 2}", "_ 2 0x0 []"},
		{"a={}", "_ _ 0x0 []"}, {"a={status: SGX_ERROR_UNEXPECTED}", "_ _ 0x1 []"}, {"a={status: 0x1006}", "_ _ 0x1006 []"},
		{`b={p: "text"}`, `_ _ 0x0 [p: "text"]`}, {"c={x: 1, y: 2}", "{x: 1, y: 2} _ 0x0 []"}, {"c={1, 2}", "[1, 2] _ 0x0 []"},
		{"c={ret: {x: 1}}", "{x: 1} _ 0x0 []"}, {"c={}", "{} _ 0x0 []"},
	} {
		_, a, err := parseAnswer(x.line, d.ocall, nil)
		if err != nil {
			t.Errorf("%s: %v", x.line, err)
			continue
		}
		out := (&value.Call{Args: a.value.Out}).String()
		got := a.value.Return.String() + " " + a.value.Errno.String() + " 0x" + hexOf(uint32(a.value.Status)) + " [" + strings.Trim(out, "()") + "]"
		if got != x.want {
			t.Errorf("%s: %s, want %s", x.line, got, x.want)
		}
	}
	for _, x := range []struct{ line, want string }{
		{"a", "is not NAME=VALUE"}, {"=1", "is not NAME=VALUE"}, {"1a=1", "is not NAME=VALUE"}, {"z=1", "no OCALL z"}, {"f=1", "no OCALL f"},
		{"a=", "where a value should be"}, {"a=1 2", "after the end"}, {"b=1", "b returns nothing"}, {"b={errno: 1}", "does not propagate errno"},
		{"b={s: 1}", "s is not [out]"}, {"b={q: 1}", "no parameter q"}, {"a={v: 1}", "v is passed by value"}, {"a={status: MAYBE}", "MAYBE is no status"},
		{"a={status: -1}", "-1 is no status"}, {"a=@f", "files cannot be named here"},
	} {
		if _, _, err := parseAnswer(x.line, d.ocall, nil); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", x.line, err, x.want)
		}
	}
}

func hexOf(n uint32) string {
	const digits = "0123456789abcdef"
	if n < 16 {
		return digits[n : n+1]
	}
	return hexOf(n>>4) + digits[n&15:n&15+1]
}

// TestAnswerOrder gives one answer after the other, and keeps the last one.
func TestAnswerOrder(t *testing.T) {
	d := ocallsOf(t, someOCalls)
	var s answers
	if s.next("a") != nil {
		t.Error("an answer out of nothing")
	}
	script := "# comment\n\na = 1 # one\n  a = 2\r\nb = {p: \"#\\\"#\"}\n"
	if err := s.script(script, d.ocall, nil); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"1", "2", "2"} {
		if a := s.next("a"); a == nil || a.text != want {
			t.Errorf("answer %d: %v, want %s", i, a, want)
		}
	}
	if a := s.next("b"); a == nil || a.text != `{p: "#\"#"}` {
		t.Errorf("a # in quotes: %v", a)
	}
	if err := s.script("a = 1\na = ?\n", d.ocall, nil); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
		t.Errorf("no line in %v", err)
	}
	if a := s.next("a"); a.text != "2" {
		t.Errorf("a wrong file has changed the answers to %v", a)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add("a = 1 # one\na = {ret: -1, errno: 2}\n")
	f.Add("# x\nb={p: \"a\\\"#\", status: SGX_SUCCESS}\r\nc = {1, 2}")
	d := ocallsOf(f, someOCalls)
	f.Fuzz(func(t *testing.T, text string) {
		var s answers
		err := s.script(text, d.ocall, nil)
		var p *placed
		if errors.As(err, &p) {
			if p.pos < 0 || p.pos > p.end || p.end > len(p.line) {
				t.Errorf("%q: place %d to %d of %q", text, p.pos, p.end, p.line)
			}
			_ = p.detail()
		}
	})
}

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
	if got := clean("a\x1b[0m\u009b\x7f\tb\n"); got != "a?[0m??\tb\n" {
		t.Errorf("%q", got)
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
