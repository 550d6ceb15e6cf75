package gogen

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen"
	"github.com/feidi-dev/feidi/edl/plan"
)

// packages are what generated code imports, as the compiler has exported
// them; nil if there is no go command.
var packages = sync.OnceValue(func() types.Importer {
	cmd := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}",
		"bytes", "context", "math", importEdge, importUedge, importTedge, importISA, importStatus)
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[path] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	})
})

// checkGo parses files of one package, and type-checks them.
func checkGo(t testing.TB, files []gen.File) {
	t.Helper()
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, f := range files {
		file, err := parser.ParseFile(fset, f.Name, f.Content, parser.ParseComments)
		if err != nil {
			t.Fatalf("%v\n%s", err, f.Content)
		}
		parsed = append(parsed, file)
	}
	imp := packages()
	if imp == nil {
		return
	}
	if _, err := (&types.Config{Importer: imp}).Check("x", fset, parsed, nil); err != nil {
		for _, f := range files {
			t.Logf("%s:\n%s", f.Name, f.Content)
		}
		t.Fatal(err)
	}
}

// FuzzGenerate goes all the way from the text of an EDL to Go that compiles.
func FuzzGenerate(f *testing.F) {
	wide, err := os.ReadFile("testdata/wide.edl")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wide)
	for _, text := range []string{
		`struct s{uint8_t n;[count=n]int*v;[size=2,count=k]short*w;int k;};trusted{public void f([in,out]struct s*p,[in,count=c]struct s*q,int c);};untrusted{void g([in,out,count=2]struct s*p);};`,
		`enum e{A,B=7};union u{enum e x;char b[3][2];};trusted{public union u f([in,out]union u*p,enum e v,[out]enum e r[2][2]);};untrusted{};`,
		`trusted{public char*f([in,string]char*s,[in,out,wstring]wchar_t*w,[user_check]void**v);};untrusted{long g([in,string]const char*s,[out,size=n]void*p,unsigned n)propagate_errno allow(f);};`,
		`trusted{public void f([in,size=n]int*p,[in,count=n]long*q,[out,size=n,count=m]char*r,size_t n,int m);public blob_t g([in,isary]ary_t a,[in,isptr]cptr_t c,[out,count=2]sgx_report_t*r);};untrusted{};`,
	} {
		f.Add([]byte("enclave{" + text + "};"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		i, _, err := edl.Load("x.edl", edl.Options{Open: fstest.MapFS{"x.edl": {Data: text}}.ReadFile})
		if err != nil {
			return
		}
		p, err := plan.New(i, plan.Options{Foreign: wideLayouts})
		if err != nil {
			return
		}
		files, err := allFiles(p, Options{})
		if err != nil {
			if len(files) > 0 {
				t.Fatalf("one file, but not the other: %v", err)
			}
			return
		}
		checkGo(t, files)
		checkGo(t, []gen.File{files[0], files[1]})
		checkGo(t, []gen.File{files[0], files[2]})
	})
}
