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
	}{
		{"toy", toy.EDL},
		{"tstdc", read("tstdc/tstdc.edl")},
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
		p, err := plan.New(i, plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, write := range []func(*plan.Plan, gogen.Options) (gen.File, error){gogen.Types, gogen.Untrusted} {
			f, err := write(p, gogen.Options{})
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
