package edl

import (
	"io/fs"
	"strings"
	"testing"
)

// preprocessed are the tokens of a text with macros replaced, with a space
// between, and the first error.
func preprocessed(text string, defines ...string) (string, Diagnostics) {
	l := &loader{report: newReport(), parsed: map[string]*unit{}}
	l.opts.Defines = defines
	l.opts.Open = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	var words []string
	for _, t := range l.preprocess(newSource("a.edl", []byte(text))) {
		if t.kind != tEOF {
			words = append(words, t.text)
		}
	}
	return strings.Join(words, " "), sorted(l.errors)
}

// The results are those of gcc -E, and most texts are the examples of the C
// standard or variations of them.
func TestPreprocess(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a b", "a b"},
		{"#define X 1\nX Y X", "1 Y 1"},
		{"#define X Y\n#define Y X\nX Y", "X Y"},
		{"#define X\nX a X", "a"},
		{"#define f(x) [x]\nf(1) f (2) f f(f(3))", "[ 1 ] [ 2 ] f [ [ 3 ] ]"},
		{"#define f(x, y) y x\nf((1, 2), 3)", "3 ( 1 , 2 )"},
		{"#define f() e\nf() f( )", "e e"},
		{"#define f(x) <x>\nf()", "< >"},
		{"#define f(x) x f\nf(1)(2)(3)", "1 f ( 2 ) ( 3 )"},
		{"#define f(a) a*g\n#define g(a) f(a)\nf(2)(9)", "2 * 9 * g"},
		{"#define x 3\n#define f(a) f(x * (a))\n#undef x\n#define x 2\nf(f(x+1))", "f ( 2 * ( f ( 2 * ( 2 + 1 ) ) ) )"},
		{"#define x 3\n#define f(a) f(x * (a))\n#undef x\n#define x 2\n#define g f\n#define z z[0]\n#define h g(~\n#define m(a) a(w)\n#define w 0,1\n#define t(a) a\ng(x+(3,4)-w) | h 5) & m\n(f)^m(m);",
			"f ( 2 * ( 2 + ( 3 , 4 ) - 0 , 1 ) ) | f ( 2 * ( ~ 5 ) ) & f ( 2 * ( 0 , 1 ) ) ^ m ( 0 , 1 ) ;"},
		{"#define p(a, b) a ## b\np(x, 1) p(, 1) p(x, ) p(,)", "x1 1 x"},
		{"#define t(x,y,z) x ## y ## z\nt(1,2,3), t(,4,5), t(6,,7), t(8,9,), t(10,,), t(,11,), t(,,12), t(,,)", "123 , 45 , 67 , 89 , 10 , 11 , 12 ,"},
		{"#define s(x) #x\ns(a  b) s() s((c,d))", `"a b" "" "(c,d)"`},
		{"#define v(...) [__VA_ARGS__]\nv() v(1) v(1, 2)", "[ ] [ 1 ] [ 1 , 2 ]"},
		{"#define v(a, ...) (a, ##__VA_ARGS__)\nv(1) v(1, 2, 3)", "( 1 ) ( 1 , 2 , 3 )"},
		{"#define a b c\n#define f(x) x\nf(a) f (a\n)", "b c b c"},
		{"#define LONG a \\\n  b\nLONG", "a b"},
		{"ab\\\ncd \\  \n ef", "abcd ef"},
		{"__LINE__\n\n __LINE__ /*\n*/ __LINE__", "1 3 4"},
		{"__FILE__ __x86_64__ __linux__", `"a.edl" 1 1`},
		{"#ifdef A\n1\n#else\n2\n#endif\n#ifdef B\n3\n#else\n4\n#endif", "1 4"},
		{"#ifndef A\n1\n#elif V == 7\n2\n#else\n3\n#endif", "2"},
		{"#if 0\n1\n#if 1\n2\n#else\n3\n#endif\n4\n#elif 1\n5\n#elif 1\n6\n#else\n7\n#endif", "5"},
		{"#if 0\n#error no\n#foo\n'\n\"\n#else\nok\n#endif", "ok"},
		{"#if 1 /* a\n b */ && 1\nok\n#endif", "ok"},
		{"# /* a */ define X 1\n/* b */ # define Y 2\nX Y\n#\n# \n", "1 2"},
		{"#define EMPTY\nEMPTY # define Z 1\nZ", "# define Z 1 Z"},
		{"#pragma once\n#line 7\n#ident \"x\"\na", "a"},
	} {
		got, ds := preprocessed(c.text, "A", "V=7")
		if got != c.want || len(ds) > 0 {
			t.Errorf("%s\n got %s\nwant %s\n%s", c.text, got, c.want, ds.Text())
		}
	}
}

