package invoke_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/enclave/invoke"
)

// answers are none yet, to some OCALLs.
func answers(t testing.TB) *invoke.Answers {
	t.Helper()
	return invoke.NewAnswers(planOf(t, nil, `enclave { struct point { int x; int y; }; trusted { public void f(void); };
		untrusted { int a(int v) propagate_errno; void b([out, size=8] char *p, [in, string] const char *s); struct point c(void); }; };`), nil)
}

// TestAnswers reads answers and compares what they are taken for.
func TestAnswers(t *testing.T) {
	for _, x := range []struct{ line, want string }{
		{"a=1", "1 _ 0x0 []"}, {"a = {ret: -1, errno: 2}", "-1 2 0x0 []"}, {"a={errno: 2}", "_ 2 0x0 []"},
		{"a={}", "_ _ 0x0 []"}, {"a={status: SGX_ERROR_UNEXPECTED}", "_ _ 0x1 []"}, {"a={status: 0x1006}", "_ _ 0x1006 []"},
		{`b={p: "text"}`, `_ _ 0x0 [p: "text"]`}, {"c={x: 1, y: 2}", "{x: 1, y: 2} _ 0x0 []"}, {"c={1, 2}", "[1, 2] _ 0x0 []"},
		{"c={ret: {x: 1}}", "{x: 1} _ 0x0 []"}, {"c={}", "{} _ 0x0 []"},
	} {
		s := answers(t)
		if err := s.Add(x.line); err != nil {
			t.Errorf("%s: %v", x.line, err)
			continue
		}
		a := s.Next(x.line[:1]).Answer
		out := (&value.Call{Args: a.Out}).String()
		if got := fmt.Sprintf("%v %v %#x [%s]", a.Return, a.Errno, uint32(a.Status), strings.Trim(out, "()")); got != x.want {
			t.Errorf("%s: %s, want %s", x.line, got, x.want)
		}
	}
	for _, x := range []struct{ line, want, place string }{
		{"a", "is not NAME=VALUE", ""}, {"=1", "is not NAME=VALUE", ""}, {"1a=1", "is not NAME=VALUE", ""},
		{" z=1", "no OCALL z", "z"}, {"f=1", "no OCALL f", "f"}, {"a=", "where a value should be", ""}, {"a=1 2", "after the end", ""},
		{"b= 1", "b returns nothing", "1"}, {"b={errno: 12}", "does not propagate errno", "12"},
		{"b={s: 1}", "s is not [out]", "s"}, {"b={q: 1}", "no parameter q", "q"}, {"a={v: 1}", "v is passed by value", "v"},
		{"a={status: MAYBE}", "MAYBE is no status", "MAYBE"}, {"a={status: -1}", "-1 is no status", "-1"}, {"a=@f", "files cannot be named here", "@f"},
	} {
		err := answers(t).Add("", x.line)
		var e *invoke.LineError
		if !errors.As(err, &e) || e.Line != 2 || !strings.Contains(err.Error(), x.want) || e.Text[e.Pos:e.End] != x.place {
			t.Errorf("%s: %v, want %q at %q", x.line, err, x.want, x.place)
		}
	}
}

// TestAnswerOrder gives one answer after the other, and keeps the last one.
func TestAnswerOrder(t *testing.T) {
	s := answers(t)
	if s.Next("a") != nil {
		t.Error("an answer out of nothing")
	}
	if err := s.Script("# comment\n\na = 1 # one\n  a = 2\r\nb = {p: \"#\\\"#\"}\n"); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Of("a")); n != 2 {
		t.Errorf("%d answers", n)
	}
	for i, want := range []string{"1", "2", "2"} {
		if a := s.Next("a"); a == nil || a.Text != want {
			t.Errorf("answer %d: %v, want %s", i, a, want)
		}
	}
	if a := s.Next("b"); a == nil || a.Text != `{p: "#\"#"}` {
		t.Errorf("a # in quotes: %v", a)
	}
	if err := s.Script("a = 1\na = ?\n"); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
		t.Errorf("no line in %v", err)
	}
	if a := s.Next("a"); a.Text != "2" {
		t.Errorf("a wrong file has changed the answers to %v", a)
	}
}

// TestAnswersAreBounded has few lines stand for much memory.
func TestAnswersAreBounded(t *testing.T) {
	for name, script := range map[string]string{
		"content": strings.Repeat("b={p: zero:16777216}\n", 5),
		"values":  strings.Repeat("a=["+strings.Repeat("1,", 60000)+"]\n", 8),
		"lines":   strings.Repeat("a=1\n", 1<<16+1),
		"text":    strings.Repeat("#", invoke.MaxScript+1),
	} {
		if err := answers(t).Script(script); !errors.Is(err, invoke.ErrLength) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add("a = 1 # one\na = {ret: -1, errno: 2}\n")
	f.Add("# x\nb={p: \"a\\\"#\", status: SGX_SUCCESS}\r\nc = {1, 2}")
	f.Fuzz(func(t *testing.T, text string) {
		err := answers(t).Script(text)
		var e *invoke.LineError
		if errors.As(err, &e) && (e.Pos < 0 || e.Pos > e.End || e.End > len(e.Text)) {
			t.Errorf("%q: place %d to %d of %q", text, e.Pos, e.End, e.Text)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %v", err)
		}
	})
}
