package gogen

import (
	"fmt"
	"strings"
)

// lengthOf spells member n as a uint64 in a method where it is a variable.
func lengthOf(t *goType) func(n int) string {
	return func(n int) string {
		f := t.fields[n]
		switch {
		case f.derived:
			return f.variable()
		case f.typ.name == "uint64":
			return "v." + f.name
		}
		return "uint64(v." + f.name + ")"
	}
}

// variable is the local variable for a length. Methods have few others.
func (f *goField) variable() string { return "len" + exportedName(f.Param.Name) }

// deepBuffers are the buffers of a struct.
func (t *goType) deepBuffers() []*goBuffer {
	var bufs []*goBuffer
	for _, f := range t.fields {
		if f.buf != nil {
			bufs = append(bufs, f.buf)
		}
	}
	return bufs
}

// deepMethods writes the methods of a struct that is copied with its buffers.
func (g *generator) deepMethods(t *goType) {
	edge := g.use(importEdge)
	g.f("\n// PackC writes v as C has it, and its buffers to regions of their own.\n")
	g.f("func (v *%s) PackC(f *%sCaller, b %sBlock) (r [%d]%sRegion) {\n", t.name, edge, edge, t.bufs, edge)
	g.packLengths(t)
	g.putFields(t)
	for _, f := range t.fields {
		if f.buf == nil {
			continue
		}
		g.passBuffer(bufferPass{
			b: f.buf, val: "v." + f.name, name: f.Param.Name, operand: lengthOf(t),
			region: func(n string) string { return fmt.Sprintf("f.InAt(b, %d, %s)", f.Offset, n) },
			back:   true, place: fmt.Sprintf("r[%d]", f.region),
		})
	}
	g.f("return r\n}\n")

	g.f("\n// RepackC reads v as it came back. Its buffers may have become shorter.\n")
	g.f("func (v *%s) RepackC(f *%sCaller, b %sBlock, r [%d]%sRegion) {\n", t.name, edge, edge, t.bufs, edge)
	g.takeFields(t)
	for _, f := range t.fields {
		if b := f.buf; b != nil {
			g.repackField(t, f, b)
		}
	}
	g.f("}\n")

	g.f("\n// UnpackC reads v, and finds its buffers.\n")
	g.f("func (v *%s) UnpackC(f *%sCallee, b %sBlock) (r [%d]%sBuffer) {\n", t.name, edge, edge, t.bufs, edge)
	g.takeFields(t)
	for _, f := range t.fields {
		if b := f.buf; b != nil {
			g.f("r[%d] = f.BufferAt(b, %d, %s)\n", f.region, f.Offset, b.size(lengthOf(t)))
			if b.partial() {
				g.f("f.Whole(r[%d], %d)\n", f.region, b.elem.size)
			}
		}
	}
	g.f("return r\n}\n")

	g.f("\n// LoadC copies the buffers of v.\n")
	g.f("func (v *%s) LoadC(f *%sCallee, r [%d]%sBuffer) {\n", t.name, edge, t.bufs, edge)
	for _, f := range t.fields {
		b := f.buf
		if b == nil {
			continue
		}
		load := fmt.Sprintf("f.Load(r[%d])", f.region)
		if b.shape == shapeSlice {
			g.f("v.%s = %s\n", f.name, g.newSlice(b.elem, load, true))
			continue
		}
		g.f("if m := %s; m != nil {\nv.%s = new(%s)\n", load, f.name, g.outType(b))
		if b.shape == shapeArray {
			g.takeArray(b.elem, b.dims, "m", "0", "v."+f.name)
		} else {
			g.takePointee(b.elem, "m", "v."+f.name)
		}
		g.f("}\n")
	}
	g.f("}\n")

	g.f("\n// StoreC writes v and its buffers back to where they came from. The buffers\n// may be shorter than they were.\n")
	g.f("func (v *%s) StoreC(f *%sCallee, b %sBlock, r [%d]%sBuffer) {\n", t.name, edge, edge, t.bufs, edge)
	g.packLengths(t)
	g.putFields(t)
	for _, f := range t.fields {
		if b := f.buf; b != nil {
			g.storeField(t, f, b)
		}
	}
	g.f("}\n")
}

