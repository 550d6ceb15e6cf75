package gogen

// untrustedFile writes X_u.go.
func (g *generator) untrustedFile() {
	uedge := g.use(importUedge)
	x, server := g.name, localName(g.name)+"OCallServer"
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
		g.caller(f, callerSide{receiver: self + " *" + x, frame: self + ".client.Frame(%d)"})
	}
	if len(g.ocalls) > 0 {
		g.f("\n// %s unpacks OCALLs.\ntype %s struct{ impl %sOCalls }\n", server, server, x)
		self := receiver(g.ocalls, "s", "srv", "server")
		for _, f := range g.ocalls {
			g.callee(f, self, server)
		}
	}
}
