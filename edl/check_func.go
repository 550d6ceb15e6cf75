package edl

// checkFuncAttributes checks the brackets before an untrusted function.
func (p *parser) checkFuncAttributes(f *funcDecl, attrs []attr) {
	for _, a := range attrs {
		name := a.name.text
		if a.value.kind != tEOF {
			p.fail(RuleAttrValue, a.at(), "write `"+name+"` alone", "`%s` takes no value", clip(name))
			continue
		}
		switch name {
		case "cdecl", "stdcall", "fastcall":
			if f.Convention != "" {
				p.fail(RuleConvention, a.name.span, "keep one", "`%s` and `%s` exclude each other", f.Convention, name)
			}
			f.Convention = name
		case "dllimport":
			if f.DLLImport {
				p.fail(RuleDuplicateAttr, a.name.span, "remove one", "`dllimport` stands twice")
			}
			f.DLLImport = true
		default:
			p.fail(RuleUnknownAttr, a.name.span, suggest(name, []string{"cdecl", "stdcall", "fastcall", "dllimport"},
				"attributes of untrusted functions are cdecl, stdcall, fastcall, dllimport"),
				"there is no function attribute `%s`", clip(name))
		}
		if p.dialect == OpenEnclave {
			p.fail(RuleDialect, a.name.span, "remove it", "Open Enclave has no function attributes")
		}
	}
}
