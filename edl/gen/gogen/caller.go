package gogen

import (
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/edl/plan"
)

// callerSide is where a caller is.
type callerSide struct {
	receiver string // of the method, with its type
	frame    string // an expression for a new frame of %d bytes
	own      bool   // a region's bytes belong to this side
}

// caller writes a method that makes a call.
func (g *generator) caller(f *goFunc, side callerSide) {
	g.docFunc(f, "makes")
	g.f("func (%s) %s%s {\n", side.receiver, f.name, g.spellSignature(f))
	g.f("f := "+side.frame+"\ndefer f.Free()\n", f.Call.Size)
	g.lengths(f)
	for _, p := range f.params {
		g.passParam(f, p)
	}
	call := fmt.Sprintf("f.Call(ctx, %d)", f.Index)
	if side.own {
		call = fmt.Sprintf("f.Call(%d, %d)", f.Index, f.results)
	}
	if !f.named() && !f.takesBack() {
		g.f("return %s\n}\n", call)
		return
	}
	fail := "return"
	assign := "err ="
	if !f.named() {
		fail, assign = "return err", "err :="
	}
	g.f("if %s %s; err != nil {\n%s\n}\n", assign, call, fail)
	if f.result != nil {
		g.take(f.result, "f", fmt.Sprint(f.Call.Result.Offset), f.ret)
	}
	if f.Errno != nil {
		g.f("%s = int32(f.U32(%d))\n", f.errno, f.Errno.Offset)
	}
	deep := false
	for _, p := range f.params {
		g.takeParam(p, side)
		deep = deep || p.deep() && p.comesOut()
	}
	switch {
	case deep && f.named():
		g.f("err = f.Err()\nreturn\n}\n")
	case deep:
		g.f("return f.Err()\n}\n")
	case f.named():
		g.f("return\n}\n")
	default:
		g.f("return nil\n}\n")
	}
}

// takesBack reports whether anything is read after the call.
func (f *goFunc) takesBack() bool {
	for _, p := range f.params {
		if p.comesOut() {
			return true
		}
	}
	return false
}

// lengths writes the lengths that slices tell, as uint64 variables.
func (g *generator) lengths(f *goFunc) {
	for n, p := range f.params {
		if !p.derived {
			continue
		}
		args := lengthCounts(n, f.bufs, func(b *goBuffer) string {
			for _, q := range f.params {
				if q.buf == b {
					return q.name
				}
			}
			panic("edl/gen/gogen: a buffer of no parameter")
		})
		if len(args) == 1 && p.typ.name == "uint64" && !strings.HasPrefix(args[0], "edge.Units") {
			g.wholeLength(f, n, p)
			continue
		}
		g.use(importEdge)
		g.f("%s := f.Len(%q, %s, %s)\n", p.name, p.Param.Name, p.typ.limit(g), strings.Join(args, ", "))
	}
}

// wholeLength writes a length that one slice tells, and that always fits.
func (g *generator) wholeLength(f *goFunc, n int, p *goParam) {
	for _, q := range f.params {
		b := q.buf
		switch {
		case b == nil || !b.tells(n):
		case b.factor == b.elem.size:
			g.f("%s := uint64(len(%s))\n", p.name, q.name)
		default:
			g.f("%s := %d * uint64(len(%s))\n", p.name, b.elem.size, q.name)
		}
	}
}

// operand spells a parameter as a uint64, in a caller.
func (f *goFunc) operand(n int) string {
	p := f.params[n]
	if p.derived || p.typ.name == "uint64" {
		return p.name
	}
	return "uint64(" + p.name + ")"
}

// passParam writes a parameter to the marshalling structure, and its buffer.
func (g *generator) passParam(f *goFunc, p *goParam) {
	off := fmt.Sprint(p.Offset)
	switch {
	case p.derived && p.typ.size == 8:
		g.f("f.PutU64(%s, %s)\n", off, p.name)
	case p.derived:
		g.f("f.PutU%d(%s, uint%d(%s))\n", 8*p.typ.size, off, 8*p.typ.size, p.name)
	case p.typ != nil:
		g.put(p.typ, "f", off, p.name)
	case p.text():
		g.passText(p)
	case !p.goesIn():
		g.f("%s := f.Out(%s, %s)\n", p.place, off, p.buf.size(f.operand))
	default:
		g.passBuffer(bufferPass{
			b: p.buf, val: p.name, name: p.Param.Name, operand: f.operand,
			region: func(n string) string { return fmt.Sprintf("f.In(%s, %s)", off, n) },
			back:   p.comesOut(), place: p.place, declare: true, regions: p.regions, caller: "&f.Caller",
		})
	}
}

func (g *generator) passText(p *goParam) {
	kind := "Text"
	if p.Pass == plan.WString {
		kind = "Wide"
	}
	if p.comesOut() {
		g.f("%s := ", p.place)
	}
	g.f("f.%s(%q, %d, %s)\n", kind, p.Param.Name, p.Offset, p.name)
	if p.LenOffset > 0 {
		g.f("f.PutU64(%d, uint64(%s%sSize(%s)))\n", p.LenOffset, g.use(importEdge), kind, p.name)
	}
}

