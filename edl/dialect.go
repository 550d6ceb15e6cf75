package edl

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
			if d.Type.Pointers > 0 && !d.UserCheck && !p.defined[d.Type.Name] {
				p.warn(RuleForeignPtr, d.typeAt, "define the type in the EDL file", "what a %s holds is not known, so pointers in it are not followed", d.Type)
			}
			if d.Type.Pointers > 0 && d.Size != nil && p.defined[d.Type.Name] {
				p.fail(RuleDialect, d.attr("size").at(), "use count=", "Open Enclave takes no size= for a pointer to a struct of the interface")
			}
		}
	}
}
