package edl

import "slices"

// Dialect is whose language is read.
type Dialect uint8

// Dialects.
const (
	Intel       Dialect = iota // sgx_edger8r of the Intel SGX SDK
	OpenEnclave                // oeedger8r of the Open Enclave SDK
)

// checkOpenEnclave checks what oeedger8r refuses or warns of where
// sgx_edger8r does not.
func (p *parser) checkOpenEnclave(f *funcDecl, trusted bool) {
	if p.dialect != OpenEnclave {
		return
	}
	if trusted && !f.Public {
		p.fail(RuleDialect, f.at, "write `public` before it", "Open Enclave has no private function such as %s", clip(f.Name))
	}
	if f.Result.Pointers > 0 {
		p.warn(RuleReturnPtr, f.at, "use an [out] parameter", "%s returns an address of the other side", clip(f.Name))
	}
	for _, d := range f.params {
		if d.Size != nil && d.Count != nil {
			p.fail(RuleDialect, d.attr("count").at(), "keep one", "Open Enclave does not take size= and count= together")
		}
		if d.ReadOnly {
			p.fail(RuleDialect, d.attr("readonly").at(), "remove it", "Open Enclave has no `readonly`")
		}
		switch d.Type.Kind {
		case WChar, LongDouble, Long, ULong:
			p.warn(RuleNonPortable, d.typeAt, "use a type of fixed width", "%s has another size on Windows", d.Type.Kind)
		case Foreign, StructKind:
			c := p.defined[d.Type.Name]
			if d.Type.Pointers == 0 || d.attr("user_check").name.text != "" {
				continue
			}
			if c == nil {
				p.warn(RuleForeignPtr, d.typeAt, "define the type in the EDL file", "what a %s holds is not known, so pointers in it are not followed", d.Type)
			} else if d.Size != nil && c.HasBuffers() {
				p.fail(RuleDialect, d.attr("size").at(), "use count=", "Open Enclave takes no size= for %s, which is copied deeply", clip(c.Name))
			}
		}
	}
}

// nameTypes gives types that are written by their name alone, which is a
// typedef in generated C, the kind of their definition.
func (m *merged) nameTypes() {
	kinds := map[string]Kind{}
	for _, p := range m.parts {
		for _, c := range p.types {
			kinds[c.Name] = c.Kind
		}
	}
	name := func(t *Type) {
		if kind, ok := kinds[t.Name]; ok && t.Kind == Foreign {
			t.Kind = kind
		}
	}
	for _, p := range m.parts {
		for _, c := range p.types {
			for _, member := range c.Members {
				name(&member.Type)
			}
		}
		for _, f := range slices.Concat(p.ecalls, p.ocalls) {
			name(&f.Result)
			for _, param := range f.Params {
				name(&param.Type)
			}
		}
	}
}
