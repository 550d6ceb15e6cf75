package cli

import (
	"strings"
	"testing"
)

func TestEdger8rArgs(t *testing.T) {
	for _, x := range [][2]string{
		{"/usr/bin/sgx_edger8r --trusted a.edl", "edl gen --trusted a.edl"}, {"sgx_edger8r.exe a", "edl gen a"},
	} {
		if got := strings.Join(Args(strings.Fields(x[0])), " "); got != x[1] {
			t.Errorf("%s: %s, want %s", x[0], got, x[1])
		}
	}
	got := strings.Join(edger8rOptions(strings.Fields("edl gen -Trusted --SEARCH-PATH a -I b -D x -- -trusted")), " ")
	if got != "edl gen --trusted --search-path a -I b -D x -- -trusted" {
		t.Error(got)
	}
}
