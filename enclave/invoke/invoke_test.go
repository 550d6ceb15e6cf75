package invoke_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/enclave/invoke"
	"github.com/feidi-dev/feidi/status"
)

// fake is an enclave whose functions are Go.
type fake struct {
	mem    []byte
	ecall  func(f *fake, ms uint64) error
	table  uedge.Table
	failed error // of Outside
}

const base = 0x7000000

func (f *fake) Outside(n int) (uedge.Memory, error) {
	f.mem = make([]byte, n)
	return f, f.failed
}
func (f *fake) Addr() uint64  { return base }
func (f *fake) Bytes() []byte { return f.mem }
func (f *fake) Free()         {}

func (f *fake) CallAt(_ context.Context, _ int, ms uint64, table uedge.Table) error {
	f.table = table
	if f.ecall == nil {
		return nil
	}
	return f.ecall(f, ms)
}

const types = `
	enum color { RED, GREEN = 5, LAST };
	struct point { int32_t x; int64_t y; };
	struct all { uint8_t a; char name[4]; int16_t grid[2][2]; float f; struct point p; void* vp; };
	union num { uint32_t u; double d; };
	struct deep { uint32_t n; [count=n] int16_t* v; [size=3] uint8_t* three; };
	struct chunk { size_t n; [size=n] uint8_t* p; };
`

