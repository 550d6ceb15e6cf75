package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of settings into the guide")

// TestGuide compares the guide's table of settings with the one of this
// package.
func TestGuide(t *testing.T) {
	const guide, begin, end = "../../docs/signing.md", "<!-- settings -->\n", "<!-- end of settings -->\n"
	b, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the settings", guide)
	}
	want := settingsTable()
	if *update {
		if err := os.WriteFile(guide, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != want {
		t.Errorf("the table of settings in %s is not up to date: run `go test ./sign/config -run Guide -update`", guide)
	}
}

func settingsTable() string {
	var s strings.Builder
	s.WriteString("| XML | TOML | values | default | meaning |\n|---|---|---|---|---|\n")
	c := Default()
	for _, f := range fields {
		def := "`" + xmlValue(f, f.get(&c)) + "`"
		if f.kind == address {
			def = "none"
		}
		meaning := f.about(spelling{func(f *field) string { return "`" + f.name + "`" }, xmlValue})
		fmt.Fprintf(&s, "| `%s` | `%s` | %s to %s | %s | %s |\n", f.name, f.key, xmlValue(f, f.min), xmlValue(f, f.max), def, meaning)
	}
	return s.String()
}
