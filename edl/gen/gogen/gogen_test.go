package gogen

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen"
	"github.com/feidi-dev/feidi/edl/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// wideLayouts are types of a header that the wide interface uses.
var wideLayouts = map[string]plan.Layout{
	"blob_t":   {Size: 12, Align: 4},
	"handle_t": {Size: 4, Align: 4},
	"*cptr_t":  {Size: 6, Align: 2},
	"ary_t":    {Size: 20, Align: 4},
}

func loadPlan(t testing.TB, file string, layouts map[string]plan.Layout) *plan.Plan {
	t.Helper()
	i, _, err := edl.Load(file, edl.Options{Open: os.ReadFile})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(i, plan.Options{Foreign: layouts})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func goFiles(t testing.TB, p *plan.Plan, o Options) []gen.File {
	t.Helper()
	var files []gen.File
	for _, f := range []func(*plan.Plan, Options) (gen.File, error){Types, Untrusted, Trusted} {
		file, err := f(p, o)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// TestGoGolden compares what is generated with what is compiled, vetted and
// run by the tests of the packages in internal.
func TestGoGolden(t *testing.T) {
	for name, layouts := range map[string]map[string]plan.Layout{"wide": wideLayouts} {
		p := loadPlan(t, filepath.Join("testdata", name+".edl"), layouts)
		for _, f := range goFiles(t, p, Options{}) {
			path := filepath.Join("internal", name, f.Name)
			if *update {
				if err := os.WriteFile(path, f.Content, 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(f.Content, want) {
				t.Errorf("%s differs from what is generated: go test ./edl/gen -run TestGoGolden -update", path)
			}
		}
	}
}
