package value

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

var files Files = func(name string, max int) ([]byte, error) {
	if name != "f" && name != "a file" {
		return nil, fmt.Errorf("%s: not there", name)
	}
	return []byte("content")[:min(7, max)], nil
}

func TestValues(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"1", "1"}, {"+7", "7"}, {"-1", "-1"}, {"-0", "0"}, {"0x2A", "42"}, {"052", "42"}, {"0b101", "5"}, {"0xFFul", "255"},
		{"18446744073709551615", "18446744073709551615"}, {"-9223372036854775808", "-9223372036854775808"},
		{"1.5", "1.5"}, {".5", "0.5"}, {"1e3", "1000.0"}, {"1.5f", "1.5"}, {"-2.0", "-2.0"}, {"0x1p-2", "0.25"}, {"1e-7", "1e-07"},
		{"-0.0", "-0.0"}, {"inf", "inf"}, {"-inf", "-inf"}, {"nan", "nan"},
		{"'a'", "97"}, {`'\n'`, "10"}, {`'\''`, "39"}, {`'\x41'`, "65"}, {"L'é'", "233"}, {`'"'`, "34"},
		{`"text"`, `"text"`}, {`""`, `""`}, {`"a\tb\x00\377\u00e9"`, `"a\tb\x00\xffé"`}, {`"\\\""`, `"\\\""`}, {"\"\xff\"", `"\xff"`}, {`"'"`, `"'"`},
		{`L"wide é"`, `L"wide é"`}, {`L"\x41\U0001F600"`, `L"A😀"`},
		{"hex:00fF", "hex:00ff"}, {"hex:", "hex:"}, {`hex:"00 ff"`, "hex:00ff"}, {"base64:AP8=", "hex:00ff"}, {"base64:_-8", "hex:ffef"},
		{"zero:3", "hex:000000"}, {"zero:0x20", "zero:32"}, {"@f", "hex:636f6e74656e74"}, {`@"a file"`, "hex:636f6e74656e74"},
		{"null", "null"}, {"NULL", "null"}, {"&0x1000", "&0x1000"}, {"& 16", "&0x10"}, {"&0", "&0x0"}, {"true", "true"}, {"false", "false"}, {"_", "_"}, {"RED", "RED"}, {"L", "L"},
		{"[1, 2,3,]", "[1, 2, 3]"}, {"[]", "[]"}, {"{1, 2}", "[1, 2]"}, {"{}", "{}"}, {"[[1],[2]]", "[[1], [2]]"},
		{"{a: 1, b = {c:-2}}", "{a: 1, b: {c: -2}}"}, {"{.a = 1}", "{a: 1}"}, {"{hex : 1, zero=2}", "{hex : 1, zero : 2}"},
		{"{a:hex:00}", "{a: hex:00}"}, {"\n 1\t", "1"},
	} {
		v, err := ParseValue(c.src, files)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if got := v.String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.src, got, c.want)
		}
		again, err := ParseValue(v.String(), nil)
		if err != nil || !again.Equal(v) {
			t.Errorf("%s: written as %s, which is read as %v, %v", c.src, v, again, err)
		}
	}
}