// bufferPass is a buffer that a caller passes.
type bufferPass struct {
	b         *goBuffer
	val, name string                // in Go, and in the EDL
	operand   func(n int) string    // a length as a uint64
	region    func(n string) string // makes room for n bytes
	// If it comes back its region is kept in place, which is to be declared
	// or not, and the regions of buffers in it in regions.
	back    bool
	place   string
	declare bool
	regions string
	caller  string // the address of the edge.Caller
}

// passBuffer writes what goes into a region.
func (g *generator) passBuffer(p bufferPass) {
	b := p.b
	// room makes the region and returns its block.
	room := func(n string) string {
		if !p.back {
			return p.region(n) + ".Block"
		}
		op := "="
		if p.declare && b.shape == shapeSlice {
			op = ":="
		}
		g.f("%s %s %s\n", p.place, op, p.region(n))
		return p.place + ".Block"
	}
	if b.shape == shapeSlice {
		if b.factor == 0 {
			g.f("f.Match(%q, %s, %sBytes(%s, %d))\n", p.name, b.size(p.operand), g.use(importEdge), p.val, b.elem.size)
		}
		n := "len(" + p.val + ")"
		if b.elem.size > 1 {
			n = fmt.Sprintf("%d*%s", b.elem.size, n)
		}
		block := room(n)
		if b.elem.codec != codecDeep {
			g.putSlice(b.elem, block, p.val)
			return
		}
		if p.back {
			g.f("%s := ", p.regions)
		}
		g.f("%sPack(%s, %s, %s, %d, (*%s).PackC)\n", g.use(importEdge), p.caller, block, p.val, b.elem.size, g.spell(b.elem))
		return
	}
	if p.back && p.declare {
		g.f("var %s %sRegion\n", p.place, g.use(importEdge))
		if b.elem.codec == codecDeep {
			g.f("var %s [%d]%sRegion\n", p.regions, b.elem.bufs, g.use(importEdge))
		}
	}
	g.f("if %s != nil {\n", p.val)
	block := room(fmt.Sprint(b.total))
	switch {
	case b.shape == shapeArray:
		if len(b.dims) > 1 {
			mem := "m"
			if p.val == mem {
				mem = "mem"
			}
			g.f("%s := %s\n", mem, block)
			block = mem
		}
		g.putArray(b.elem, b.dims, block, "0", p.val)
	case b.elem.codec == codecDeep:
		if p.back {
			g.f("%s = ", p.regions)
		}
		g.f("%s.PackC(%s, %s)\n", p.val, p.caller, block)
	default:
		g.putPointee(b.elem, block, p.val)
	}
	g.f("}\n")
}

// putPointee writes what a pointer points to.
func (g *generator) putPointee(t *goType, block, val string) {
	switch t.codec {
	case codecMethods:
		g.put(t, block, "0", val)
	case codecBinary:
		g.f("%sPutBinary(%s, %s)\n", g.use(importEdge), val, block)
	default:
		g.put(t, block, "0", "*"+val)
	}
}

// takePointee reads what a pointer points to.
func (g *generator) takePointee(t *goType, block, val string) {
	switch t.codec {
	case codecMethods:
		g.take(t, block, "0", val)
	case codecBinary:
		g.f("%sGetBinary(%s, %s)\n", g.use(importEdge), val, block)
	default:
		g.take(t, block, "0", "*"+val)
	}
}

// takeParam reads what came back of a parameter.
func (g *generator) takeParam(p *goParam, side callerSide) {
	back := fmt.Sprintf("f.Back(%s)", p.place)
	b := p.buf
	switch {
	case !p.comesOut():
	case p.Pass == plan.WString:
		g.f("%s = %sWide(%s)\n", p.out, g.use(importEdge), back)
	case p.text():
		g.f("%s = %sText(%s)\n", p.out, g.use(importEdge), back)
	case b.shape == shapeSlice && !p.goesIn():
		g.f("%s = %s\n", p.name, g.newSlice(b.elem, back, side.own))
	case b.shape == shapeSlice && p.deep():
		g.f("%sRepack(&f.Caller, %s, %s, %d, %s, (*%s).RepackC)\n", g.use(importEdge), back, p.name, b.elem.size, p.regions, g.spell(b.elem))
	case b.shape == shapeSlice:
		g.takeSlice(b.elem, back, p.name)
	case !p.goesIn():
		g.takeOne(b, back, p.name, p.mem)
	default:
		g.f("if %s != nil {\n", p.name)
		switch {
		case p.deep():
			g.f("%s.RepackC(&f.Caller, %s, %s)\n", p.name, back, p.regions)
		case b.shape == shapeArray:
			g.takeOne(b, back, p.name, p.mem)
		default:
			g.takePointee(b.elem, back, p.name)
		}
		g.f("}\n")
	}
}

// takeOne reads one element or an array into a variable. mem is the name of a
// variable for the block.
func (g *generator) takeOne(b *goBuffer, block, val, mem string) {
	if b.shape != shapeArray {
		g.take(b.elem, block, "0", val)
		return
	}
	if len(b.dims) > 1 && block != mem {
		g.f("%s := %s\n", mem, block)
		block = mem
	}
	g.takeArray(b.elem, b.dims, block, "0", val)
}