func TestConditions(t *testing.T) {
	for expr, want := range map[string]bool{
		"1": true, "0": false, "-1": true, "!1": false, "~0 == -1": true, "+1": true,
		"1 + 2 * 3 == 7": true, "(1 + 2) * 3 == 9": true, "10 - 4 - 3 == 3": true,
		"7 / 2 == 3 && 7 % 2 == 1": true, "-7 / 2 == -3 && -7 % 2 == -1": true,
		"1 << 4 == 16": true, "256 >> 4 == 16": true, "-16 >> 2 == -4": true, "1 << -1 == 0": true,
		"1 < 2": true, "2 <= 2": true, "3 > 2": true, "2 >= 3": false, "1 != 2": true,
		"0x10 == 16": true, "010 == 8": true, "0b101 == 5": true, "10u == 10UL": true, "1ll == 1LLU": true,
		"-1 > 0u": true, "-1 < 0": true, "0xffffffffffffffff == -1": true, "-1 / 2u > 1": true,
		"6 & 3 == 3": false, "(6 & 3) == 2": true, "(6 | 3) == 7": true, "(6 ^ 3) == 5": true,
		"1 || 1 / 0": true, "0 && 1 / 0": false, "1 ? 2 : 1 / 0": true, "0 ? 1 : 0 ? 1 : 1": true,
		"'A' == 65": true, "unknown": false, "unknown == 0": true,
		"defined A": true, "defined(A) && !defined(B)": true, "defined ( B )": false,
		"V == 7": true, "V * (V + 1) == 56": true, "F(2) == 4": true, "__LP64__ && __CHAR_BIT__ == 8": true,
		"-9223372036854775807 - 1 < 0 && (-9223372036854775807 - 1) / -1 < 0": true,
	} {
		got, ds := preprocessed("#define F(x) ((x) * 2)\n#if "+expr+"\nyes\n#endif", "A", "V=7")
		if len(ds) > 0 || (got == "yes") != want {
			t.Errorf("%s: %q %s", expr, got, ds.Text())
		}
	}
}

func TestPreprocessErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"#if", "needs a condition"},
		{"#if 1 +", "ends too early"},
		{"#if 1 2", "`2` is not expected"},
		{"#if (1", "`(` without `)`"},
		{"#if 1 ? 2", "`?` without `:`"},
		{"#if 1 / 0", "division by zero"},
		{"#if 1 % 0", "division by zero"},
		{"#if 1.5", "no integer"},
		{"#if 08", "no integer"},
		{"#if 1x", "no integer"},
		{"#if 0x10000000000000000", "too large"},
		{"#if \"a\"", "no integer"},
		{"#if defined", "needs a name"},
		{"#if defined(", "needs a name"},
		{"#ifdef", "needs a name"},
		{"#ifdef 1", "needs a name"},
		{"#undef", "needs a name"},
		{"#else", "#else without #if"},
		{"#elif 1", "#elif without #if"},
		{"#endif", "#endif without #if"},
		{"#if 1\n#else\n#elif 1\n#endif", "#elif behind #else"},
		{"#if 0\n#else\n#else\n#endif", "#else behind #else"},
		{"#if 0\n", "no #endif"},
		{"#define 1", "needs a name"},
		{"#define defined", "cannot be a macro"},
		{"#define f(", "no end"},
		{"#define f(a", "no end"},
		{"#define f(a,", "no end"},
		{"#define f(a,a) a", "cannot be a parameter"},
		{"#define f(..., a) a", "not expected"},
		{"#define f(a b) a", "not expected"},
		{"#define x ## a", "`##` stands at an end"},
		{"#define x a ##", "`##` stands at an end"},
		{"#define f(a) # b", "`#` without a parameter"},
		{"#define f(a) a\nf(1, 2)", "takes 1 arguments, not 2"},
		{"#define f(a, b) a\nf(1)", "takes 2 arguments, not 1"},
		{"#define f(a) a\nf(1", "no end"},
		{"#define p(a, b) a ## b\np(+, /)", "no token"},
		{"#include", "without a file"},
		{"#include <stdint.h>", "without a file"},
		{"#include \"none.h\"", "cannot include none.h"},
		{"#error some text  // here", "#error some text"},
		{"#warn", "there is no directive #warn"},
		{"__DATE__", "not supported"},
	} {
		_, ds := preprocessed(c.text)
		if !strings.Contains(ds.Text(), c.want) {
			t.Errorf("%s: want %q, got %s", c.text, c.want, ds.Text())
		}
	}
	if _, ds := preprocessed("", "=1", "A\nB"); len(ds) != 2 {
		t.Error(ds)
	}
}
