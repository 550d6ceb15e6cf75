package gen

import (
	"errors"
	"fmt"
	"go/format"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// Why there is no Go for an interface. The error says where and what.
var (
	ErrGoType   = errors.New("no Go for this type")
	ErrGoTooBig = errors.New("too big for a value of Go")
)

// maxGoValue is the size in bytes of the largest struct that becomes a type of
// Go, and maxGoArray that of the largest buffer that becomes an array. A
// larger one is a slice.
const (
	maxGoValue = 1 << 20
	maxGoArray = 64 << 10
)

// GoType is a type of Go that stands for a type of a C header. Its size is
// that of the plan.
type GoType struct {
	// Import is the path of the package, "" for a predeclared type or one of
	// the package that is written.
	Import string
	// Name is the name in that package.
	Name string
	// Kind says how it is written to memory.
	Kind GoKind
}

// GoKind is how a value of a [GoType] is written to memory.
type GoKind uint8

// Kinds of types.
const (
	// GoInteger is an integer, which C has in the size of the plan.
	GoInteger GoKind = iota
	// GoCoder has methods EncodeC(edge.Block) and DecodeC(edge.Block) on its
	// pointer.
	GoCoder
	// GoBinary has methods AppendBinary and UnmarshalBinary on its pointer,
	// which cannot fail for the size of the plan.
	GoBinary
)

// GoOptions are what an EDL does not say of a package of Go.
type GoOptions struct {
	// Package is the name of the package. "" stands for that of the
	// interface, in lower case and, if it is a keyword, with "edl" behind it.
	Package string
	// Foreign are types of C headers, by name, that have a type of Go. Others
	// of a known layout become types of their own.
	Foreign map[string]GoType
}

// GoTypes writes what both sides share: X_types.go with the types of the
// interface X, and the interfaces XECalls and XOCalls with the functions. The
// client outside and the enclave implement XECalls; the host and the proxy
// inside implement XOCalls.
func GoTypes(p *plan.Plan, o GoOptions) (File, error) {
	return goFile(p, o, "types", (*goGen).typesFile)
}

// GoUntrusted writes X_u.go: the client of the enclave, which serves its
// OCALLs. It goes into one package with what [GoTypes] writes.
func GoUntrusted(p *plan.Plan, o GoOptions) (File, error) {
	return goFile(p, o, "u", (*goGen).untrustedFile)
}

// GoTrusted writes X_t.go: the table of the enclave's functions, and the
// proxy that it makes OCALLs with. It goes into one package with what
// [GoTypes] writes, beside what [GoUntrusted] writes or not.
func GoTrusted(p *plan.Plan, o GoOptions) (File, error) {
	return goFile(p, o, "t", (*goGen).trustedFile)
}

// goFile writes one file.
func goFile(p *plan.Plan, o GoOptions, suffix string, write func(*goGen)) (File, error) {
	g, err := newGoGen(p, o)
	if err != nil {
		return File{}, fmt.Errorf("edl/gen: %w", err)
	}
	write(g)
	var head strings.Builder
	fmt.Fprintf(&head, "// Code generated from %s.edl by feidi. DO NOT EDIT.\n\n", goComment(p.Interface.Name))
	if suffix == "types" {
		fmt.Fprintf(&head, "// Package %s is the border of an enclave, as %s.edl describes it.\n", g.pkg, goComment(p.Interface.Name))
	}
	fmt.Fprintf(&head, "package %s\n", g.pkg)
	if len(g.imports) > 0 {
		head.WriteString("\nimport (\n")
		paths := slices.Sorted(maps.Keys(g.imports))
		for _, std := range []bool{true, false} {
			for _, imp := range paths {
				if std == !strings.Contains(imp, ".") {
					fmt.Fprintf(&head, "\t%q\n", imp)
				}
			}
			head.WriteString("\n")
		}
		head.WriteString(")\n")
	}
	head.WriteString(g.String())
	src, err := format.Source([]byte(head.String()))
	if err != nil {
		return File{}, fmt.Errorf("edl/gen: %w", err)
	}
	return File{goFileName(p.Interface.Name) + "_" + suffix + ".go", src}, nil
}

// goGen writes one file of Go.
type goGen struct {
	strings.Builder
	plan    *plan.Plan
	options GoOptions
	pkg     string
	name    string // of the interface, exported
	imports map[string]bool

	names          *goScope // of the package
	types          map[string]*goType
	declared       []*goType // in order
	ecalls, ocalls []*goFunc
}

func (g *goGen) f(format string, args ...any) { fmt.Fprintf(g, format, args...) }

// Packages that generated code imports.
const (
	modulePath   = "github.com/feidi-dev/feidi/"
	importEdge   = modulePath + "edl/edge"
	importUedge  = modulePath + "edl/uedge"
	importTedge  = modulePath + "edl/tedge"
	importISA    = modulePath + "isa"
	importStatus = modulePath + "status"
)

// use imports a package into the file and returns its name with a dot.
func (g *goGen) use(imp string) string {
	g.imports[imp] = true
	return path.Base(imp) + "."
}

func newGoGen(p *plan.Plan, o GoOptions) (*goGen, error) {
	g := &goGen{
		plan: p, options: o, pkg: o.Package, imports: map[string]bool{}, types: map[string]*goType{},
		name: goExported(p.Interface.Name),
	}
	if g.pkg == "" {
		if g.pkg = strings.ToLower(g.name); !goIdentifier(g.pkg) { // a keyword
			g.pkg += "edl"
		}
	}
	if !goIdentifier(g.pkg) {
		return nil, fmt.Errorf("package %q: %w", g.pkg, ErrName)
	}
	lower := goLower(g.name)
	g.names = newGoScope(g.name, "New"+g.name, g.name+"ECalls", g.name+"OCalls", g.name+"Table", g.name+"Host",
		lower+"ECallServer", lower+"OCallServer")
	for imp := range g.everyImport() {
		g.names.taken[path.Base(imp)] = true
	}
	if err := g.declareTypes(); err != nil {
		return nil, err
	}
	var err error
	if g.ecalls, err = g.functions(p.ECalls, true); err != nil {
		return nil, err
	}
	g.ocalls, err = g.functions(p.OCalls, false)
	return g, err
}

// everyImport is what any file of the interface may import.
func (g *goGen) everyImport() map[string]bool {
	all := map[string]bool{
		"bytes": true, "context": true, "math": true,
		importEdge: true, importUedge: true, importTedge: true, importISA: true, importStatus: true,
	}
	for _, t := range g.options.Foreign {
		if t.Import != "" {
			all[t.Import] = true
		}
	}
	return all
}

// goErrorf is an error at a place of the EDL.
func goErrorf(pos edl.Pos, sentinel error, format string, args ...any) error {
	return fmt.Errorf("%s:%d:%d: %s: %w", pos.File, pos.Line, pos.Col, fmt.Sprintf(format, args...), sentinel)
}
