package edl_test

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen"
	"github.com/feidi-dev/feidi/edl/gen/gogen"
	"github.com/feidi-dev/feidi/edl/plan"
)

// Client and table are what the generator makes of the EDL.
func TestGenerated(t *testing.T) {
	const name = "epid_qe.edl"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	i, _, err := edl.Load(name, edl.Options{Open: func(string) ([]byte, error) { return text, nil }})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(i, plan.Options{Foreign: map[string]plan.Layout{"sgx_quote_sign_type_t": {Size: 4, Align: 4}}})
	if err != nil {
		t.Fatal(err)
	}
	var sizes []uint64 // as sgx_edger8r lays structures out
	for _, call := range p.ECalls {
		sizes = append(sizes, call.Size)
	}
	if !slices.Equal(sizes, []uint64{40, 96}) {
		t.Errorf("structures of %d bytes", sizes)
	}
	for _, write := range []func(*plan.Plan, gogen.Options) (gen.File, error){gogen.Types, gogen.Untrusted, gogen.Trusted} {
		f, err := write(p, gogen.Options{Package: "edl", Foreign: map[string]gogen.Type{
			"sgx_quote_sign_type_t": {Name: "uint32", Kind: gogen.Integer},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if have, err := os.ReadFile(f.Name); err != nil || !bytes.Equal(have, f.Content) {
			t.Errorf("%s is not what is generated: go generate ./arch/... (%v)", f.Name, err)
		}
	}
}
