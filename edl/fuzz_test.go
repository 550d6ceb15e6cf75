package edl_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
)

// archive cuts a text into files, each after a line "-- name --". What is
// before the first is a.edl.
func archive(text string) map[string]string {
	files := map[string]string{}
	name := "a.edl"
	var body strings.Builder
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "-- ")
		next, _, ok2 := strings.Cut(rest, " --")
		if !ok || !ok2 {
			body.WriteString(line)
			continue
		}
		files[name] = body.String()
		body.Reset()
		name = next
	}
	files[name] = body.String()
	return files
}

func pack(files map[string]string, first string) string {
	var b strings.Builder
	b.WriteString(files[first])
	for name, text := range files {
		if name != first {
			b.WriteString("\n-- " + name + " --\n" + text)
		}
	}
	return b.String()
}

// FuzzLoad loads several files that import and include each other.
func FuzzLoad(f *testing.F) {
	eachCase(func(files map[string]string, first string, dialect edl.Dialect) {
		f.Add(pack(files, first), dialect == edl.OpenEnclave)
	})
	f.Fuzz(func(t *testing.T, text string, oe bool) {
		if len(text) > 1<<16 {
			t.Skip()
		}
		o := edl.Options{Open: open(archive(text)), Defines: []string{"NDEBUG", "LEVEL=2"}}
		if oe {
			o.Dialect = edl.OpenEnclave
		}
		i, warnings, err := edl.Load("a.edl", o)
		var ds edl.Diagnostics
		switch {
		case err != nil && i != nil:
			t.Fatal("an interface and an error")
		case err != nil && !errors.As(err, &ds):
			t.Fatalf("%T", err)
		case err == nil && i == nil:
			t.Fatal("neither interface nor error")
		}
		if len(ds) > 50 || len(warnings) > 50 {
			t.Fatalf("%d errors, %d warnings", len(ds), len(warnings))
		}
		for _, d := range append(ds, warnings...) {
			if strings.ContainsAny(d.Error(), "\n\x00") || d.Msg == "" || d.Rule == "" {
				t.Fatalf("%+v", d)
			}
			if strings.Count(d.Text(), "\n") > 4 {
				t.Fatalf("%q", d.Text())
			}
		}
	})
}

// FuzzFormat formats a file: the result is stable and means the same.
func FuzzFormat(f *testing.F) {
	eachCase(func(files map[string]string, first string, dialect edl.Dialect) {
		f.Add(files[first], dialect == edl.OpenEnclave)
	})
	f.Fuzz(func(t *testing.T, src string, oe bool) {
		if len(src) > 1<<14 {
			t.Skip()
		}
		o := edl.Options{}
		if oe {
			o.Dialect = edl.OpenEnclave
		}
		checkSameMeaning(t, "a.edl", map[string]string{"a.edl": src}, o)
	})
}
