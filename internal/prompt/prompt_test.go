package prompt

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
)

// TestPlain reads lines from what is no terminal.
func TestPlain(t *testing.T) {
	r, terminal := New(strings.NewReader("a\r\n\nb"), Options{})
	if terminal {
		t.Fatal("a string is a terminal")
	}
	for _, want := range []string{"a", "", "b"} {
		if line, err := r.ReadLine(); err != nil || line != want {
			t.Errorf("%q, %v, want %q", line, err, want)
		}
	}
	if _, err := r.ReadLine(); err != io.EOF {
		t.Error(err)
	}
	r, _ = New(strings.NewReader(strings.Repeat("x", MaxLine+1)), Options{})
	if _, err := r.ReadLine(); err == nil || err == io.EOF {
		t.Errorf("a long line: %v", err)
	}
}

// TestTab completes what is certain.
func TestTab(t *testing.T) {
	term := &terminal{complete: func(before string) (string, []string) {
		return "ra", map[string][]string{"ra": {"raw_add(", "raw_ask("}, "f(ra": {"ra"}}[before]
	}}
	for _, x := range []struct {
		line, want string
		pos, at    int
	}{{"ra)", "raw_a)", 2, 5}, {"x", "x", 1, 1}, {"f(ra", "f(ra", 4, 4}} {
		if line, at, ok := term.tab(x.line, x.pos, '\t'); line != x.want || at != x.at || !ok {
			t.Errorf("%s: %q, %d, %t", x.line, line, at, ok)
		}
	}
	if _, _, ok := term.tab("ra", 2, 'a'); ok {
		t.Error("a letter completes")
	}
}

func TestChoices(t *testing.T) {
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