// packLengths declares the lengths that slices tell.
func (g *generator) packLengths(t *goType) {
	for n, f := range t.fields {
		if !f.derived {
			continue
		}
		args := lengthCounts(n, t.deepBuffers(), func(b *goBuffer) string {
			for _, o := range t.fields {
				if o.buf == b {
					return "v." + o.name
				}
			}
			panic("edl/gen/gogen: a buffer of no member")
		})
		g.f("%s := f.Len(%q, %s, %s)\n", f.variable(), f.Param.Name, f.typ.limit(g), strings.Join(args, ", "))
	}
}

// putFields writes all members but buffers.
func (g *generator) putFields(t *goType) {
	for _, f := range t.fields {
		off := fmt.Sprint(f.Offset)
		switch {
		case f.buf != nil:
		case f.derived && f.typ.size == 8:
			g.f("b.PutU64(%s, %s)\n", off, f.variable())
		case f.derived:
			g.f("b.PutU%d(%s, uint%d(%s))\n", 8*f.typ.size, off, 8*f.typ.size, f.variable())
		case len(f.Dims) > 0:
			g.putArray(f.typ, f.Dims, "b", off, "v."+f.name)
		default:
			g.put(f.typ, "b", off, "v."+f.name)
		}
	}
}

// takeFields reads all members but buffers.
func (g *generator) takeFields(t *goType) {
	for _, f := range t.fields {
		off := fmt.Sprint(f.Offset)
		switch {
		case f.buf != nil:
		case f.derived:
			s := g.get(f.typ, "b", off)
			if f.typ.name != "uint64" {
				s = "uint64(" + s + ")"
			}
			g.f("%s := %s\n", f.variable(), s)
		case len(f.Dims) > 0:
			g.takeArray(f.typ, f.Dims, "b", off, "v."+f.name)
		default:
			g.take(f.typ, "b", off, "v."+f.name)
		}
	}
}

// repackField reads a buffer of a struct that came back.
func (g *generator) repackField(t *goType, f *goField, b *goBuffer) {
	val := "v." + f.name
	if b.shape == shapeSlice {
		g.f("if m := f.Part(%q, r[%d], %s); m != nil {\n", f.Param.Name, f.region, b.size(lengthOf(t)))
		n := "len(m)"
		if b.elem.size > 1 {
			n += fmt.Sprintf("/%d", b.elem.size)
		}
		g.f("%s = %s[:%s]\n", val, val, n)
		g.takeSlice(b.elem, "m", val)
		g.f("}\n")
		return
	}
	g.f("if m := f.Back(r[%d]); m != nil {\n", f.region)
	if b.shape == shapeArray {
		g.takeArray(b.elem, b.dims, "m", "0", val)
	} else {
		g.takePointee(b.elem, "m", val)
	}
	g.f("}\n")
}

// storeField writes a buffer of a struct back.
func (g *generator) storeField(t *goType, f *goField, b *goBuffer) {
	val := "v." + f.name
	if b.shape == shapeSlice {
		if b.factor == 0 {
			g.f("f.Match(%q, %s, %sBytes(%s, %d))\n", f.Param.Name, b.size(lengthOf(t)), g.use(importEdge), val, b.elem.size)
		}
		size := "len(" + val + ")"
		if b.elem.size > 1 {
			size = fmt.Sprintf("%d*%s", b.elem.size, size)
		}
		g.f("if n := %s; f.Room(%q, uint64(n), r[%d].Size) {\nm := make(%sBlock, n)\n", size, f.Param.Name, f.region, g.use(importEdge))
		g.putSlice(b.elem, "m", val)
	} else {
		g.f("if %s != nil && f.Room(%q, %d, r[%d].Size) {\nm := make(%sBlock, %d)\n", val, f.Param.Name, b.total, f.region, g.use(importEdge), b.total)
		if b.shape == shapeArray {
			g.putArray(b.elem, b.dims, "m", "0", val)
		} else {
			g.putPointee(b.elem, "m", val)
		}
	}
	g.f("f.Store(r[%d], m)\n}\n", f.region)
}
