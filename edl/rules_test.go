package edl_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
)

var update = flag.Bool("update", false, "rewrite generated files")

// ruleFiles are the files of a case of ruleCases and the dialect that it is
// of. The first name is the file to load.
func ruleFiles(c string) (files map[string]string, first string, dialect edl.Dialect) {
	if rest, ok := strings.CutPrefix(c, "oe: "); ok {
		c, dialect = rest, edl.OpenEnclave
	}
	kind, text := c[:1], c[3:]
	root := "public void root();"
	switch kind {
	case "t":
		text = "enclave { trusted { " + root + " " + text + " }; };"
	case "u":
		text = "enclave { trusted { " + root + " }; untrusted { " + text + " }; };"
	case "d":
		text = "enclave { trusted { " + root + " }; " + text + " };"
	case "m":
		files = map[string]string{}
		for _, part := range strings.Split(text, "-- ")[1:] {
			name, body, _ := strings.Cut(part, " --\n")
			if first == "" {
				first = name
			}
			files[name] = body
		}
		return files, first, dialect
	}
	return map[string]string{"a.edl": text}, "a.edl", dialect
}

// takeMarks removes «» from files and returns where they were.
func takeMarks(files map[string]string) (file string, start, end int) {
	for name, text := range files {
		before, rest, ok := strings.Cut(text, "«")
		if !ok {
			continue
		}
		inside, after, _ := strings.Cut(rest, "»")
		files[name] = before + inside + after
		return name, len(before), len(before) + len(inside)
	}
	return "", 0, 0
}

// eachCase calls f with the files of every case of every rule, without marks.
func eachCase(f func(files map[string]string, first string, dialect edl.Dialect)) {
	for _, r := range ruleCases {
		for _, c := range slices.Concat(r.good, r.refused, r.warned) {
			files, first, dialect := ruleFiles(c)
			takeMarks(files)
			f(files, first, dialect)
		}
	}
}

// offset is where a position is in a text.
func offset(text string, p edl.Pos) int {
	off := 0
	for range p.Line - 1 {
		off += strings.IndexByte(text[off:], '\n') + 1
	}
	return off + p.Col - 1
}

func TestRules(t *testing.T) {
	for _, r := range ruleCases {
		if len(r.good) == 0 || len(r.refused)+len(r.warned) == 0 {
			t.Errorf("%s: %s: needs cases of both kinds", r.rule, r.title)
		}
		for _, c := range r.good {
			files, first, dialect := ruleFiles(c)
			_, warnings, err := edl.Load(first, edl.Options{Open: open(files), Dialect: dialect})
			var ds edl.Diagnostics
			if errors.As(err, &ds) {
				t.Errorf("%s: %s\n%s", r.rule, c, ds.Text())
			}
			for _, w := range warnings {
				if w.Severity != edl.Warning || w.Msg == "" || w.Rule == "" || w.Rule == r.rule && len(r.warned) > 0 {
					t.Errorf("%s: %s: warning %+v", r.rule, c, w)
				}
			}
		}
		for _, c := range r.refused {
			files, first, dialect := ruleFiles(c)
			name, start, end := takeMarks(files)
			_, _, err := edl.Load(first, edl.Options{Open: open(files), Dialect: dialect})
			var ds edl.Diagnostics
			if !errors.As(err, &ds) {
				t.Errorf("%s: accepted: %s", r.rule, c)
				continue
			}
			checkDiagnostic(t, r.rule, c, ds, files, name, start, end)
		}
		for _, c := range r.warned {
			files, first, dialect := ruleFiles(c)
			name, start, end := takeMarks(files)
			_, ds, err := edl.Load(first, edl.Options{Open: open(files), Dialect: dialect})
			if err != nil || len(ds) == 0 {
				t.Errorf("%s: %d warnings, %v: %s", r.rule, len(ds), err, c)
				continue
			}
			checkDiagnostic(t, r.rule, c, ds, files, name, start, end)
		}
	}
}

// checkDiagnostic checks that the first diagnostic is about a rule and a place.
func checkDiagnostic(t *testing.T, rule edl.Rule, c string, ds edl.Diagnostics, files map[string]string, name string, start, end int) {
	t.Helper()
	d := ds[0]
	if d.Rule != rule {
		t.Errorf("%s: broke %s: %s\n%s", rule, d.Rule, c, ds.Text())
	}
	if strings.Contains(d.Error(), "\n") {
		t.Errorf("%s: more than one line: %q", rule, d.Error())
	}
	if name == "" {
		return
	}
	if d.Pos.File != name || offset(files[name], d.Pos) != start || offset(files[name], d.End) != end {
		t.Errorf("%s: %s: wrong place\n%s", rule, c, ds.Text())
	}
}

const rulesFile = "../docs/edl-rules.md"

// docs/edl-rules.md is made of ruleCases and what Load says of them.
func TestRulesDocument(t *testing.T) {
	want := rulesDocument()
	if *update {
		if err := os.WriteFile(rulesFile, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale: go test ./edl -run RulesDocument -update", rulesFile)
	}
}

func rulesDocument() []byte {
	var b bytes.Buffer
	good, refused, warned := 0, 0, 0
	for _, r := range ruleCases {
		good, refused, warned = good+len(r.good), refused+len(r.refused), warned+len(r.warned)
	}
	fmt.Fprintf(&b, "# Rules of EDL\n\nGenerated from the test table of package edl: %d rules, %d cases (%d accepted, %d refused,\n%d accepted with a warning). ",
		len(ruleCases), good+refused+warned, good, refused, warned)
	b.WriteString("Each refused case breaks the rule that it stands under, at the text that is\nunderlined.\n\n")
	b.WriteString("| rule | name | accepted | refused | warned |\n|---|---|---:|---:|---:|\n")
	for _, r := range ruleCases {
		fmt.Fprintf(&b, "| %s | `%s` | %d | %d | %d |\n", r.title, r.rule, len(r.good), len(r.refused), len(r.warned))
	}
	b.WriteString("\n## What is said\n\nThe first refused or warned case of each rule.\n")
	for _, r := range ruleCases {
		fmt.Fprintf(&b, "\n**%s**\n\n```\n", r.title)
		files, first, dialect := ruleFiles(append(r.refused, r.warned...)[0])
		takeMarks(files)
		_, ds, err := edl.Load(first, edl.Options{Open: open(files), Dialect: dialect})
		errors.As(err, &ds)
		b.WriteString(ds[0].Text())
		b.WriteString("```\n")
	}
	return b.Bytes()
}
