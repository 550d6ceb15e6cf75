package build_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen"
	"github.com/feidi-dev/feidi/edl/gen/gogen"
	"github.com/feidi-dev/feidi/edl/plan"
)

// Clients and tables are what the generator makes of the EDLs, and the functions
// have the marshalling structures of Intel's, in their order.
func TestGenerated(t *testing.T) {
	for _, c := range []struct {
		dir, name string
		sizes     []uint64 // of the structures, as sgx_edger8r lays them out
		layouts   map[string]plan.Layout
	}{
		{"../pce/edl", "pce.edl", []uint64{72, 48, 16}, nil},
		{"../ide/edl", "id_enclave.edl", []uint64{16, 40}, nil},
		{"../qe/edl", "qe3.edl", []uint64{40, 56, 56, 56, 88, 88}, map[string]plan.Layout{
			"ref_plaintext_ecdsa_data_sdk_t": {Size: 1223, Align: 1}, "sgx_ql_cert_key_type_t": {Size: 4, Align: 4},
		}},
		{"../qve/edl", "qve.edl", []uint64{56, 16, 16, 80}, map[string]plan.Layout{
			"quote3_error_t": {Size: 4, Align: 4}, "sgx_ql_qv_result_t": {Size: 4, Align: 4},
		}},
		{"../le/edl", "launch_enclave.edl", []uint64{40, 24}, map[string]plan.Layout{"token_t": {Size: 304, Align: 1}}},
		{"../pve/edl", "pve.edl", []uint64{24, 40, 40}, nil},
		{"../epidqe/edl", "epid_qe.edl", []uint64{40, 96}, map[string]plan.Layout{"sgx_quote_sign_type_t": {Size: 4, Align: 4}}},
	} {
		text, err := os.ReadFile(filepath.Join(c.dir, c.name))
		if err != nil {
			t.Fatal(err)
		}
		i, _, err := edl.Load(c.name, edl.Options{Open: func(string) ([]byte, error) { return text, nil }})
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.New(i, plan.Options{Foreign: c.layouts})
		if err != nil {
			t.Fatal(err)
		}
		var sizes []uint64
		for _, call := range p.ECalls {
			sizes = append(sizes, call.Size)
		}
		if !slices.Equal(sizes, c.sizes) {
			t.Errorf("%s: structures of %d bytes, want %d", c.name, sizes, c.sizes)
		}
		for _, write := range []func(*plan.Plan, gogen.Options) (gen.File, error){gogen.Types, gogen.Untrusted, gogen.Trusted} {
			f, err := write(p, gogen.Options{Package: "edl", Foreign: map[string]gogen.Type{
				"sgx_ql_cert_key_type_t": {Name: "uint32", Kind: gogen.Integer},
				"quote3_error_t":         {Name: "uint32", Kind: gogen.Integer},
				"sgx_ql_qv_result_t":     {Name: "uint32", Kind: gogen.Integer},
				"sgx_quote_sign_type_t":  {Name: "uint32", Kind: gogen.Integer},
			}})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(c.dir, f.Name)
			if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, f.Content) {
				t.Errorf("%s is not what is generated: go generate ./arch/... (%v)", path, err)
			}
		}
	}
}
