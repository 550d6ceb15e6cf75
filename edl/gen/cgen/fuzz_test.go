package cgen

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen"
	"github.com/feidi-dev/feidi/edl/plan"
)

// FuzzGenerate goes all the way from the text of an EDL file to C: whatever
// has a plan has all four files, or an error of this package.
func FuzzGenerate(f *testing.F) {
	for _, text := range []string{
		`struct s{uint8_t n;[count=n]int*v;[size=2,count=k]short*w;int k;};trusted{public void f([in,out]struct s*p,[in,count=c]struct s*q,size_t c);};untrusted{void g([in,out,count=2]struct s*p);};`,
		`enum e{A,B=7};enum{};union u{enum e x;char b[3][2];};trusted{public union u f([in,out]union u*p,enum e v,[out]enum e r[2][2]);};untrusted{};`,
		`trusted{public char*f([in,string]char*s,[in,out,wstring]wchar_t*w,[user_check]void**v);};untrusted{[cdecl]long g([in,string]const char*s,[out,size=n]void*p,unsigned n)allow(f)propagate_errno;};`,
		`trusted{public blob_t g([in,isary]ary_t a,[in,isptr]cptr_t c)transition_using_threads;};`,
	} {
		f.Add([]byte("enclave{" + text + "};"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		i, _, err := edl.Load("x.edl", edl.Options{Dialect: edl.Dialect(len(text) % 2), Open: fstest.MapFS{"x.edl": {Data: text}}.ReadFile})
		if err != nil {
			return
		}
		p, err := plan.New(i, plan.Options{})
		if err != nil {
			return
		}
		files, err := Generate(p, Options{})
		if err != nil && !errors.Is(err, gen.ErrName) && !errors.Is(err, ErrDeepOnly) || err == nil && len(files) != 4 {
			t.Errorf("%d files, %v", len(files), err)
		}
	})
}
