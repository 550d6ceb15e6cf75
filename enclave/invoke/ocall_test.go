package invoke_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/enclave/invoke"
	"github.com/feidi-dev/feidi/status"
)

// fakeCall is an OCALL with memory of its own.
type fakeCall struct {
	mem   []byte
	block uint64
}

func (c *fakeCall) Index() int    { return 0 }
func (c *fakeCall) Block() uint64 { return c.block }
func (c *fakeCall) Bytes(addr uint64, n int) ([]byte, error) {
	if addr < base || n < 0 || addr-base > uint64(len(c.mem)) || uint64(n) > uint64(len(c.mem))-(addr-base) {
		return nil, errors.New("not in memory that the enclave was given")
	}
	return c.mem[addr-base:][:n:n], nil
}

// memoryOf turns hex digits into memory; P128 stands for the address of
// offset 128.
func memoryOf(t *testing.T, s string, n int) []byte {
	t.Helper()
	mem := []byte{}
	for _, word := range strings.Fields(s) {
		if off, ok := strings.CutPrefix(word, "P"); ok {
			var at uint64
			if _, err := fmt.Sscan(off, &at); err != nil {
				t.Fatal(err)
			}
			mem = binary.LittleEndian.AppendUint64(mem, base+at)
			continue
		}
		b, err := hex.DecodeString(word)
		if err != nil {
			t.Fatal(err)
		}
		mem = append(mem, b...)
	}
	return append(mem, make([]byte, n-len(mem))...)
}

