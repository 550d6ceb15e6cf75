package edl_test

import (
	"testing"

	"github.com/feidi-dev/feidi/edl"
)

// A declaration is written as it was read.
func TestDeclaration(t *testing.T) {
	const (
		ecall = "public int f([in, string] const char* s, [out, size=4, count=n] void* p, size_t n, [in] struct s a[2][3]) transition_using_threads;"
		ocall = "[cdecl, dllimport] foreign_t* g([in, out, wstring] wchar_t* w, [in, isptr, readonly] foreign_t p, [user_check, isary] foreign_t a) allow(f) propagate_errno;"
	)
	i := load(t, "a.edl", edl.Options{Open: open(map[string]string{
		"a.edl": "enclave { struct s { int a; }; trusted { " + ecall + " }; untrusted { " + ocall + " }; };",
	})})
	if got := i.ECalls[0].Declaration(); got != ecall {
		t.Errorf("got  %s\nwant %s", got, ecall)
	}
	if got := i.OCalls[0].Declaration(); got != ocall {
		t.Errorf("got  %s\nwant %s", got, ocall)
	}
}
