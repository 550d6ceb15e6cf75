package gobuild

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"strconv"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/internal/goabi"
)

// TestABISource holds that each constant and each call of package goabi, as its
// source has them, is in the file that the runtime gets.
func TestABISource(t *testing.T) {
	source := string(abiSource())
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "zencl_abi.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]int64{}
	rows := map[int]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if lit, ok := n.Values[0].(*ast.BasicLit); ok {
				have[n.Names[0].Name], _ = strconv.ParseInt(lit.Value, 0, 64)
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.BasicLit); ok {
				nr, _ := strconv.Atoi(key.Value)
				rows[nr] = source[n.Value.Pos()-1 : n.Value.End()-1]
			}
		}
		return true
	})
	src, err := parser.ParseFile(fset, "../internal/goabi/goabi.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{}
	checked, err := conf.Check("goabi", fset, []*ast.File{src}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range checked.Scope().Names() {
		c, ok := checked.Scope().Lookup(name).(*types.Const)
		if !ok {
			continue
		}
		want, _ := constant.Int64Val(c.Val())
		if got, ok := have["encl"+name]; !ok || got != want {
			t.Errorf("encl%s is %#x, there %v; goabi has %#x", name, got, ok, want)
		}
	}
	if len(rows) != len(goabi.Calls) {
		t.Errorf("%d calls, and goabi has %d", len(rows), len(goabi.Calls))
	}
	for _, c := range goabi.Calls {
		row := strings.Join(strings.Fields(rows[c.Nr]), " ")
		want := fmt.Sprintf("{args: %d, result: %d, kind: [6]uint8{", len(c.Args), c.Result)
		if !strings.HasPrefix(row, want) {
			t.Errorf("%s: %s, want %s", c.Name, row, want)
			continue
		}
		for i, a := range c.Args {
			kinds := strings.Split(strings.TrimPrefix(row, want), ",")
			if strings.TrimSpace(kinds[i]) != strconv.Itoa(int(a.Kind)) {
				t.Errorf("%s: argument %d is of kind %s, want %d", c.Name, i, kinds[i], a.Kind)
			}
		}
	}
}