// answerOf makes an answer of {ret: 1, errno: 2, p: 3}.
func answerOf(t *testing.T, src string) invoke.Answer {
	t.Helper()
	v, err := value.ParseValue(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	var a invoke.Answer
	for _, f := range v.Fields {
		switch f.Name {
		case "ret":
			a.Return = f.Value
		case "errno":
			a.Errno = f.Value
		default:
			a.Out = append(a.Out, f)
		}
	}
	return a
}

// TestOCalls makes OCALLs with the memory of a trusted proxy and compares the
// arguments that arrive, and the memory after the answer.
func TestOCalls(t *testing.T) {
	for _, c := range []struct{ decl, mem, args, answer, after string }{
		{"void o(int8_t a, uint32_t b)", "ff000000 05000000", "a: -1, b: 5", "{}", "ff000000 05000000"},
		{"int o(int a)", "aaaaaaaa 01000000", "a: 1", "{ret: -2}", "feffffff 01000000"},
		{"int o(int a)", "aaaaaaaa 01000000", "a: 1", "{}", "00000000 01000000"},
		{"int o(int a) propagate_errno", "aaaaaaaa aaaaaaaa 01000000", "a: 1", "{ret: -1, errno: 2}", "ffffffff 02000000 01000000"},
		{"struct point o()", "aaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaa", "", "{ret: {1, 2}}", "0100000000000000 0200000000000000"},
		{"enum color o(enum color e)", "aaaaaaaa 05000000", "e: GREEN", "{ret: LAST}", "06000000 05000000"},
		{"void* o([user_check] void* p)", "aaaaaaaaaaaaaaaa 1000000000000000", "p: &0x10", "{ret: &0x5}", "0500000000000000 1000000000000000"},
		{"void o([user_check] char* p)", "P8 0000000000000000", "p: &0x7000008", `{p: "ab"}`, "P8 6162000000000000"},
		{"void o([in, string] char* s)", "P8 6162 00", `s: "ab"`, "{}", "P8 6162 00"},
		{"void o([in, string] char* s)", "0000000000000000", "s: null", "{}", "0000000000000000"},
		{"void o([in, out, string] char* s)", "P8 616263 00", `s: "abc"`, `{s: "x"}`, "P8 78 000000"},
		{"void o([in, wstring] wchar_t* s)", "P8 e9000000 00000000", `s: L"é"`, "{}", "P8 e9000000 00000000"},
		{"void o([in, size=n] void* p, size_t n)", "P16 0300000000000000 010203", "p: hex:010203, n: 3", "{}", "P16 0300000000000000 010203"},
		{"void o([out, size=n] void* p, size_t n)", "P16 0300000000000000 aaaaaa", "p: hex:000000, n: 3", "{p: hex:0102}", "P16 0300000000000000 0102aa"},
		{"void o([in, out, count=n] int16_t* p, int n)", "P16 02000000 00000000 0100 0200", "p: [1, 2], n: 2", "{p: [3, 4]}", "P16 02000000 00000000 0300 0400"},
		{"void o([out] int* p)", "P8 aaaaaaaa", "p: hex:00000000", "{p: 7}", "P8 07000000"},
		{"void o([out] int a[2])", "P8 aaaaaaaa aaaaaaaa", "a: hex:0000000000000000", "{a: [1, 2]}", "P8 01000000 02000000"},
		{"void o([in, out] struct point* p)", "P8 0100000000000000 0200000000000000", "p: {x: 1, y: 2}", "{p: {y: 9}}", "P8 0100000000000000 0900000000000000"},
		{"void o([in] struct deep* p)", "P8 02000000 00000000 P32 0000000000000000 0100 0200", "p: {n: 2, v: [1, 2], three: null}", "{}", "P8 02000000 00000000 P32 0000000000000000 0100 0200"},
		{"void o([in, out] struct deep* p)", "P8 02000000 00000000 P32 P36 0100 0200 010203", "p: {n: 2, v: [1, 2], three: hex:010203}", "{p: {three: hex:040506}}",
			"P8 02000000 00000000 P32 P36 0100 0200 040506"},
		{"void o([in, out] struct deep* p)", "P8 02000000 00000000 P32 P36 0100 0200 010203", "p: {n: 2, v: [1, 2], three: hex:010203}", "{p: {v: [5, 6], n: 1}}",
			"P8 01000000 00000000 P32 P36 0500 0600 010203"},
	} {
		mem := memoryOf(t, c.mem, 256)
		fc := &fakeCall{mem: mem, block: base}
		var got string
		handler := func(_ context.Context, o *invoke.OCall) invoke.Answer {
			call := value.Call{Args: o.Args}
			got = strings.TrimSuffix(call.String()[1:], ")")
			return answerOf(t, c.answer)
		}
		f := &fake{ecall: func(f *fake, _ uint64) error { return f.table[0](context.Background(), fc).Err() }}
		if _, err := client(t, f, "", c.decl+";", handler).Call(context.Background(), parse(t, "nothing()")); err != nil {
			t.Errorf("%s: %v", c.decl, err)
			continue
		}
		if got != c.args {
			t.Errorf("%s: arguments %s, want %s", c.decl, got, c.args)
		}
		if want := memoryOf(t, c.after, 256); !bytes.Equal(mem, want) {
			t.Errorf("%s: after %s\n%x\nwant\n%x", c.decl, c.answer, mem[:64], want[:64])
		}
	}
}

// TestWrongAnswers has OCALLs answered with what does not fit, and enclaves
// that make OCALLs with addresses that are none.
func TestWrongAnswers(t *testing.T) {
	for _, c := range []struct{ decl, mem, answer, want string }{
		{"void o()", "", "{ret: 1}", "o returns nothing"},
		{"int o()", "00000000", "{errno: 1}", "does not propagate errno"},
		{"int8_t o()", "00", "{ret: 300}", "300 does not fit int8_t"},
		{"void o(int a)", "00000000", "{a: 1}", "a is passed by value"},
		{"void o(int a)", "00000000", "{b: 1}", "there is no parameter b"},
		{"void o([in] int* a)", "P8 00000000", "{a: 1}", "a is not [out]"},
		{"void o([out] int* a)", "0000000000000000", "{a: 1}", "a: wrong answer to an OCALL: the enclave passed null"},
		{"void o([out] int* a)", "P8", "{a: zero:5}", "5 bytes in place of one int"},
		{"void o([in, out, string] char* a)", "P8 6162 00", `{a: "abc"}`, "3 bytes, and the string of the enclave has room for 2"},
		{"void* o()", "0000000000000000", `{ret: "text"}`, "nothing can be placed here"},
		{"void o([in] int* a)", "ffffffffffffff7f", "{}", "not in memory that the enclave was given"},
		{"void o([in, size=n] void* a, size_t n)", "P0 ffffffffffffffff", "{}", "bytes"},
		{"void o([in, string] char* a)", "P255", "{}", ""},
		{"void o([in, string] char* a)", "P256", "{}", "a string without an end"},
		{"void o(other_t a)", "00", "{}", "say --type other_t=SIZE"},
	} {
		fc := &fakeCall{mem: memoryOf(t, c.mem, 256), block: base}
		handler := func(context.Context, *invoke.OCall) invoke.Answer { return answerOf(t, c.answer) }
		f := &fake{ecall: func(f *fake, _ uint64) error { return f.table[0](context.Background(), fc).Err() }}
		_, err := client(t, f, "", c.decl+";", handler).Call(context.Background(), parse(t, "nothing()"))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.decl, err)
			}
			continue
		}
		if !errors.Is(err, status.ErrInvalidParameter) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q and the status that the enclave saw", c.decl, err, c.want)
		}
	}
	f := &fake{ecall: func(f *fake, _ uint64) error {
		return f.table[0](context.Background(), &fakeCall{block: 4}).Err()
	}}
	cl := client(t, f, "", "int o();", func(context.Context, *invoke.OCall) invoke.Answer { return invoke.Answer{} })
	if _, err := cl.Call(context.Background(), parse(t, "nothing()")); !errors.Is(err, status.ErrInvalidParameter) {
		t.Errorf("a structure that is nowhere: %v", err)
	}
}

