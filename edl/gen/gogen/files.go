package gogen

import (
	"fmt"
	"slices"
	"strings"
)

// typesFile writes X_types.go.
func (g *goGen) typesFile() {
	for _, t := range g.declared {
		g.declareType(t)
	}
	g.interfaceType(g.name+"ECalls", "are the functions of the enclave: what it implements,\n// and what its client calls.", g.ecalls, "is")
	if len(g.ocalls) > 0 {
		g.interfaceType(g.name+"OCalls", "are the functions that the enclave calls outside: what\n// the host implements. The context is that of the OCALL: an ECALL made with it\n// is nested. The status of an error is what the enclave sees.", g.ocalls, "is")
	}
}

func (g *goGen) interfaceType(name, doc string, funcs []*goFunc, verb string) {
	g.f("\n// %s %s\ntype %s interface {", name, doc, name)
	for _, f := range funcs {
		g.docFunc(f, verb)
		g.f("%s%s\n", f.name, g.spellSignature(f))
	}
	g.f("}\n")
}

func (g *goGen) declareType(t *goType) {
	switch t.form {
	case formEnum:
		g.enumType(t)
	case formUint:
		g.f("\n// %s is %s, as an integer of its size.\ntype %s %s\n", t.name, goComment(t.doc), t.name, goInt(t.size, false))
	case formBytes:
		g.f("\n// %s is %s, whose members the EDL does not know.\ntype %s [%d]byte\n", t.name, goComment(t.doc), t.name, t.size)
		g.codecMethods(t, func() { g.f("copy(b, v[:])\n") }, func() { g.f("copy(v[:], b)\n") })
	case formUnion:
		g.unionType(t)
	case formStruct:
		g.structType(t)
	}
}

func (g *goGen) codecMethods(t *goType, encode, decode func()) {
	edge := g.use(importEdge)
	g.f("\n// EncodeC writes v as C has it, %d bytes.\nfunc (v *%s) EncodeC(b %sBlock) {\n", t.size, t.name, edge)
	encode()
	g.f("}\n\n// DecodeC reads v as C has it.\nfunc (v *%s) DecodeC(b %sBlock) {\n", t.name, edge)
	decode()
	g.f("}\n")
}

func (g *goGen) enumType(t *goType) {
	typ := goInt(t.size, false)
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
		g.f("%s %s = %d\n", g.names.exported(prefix+goExported(e.Name)), typ, t.enum.Values[n])
	}
	g.f(")\n")
}