func TestCalls(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"f()", "f()"}, {" f ( 1 , \"a\" ) ", `f(1, "a")`}, {"f(n: 3, s = \"x\")", `f(n: 3, s: "x")`},
		{"f(@f, _)", "f(hex:636f6e74656e74, _)"}, {"f(1,)", "f(1)"}, {"f(hex:00, hex=00)", "f(hex:00, hex : 0)"},
	} {
		got, err := Parse(c.src, files)
		if err != nil || got.String() != c.want {
			t.Errorf("%s: %v, %v, want %s", c.src, got, err, c.want)
		}
	}
	c, err := Parse(`f(12, s: "x")`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := c.Args; a[0].Value.Pos != 2 || a[0].Value.End != 4 || a[1].Pos != 6 || a[1].Value.Pos != 9 || a[1].Value.End != 12 {
		t.Errorf("places: %+v", a)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		src  string
		pos  int
		want string
		is   error
	}{
		{"", 0, "the end where the name", ErrSyntax},
		{"f", 1, "the end where the arguments should begin", ErrSyntax},
		{"f(", 2, "the end where a value should be", ErrSyntax},
		{"f(1", 3, `the end where "," or ')'`, ErrSyntax},
		{"f(1]", 3, `']' where "," or ')'`, ErrSyntax},
		{"f(1) x", 5, `'x' after the end`, ErrSyntax},
		{"f(12x)", 2, `"12x" is no number`, ErrSyntax},
		{"f(1_0)", 2, "is no number", ErrSyntax},
		{"f(08)", 2, "is no number", ErrSyntax},
		{"f(99999999999999999999)", 2, "does not fit into 64 bits", ErrSyntax},
		{"f(1e999)", 2, "larger than a double", ErrSyntax},
		{"f(0x1.8)", 2, "exponent", ErrSyntax},
		{`f("abc)`, 2, "not closed", ErrSyntax},
		{`f("\q")`, 3, `"\\q" is no escape`, ErrSyntax},
		{`f("\x")`, 3, "too few digits", ErrSyntax},
		{`f("\777")`, 3, "larger than a byte", ErrSyntax},
		{`f("\ud800")`, 3, "no character", ErrSyntax},
		{"f('ab')", 2, "a text has double quotes", ErrSyntax},
		{"f('')", 2, "a character is missing", ErrSyntax},
		{"f(hex:0)", 2, "even number of hex digits", ErrSyntax},
		{"f(base64:A)", 2, "is not base64", ErrSyntax},
		{"f(zero:x)", 2, "not a number of bytes", ErrSyntax},
		{"f(zero:99999999999)", 2, "more than 16777216", ErrLimit},
		{"f(zero:16777216, zero:1)", 17, "more than 16777216 bytes of content", ErrLimit},
		{"f(@g)", 2, "g: not there", ErrFile},
		{"f(&x)", 2, "& without a number", ErrSyntax},
		{"f(&-1)", 2, "& without a number", ErrSyntax},
		{"f(&1.5)", 2, "&1.5 is no address", ErrSyntax},
		{"f(@)", 2, "without the name", ErrSyntax},
		{"f([a: 1])", 2, "a list has no names", ErrSyntax},
		{"f({a: 1, 2})", 2, "all members have a name, or none", ErrSyntax},
		{"f({a: 1, a: 2})", 9, "a is given twice", ErrSyntax},
		{"f({.a 2})", 6, "where = and a value", ErrSyntax},
		{"f(" + strings.Repeat("[", 100000), 2 + MaxDepth + 1, "more than 32 levels", ErrLimit},
		{"f([" + strings.Repeat("0,", MaxValues) + "])", -1, "more than 131072 values", ErrLimit},
		{strings.Repeat(" ", MaxSource+1), 0, "bytes of text", ErrLimit},
	} {
		_, err := Parse(c.src, files)
		var e *SyntaxError
		if !errors.As(err, &e) || !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) || c.pos >= 0 && e.Pos != c.pos {
			t.Errorf("%.40q: %v, want %q at %d", c.src, err, c.want, c.pos)
		}
	}
	if _, err := Parse("f(@f)", nil); err == nil || !strings.Contains(err.Error(), "cannot be named here") {
		t.Errorf("a file where there are none: %v", err)
	}
}

