package gogen

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen"
	"github.com/feidi-dev/feidi/edl/plan"
)

func TestNames(t *testing.T) {
	for _, c := range []struct{ c, exported, local string }{
		{"ecall_get_sum", "EcallGetSum", "ecallGetSum"},
		{"getSum", "GetSum", "getSum"},
		{"__x__y_", "XY", "xy"},
		{"MAX_SIZE", "MaxSize", "maxSize"},
		{"PCEInfo", "PCEInfo", "pceInfo"},
		{"ID", "Id", "id"},
		{"_1a", "X1a", "x1a"},
		{"_", "X", "x"},
		{"a_1_b", "A1B", "a1B"},
		{"sgx_ra_context_t", "SgxRaContextT", "sgxRaContextT"},
	} {
		if got := exportedName(c.c); got != c.exported {
			t.Errorf("%s: exported %s, want %s", c.c, got, c.exported)
		}
		if got := localName(c.c); got != c.local {
			t.Errorf("%s: local %s, want %s", c.c, got, c.local)
		}
	}
}

// generate loads an EDL from a text and writes Go.
func generate(t *testing.T, text string, layouts map[string]plan.Layout, o Options) ([]gen.File, error) {
	t.Helper()
	i, _, err := edl.Load("my-first.edl", edl.Options{Open: fstest.MapFS{"my-first.edl": {Data: []byte(text)}}.ReadFile})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(i, plan.Options{Foreign: layouts})
	if err != nil {
		t.Fatal(err)
	}
	return allFiles(p, o)
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		text string
		want error
		says string
	}{
		{"public void f(mystery_t m);", ErrType, "mystery_t is not known"},
		{"public mystery_t f(void);", ErrType, "mystery_t is not known"},
		{"public void f([in] mystery_t* m);", ErrType, "plan.Options.Foreign"},
		{"public void f([in, isptr] mystery_t m);", ErrType, "*mystery_t is not known"},
		{"public void f([in, count=3, size=1] int* m);", ErrType, "whole number"},
		{"public void f([in, size=n] int* m, [user_check] char* n);", ErrType, "n is no integer"},
		{"public void f([in, count=n] int* m, bool n);", ErrType, "n is no integer"},
		{"public void f(struct huge h);", ErrTooBig, "4194304 bytes"},
	} {
		_, err := generate(t, "enclave { struct s { struct huge* p; }; struct huge { int a[1024][1024]; }; trusted { "+c.text+" }; };", nil, Options{})
		if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.text, err, c.says)
		}
		if err != nil && !strings.Contains(err.Error(), "my-first.edl:1:") {
			t.Errorf("%v: no place", err)
		}
	}
	if _, err := generate(t, "enclave { trusted { public void f(void); }; };", nil, Options{Package: "no-name"}); !errors.Is(err, gen.ErrName) {
		t.Error(err)
	}
}

// Types of headers become what the options say.
func TestForeign(t *testing.T) {
	text := `enclave { struct holder { net_t n; when_t w[2]; };
		trusted { public net_t f(net_t n, [in, count=c] when_t* w, count_t c, [in, out] struct holder* h, [out] when_t* one); };
		untrusted { void o([out, count=n] count_t* c, size_t n); }; };`
	files, err := generate(t, text, map[string]plan.Layout{"net_t": {Size: 4, Align: 4}, "when_t": {Size: 12, Align: 4}, "count_t": {Size: 2, Align: 2}}, Options{
		Package: "mine",
		Foreign: map[string]Type{
			"net_t":   {Name: "Network"},
			"when_t":  {Name: "When", Kind: Coder},
			"count_t": {Import: importStatus, Name: "Code"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if files[0].Name != "my-first_types.go" || !strings.Contains(string(files[0].Content), "type MyFirstECalls interface") {
		t.Errorf("%s: %s", files[0].Name, files[0].Content)
	}
	if want := "F(ctx context.Context, n Network, w []When, c status.Code, h *Holder) (ret Network, one When, err error)"; !strings.Contains(string(files[0].Content), want) {
		t.Errorf("no %s in %s", want, files[0].Content)
	}
	checkGo(t, append(files, gen.File{Name: "mine.go", Content: []byte(`package mine

import "github.com/feidi-dev/feidi/edl/edge"

type Network int32
type When struct{ seconds int64 }

func (w *When) EncodeC(b edge.Block) { b.PutU64(0, uint64(w.seconds)) }
func (w *When) DecodeC(b edge.Block) { w.seconds = int64(b.U64(0)) }
`)}))
}

// Two names that become one in Go get numbers, and names of the package win.
func TestCollisions(t *testing.T) {
	files, err := generate(t, `enclave {
		struct my_first { int a_b; int aB; int EncodeC; };
		struct my_firstECalls { int x; };
		union u { int a; int set_a; int Set_a; };
		enum e { A, a2, A_2 };
		trusted { public void f_g(struct my_first a_b, struct my_firstECalls aB, union u edge, enum e context);
			public void fG([in, count=m] int32_t* m_Buf, size_t m, [in, out] int i[2][3], [in, out] int j[2][3][4], int uedge);
			public void F_G([in, string] char* bytes, [in, out, string] char* bytes_out, [out] int* nil, [in] int m[2][2]); };
		untrusted { void x([in] int c[2][2], int x, int client, int s, int srv, int server, int f); }; };`, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkGo(t, files)
	for _, want := range []string{"type MyFirst2 struct", "AB2", "EncodeC2", "FG2(", "FG3(", "type MyFirstECalls2 struct"} {
		if !strings.Contains(string(files[0].Content), want) {
			t.Errorf("no %s in %s", want, files[0].Content)
		}
	}
}
