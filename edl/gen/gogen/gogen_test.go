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

func widePlan(t testing.TB) *plan.Plan {
	t.Helper()
	i, _, err := edl.Load("testdata/wide.edl", edl.Options{Open: os.ReadFile})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(i, plan.Options{Foreign: wideLayouts})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// allFiles writes the files of both sides.
func allFiles(p *plan.Plan, o Options) (files []gen.File, err error) {
	for _, write := range []func(*plan.Plan, Options) (gen.File, error){Types, Untrusted, Trusted} {
		f, err := write(p, o)
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	return files, nil
}

// TestGolden compares what is generated with what is compiled, vetted and run
// by the tests of package wide.
func TestGolden(t *testing.T) {
	files, err := allFiles(widePlan(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path := filepath.Join("internal/wide", f.Name)
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
			t.Errorf("%s differs from what is generated: go test ./edl/gen/gogen -run TestGolden -update", path)
		}
	}
}