func TestUnderline(t *testing.T) {
	for _, c := range []struct {
		src      string
		pos, end int
		want     string
	}{
		{"f(300, 1)", 2, 5, "f(300, 1)\n  ^~~"},
		{"f(é, 12)", 6, 8, "f(é, 12)\n     ^~"},
		{"a\nf(x)", 4, 5, "f(x)\n  ^"},
		{"f(", 2, 2, "f(\n  ^"},
		{"f(\x1b)", 99, 1, "f(?)\n    ^"},
		{strings.Repeat("a", 100) + "b" + strings.Repeat("c", 200), 100, 101, "…" + strings.Repeat("a", 60) + "b" + strings.Repeat("c", 39) + "…\n" + strings.Repeat(" ", 61) + "^"},
	} {
		if got := Underline(c.src, c.pos, c.end); got != c.want {
			t.Errorf("%q:\n%s\nwant\n%s", c.src, got, c.want)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"-5", "-5"}, {"18446744073709551615", "18446744073709551615"}, {"1.0", "1.0"}, {"inf", `{"$float":"inf"}`}, {"-inf", `{"$float":"-inf"}`},
		{"nan", `{"$float":"nan"}`}, {`"a<é"`, `"a<é"`}, {`L"é"`, `{"$wide":"é"}`}, {"hex:00ff", `{"$hex":"00ff"}`},
		{"RED", `{"$name":"RED"}`}, {"[1, null, true]", "[1,null,true]"}, {"{b: 1, a: {}}", `{"b":1,"a":{}}`}, {"_", `{"$omitted":""}`},
	} {
		v, err := ParseValue(c.src, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := v.MarshalJSON()
		if err != nil || string(b) != c.want {
			t.Errorf("%s: %s, %v, want %s", c.src, b, err, c.want)
		}
		var again Value
		if err := again.UnmarshalJSON(b); err != nil || !again.Equal(v) {
			t.Errorf("%s: read back as %v, %v", b, again, err)
		}
	}
	if b, _ := OfText("\xff").MarshalJSON(); string(b) != `{"$hex":"ff"}` {
		t.Errorf("a text that is not UTF-8: %s", b)
	}
	var v Value
	if err := v.UnmarshalJSON([]byte(`{"$base64":"AP8="}`)); err != nil || v.String() != "hex:00ff" {
		t.Errorf("base64: %v, %v", v, err)
	}
	for _, bad := range []string{
		"", "1 2", "{", `{"$hex":"0"}`, `{"$hex":1}`, `{"$hex":"00","a":1}`, `{"$no":""}`, `{"a b":1}`, `{"a":1,"a":2}`,
		`{"$float":"1"}`, `{"$name":"1"}`, `{"$base64":"?"}`, "1e999", "99999999999999999999", strings.Repeat("[", 1000),
		"[" + strings.Repeat("0,", MaxValues) + "0]",
	} {
		if err := v.UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%.40q is read as %v", bad, v)
		}
	}
}

func TestOf(t *testing.T) {
	for want, v := range map[string]Value{
		"-9223372036854775808": OfInt(math.MinInt64), "5": OfUint(5), "true": OfBool(true), "1.0": OfFloat(1),
		`"a"`: OfText("a"), "hex:01": OfBytes([]byte{1}), "RED": OfName("RED"), "[1]": OfList(OfInt(1)),
	} {
		if v.String() != want {
			t.Errorf("%s, want %s", v, want)
		}
	}
	v, err := ParseValue("{a: 1}", nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := v.Field("a"); !ok || a.Int != 1 {
		t.Error("no member a")
	}
	if _, ok := v.Field("b"); ok {
		t.Error("a member b")
	}
}

func TestMemory(t *testing.T) {
	if size := int(reflect.TypeFor[Field]().Size()); size > 200 {
		t.Errorf("a field takes %d bytes", size)
	}
	for _, c := range []struct {
		src  string
		want int
	}{{"1", 200}, {"zero:1000", 1200}, {`L"abc"`, 212}, {"[1, 2]", 600}, {"{ab: {c: RED}}", 606}} {
		v, err := ParseValue(c.src, nil)
		if err != nil || v.Memory() != c.want {
			t.Errorf("%s: %d, %v, want %d", c.src, v.Memory(), err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`f(1, "text", @f, hex:00ff, {a: 1})`, `f(n: -0x2a, L"é\n", [1.5e3, 'c'], _, null, RED)`, `f({.x = 1, y: {1, 2}}, zero:64, base64:AP8=)`, `f("\x`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		c, err := Parse(src, files)
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || e.Pos < 0 || e.Pos > len(src) || e.End < e.Pos || e.End > len(src) {
				t.Fatalf("%q: %v", src, err)
			}
			_ = Underline(src, e.Pos, e.End)
			return
		}
		again, err := Parse(c.String(), files)
		if err != nil || again.String() != c.String() {
			t.Fatalf("%q: written as %q, which is read as %v, %v", src, c, again, err)
		}
		for _, a := range c.Args {
			b, err := a.Value.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			var v Value
			if err := v.UnmarshalJSON(b); err != nil && len(b) <= MaxSource {
				t.Fatalf("%s: JSON %s: %v", a.Value, b, err)
			}
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e3,null,true],"b":{"$hex":"00"}}`, `{"$float":"-inf"}`, `[{"$wide":"é"},{"$name":"RED"},"\ud800"]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		var v, again Value
		if err := v.UnmarshalJSON([]byte(src)); err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %v", err)
			}
			return
		}
		b, err := v.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalJSON(b); err != nil || !again.Equal(v) {
			t.Errorf("%s is written as %s, which is read as %v, %v", src, b, again, err)
		}
	})
}
