package gogen

import (
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/edl/plan"
)

// callee writes a method that serves a call.
func (g *generator) callee(f *goFunc, receiver, server string) {
	g.f("\nfunc (%s %s) %s(ctx %sContext, f *%sCallee) error {\n", receiver, server, f.method, g.use("context"), g.use(importEdge))
	g.operands(f)
	checks := false // anything that may fail
	for _, p := range f.params {
		checks = g.findBuffer(f, p) || checks
	}
	for _, p := range f.params {
		g.loadParam(p)
	}
	if checks {
		g.f("if err := f.Err(); err != nil {\nreturn err\n}\n")
	}
	var results []string
	if f.result != nil {
		results = append(results, f.ret)
	}
	if f.Errno != nil {
		results = append(results, f.errno)
	}
	for _, p := range f.outputs() {
		results = append(results, p.out)
	}
	args := []string{"ctx"}
	for _, p := range f.inputs() {
		args = append(args, p.name)
	}
	call := fmt.Sprintf("%s.impl.%s(%s)", receiver, f.name, strings.Join(args, ", "))
	if len(results) == 0 && !f.takesBack() {
		g.f("return %s\n}\n", call)
		return
	}
	g.f("%s := %s\nif err != nil {\nreturn err\n}\n", strings.Join(append(results, "err"), ", "), call)
	if f.result != nil {
		g.put(f.result, "f", fmt.Sprint(f.Call.Result.Offset), f.ret)
	}
	if f.Errno != nil {
		g.f("f.PutU32(%d, uint32(%s))\n", f.Errno.Offset, f.errno)
	}
	if f.results > 0 {
		g.f("f.Return(%d)\n", f.results)
	}
	for _, p := range f.params {
		g.storeParam(p)
	}
	g.f("return f.Err()\n}\n")
}

// operands reads what is passed by value.
func (g *generator) operands(f *goFunc) {
	for _, p := range f.params {
		if p.typ == nil {
			continue
		}
		off := fmt.Sprint(p.Offset)
		if s := g.get(p.typ, "f", off); s != "" {
			g.f("%s := %s\n", p.name, s)
		} else {
			g.f("var %s %s\n", p.name, g.spell(p.typ))
			g.take(p.typ, "f", off, p.name)
		}
	}
}

// given spells a parameter as a uint64, in a callee, as C converts it.
func (f *goFunc) given(n int) string {
	p := f.params[n]
	if p.typ.name == "uint64" {
		return p.name
	}
	return "uint64(" + p.name + ")"
}

// findBuffer writes the checks of where a buffer is, and reports whether there
// are any.
func (g *generator) findBuffer(f *goFunc, p *goParam) bool {
	switch {
	case p.typ != nil:
		return false
	case p.text() && p.LenOffset > 0:
		g.f("%s := f.Buffer(%d, f.U64(%d))\n", p.place, p.Offset, p.LenOffset)
	case p.Pass == plan.WString:
		g.f("%s := f.Terminated(%d, 4)\n", p.place, p.Offset)
	case p.Pass == plan.String:
		g.f("%s := f.Terminated(%d, 1)\n", p.place, p.Offset)
	case p.goesIn():
		g.f("%s := f.Buffer(%d, %s)\n", p.place, p.Offset, p.buf.size(f.given))
	default:
		// The size of a result is needed where the pointer is null, too.
		size := p.buf.size(f.given)
		if !p.buf.fixed {
			g.f("%s := %s\n", p.size, size)
			size = p.size
		}
		g.f("%s := f.Buffer(%d, %s)\n", p.place, p.Offset, size)
	}
	if p.buf != nil && p.buf.partial() {
		g.f("f.Whole(%s, %d)\n", p.place, p.buf.elem.size)
	}
	return true
}

