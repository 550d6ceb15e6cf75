// Package gogen writes the edge routines of an interface in Go: [Types] what
// both sides share, [Untrusted] the client of an enclave, and [Trusted] its
// table of functions. Their errors wrap [ErrType], [ErrTooBig] or
// [gen.ErrName].
package gogen

import (
	"errors"
	"fmt"
	"go/format"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen"
	"github.com/feidi-dev/feidi/edl/plan"
)

// Why there is no Go for an interface. The error that wraps them says where.
var (
	ErrType   = errors.New("no Go for this type")
	ErrTooBig = errors.New("too big for a value of Go")
)

// maxGoValue is the size in bytes of the largest struct that becomes a type of
// Go, and maxGoArray that of the largest buffer that becomes an array. A
// larger one is a slice.
const (
	maxGoValue = 1 << 20
	maxGoArray = 64 << 10
)

// Type is a type of Go that stands for a type of a C header. Its size is
// that of the plan.
type Type struct {
	// Import is the path of the package, "" for a predeclared type or one of
	// the package that is written.
	Import string
	// Name is the name in that package.
	Name string
	// Kind says how it is written to memory.
	Kind Kind
}

// Kind is how a value of a [Type] is written to memory.
type Kind uint8

// Kinds of types.
const (
	// Integer is an integer, which C has in the size of the plan.
	Integer Kind = iota
	// Coder has methods EncodeC(edge.Block) and DecodeC(edge.Block) on its
	// pointer.
	Coder
	// Binary has methods AppendBinary and UnmarshalBinary on its pointer,
	// which cannot fail for the size of the plan.
	Binary
)

// Options are what an EDL does not say of a package of Go.
type Options struct {
	// Package is the name of the package. "" stands for that of the
	// interface, in lower case and, if it is a keyword, with "edl" behind it.
	Package string
	// Foreign are types of C headers, by name, that have a type of Go. Others
	// of a known layout become types of their own.
	Foreign map[string]Type
}

// Types writes what both sides share: X_types.go with the types of the
// interface X, and the interfaces XECalls and XOCalls with the functions. The
// client outside and the enclave implement XECalls; the host and the proxy
// inside implement XOCalls, and so does UnimplementedXOCalls, to be embedded by
// a host that serves some of them.
func Types(p *plan.Plan, o Options) (gen.File, error) {
	return writeFile(p, o, "types", (*generator).typesFile)
}

// Untrusted writes X_u.go: the client of the enclave, which serves its
// OCALLs. It goes into one package with what [Types] writes.
func Untrusted(p *plan.Plan, o Options) (gen.File, error) {
	return writeFile(p, o, "u", (*generator).untrustedFile)
}

// Trusted writes X_t.go: the table of the enclave's functions, and the
// proxy that it makes OCALLs with. It goes into one package with what
// [Types] writes, beside what [Untrusted] writes or not.
func Trusted(p *plan.Plan, o Options) (gen.File, error) {
	return writeFile(p, o, "t", (*generator).trustedFile)
}

// writeFile writes one file.
func writeFile(p *plan.Plan, o Options, suffix string, write func(*generator)) (gen.File, error) {
	g, err := newGenerator(p, o)
	if err != nil {
		return gen.File{}, fmt.Errorf("edl/gen/gogen: %w", err)
	}
	write(g)
	var head strings.Builder
	fmt.Fprintf(&head, "// Code generated from %s.edl by feidi. DO NOT EDIT.\n\n", commentText(p.Interface.Name))
	if suffix == "types" {
		fmt.Fprintf(&head, "// Package %s is the border of an enclave, as %s.edl describes it.\n", g.pkg, commentText(p.Interface.Name))
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
		return gen.File{}, fmt.Errorf("edl/gen/gogen: %w", err)
	}
	return gen.File{Name: fileName(p.Interface.Name) + "_" + suffix + ".go", Content: src}, nil
}

// generator writes one file of Go.
type generator struct {
	strings.Builder
	plan    *plan.Plan
	options Options
	pkg     string
	name    string // of the interface, exported
	imports map[string]bool

	names          *nameScope // of the package
	types          map[string]*goType
	declared       []*goType // in order
	ecalls, ocalls []*goFunc
}

func (g *generator) f(format string, args ...any) { fmt.Fprintf(g, format, args...) }

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
func (g *generator) use(imp string) string {
	g.imports[imp] = true
	return path.Base(imp) + "."
}

func newGenerator(p *plan.Plan, o Options) (*generator, error) {
	g := &generator{
		plan: p, options: o, pkg: o.Package, imports: map[string]bool{}, types: map[string]*goType{},
		name: exportedName(p.Interface.Name),
	}
	if g.pkg == "" {
		if g.pkg = strings.ToLower(g.name); !isIdentifier(g.pkg) { // a keyword
			g.pkg += "edl"
		}
	}
	if !isIdentifier(g.pkg) {
		return nil, fmt.Errorf("package %q: %w", g.pkg, gen.ErrName)
	}
	lower := localName(g.name)
	g.names = newNameScope(g.name, "New"+g.name, g.name+"ECalls", g.name+"OCalls", "Unimplemented"+g.name+"OCalls", g.name+"Table", g.name+"Host",
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
func (g *generator) everyImport() map[string]bool {
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

// errorf is an error at a place of the EDL.
func errorf(pos edl.Pos, sentinel error, format string, args ...any) error {
	return fmt.Errorf("%v: %s: %w", pos, fmt.Sprintf(format, args...), sentinel)
}
