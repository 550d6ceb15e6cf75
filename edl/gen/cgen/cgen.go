// Package cgen writes the edge routines of an interface in C, for the Intel SGX
// SDK. [Generate] is all of it.
package cgen

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen"
	"github.com/feidi-dev/feidi/edl/plan"
)

// ErrDeepOnly says that there is no C for an [out] struct with buffers.
var ErrDeepOnly = errors.New("the structs of a deep copy come in, so that their buffers are known: write [in, out]")

// Options says what [Generate] writes. The zero value writes all four files.
type Options struct {
	// Trusted and Untrusted choose the side. Neither means both.
	Trusted, Untrusted bool
	// HeaderOnly leaves out the .c files.
	HeaderOnly bool
	// UsePrefix begins the name of every function that the host calls with
	// that of the interface, so that it may use two enclaves whose functions
	// have the same names.
	UsePrefix bool
}

// Generate writes the edge routines of an interface in C: X_t.h and X_t.c for the
// enclave, X_u.h and X_u.c for its host. They build with the Intel SGX SDK in
// place of what its sgx_edger8r writes, and either side works with the other
// side of that: marshalling structures, indexes and tables are the same.
//
// The enclave's side copies the marshalling structure before it looks at it,
// checks every address and length, and writes to the host by the copies that
// clear the fill buffers (VERW). It compiles with the headers of the SDK from
// 2.3 on, of which those before 2.17 have no such copies: for them the macro
// EDGE_WITHOUT_VERW selects plain ones. An interface without switchless calls
// needs no more than 2.1.3.
//
// It is stricter than sgx_edger8r in what no honest caller notices: the length
// of a buffer is computed in 64 bits also where its operands are narrower, a
// deep copy is fenced after its checks and freed in all cases, and when the
// enclave returns a struct with wrong buffers none of its memory goes out.
//
// Errors wrap [gen.ErrName] or [ErrDeepOnly].
func Generate(p *plan.Plan, o Options) ([]gen.File, error) {
	if err := checkC(p); err != nil {
		return nil, err
	}
	if !o.Trusted && !o.Untrusted {
		o.Trusted, o.Untrusted = true, true
	}
	var files []gen.File
	add := func(suffix string, write func(*writer)) {
		w := &writer{plan: p, options: o, ident: identifier(p.Interface.Name)}
		if w.ident[0] >= '0' && w.ident[0] <= '9' {
			w.ident = "_" + w.ident
		}
		write(w)
		files = append(files, gen.File{Name: p.Interface.Name + suffix, Content: []byte(w.String())})
	}
	if o.Untrusted {
		add("_u.h", (*writer).untrustedHeader)
		if !o.HeaderOnly {
			add("_u.c", (*writer).untrustedSource)
		}
	}
	if o.Trusted {
		add("_t.h", (*writer).trustedHeader)
		if !o.HeaderOnly {
			add("_t.c", (*writer).trustedSource)
		}
	}
	return files, nil
}

// writer writes one file.
type writer struct {
	strings.Builder
	plan    *plan.Plan
	options Options
	ident   string // the name of the interface as an identifier
}

func (w *writer) f(format string, args ...any) { fmt.Fprintf(w, format, args...) }

// checkC refuses what would come out as other C than it should: names that
// are none, and members of a marshalling structure that have the same name.
func checkC(p *plan.Plan) error {
	i := p.Interface
	if i.Name == "" || strings.ContainsAny(i.Name, `/\"*`) || strings.ContainsFunc(i.Name, unicode.IsControl) {
		return fmt.Errorf("edl/gen/cgen: interface %q: %w", i.Name, gen.ErrName)
	}
	for _, include := range i.Includes {
		if include == "" || strings.Contains(include, `"`) || strings.ContainsFunc(include, unicode.IsControl) {
			return fmt.Errorf("edl/gen/cgen: include %q: %w", include, gen.ErrName)
		}
	}
	for _, c := range i.Types {
		names := []string{c.Name}
		if c.Name == "" && c.Kind == edl.EnumKind {
			names = nil
		}
		for _, m := range c.Members {
			names = append(names, m.Name, typeName(m.Type))
		}
		for _, e := range c.Elements {
			names = append(names, e.Name)
		}
		if err := checkNames(c.Pos, names); err != nil {
			return err
		}
	}
	for _, calls := range [][]*plan.Call{p.ECalls, p.OCalls} {
		for _, c := range calls {
			names := []string{c.Name, typeName(c.Func.Result)}
			for _, q := range c.Params {
				names = append(names, q.Name, typeName(q.Param.Type))
				if q.Buffer != nil && q.Buffer.Deep && q.Direction == edl.Out {
					return fmt.Errorf("edl/gen/cgen: %v: %s: %w", q.Pos, q.Name, ErrDeepOnly)
				}
			}
			if err := checkNames(c.Pos, names); err != nil {
				return err
			}
			members := map[string]bool{}
			for _, m := range msMembers(c) {
				if members[m.name] {
					return fmt.Errorf("edl/gen/cgen: %v: %s needs two members %s in its marshalling structure; rename the parameter: %w",
						c.Pos, c.Name, m.name, gen.ErrName)
				}
				members[m.name] = true
			}
		}
	}
	return nil
}

// typeName is the name in a type, or one that passes.
func typeName(t edl.Type) string {
	switch t.Kind {
	case edl.StructKind, edl.UnionKind, edl.EnumKind, edl.Foreign:
		return t.Name
	}
	return "int"
}

func checkNames(pos edl.Pos, names []string) error {
	for _, n := range names {
		if n == "" || n != identifier(n) || n[0] >= '0' && n[0] <= '9' {
			return fmt.Errorf("edl/gen/cgen: %v: %q is no identifier: %w", pos, n, gen.ErrName)
		}
	}
	return nil
}

// identifier puts an underscore for everything that an identifier cannot
// have.
func identifier(s string) string {
	out := []byte(s)
	for n, c := range out {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_') {
			out[n] = '_'
		}
	}
	return string(out)
}