// loadParam copies what comes in, and makes room for what goes out.
func (g *generator) loadParam(p *goParam) {
	load := fmt.Sprintf("f.Load(%s)", p.place)
	switch b := p.buf; {
	case p.typ != nil:
	case p.text():
		switch {
		case p.LenOffset == 0 && p.Pass == plan.WString:
			g.f("%s := %s.Wide()\n", p.name, p.place)
		case p.LenOffset == 0:
			g.f("%s := %s.Text()\n", p.name, p.place)
		case p.Pass == plan.WString:
			g.f("%s := f.LoadWide(%s)\n", p.name, p.place)
		default:
			g.f("%s := f.LoadText(%s)\n", p.name, p.place)
		}
	case !p.goesIn():
		g.f("%s := f.Result(%s, %s)\n", p.mem, p.place, p.resultSize())
	case b.shape == shapeSlice && p.deep():
		if p.comesOut() {
			g.f("%s := %s\n%s, %s := ", p.mem, load, p.name, p.regions)
			load = p.mem
		} else {
			g.f("%s, _ := ", p.name)
		}
		elem := g.spell(b.elem)
		g.f("%sUnpack(f, %s, %d, (*%s).UnpackC, (*%s).LoadC)\n", g.use(importEdge), load, b.elem.size, elem, elem)
	case b.shape == shapeSlice && !p.comesOut():
		g.f("%s := %s\n", p.name, g.newSlice(b.elem, load, true))
	case b.shape == shapeSlice && b.elem.bytes():
		g.f("%s := %s\n", p.name, load)
	case b.shape == shapeSlice:
		g.f("%s := %s\n%s := %s\n", p.mem, load, p.name, g.newSlice(b.elem, p.mem, true))
	default:
		g.f("%s := %s\nvar %s %s\n", p.mem, load, p.name, g.inType(b))
		if p.deep() && p.comesOut() {
			g.f("var %s [%d]%sBuffer\n", p.regions, b.elem.bufs, g.use(importEdge))
		}
		g.f("if %s != nil {\n%s = new(%s)\n", p.mem, p.name, g.outType(b))
		switch {
		case p.deep() && p.comesOut():
			g.f("%s = %s.UnpackC(f, %s)\n%s.LoadC(f, %s)\n", p.regions, p.name, p.mem, p.name, p.regions)
		case p.deep():
			g.f("%s.LoadC(f, %s.UnpackC(f, %s))\n", p.name, p.name, p.mem)
		case b.shape == shapeArray:
			g.takeOne(b, p.mem, p.name, p.mem)
		default:
			g.takePointee(b.elem, p.mem, p.name)
		}
		g.f("}\n")
	}
}

// resultSize is the size in bytes of what only comes out.
func (p *goParam) resultSize() string {
	if p.buf.fixed {
		return fmt.Sprint(p.buf.total)
	}
	return p.size
}

// storeParam writes results back.
func (g *generator) storeParam(p *goParam) {
	b := p.buf
	store := fmt.Sprintf("f.Store(%s, %s)\n", p.place, p.mem)
	switch {
	case !p.comesOut():
	case p.Pass == plan.WString:
		g.f("f.StoreWide(%q, %s, %s)\n", p.Param.Name, p.place, p.out)
	case p.text():
		g.f("f.StoreText(%q, %s, %s)\n", p.Param.Name, p.place, p.out)
	case b.shape == shapeSlice && !p.goesIn():
		n := fmt.Sprintf("uint64(len(%s))", p.name)
		if b.elem.size > 1 {
			n += fmt.Sprintf("*%d", b.elem.size)
		}
		g.f("f.Room(%q, %s, %s)\n", p.Param.Name, n, p.resultSize())
		g.putSlice(b.elem, p.mem, p.name)
		g.f("%s", store)
	case b.shape == shapeSlice && p.deep():
		g.f("%sStore(f, %s, %s, %d, %s, (*%s).StoreC)\n%s", g.use(importEdge), p.mem, p.name, b.elem.size, p.regions, g.spell(b.elem), store)
	case b.shape == shapeSlice && b.elem.bytes():
		g.f("f.Store(%s, %s)\n", p.place, p.name)
	case b.shape == shapeSlice:
		g.putSlice(b.elem, p.mem, p.name)
		g.f("%s", store)
	default:
		g.f("if %s != nil {\n", p.mem)
		switch {
		case p.deep():
			g.f("%s.StoreC(f, %s, %s)\n", p.name, p.mem, p.regions)
		case b.shape == shapeArray:
			g.putArray(b.elem, b.dims, p.mem, "0", p.name)
		case p.goesIn():
			g.putPointee(b.elem, p.mem, p.name)
		default:
			g.put(b.elem, p.mem, "0", p.name)
		}
		g.f("%s}\n", store)
	}
}
