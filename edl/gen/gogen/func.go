package gogen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// goFunc is a function, with one signature for all who call it or implement it.
type goFunc struct {
	*plan.Call
	name   string // exported
	method string // of the server
	ecall  bool
	params []*goParam
	bufs   []*goBuffer
	result *goType // nil for void
	ret    string  // names of results
	errno  string
	// results is the size in bytes of what the function returns at the
	// beginning of the marshalling structure.
	results uint64
	scope   *nameScope
}

// goParam is a parameter of the EDL.
type goParam struct {
	*plan.Param
	name    string  // of the variable
	typ     *goType // of a value or an address
	buf     *goBuffer
	derived bool   // a length that slices tell: no parameter of Go
	out     string // the result that an in,out string comes back as
	place   string // the variable with its region, or its buffer
	mem     string // the variable with its bytes
	size    string // the variable with its length in bytes
	regions string // the variable with the regions, or buffers, of structs
}

func (p *goParam) text() bool { return p.Pass == plan.String || p.Pass == plan.WString }
func (p *goParam) goesIn() bool {
	return p.Direction&edl.In != 0 || p.Pass == plan.Value || p.Pass == plan.Address
}
func (p *goParam) comesOut() bool { return p.Direction&edl.Out != 0 }
func (p *goParam) deep() bool     { return p.buf != nil && p.buf.elem.codec == codecDeep }

// functions plans the signatures of functions.
func (g *generator) functions(calls []*plan.Call, ecall bool) ([]*goFunc, error) {
	methods, servers := newNameScope("Close"), newNameScope("impl")
	var out []*goFunc
	for _, c := range calls {
		if c.HasMS() && !c.Known() {
			return nil, g.unknown(c)
		}
		f := &goFunc{Call: c, ecall: ecall}
		f.name = methods.exported(exportedName(c.Name))
		f.method = servers.local(localName(c.Name))
		if err := g.signature(f); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// unknown says which type of a marshalling structure is not known.
func (g *generator) unknown(c *plan.Call) error {
	for _, q := range c.Params {
		if !q.Type.Known() {
			_, err := g.typeOf(q.Pos, q.Type, false)
			return err
		}
	}
	if c.Result != nil {
		if _, err := g.typeOf(c.Pos, c.Result.Type, false); err != nil {
			return err
		}
	}
	return errorf(c.Pos, ErrType, "%s: the layout is not known", c.Name)
}

func (g *generator) signature(f *goFunc) error {
	s := newNameScope("ctx", "err", "f")
	for imp := range g.everyImport() {
		s.taken[imp[strings.LastIndexByte(imp, '/')+1:]] = true
	}
	f.scope = s
	for _, q := range f.Call.Params {
		p := &goParam{Param: q, name: s.local(localName(q.Param.Name))}
		var err error
		switch {
		case q.Pass == plan.Address:
			p.typ = pointerType
		case q.Pass == plan.Value:
			p.typ, err = g.typeOf(q.Pos, q.Type, false)
		case !p.text():
			p.buf, err = g.buffer(q.Param, q.Buffer)
			f.bufs = append(f.bufs, p.buf)
		}
		if err != nil {
			return err
		}
		f.params = append(f.params, p)
	}
	for n, p := range f.params {
		value := p.Pass == plan.Value
		typ := p.typ
		if typ == nil {
			typ = pointerType
		}
		if err := checkLength(p.Pos, p.Param.Name, typ, value, n, f.bufs); err != nil {
			return err
		}
		p.derived = value && typ.plain && isDerived(n, f.bufs)
	}
	for _, p := range f.params {
		base := localName(p.Param.Name)
		switch {
		case p.text() && p.comesOut():
			p.out = s.local(base + "Out")
		case p.comesOut():
			p.out = p.name
		}
		if p.Direction != edl.None {
			p.place, p.mem = s.local(base+"Buf"), s.local(base+"Mem")
			p.size, p.regions = s.local(base+"Size"), s.local(base+"Parts")
		}
	}
	if f.Call.Result != nil {
		var err error
		if f.result, err = g.typeOf(f.Pos, f.Call.Result.Type, false); err != nil {
			return err
		}
		f.ret = s.local("ret")
		f.results = f.Call.Result.Offset + f.result.size
	}
	if f.Errno != nil {
		f.errno = s.local("errno")
		f.results = f.Errno.Offset + 4
	}
	return nil
}

// inputs are the parameters of Go.
func (f *goFunc) inputs() []*goParam {
	var in []*goParam
	for _, p := range f.params {
		if p.goesIn() && !p.derived {
			in = append(in, p)
		}
	}
	return in
}

// outputs are the parameters that are results in Go.
func (f *goFunc) outputs() []*goParam {
	var out []*goParam
	for _, p := range f.params {
		if p.comesOut() && (!p.goesIn() || p.text()) {
			out = append(out, p)
		}
	}
	return out
}

// spellSignature is what follows the name of the method.
func (g *generator) spellSignature(f *goFunc) string {
	type field struct{ name, typ string }
	list := func(fields []field) string {
		var s []string
		for i, v := range fields {
			if i+1 < len(fields) && fields[i+1].typ == v.typ {
				s = append(s, v.name)
			} else {
				s = append(s, v.name+" "+v.typ)
			}
		}
		return strings.Join(s, ", ")
	}
	in := []field{{"ctx", g.use("context") + "Context"}}
	for _, p := range f.inputs() {
		switch {
		case p.text():
			in = append(in, field{p.name, "string"})
		case p.buf != nil:
			in = append(in, field{p.name, g.inType(p.buf)})
		default:
			in = append(in, field{p.name, g.spell(p.typ)})
		}
	}
	var out []field
	if f.result != nil {
		out = append(out, field{f.ret, g.spell(f.result)})
	}
	if f.Errno != nil {
		out = append(out, field{f.errno, "int32"})
	}
	for _, p := range f.outputs() {
		if p.text() {
			out = append(out, field{p.out, "string"})
		} else {
			out = append(out, field{p.out, g.outType(p.buf)})
		}
	}
	if len(out) == 0 {
		return fmt.Sprintf("(%s) error", list(in))
	}
	return fmt.Sprintf("(%s) (%s)", list(in), list(append(out, field{"err", "error"})))
}

// named reports whether the results have names.
func (f *goFunc) named() bool { return f.result != nil || f.Errno != nil || len(f.outputs()) > 0 }

// docFunc writes the first lines of the comment of a method.
func (g *generator) docFunc(f *goFunc, verb string) {
	kind := "OCALL"
	if f.ecall {
		kind = "ECALL"
	}
	g.f("\n// %s %s %s %d:\n//\n//\t%s\n", f.name, verb, kind, f.Index, commentText(f.Declaration()))
}

// receiver is the first name that no variable of the functions has.
func receiver(funcs []*goFunc, names ...string) string {
	for _, name := range names {
		if !slices.ContainsFunc(funcs, func(f *goFunc) bool { return f.scope.taken[name] }) {
			return name
		}
	}
	return names[0] + "_" + names[len(names)-1] // no name of localName
}