// TestStatusOfOCall passes the answer's status on, and leaves OCALLs alone
// without a handler.
func TestStatusOfOCall(t *testing.T) {
	f := &fake{ecall: func(f *fake, _ uint64) error {
		return f.table[0](context.Background(), &fakeCall{mem: make([]byte, 4), block: base}).Err()
	}}
	cl := client(t, f, "", "int o();", func(context.Context, *invoke.OCall) invoke.Answer {
		return invoke.Answer{Status: status.ErrOutOfMemory}
	})
	if _, err := cl.Call(context.Background(), parse(t, "nothing()")); err != status.ErrOutOfMemory {
		t.Error(err)
	}
	f.ecall = nil
	if _, err := client(t, f, "", "int o();", nil).Call(context.Background(), parse(t, "nothing()")); err != nil || f.table != nil {
		t.Errorf("%v, table %v", err, f.table)
	}
}

func TestTypes(t *testing.T) {
	for _, c := range []struct{ spec, want string }{
		{"a_t", "is not NAME=SIZE"}, {"=4", "is not NAME=SIZE"}, {"1a=4", "is not NAME=SIZE"}, {"a=", "is not NAME=SIZE"},
		{"a=99999999999", "not a size up to"}, {"a=4:3", "power of two"}, {"a=4:", "power of two"}, {"a=-1", ""},
		{"a=other_t", "not known: describe that one first"}, {"a=struct { int x }", ""}, {"a=int[0]", ""}, {"a=struct {int a[1000000000];}", "larger than"},
		{"a=int; }; trusted { public void g(", ""},
	} {
		var ty invoke.Types
		if err := ty.Add(c.spec); !errors.Is(err, invoke.ErrType) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", c.spec, err, c.want)
		}
	}
	var ty invoke.Types
	for _, spec := range []string{"a = 4", "b=12:4", "c=uint16_t", "struct d=struct { c x[3]; double y; }", "e=struct { struct d d; }", "f=c[2][3]", "g=void*", "h=c*", "u = union { int a; double b; }", "i=f"} {
		if err := ty.Add(spec); err != nil && !strings.HasPrefix(spec, "e=") {
			t.Errorf("%s: %v", spec, err)
		}
	}
	got := ty.Layouts()
	for name, want := range map[string]string{"a": "{4 4}", "b": "{12 4}", "c": "{2 2}", "struct d": "{16 8}", "f": "{12 2}", "g": "{8 8}", "h": "{8 8}", "u": "{8 8}", "i": "{12 2}"} {
		if fmt.Sprint(got[name]) != want {
			t.Errorf("%s: %v, want %s", name, got[name], want)
		}
	}
}

// FuzzCall makes calls and OCALLs of every kind of parameter with what comes.
func FuzzCall(f *testing.F) {
	f.Add(`f(1, {x: 1}, "text", [1, 2], _, {v: [1], three: hex:010203})`, `{ret: 5, q: "ab", d: {v: [1]}}`, []byte("\x10\x00\x00\x07\x00\x00\x00\x00"))
	f.Add(`f(RED, [1, 2], L"x", zero:8, 4, null)`, `{q: [1, 2], s: "x"}`, bytes.Repeat([]byte("\x18\x00\x00\x07\x00\x00\x00\x00"), 8))
	f.Fuzz(func(t *testing.T, call, answer string, mem []byte) {
		c, err := value.Parse(call, nil)
		if err != nil {
			return
		}
		v, err := value.ParseValue(answer, nil)
		if err != nil {
			return
		}
		e := &fake{ecall: func(e *fake, ms uint64) error {
			copy(e.mem, mem) // the enclave writes what it likes
			return e.table[0](context.Background(), &fakeCall{mem: bytes.Clone(mem), block: base}).Err()
		}}
		cl := client(t, e, `public long f(enum color a, struct point p, [in, out, string] char* s, [in, out, count=n] int16_t* q, size_t n, [in, out] struct deep* d);`,
			`struct point o([in, out, string] char* s, [in, out, size=n, count=3] void* q, uint16_t n, [in, out] struct deep* d, union num u, [in, out] struct all* w);`,
			func(context.Context, *invoke.OCall) invoke.Answer { return invoke.Answer{Return: v, Out: v.Fields} })
		r, err := cl.Call(context.Background(), c)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: more than one line: %v", call, err)
			}
			return
		}
		_ = r.Return.String()
	})
}

func FuzzType(f *testing.F) {
	for _, s := range []string{"a=4:4", "a=uint16_t[2][3]", "a=void*", "a=struct { int x; union { int y; } z; }", "struct a=struct { a_t x[3]; }"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		var ty invoke.Types
		if err := ty.Add("a_t=uint8_t[3]"); err != nil {
			t.Fatal(err)
		}
		if err := ty.Add(spec); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %v", err)
		}
		for name, l := range ty.Layouts() {
			if l.Size > invoke.MaxMemory || l.Align == 0 {
				t.Errorf("%s: %s is %+v", spec, name, l)
			}
		}
	})
}
