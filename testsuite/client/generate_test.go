// Package client calls enclaves through clients that are generated from their
// EDL.
package client

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen"
	"github.com/feidi-dev/feidi/edl/gen/gogen"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/testsuite/client/pce"
)

var update = flag.Bool("update", false, "generate the clients anew")

// The clients are what the generator makes of the EDLs.
func TestGenerated(t *testing.T) {
	read := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, c := range []struct {
		name, edl string
		layouts   map[string]plan.Layout
		types     map[string]gogen.Type
	}{
		{name: "toy", edl: toy.EDL},
		{name: "tstdc", edl: read("tstdc/tstdc.edl")},
		{
			name: "pce", edl: read("pce/pce.edl"),
			layouts: map[string]plan.Layout{"psvn_t": {Size: pce.PSVNSize, Align: 1}, "pce_info_t": {Size: pce.InfoSize, Align: 1}},
			types: map[string]gogen.Type{
				"psvn_t":     {Name: "PSVN", Kind: gogen.Coder},
				"pce_info_t": {Name: "Info", Kind: gogen.Coder},
			},
		},
	} {
		i, _, err := edl.Load(c.name+".edl", edl.Options{Open: func(path string) ([]byte, error) {
			if path != c.name+".edl" {
				return nil, fs.ErrNotExist
			}
			return []byte(c.edl), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.New(i, plan.Options{Foreign: c.layouts})
		if err != nil {
			t.Fatal(err)
		}
		for _, write := range []func(*plan.Plan, gogen.Options) (gen.File, error){gogen.Types, gogen.Untrusted} {
			f, err := write(p, gogen.Options{Foreign: c.types})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(c.name, f.Name)
			if *update {
				if err := os.WriteFile(path, f.Content, 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, f.Content) {
				t.Errorf("%s is not what is generated: go test ./testsuite/client -update (%v)", path, err)
			}
		}
	}
}
