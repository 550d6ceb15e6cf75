package gogen

import (
	"fmt"
	"strings"
)

// trustedFile writes X_t.go.
func (g *generator) trustedFile() {
	tedge := g.use(importTedge)
	x, server := g.name, localName(g.name)+"ECallServer"
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
		g.caller(f, callerSide{receiver: x + "Host", frame: strings.TrimSuffix(tedge, ".") + ".NewFrame(ctx, %d)", own: true})
	}
}

// allowed writes which ECALLs which OCALLs allow.
func (g *generator) allowed() {
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
