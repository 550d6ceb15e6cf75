package edl_test

import (
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
)

// open returns a function that opens files of a map.
func open(files map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		s, ok := files[path]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(s), nil
	}
}

// names are the names of functions in order.
func names(list []*edl.Func) string {
	var s []string
	for _, f := range list {
		s = append(s, f.Name)
	}
	return strings.Join(s, " ")
}

func load(t *testing.T, path string, o edl.Options) *edl.Interface {
	t.Helper()
	i, _, err := edl.Load(path, o)
	var ds edl.Diagnostics
	if errors.As(err, &ds) {
		t.Fatalf("\n%s", ds.Text())
	} else if err != nil {
		t.Fatal(err)
	}
	return i
}

// Everything that an EDL file says is in the interface, with its place.
func TestLoad(t *testing.T) {
	const src = `
enclave {
	include "x.h"
	include "y.h"
	include "x.h"
	enum color { red, green = 4, blue = green };
	struct point { uint32_t x; unsigned long long y[2][3]; [size=x, count=4] char *buf; };
	union u { int a; double b; };
	trusted {
		include "t.h"
		public int f([in, size=n] const void *p, size_t n, [user_check] struct point *q) transition_using_threads;
		void g();
	};
	untrusted {
		include "u.h"
		[cdecl, dllimport] foreign_t *o([in, out, string] char *s, [in, isptr, readonly] foreign_t t, [out] int a[4]) allow(g, f) propagate_errno;
	};
};`
	at := func(text string, n int) edl.Pos {
		off := -1
		for range n {
			off += 1 + strings.Index(src[off+1:], text)
		}
		line := strings.Count(src[:off], "\n") + 1
		return edl.Pos{File: "dir/a.edl", Line: line, Col: off - strings.LastIndexByte(src[:off], '\n')}
	}
	got := load(t, "dir/a.edl", edl.Options{Open: open(map[string]string{"dir/a.edl": src})})
	want := &edl.Interface{
		Name: "a", Includes: []string{"x.h", "y.h"}, TrustedIncludes: []string{"t.h"}, UntrustedIncludes: []string{"u.h"},
		Types: []*edl.Composite{
			{Pos: at("color", 1), Kind: edl.EnumKind, Name: "color", Elements: []edl.Element{
				{Pos: at("red", 1), Name: "red"},
				{Pos: at("green", 1), Name: "green", Value: &edl.Operand{Pos: at("4", 1), Number: 4}},
				{Pos: at("blue", 1), Name: "blue", Value: &edl.Operand{Pos: at("green", 2), Name: "green"}},
			}},
			{Pos: at("point", 1), Kind: edl.StructKind, Name: "point", Members: []*edl.Param{
				{Pos: at("x;", 1), Name: "x", Type: edl.Type{Kind: edl.UInt32}},
				{Pos: at("y[2]", 1), Name: "y", Type: edl.Type{Kind: edl.ULongLong}, Dims: []uint64{2, 3}},
				{Pos: at("buf", 1), Name: "buf", Type: edl.Type{Kind: edl.Char, Pointers: 1}, Attributes: edl.Attributes{
					Size: &edl.Operand{Pos: at("x, count", 1), Name: "x"}, Count: &edl.Operand{Pos: at("4] char", 1), Number: 4}}},
			}},
			{Pos: at("u {", 1), Kind: edl.UnionKind, Name: "u", Members: []*edl.Param{
				{Pos: at("a;", 1), Name: "a", Type: edl.Type{Kind: edl.Int}},
				{Pos: at("b;", 1), Name: "b", Type: edl.Type{Kind: edl.Double}},
			}},
		},
		ECalls: []*edl.Func{
			{Pos: at("f(", 1), Name: "f", Result: edl.Type{Kind: edl.Int}, Public: true, Switchless: true, Params: []*edl.Param{
				{Pos: at("p, size_t", 1), Name: "p", Type: edl.Type{Kind: edl.Void, Const: true, Pointers: 1},
					Attributes: edl.Attributes{Direction: edl.In, Size: &edl.Operand{Pos: at("n] const", 1), Name: "n"}}},
				{Pos: at("n, [user", 1), Name: "n", Type: edl.Type{Kind: edl.SizeT}},
				{Pos: at("q)", 1), Name: "q", Type: edl.Type{Kind: edl.StructKind, Name: "point", Pointers: 1}, Attributes: edl.Attributes{UserCheck: true}},
			}},
			{Pos: at("g(", 1), Name: "g"},
		},
		OCalls: []*edl.Func{
			{Pos: at("o([", 1), Name: "o", Result: edl.Type{Kind: edl.Foreign, Name: "foreign_t", Pointers: 1}, Convention: "cdecl", DLLImport: true,
				Allow: []string{"g", "f"}, PropagateErrno: true, Params: []*edl.Param{
					{Pos: at("s, [in, is", 1), Name: "s", Type: edl.Type{Kind: edl.Char, Pointers: 1}, Attributes: edl.Attributes{Direction: edl.InOut, String: true}},
					{Pos: at("t, [out]", 1), Name: "t", Type: edl.Type{Kind: edl.Foreign, Name: "foreign_t"}, Attributes: edl.Attributes{Direction: edl.In, IsPtr: true, ReadOnly: true}},
					{Pos: at("a[4]", 1), Name: "a", Type: edl.Type{Kind: edl.Int}, Dims: []uint64{4}, Attributes: edl.Attributes{Direction: edl.Out}},
				}},
		},
	}
	if !reflect.DeepEqual(got.Types, want.Types) {
		t.Errorf("types differ")
	}
	for i, f := range want.ECalls {
		if !reflect.DeepEqual(got.ECalls[i], f) {
			t.Errorf("got %+v\nwant %+v", got.ECalls[i], f)
		}
	}
	if !reflect.DeepEqual(got.OCalls, want.OCalls) {
		t.Errorf("got %+v\nwant %+v", got.OCalls[0], want.OCalls[0])
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// Indexes follow the order of sgx_edger8r: own functions, then the imports.
func TestImportOrder(t *testing.T) {
	files := map[string]string{
		"a.edl": `enclave { from "b.edl" import *; trusted { public void a1(); }; from "c.edl" import c2, co; trusted { public void a2(); }; untrusted { void ao(); }; };`,
		"b.edl": `enclave { from "d.edl" import *; trusted { void b1(); }; include "b.h" struct s { int a; }; };`,
		"c.edl": `enclave { from "d.edl" import *; trusted { include "ct.h" void c1(); void c2(); }; untrusted { void co(); void co2(); }; };`,
		"d.edl": `enclave { trusted { void d1(); }; untrusted { void do1(); }; include "b.h" };`,
		// The second import of b brings what the first left out, at its own place.
		"twice.edl": `enclave { from "two.edl" import y; from "d.edl" import d1; from "two.edl" import *; trusted { public void f(); }; };`,
		"two.edl":   `enclave { trusted { void x(); void y(); void z(); }; struct t { int a; }; };`,
		// What is listed is searched in the imports of the import.
		"list.edl": `enclave { from "e.edl" import b1, d1, do1; trusted { public void f(); }; };`,
		"e.edl":    `enclave { from "b.edl" import *; trusted { void e1(); }; };`,
		// Two imports of one function.
		"same.edl": `enclave { from "two.edl" import x; from "two.edl" import y; from "two.edl" import y, x; trusted { public void f(); }; };`,
	}
	for _, c := range []struct{ file, ecalls, ocalls, types string }{
		{"a.edl", "a1 a2 b1 d1 c2", "ao do1 co", "s"},
		{"twice.edl", "f y d1 x z", "", "t"},
		{"list.edl", "f b1 d1", "do1", "s"},
		{"same.edl", "f x y", "", "t"},
	} {
		i := load(t, c.file, edl.Options{Open: open(files)})
		var types []string
		for _, c := range i.Types {
			types = append(types, c.Name)
		}
		if names(i.ECalls) != c.ecalls || names(i.OCalls) != c.ocalls || strings.Join(types, " ") != c.types {
			t.Errorf("%s: %s / %s / %s", c.file, names(i.ECalls), names(i.OCalls), types)
		}
	}
	i := load(t, "a.edl", edl.Options{Open: open(files)})
	if strings.Join(i.Includes, " ") != "b.h" || strings.Join(i.TrustedIncludes, " ") != "ct.h" {
		t.Error(i.Includes, i.TrustedIncludes)
	}
}

func TestSearchPath(t *testing.T) {
	files := map[string]string{
		"top/a.edl":  `enclave { from "b.edl" import *; };`,
		"one/b.edl":  `enclave { trusted { public void one(); }; };`,
		"two/b.edl":  `enclave { trusted { public void two(); }; };`,
		"b.edl":      `enclave { trusted { public void current(); }; };`,
		"top/b.edl":  `enclave { trusted { public void beside(); }; };`,
		"/abs/b.edl": `enclave { trusted { public void abs(); }; };`,
		"abs.edl":    `enclave { from "/abs/b.edl" import *; };`,
	}
	for _, c := range []struct {
		file string
		path []string
		want string
	}{
		{"top/a.edl", []string{"one", "two"}, "one"},
		{"top/a.edl", []string{"none", "two"}, "two"},
		{"top/a.edl", nil, "current"},
		{"a.edl", []string{"top"}, "beside"},
		{"abs.edl", nil, "abs"},
	} {
		i := load(t, c.file, edl.Options{Open: open(files), SearchPath: c.path})
		if names(i.ECalls) != c.want {
			t.Errorf("%s %v: %s", c.file, c.path, names(i.ECalls))
		}
	}
	delete(files, "b.edl")
	if i := load(t, "top/a.edl", edl.Options{Open: open(files)}); names(i.ECalls) != "beside" {
		t.Error(names(i.ECalls))
	}
	denied := func(string) ([]byte, error) { return nil, fs.ErrPermission }
	if _, _, err := edl.Load("a.edl", edl.Options{Open: denied}); err == nil || !strings.Contains(err.Error(), "permission") {
		t.Error(err)
	}
	if _, _, err := edl.Load("a.edl", edl.Options{}); err == nil {
		t.Error("no Open")
	}
	if _, _, err := edl.Load("none.edl", edl.Options{Open: open(files), SearchPath: []string{"x", "y"}}); err == nil || !strings.Contains(err.Error(), "looked in ., x, y") {
		t.Error(err)
	}
}

func TestHeaderOnly(t *testing.T) {
	o := edl.Options{Open: open(map[string]string{"a.edl": "enclave { untrusted { void f(); }; };"})}
	if _, _, err := edl.Load("a.edl", o); err == nil {
		t.Error("no public ECALL")
	}
	o.HeaderOnly = true
	load(t, "a.edl", o)
}
