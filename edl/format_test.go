package edl_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
)

func format(t *testing.T, src string) string {
	t.Helper()
	out, err := edl.FormatSource("a.edl", []byte(src))
	var ds edl.Diagnostics
	if errors.As(err, &ds) {
		t.Fatalf("\n%s", ds.Text())
	} else if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Each testdata/format/x.edl is formatted to x.golden.
func TestFormat(t *testing.T) {
	inputs, err := filepath.Glob("testdata/format/*.edl")
	if err != nil || len(inputs) == 0 {
		t.Fatal("no inputs", err)
	}
	for _, name := range inputs {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got := format(t, string(src))
		golden := strings.TrimSuffix(name, ".edl") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s:\n%s", name, got)
		}
		if again := format(t, got); again != got {
			t.Errorf("%s is not stable:\n%s", name, again)
		}
	}
}

// A directive ends where the preprocessor says.
func TestFormatDirectives(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"#error don't /* x\nenclave{};", "#error don't /* x\nenclave {\n};\n"},
		{"#define S \"/*\"\nenclave{};", "#define S \"/*\"\nenclave {\n};\n"},
		{"#define C '\"'\nenclave{};", "#define C '\"'\nenclave {\n};\n"},
		{"#define Q '\\''  \nenclave{};", "#define Q '\\''\nenclave {\n};\n"},
		{"  #  define A /* x\n y */ 1 // z  \nenclave{};", "#define A /* x\n y */ 1 // z\nenclave {\n};\n"},
		{"#define A \\  \n 1\nenclave{};", "#define A \\\n 1\nenclave {\n};\n"},
		{"#define A // x \\\n y\nenclave{};", "#define A // x \\\n y\nenclave {\n};\n"},
	} {
		if got := format(t, c.src); got != c.want {
			t.Errorf("%q: %q", c.src, got)
		}
		checkSameMeaning(t, "a.edl", map[string]string{"a.edl": c.src}, edl.Options{HeaderOnly: true})
	}
}

func TestFormatRefuses(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"enclave {", "a.edl:1:9: this `{` has no `}`"},
		{"}", "a.edl:1:1: this `}` has no `{`"},
		{"enclave { /* };", "a.edl:1:11: this comment has no end"},
		{"enclave { // x \\\n };\n};", "line continuation"},
		{strings.Repeat("a {", 60) + strings.Repeat("}", 60), "nested deeper"},
		{"#if A\nenclave {\n#else\nenclave {\n#endif\n};", "same branch"},
	} {
		_, err := edl.FormatSource("a.edl", []byte(c.src))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: %v, want %q", c.src, err, c.want)
		}
	}
}

// Formatting changes no case of the rules in what it means.
func TestFormatKeepsMeaning(t *testing.T) {
	eachCase(func(files map[string]string, first string, dialect edl.Dialect) {
		checkSameMeaning(t, first, files, edl.Options{Dialect: dialect})
	})
}

// checkSameMeaning formats the first of some files and loads it before and
// after.
func checkSameMeaning(t *testing.T, first string, files map[string]string, o edl.Options) {
	t.Helper()
	o.Open = open(files)
	before, _, errBefore := edl.Load(first, o)
	src := []byte(files[first])
	out, err := edl.FormatSource(first, src)
	if err != nil {
		var ds edl.Diagnostics
		if !errors.As(err, &ds) {
			t.Fatalf("%v\n%q", err, src)
		}
		return
	}
	again, err := edl.FormatSource(first, out)
	if err != nil || !bytes.Equal(out, again) {
		t.Fatalf("not stable: %v\n%q\n%q\n%q", err, src, out, again)
	}
	if bytes.Contains(src, []byte("__LINE__")) {
		return
	}
	formatted := map[string]string{}
	for name, text := range files {
		formatted[name] = text
	}
	formatted[first] = string(out)
	o.Open = open(formatted)
	after, _, errAfter := edl.Load(first, o)
	if (errBefore == nil) != (errAfter == nil) {
		t.Fatalf("%v became %v\n%q\n%q", errBefore, errAfter, src, out)
	}
	if errBefore == nil && !reflect.DeepEqual(withoutPlaces(before), withoutPlaces(after)) {
		t.Fatalf("another interface\n%q\n%q", src, out)
	}
}

// withoutPlaces clears all positions.
func withoutPlaces(i *edl.Interface) *edl.Interface {
	clear := func(v reflect.Value) {}
	clear = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				clear(v.Elem())
			}
		case reflect.Slice:
			for n := range v.Len() {
				clear(v.Index(n))
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[edl.Pos]() {
				v.SetZero()
				return
			}
			for n := range v.NumField() {
				clear(v.Field(n))
			}
		}
	}
	clear(reflect.ValueOf(i))
	return i
}
