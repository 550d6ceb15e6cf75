package cli

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestArgs(t *testing.T) {
	for _, c := range []struct{ argv, want []string }{
		{nil, nil},
		{[]string{"feidi"}, []string{}},
		{[]string{"/usr/bin/feidi", "sign", "-x"}, []string{"sign", "-x"}},
		{[]string{"sgx_sign", "dump"}, []string{"sign", "dump"}},
		{[]string{filepath.Join("opt", "sgx_sign.exe")}, []string{"sign"}},
	} {
		if got := Args(c.argv); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.argv, got, c.want)
		}
	}
}

func TestLongOptions(t *testing.T) {
	in := []string{"sign", "sign", "-key", "k", "-o", "-out", "--enclave", "-", "-enclave=x", "--", "-key"}
	want := []string{"sign", "sign", "--key", "k", "-o", "--out", "--enclave", "-", "-enclave=x", "--", "-key"}
	if got := longOptions(in); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestEdger8r(t *testing.T) {
	for _, x := range [][2]string{
		{"/usr/bin/sgx_edger8r --trusted a.edl", "edl gen --trusted a.edl"}, {"sgx_edger8r.exe a", "edl gen a"},
	} {
		if got := strings.Join(Args(strings.Fields(x[0])), " "); got != x[1] {
			t.Errorf("%s: %s, want %s", x[0], got, x[1])
		}
	}
	got := strings.Join(longOptions(strings.Fields("edl gen -Trusted --SEARCH-PATH a -I b -D x -- -trusted")), " ")
	if got != "edl gen --trusted --search-path a -I b -D x -- -trusted" {
		t.Error(got)
	}
}