func (g *goGen) structType(t *goType) {
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
			g.f(" // %s", goComment(f.Declaration()))
		case f.typ == goPointer:
			g.f(" // %s", goComment(f.Param.Type.String()))
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

func (g *goGen) fieldType(f *goField) string {
	if f.buf != nil {
		return g.inType(f.buf)
	}
	return goArrayType(f.Dims, g.spell(f.typ))
}

func (g *goGen) unionType(t *goType) {
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

// untrustedFile writes X_u.go.
func (g *goGen) untrustedFile() {
	uedge := g.use(importUedge)
	x, server := g.name, goLower(g.name)+"OCallServer"
	g.f("\n// %s calls an enclave. It may be used concurrently, if the enclave may.\ntype %s struct{ client *%sClient }\n", x, x, uedge)
	g.f("\nvar _ %sECalls = (*%s)(nil)\n", x, x)
	if len(g.ocalls) == 0 {
		g.f("\n// New%s returns a client of e, which may be an enclave or one of its threads.\n", x)
		g.f("func New%s(e %sEnclave) *%s {\nreturn &%s{%sNewClient(e)}\n}\n", x, uedge, x, x, uedge)
	} else {
		g.f("\n// New%s returns a client of e, which may be an enclave or one of its threads.\n", x)
		g.f("// OCALLs of its calls are served by ocalls; if that is nil, as the loader of the\n// enclave said.\n")
		g.f("func New%s(e %sEnclave, ocalls %sOCalls) *%s {\nif ocalls == nil {\nreturn &%s{%sNewClient(e)}\n}\n", x, uedge, x, x, x, uedge)
		g.f("s := %s{ocalls}\nreturn &%s{%sNewClient(e,\n", server, x, uedge)
		for _, f := range g.ocalls {
			g.f("%sServer{Name: %q, Size: %d, Serve: s.%s},\n", uedge, f.Name, f.Call.Size, f.method)
		}
		g.f(")}\n}\n")
	}
	g.f("\n// Close gives the untrusted memory of the client back.\nfunc (x *%s) Close() { x.client.Close() }\n", x)
	self := receiver(g.ecalls, "x", "c", "client")
	for _, f := range g.ecalls {
		g.caller(f, goSide{receiver: self + " *" + x, frame: self + ".client.Frame(%d)", verb: "makes"})
	}
	if len(g.ocalls) > 0 {
		g.f("\n// %s unpacks OCALLs.\ntype %s struct{ impl %sOCalls }\n", server, server, x)
		self := receiver(g.ocalls, "s", "srv", "server")
		for _, f := range g.ocalls {
			g.callee(f, self, server)
		}
	}
}

// trustedFile writes X_t.go.
func (g *goGen) trustedFile() {
	tedge := g.use(importTedge)
	x, server := g.name, goLower(g.name)+"ECallServer"
	g.f("\n// %sTable is the table of an enclave whose functions are those of impl. The\n// context of each is that of the ECALL, and its OCALLs are made with it.\n", x)
	g.f("func %sTable(impl %sECalls) %sTable {\n", x, x, tedge)
	if len(g.ecalls) > 0 {
		g.f("s := %s{impl}\n", server)
	}
	g.f("return %sTable{\nECalls: []%sECall{\n", tedge, tedge)
	for _, f := range g.ecalls {
		extra := ""
		if !f.Public {
			extra += ", Private: true"
		}
		if f.Switchless {
			extra += ", Switchless: true"
		}
		g.f("{Name: %q, Size: %d, Serve: s.%s%s},\n", f.Name, f.Call.Size, f.method, extra)
	}
	g.f("},\n")
	g.allowed()
	g.f("}\n}\n")
	if len(g.ecalls) > 0 {
		g.f("\n// %s unpacks ECALLs.\ntype %s struct{ impl %sECalls }\n", server, server, x)
	}
	self := receiver(g.ecalls, "s", "srv", "server")
	for _, f := range g.ecalls {
		g.callee(f, self, server)
	}
	if len(g.ocalls) == 0 {
		return
	}
	g.f("\n// %sHost calls the host, with the context of the ECALL under way.\ntype %sHost struct{}\n", x, x)
	g.f("\nvar _ %sOCalls = %sHost{}\n", x, x)
	for _, f := range g.ocalls {
		g.caller(f, goSide{receiver: x + "Host", frame: strings.TrimSuffix(tedge, ".") + ".NewFrame(ctx, %d)", verb: "makes", own: true})
	}
}

// allowed writes which ECALLs which OCALLs allow.
func (g *goGen) allowed() {
	var rows []string
	for n, f := range g.ocalls {
		var row []string
		for m, ok := range g.plan.Allowed[n] {
			if ok {
				row = append(row, fmt.Sprintf("%d: true", m))
			}
		}
		if row != nil {
			rows = append(rows, fmt.Sprintf("%d: {%s}, // %s\n", n, strings.Join(row, ", "), f.Name))
		}
	}
	if rows != nil {
		g.f("Allowed: [][]bool{\n%s},\n", strings.Join(rows, ""))
	}
}

// receiver is the first name that no variable of the functions has.
func receiver(funcs []*goFunc, names ...string) string {
	for _, name := range names {
		if !slices.ContainsFunc(funcs, func(f *goFunc) bool { return f.scope.taken[name] }) {
			return name
		}
	}
	return names[0] + "_" + names[len(names)-1] // no name of goLower
}