// planOf is the plan of an EDL with types of C headers.
func planOf(t testing.TB, foreign map[string]plan.Layout, text string) *plan.Plan {
	t.Helper()
	i, _, err := edl.Load("t.edl", edl.Options{Open: func(path string) ([]byte, error) {
		if path != "t.edl" {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(i, plan.Options{Foreign: foreign})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func client(t testing.TB, f uedge.Enclave, trusted, untrusted string, handler invoke.Handler, specs ...string) *invoke.Client {
	t.Helper()
	ty := &invoke.Types{}
	for _, s := range specs {
		if err := ty.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	p := planOf(t, ty.Layouts(), "enclave {"+types+"trusted { public void nothing(void); "+trusted+"}; untrusted {"+untrusted+"}; };")
	return invoke.New(f, p, invoke.Options{Types: ty, Handler: handler})
}

func parse(t testing.TB, src string) *value.Call {
	t.Helper()
	c, err := value.Parse(src, nil)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return c
}

// TestPacking compares the memory of calls with what a C compiler makes of
// them. P stands for the address of the next buffer, 64 bytes on each.
func TestPacking(t *testing.T) {
	for _, c := range []struct{ decl, call, ms, buffers string }{
		{"int8_t a, uint16_t b, int64_t c", "f(-1, 0xffee, -2)", "ff00 eeff 00000000 feffffffffffffff", ""},
		{"char a, bool b, wchar_t c, size_t d", "f('a', true, 'é', 3)", "61 01 0000 e9000000 0300000000000000", ""},
		{"float a, double b", "f(1.5, -2)", "0000c03f 00000000 00000000000000c0", ""},
		{"long double a", "f(1)", "0000000000000080 ff3f 000000000000", ""},
		{"enum color a, int b, sgx_status_t c", "f(GREEN, LAST, SGX_ERROR_OUT_OF_MEMORY)", "05000000 06000000 03000000", ""},
		{"struct point p", "f({y: -1, x: 2})", "02000000 00000000 ffffffffffffffff", ""},
		{"struct point p", "f({2, 3})", "02000000 00000000 0300000000000000", ""},
		{"struct all p", `f({a: 1, name: "ab", grid: [[1, 2], [3, 4]], f: 1, p: {x: 9}})`,
			"01 61620000 00 0100 0200 0300 0400 0000 0000803f 00000000 0900000000000000 0000000000000000 0000000000000000", ""},
		{"struct all p", `f({grid: [1, 2, 3, 4]})`, "00 00000000 00 0100 0200 0300 0400" + strings.Repeat("00", 34), ""},
		{"union num u", "f({d: 1})", "000000000000f03f", ""},
		{"union num u", "f(hex:0102030405060708)", "0102030405060708", ""},
		{"my_t m", "f({7, 2.0})", "07000000 00000000 0000000000000040", ""},
		{"my_id m", "f(0x1234)", "3412", ""},
		{"sgx_cpu_svn_t m", "f(hex:000102030405060708090a0b0c0d0e0f)", "000102030405060708090a0b0c0d0e0f", ""},
		{"[in] int* p", "f(5)", "P", "05000000"},
		{"[in] const struct point* p", "f({1, 2})", "P", "0100000000000000 0200000000000000"},
		{"[in] int* p", "f(null)", "0000000000000000", ""},
		{"[out] int* p", "f()", "P", "00000000"},
		{"[out] int* p, int n", "f(_, 3)", "P 03000000 00000000", "00000000"},
		{"[out] int* p, int n", "f(n: 3)", "P 03000000 00000000", "00000000"},
		{"[in, size=n] void* p, size_t n", "f(hex:010203)", "P 0300000000000000", "010203"},
		{"[in, size=n] void* p, size_t n", `f("abc", _)`, "P 0300000000000000", "616263"},
		{"[in, size=n] void* p, size_t n", `f("abc", 3)`, "P 0300000000000000", "616263"},
		{"[in, size=n] void* p, size_t n", `f(null)`, "0000000000000000 0000000000000000", ""},
		{"[in, size=n] void* p, size_t n", `f("")`, "P 0000000000000000", ""},
		{"[in, count=n] uint16_t* p, uint8_t n", "f([1, 2, 3])", "P 03 00000000000000", "0100 0200 0300"},
		{"[in, count=n] struct point* p, int n", "f([{1, 2}, {3, 4}])", "P 02000000 00000000", "0100000000000000 0200000000000000 0300000000000000 0400000000000000"},
		{"[in, count=n] struct point* p, int n", "f({1, 2})", "P 01000000 00000000", "0100000000000000 0200000000000000"},
		{"[in, size=s, count=c] void* p, size_t s, size_t c", "f(hex:01020304, 2)", "P 0200000000000000 0200000000000000", "01020304"},
		{"[in, size=s, count=c] void* p, size_t s, size_t c", "f(hex:01020304)", "P 0100000000000000 0400000000000000", "01020304"},
		{"[in, size=s, count=c] void* p, size_t s, size_t c", "f(hex:01020304, _, 2)", "P 0200000000000000 0200000000000000", "01020304"},
		{"[out, size=n] uint8_t* p, size_t n", "f(zero:5)", "P 0500000000000000", "0000000000"},
		{"[out, size=n] uint8_t* p, size_t n", "f(n: 5)", "P 0500000000000000", "0000000000"},
		{"[in, out, size=n] char* p, size_t n", `f("ab", 4)`, "P 0400000000000000", "61620000"},
		{"[in, size=n] const uint8_t* a, [out, size=n] uint8_t* b, size_t n", "f(hex:0102)", "P P 0200000000000000", "0102|0000"},
		{"[in] int a[3]", "f([1, 2, 3])", "P", "01000000 02000000 03000000"},
		{"[in] char a[4]", `f("ab")`, "P", "61620000"},
		{"[in, out] int16_t a[2][2]", "f([[1, 2], [3, 4]])", "P", "0100 0200 0300 0400"},
		{"[out] int a[2]", "f()", "P", "0000000000000000"},
		{"[in, string] char* s, int n", `f("abc", 1)`, "P 0400000000000000 01000000 00000000", "61626300"},
		{"[in, string] char* s", `f(null)`, "0000000000000000 0000000000000000", ""},
		{"[in, wstring] wchar_t* s", `f(L"aé")`, "P 0c00000000000000", "61000000 e9000000 00000000"},
		{"[in, wstring] wchar_t* s", `f("a")`, "P 0800000000000000", "61000000 00000000"},
		{"[user_check] void* p", "f(0x1234)", "3412000000000000", ""},
		{"[user_check] void* p", "f(&0x1234)", "3412000000000000", ""},
		{"[in, size=n] void* p, size_t n", "f(&0x1234, 9)", "3412000000000000 0900000000000000", ""},
		{"[out] int* p", "f(&0x1234)", "3412000000000000", ""},
		{"[user_check] void* p", "f(null)", "0000000000000000", ""},
		{"[user_check] char* p", `f("ab")`, "P", "616200"},
		{"[user_check] int* p", `f([7, 8])`, "P", "07000000 08000000"},
		{"[user_check] struct point* p", `f({7, 8})`, "P", "0700000000000000 0800000000000000"},
		{"[user_check] int p[2]", `f([7, 8])`, "P", "07000000 08000000"},
		{"[in] struct deep* p", "f({v: [1, -1], three: hex:010203})", "P", "02000000 00000000 P P|0100 ffff|010203"},
		{"[in] struct deep* p", "f({})", "P", "00000000 00000000 0000000000000000 0000000000000000"},
		{"[in, isptr, size=n] buf_t b, size_t n", "f(hex:0102)", "P 0200000000000000", "0102"},
		{"[in, isptr, size=n] buf_t b, size_t n", `f("ab")`, "P 0200000000000000", "6162"},
		{"[in, isptr] int_p b", "f(7)", "P", "07000000"},
		{"[in, isary] arr_t a", "f([1, 2])", "P", "01000000 02000000"},
		{"[in, count=n] int** p, int n", "f([null, 16])", "P 02000000 00000000", "0000000000000000 1000000000000000"},
	} {
		var got string
		f := &fake{ecall: func(f *fake, ms uint64) error {
			got = hex.EncodeToString(f.mem)
			return nil
		}}
		cl := client(t, f, "public void f("+c.decl+");", "", nil,
			"my_t=struct { int32_t a; double b; }", "my_id=2", "buf_t=void*", "int_p=int*", "arr_t=int[2]")
		if _, err := cl.Call(context.Background(), parse(t, c.call)); err != nil {
			t.Errorf("%s: %s: %v", c.decl, c.call, err)
			continue
		}
		want := layout(c.ms, c.buffers)
		if !strings.HasPrefix(got, want) || strings.Trim(got[len(want):], "0") != "" {
			t.Errorf("%s: %s:\n%s\nwant\n%s", c.decl, c.call, got, want)
		}
	}
}

// layout places a structure and buffers one after the other.
func layout(ms, buffers string) string {
	var b strings.Builder
	next := 1
	blocks := []string{ms}
	if buffers != "" {
		blocks = append(blocks, strings.Split(buffers, "|")...)
	}
	place := make([]int, len(blocks))
	off := 0
	for i, s := range blocks {
		place[i] = off
		n := len(strings.ReplaceAll(strings.ReplaceAll(s, " ", ""), "P", strings.Repeat("0", 16))) / 2
		off = (off + n + 63) / 64 * 64
	}
	for i, s := range blocks {
		for b.Len() < 2*place[i] {
			b.WriteString("00")
		}
		for strings.Contains(s, "P") {
			var at uint64 = base
			if next < len(place) {
				at += uint64(place[next])
			} else { // a buffer without bytes
				at += uint64(off)
			}
			var p [8]byte
			for k := range p {
				p[k] = byte(at >> (8 * k))
			}
			s = strings.Replace(s, "P", hex.EncodeToString(p[:]), 1)
			next++
		}
		b.WriteString(strings.ReplaceAll(s, " ", ""))
	}
	return b.String()
}

// TestWrongArguments makes calls that never reach the enclave.
func TestWrongArguments(t *testing.T) {
	for _, c := range []struct {
		decl, call, want string
		pos              int
		is               error
	}{
		{"uint8_t a", "f(300)", "a: out of range: 300 does not fit uint8_t", 2, invoke.ErrRange},
		{"int8_t a", "f(-129)", "-129 does not fit int8_t", 2, invoke.ErrRange},
		{"int8_t a", "f(128)", "128 does not fit int8_t", 2, invoke.ErrRange},
		{"uint64_t a", "f(-1)", "-1 does not fit uint64_t", 2, invoke.ErrRange},
		{"int64_t a", "f(9223372036854775808)", "does not fit int64_t", 2, invoke.ErrRange},
		{"float a", "f(1e39)", "does not fit float", 2, invoke.ErrRange},
		{"bool a", "f(2)", "neither true nor false", 2, invoke.ErrRange},
		{"int a", "f(1.5)", "a floating-point number in place of int", 2, invoke.ErrArgument},
		{"int a", `f("x")`, "a text in place of int", 2, invoke.ErrArgument},
		{"int a", "f(blue)", "blue is the name of nothing", 2, invoke.ErrArgument},
		{"enum color a", "f(BLUE)", "BLUE is none of RED, GREEN, LAST", 2, invoke.ErrArgument},
		{"int a", "f()", "a is missing", 2, invoke.ErrArgument},
		{"int a", "f(1, 2)", "one argument too many: void f(int a)", 5, invoke.ErrArgument},
		{"int a", "f(b: 1)", "f has no parameter b", 2, invoke.ErrArgument},
		{"int a", "f(1, a: 1)", "a is given twice", 8, invoke.ErrArgument},
		{"struct point p", "f({z: 1})", "struct point has no member z, but x, y", 3, invoke.ErrArgument},
		{"struct point p", "f({x: 1, y: {1}})", "a list in place of int64_t", -1, nil},
		{"struct point p", "f({1, 2, 3})", "has 2 members, not 3", 2, invoke.ErrLength},
		{"struct point p", "f(1)", "a number in place of struct point", 2, invoke.ErrArgument},
		{"struct point p", "f({x: 3000000000})", "3000000000 does not fit int32_t", 6, invoke.ErrRange},
		{"struct point p", "f(hex:00)", "has 16 bytes, not 1", 2, invoke.ErrLength},
		{"union num u", "f({u: 1, d: 2})", "one member at a time", 2, invoke.ErrArgument},
		{"[in] int a[3]", "f([1, 2])", "the array has 3 elements, not 2", 2, invoke.ErrLength},
		{"[in] char a[3]", `f("abcd")`, "the text has 4 bytes, the array 3", 2, invoke.ErrLength},
		{"[in, size=n] void* p, size_t n", `f("abc", 4)`, "p: wrong length: 3 bytes, and the buffer has 4 by n", 2, invoke.ErrLength},
		{"[in, size=n] void* p, size_t n", `f("abc", 2)`, "3 bytes, and the buffer has 2 by n", 2, invoke.ErrLength},
		{"[in, size=n] void* p, int n", `f("abc", -1)`, "a buffer of 18446744073709551615 bytes", 2, invoke.ErrLength},
		{"[out, size=n] void* p, size_t n", "f()", "n is missing: it is the length of p; give it, or p: zero:N", 2, invoke.ErrArgument},
		{"[out] int* p, int n", "f(3)", "n is missing; p comes back from the enclave: write _ for it", 3, invoke.ErrArgument},
		{"[in] int* p", "f(_)", "p is missing", 2, invoke.ErrArgument},
		{"[in] char* p", `f("abc")`, "3 bytes in place of one char, which has 1", 2, invoke.ErrLength},
		{"[in, count=n] int16_t* p, uint8_t n", "f(zero:513)", "513 bytes cannot be divided by 2", 2, invoke.ErrLength},
		{"[in, count=n] int16_t* p, uint8_t n", "f(zero:512)", "n: out of range: 256 does not fit uint8_t", 2, invoke.ErrRange},
		{"[out, size=n] void* p, size_t n", "f(_, 0x10000000)", "a buffer of 268435456 bytes, more than 67108864", 2, invoke.ErrLength},
		{"[out, size=n, count=m] void* p, size_t n, size_t m", "f(_, 0xffffffffffffffff, 2)", "overflows", 2, invoke.ErrLength},
		{"[in, string] char* s", `f("a\0")`, "a zero ends a string", 2, invoke.ErrArgument},
		{"[in, string] char* s", "f(abc)", "a name in place of a text: a text has quotes", 2, invoke.ErrArgument},
		{"other_t o", "f(1)", "other_t; say --type other_t=SIZE or other_t=TYPE", 2, invoke.ErrType},
		{"[in] other_t* o", "f(1)", "say --type other_t=SIZE", 2, invoke.ErrType},
		{"[in, isptr] other_t o", "f(1)", "what other_t points to", 2, invoke.ErrType},
		{"[in] sgx_report_t* o", "f(hex:00)", "1 bytes in place of one sgx_report_t, which has 432", 2, invoke.ErrLength},
		{"[in] sgx_report_t* o", "f(1)", "432 bytes of which no more is known", 2, invoke.ErrArgument},
		{"[in, size=n] void* p, size_t n", "f(&0x1234)", "n is missing: it is the length of p, of which only", 9, invoke.ErrArgument},
		{"[in, string] char* s", "f(&0x1234)", "an address in place of a text", 2, invoke.ErrArgument},
		{"int a", "f(&0x1234)", "an address in place of int", 2, invoke.ErrArgument},
		{"[user_check] int* p", "f(-1)", "-1 is no address", 2, invoke.ErrRange},
	} {
		f := &fake{ecall: func(*fake, uint64) error { t.Errorf("%s: the enclave was entered", c.call); return nil }}
		_, err := client(t, f, "public void f("+c.decl+");", "", nil).Call(context.Background(), parse(t, c.call))
		var e *invoke.ArgumentError
		if c.pos < 0 {
			if err == nil {
				t.Errorf("%s: %s: no error", c.decl, c.call)
			}
			continue
		}
		if !errors.As(err, &e) || !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) || e.Pos != c.pos {
			t.Errorf("%s: %s: %v at %d, want %q at %d", c.decl, c.call, err, e.Pos, c.want, c.pos)
		}
	}
	f := &fake{}
	for call, want := range map[string]string{
		"nothin()": "there is nothing", "xyzzy()": "no such function: xyzzy", "o()": "o is an OCALL",
	} {
		_, err := client(t, f, "", "void o(void);", nil).Call(context.Background(), parse(t, call))
		if !errors.Is(err, invoke.ErrFunction) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", call, err, want)
		}
	}
}

// TestResults has the enclave write into what it was given.
func TestResults(t *testing.T) {
	fill := func(f *fake, _ uint64) error {
		for i := range f.mem {
			if i < 8 || i >= 64 { // the result, and buffers behind the structure
				f.mem[i] = byte(i%8 + 1)
			}
		}
		return nil
	}
	for _, c := range []struct{ decl, call, want string }{
		{"uint32_t f()", "f()", "67305985"}, {"int16_t f()", "f()", "513"}, {"void f()", "f()", "_"}, {"enum color f()", "f()", "67305985"},
		{"void* f()", "f()", "&0x807060504030201"}, {"sgx_status_t f()", "f()", "67305985"}, {"bool f()", "f()", "true"},
		{"struct point f()", "f()", "{x: 67305985, y: 0}"}, {"sgx_cpu_svn_t f()", "f()", "hex:01020304050607080000000000000000"},
		{"void f([out] uint16_t* p)", "f()", "_ p: 513"},
		{"void f([out] char* p)", "f()", "_ p: 1"},
		{"void f([out, count=2] uint16_t* p)", "f()", "_ p: [513, 1027]"},
		{"void f([out, size=5] uint8_t* p)", "f()", "_ p: hex:0102030405"},
		{"void f([out, size=5] void* p)", "f()", "_ p: hex:0102030405"},
		{"void f([out] struct point* p)", "f()", "_ p: {x: 67305985, y: 578437695752307201}"},
		{"void f([in, out, string] char* s)", `f("abc")`, `_ s: "\x01\x02\x03\x04"`},
		{"void f([in, out, wstring] wchar_t* s)", `f("a")`, "_ s: [67305985, 134678021]"},
		{"void f([out] int8_t a[2][2])", "f()", "_ a: [hex:0102, hex:0304]"},
		{"void f([out] int16_t a[2][2])", "f()", "_ a: [[513, 1027], [1541, 2055]]"},
		{"void f([out] float* p)", "f()", "_ p: 1.5399896e-36"},
		{"void f([in] int* p)", "f(1)", "_"}, {"void f([out] int* p)", "f(null)", "_ p: null"},
		{"void f([user_check] int* p)", "f([1, 2])", "_ p: [67305985, 134678021]"},
		{"void f([user_check] void* p)", "f(zero:3)", "_ p: hex:010203"}, {"void f([user_check] void* p)", "f(1)", "_"},
		{"void f([in, out] struct deep* p)", "f({three: zero:3})", "_ p: {n: 67305985, v: &0x807060504030201, three: &0x807060504030201}"},
		{"void f([out] sgx_cpu_svn_t* p)", "f()", "_ p: hex:01020304050607080102030405060708"},
	} {
		r, err := client(t, &fake{ecall: fill}, "public "+c.decl+";", "", nil).Call(context.Background(), parse(t, c.call))
		if err != nil {
			t.Errorf("%s: %v", c.decl, err)
			continue
		}
		got := r.Return.String()
		for _, f := range r.Out {
			got += fmt.Sprintf(" %s: %s", f.Name, f.Value)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.decl, got, c.want)
		}
	}
}

// TestHostileResults has the enclave change lengths and addresses of a deep
// copy.
func TestHostileResults(t *testing.T) {
	for name, change := range map[string]func(ms []byte){
		"a length beyond the buffers": func(d []byte) { copy(d, "\xff\xff\xff\x7f") },
		"an address elsewhere":        func(d []byte) { copy(d[8:], "\x00\x00\x00\x00\x00\x00\xff\xff") },
		"an address at the end":       func(d []byte) { copy(d[8:], "\xff\xff\xff\xff\xff\xff\xff\xff") },
	} {
		f := &fake{ecall: func(f *fake, ms uint64) error { change(f.mem[64:]); return nil }}
		r, err := client(t, f, "public void f([in, out] struct deep* p);", "", nil).Call(context.Background(), parse(t, "f({v: [1, 2]})"))
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := r.Out[0].Value.Field("v"); !ok || v.Kind != value.Address {
			t.Errorf("%s: %v, want the address and nothing behind it", name, v)
		}
	}
}

func TestErrorsOfTheCall(t *testing.T) {
	for _, want := range []error{status.ErrECallNotAllowed, errors.New("lost")} {
		f := &fake{ecall: func(*fake, uint64) error { return want }}
		if _, err := client(t, f, "void f(int a);", "", nil).Call(context.Background(), parse(t, "f(1)")); err != want {
			t.Errorf("%v, want %v itself", err, want)
		}
	}
	f := &fake{failed: status.ErrOutOfMemory}
	if _, err := client(t, f, "public void f(int a);", "", nil).Call(context.Background(), parse(t, "f(1)")); !errors.Is(err, status.ErrOutOfMemory) {
		t.Error(err)
	}
}
