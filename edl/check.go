package edl

import (
	"maps"
	"slices"
)

// checkInterface checks what needs all files together.
func (l *loader) checkInterface(m *merged) {
	if l.opts.Dialect == OpenEnclave {
		m.nameTypes()
	}
	l.checkTypes(m)
	ecalls := l.checkNames(m)
	structs := m.structs()
	l.checkNested(m, structs)
	allowed := map[string]bool{}
	public := false
	for _, p := range m.parts {
		for _, f := range p.ecalls {
			l.checkStructs(f, structs)
			public = public || f.Public
		}
		for _, f := range p.ocalls {
			l.checkStructs(f, structs)
			l.checkAllow(f, ecalls, allowed)
		}
	}
	if !l.opts.HeaderOnly && l.opts.Dialect == Intel {
		l.checkPublic(m, public, allowed)
	}
}

// checkTypes refuses types that are defined twice.
func (l *loader) checkTypes(m *merged) {
	types, elements := map[string]*compositeDecl{}, map[string]Pos{}
	for _, p := range m.parts {
		for _, c := range p.types {
			if other := types[c.Name]; other != nil && c.Name != "" {
				l.fail(RuleDuplicate, c.at, "rename or remove one", "%s is defined already, at %s", clip(c.Name), other.Pos)
			}
			types[c.Name] = c
			for i, e := range c.Elements {
				if first, ok := elements[e.Name]; ok {
					l.fail(RuleDuplicate, c.elements[i], "rename or remove one", "the enum element %s is defined already, at %s", clip(e.Name), first)
				}
				elements[e.Name] = e.Pos
			}
		}
	}
}

// checkNames refuses functions that are defined twice and returns the ECALLs.
func (l *loader) checkNames(m *merged) map[string]bool {
	names, ecalls := map[string]Pos{}, map[string]bool{}
	check := func(f *funcDecl) {
		if first, ok := names[f.Name]; ok {
			l.fail(RuleDuplicate, f.at, "rename or remove one", "the function %s is declared already, at %s", clip(f.Name), first)
			return
		}
		names[f.Name] = f.Pos
	}
	for _, p := range m.parts {
		for _, f := range p.ecalls {
			check(f)
			ecalls[f.Name] = true
		}
	}
	for _, p := range m.parts {
		for _, f := range p.ocalls {
			check(f)
		}
	}
	return ecalls
}

// checkAllow checks the names in allow(...) and marks them allowed.
func (l *loader) checkAllow(f *funcDecl, ecalls, allowed map[string]bool) {
	if l.opts.Dialect == OpenEnclave {
		if len(f.allow) > 0 {
			l.warn(RuleUnsupported, f.allow[0].at, "remove `allow`", "Open Enclave does not enforce `allow`")
		}
	}
	for _, n := range f.allow {
		f.Allow = append(f.Allow, n.name)
		allowed[n.name] = true
		if !ecalls[n.name] && l.opts.Dialect == Intel && !l.full() {
			l.fail(RuleAllow, n.at, suggest(n.name, slices.Sorted(maps.Keys(ecalls)), "name a trusted function, or remove it"),
				"%s allows `%s`, which is no trusted function", clip(f.Name), clip(n.name))
		}
	}
}

// checkPublic wants one ECALL that can be called at all, and warns of those
// that cannot.
func (l *loader) checkPublic(m *merged, public bool, allowed map[string]bool) {
	if !public {
		root := m.parts[0]
		l.fail(RulePublic, span{src: root.src}, "write `public` before a trusted function", "%s has no public function: nothing could ever be called", root.short)
		return
	}
	for _, p := range m.parts {
		for _, f := range p.ecalls {
			if !f.Public && !allowed[f.Name] {
				l.warn(RuleOrphan, f.at, "write `public` before it, or allow("+clip(f.Name)+") behind an untrusted function",
					"%s is private and no OCALL allows it: it can never be called", clip(f.Name))
			}
		}
	}
}
