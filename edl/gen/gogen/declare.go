package gogen

import "fmt"

// typesFile writes X_types.go.
func (g *generator) typesFile() {
	for _, t := range g.declared {
		g.declareType(t)
	}
	g.interfaceType(g.name+"ECalls", "are the functions of the enclave: what it implements,\n// and what its client calls.", g.ecalls)
	if len(g.ocalls) > 0 {
		g.interfaceType(g.name+"OCalls", "are the functions that the enclave calls outside: what\n// the host implements. The context is that of the OCALL: an ECALL made with it\n// is nested. The status of an error is what the enclave sees.", g.ocalls)
		g.unimplemented()
	}
}

// unimplemented writes a struct to embed where not every OCALL is served.
func (g *generator) unimplemented() {
	typ := "Unimplemented" + g.name + "OCalls"
	g.f("\n// %s serves no OCALL. Embedded in what serves some, it\n// answers the others with SGX_ERROR_INVALID_FUNCTION.\ntype %s struct{}\n\nvar _ %sOCalls = %s{}\n", typ, typ, g.name, typ)
	for _, f := range g.ocalls {
		g.f("\n// %s fails.\nfunc (%s) %s%s {\n", f.name, typ, f.name, g.spellSignature(f))
		unserved := fmt.Sprintf("%sUnserved(%q)", g.use(importEdge), f.Name)
		if !f.named() {
			g.f("return %s\n}\n", unserved)
		} else {
			g.f("err = %s\nreturn\n}\n", unserved)
		}
	}
}

func (g *generator) interfaceType(name, doc string, funcs []*goFunc) {
	g.f("\n// %s %s\ntype %s interface {", name, doc, name)
	for _, f := range funcs {
		g.docFunc(f, "is")
		g.f("%s%s\n", f.name, g.spellSignature(f))
	}
	g.f("}\n")
}

func (g *generator) declareType(t *goType) {
	switch t.form {
	case formEnum:
		g.enumType(t)
	case formUint:
		g.f("\n// %s is %s, as an integer of its size.\ntype %s %s\n", t.name, commentText(t.doc), t.name, intName(t.size, false))
	case formBytes:
		g.f("\n// %s is %s, whose members the EDL does not know.\ntype %s [%d]byte\n", t.name, commentText(t.doc), t.name, t.size)
		g.codecMethods(t, func() { g.f("copy(b, v[:])\n") }, func() { g.f("copy(v[:], b)\n") })
	case formUnion:
		g.unionType(t)
	case formStruct:
		g.structType(t)
	}
}

func (g *generator) codecMethods(t *goType, encode, decode func()) {
	edge := g.use(importEdge)
	g.f("\n// EncodeC writes v as C has it, %d bytes.\nfunc (v *%s) EncodeC(b %sBlock) {\n", t.size, t.name, edge)
	encode()
	g.f("}\n\n// DecodeC reads v as C has it.\nfunc (v *%s) DecodeC(b %sBlock) {\n", t.name, edge)
	decode()
	g.f("}\n")
}

func (g *generator) enumType(t *goType) {
	typ := intName(t.size, false)
	prefix := ""
	if t.enum.Name != "" {
		g.f("\n// %s is enum %s.\ntype %s %s\n", t.name, t.enum.Name, t.name, typ)
		typ, prefix = t.name, t.name
	}
	if len(t.enum.Elements) == 0 {
		return
	}
	if prefix == "" {
		g.f("\n// Elements of an enum without a name.")
	} else {
		g.f("\n// Elements of enum %s.", t.enum.Name)
	}
	g.f("\nconst (\n")
	for n, e := range t.enum.Elements {
		g.f("%s %s = %d\n", g.names.exported(prefix+exportedName(e.Name)), typ, t.enum.Values[n])
	}
	g.f(")\n")
}

func (g *generator) structType(t *goType) {
	note := fmt.Sprintf("%d bytes in C", t.size)
	if t.codec == codecDeep {
		note += ", and buffers"
	}
	g.f("\n// %s is %s, %s.\ntype %s struct {\n", t.name, t.doc, note, t.name)
	for _, f := range t.fields {
		if f.derived {
			continue
		}
		g.f("%s %s", f.name, g.fieldType(f))
		switch {
		case f.buf != nil:
			g.f(" // %s", commentText(f.Declaration()))
		case f.typ == pointerType:
			g.f(" // %s", commentText(f.Param.Type.String()))
		}
		g.f("\n")
	}
	g.f("}\n")
	if t.codec == codecDeep {
		g.deepMethods(t)
		return
	}
	g.codecMethods(t, func() { g.putFields(t) }, func() { g.takeFields(t) })
}

func (g *generator) fieldType(f *goField) string {
	if f.buf != nil {
		return g.inType(f.buf)
	}
	return arrayType(f.Dims, g.spell(f.typ))
}

func (g *generator) unionType(t *goType) {
	g.f("\n// %s is %s, as its bytes. The methods read and write it as its members.\ntype %s [%d]byte\n", t.name, t.doc, t.name, t.size)
	edge := g.use(importEdge)
	for _, f := range t.fields {
		typ := g.fieldType(f)
		g.f("\n// %s is the member %s.\nfunc (v *%s) %s() (m %s) {\nb := %sBlock(v[:])\n", f.name, f.Declaration(), t.name, f.name, typ, edge)
		if len(f.Dims) > 0 {
			g.takeArray(f.typ, f.Dims, "b", "0", "m")
		} else {
			g.take(f.typ, "b", "0", "m")
		}
		g.f("return m\n}\n\n// Set%s sets the member %s.\nfunc (v *%s) Set%s(m %s) {\nb := %sBlock(v[:])\n", f.name, f.Param.Name, t.name, f.name, typ, edge)
		if len(f.Dims) > 0 {
			g.putArray(f.typ, f.Dims, "b", "0", "m")
		} else {
			g.put(f.typ, "b", "0", "m")
		}
		g.f("}\n")
	}
	g.codecMethods(t, func() { g.f("copy(b, v[:])\n") }, func() { g.f("copy(v[:], b)\n") })
}
