package edl

// structs are the structs of the interface by name.
func (m *merged) structs() map[string]*compositeDecl {
	structs := map[string]*compositeDecl{}
	for _, p := range m.parts {
		for _, c := range p.types {
			if c.Kind == StructKind {
				structs[c.Name] = c
			}
		}
	}
	return structs
}

// checkStructs checks how a function passes structs of the interface.
func (l *loader) checkStructs(f *funcDecl, structs map[string]*compositeDecl) {
	if s := structs[f.Result.Name]; s != nil && f.Result.Pointers == 0 && s.HasBuffers() {
		l.warn(RuleDeepCopy, f.at, "use a parameter with [in, out]", "%s returns a %s without its buffers", clip(f.Name), clip(s.Name))
	}
	for _, d := range f.params {
		s := structs[d.Type.Name]
		if s == nil {
			continue
		}
		switch {
		case d.Type.Kind == Foreign && s.HasBuffers():
			l.fail(RuleDeepCopy, d.typeAt, "write `struct "+s.Name+"`", "%s is copied deeply and must be named as a struct", clip(s.Name))
		case d.Type.Kind == Foreign:
			l.warn(RuleStructName, d.typeAt, "write `struct "+s.Name+"`", "%s is a struct of this interface", clip(s.Name))
		case d.Type.Kind != StructKind:
		case d.isPlain() && s.HasBuffers():
			l.fail(RuleDeepCopy, d.whole, "pass a pointer with [in]", "%s is copied deeply and cannot be passed by value", clip(s.Name))
		case d.isPlain() && s.hasPointer():
			l.warn(RuleStructValue, d.whole, "pass a pointer, with size= or count= at the members of the struct",
				"%s is passed by value: what its pointers point to is not copied", clip(s.Name))
		case d.Type.Pointers == 1 && d.Direction == Out && s.HasBuffers() && l.opts.Dialect == Intel:
			l.fail(RuleDeepCopy, d.attr("out").at(), "write [in] or [in, out]", "%s is copied deeply and cannot be only `out`: its sizes are not known before the call", clip(s.Name))
		case len(d.Dims) > 0 && d.Direction != None && s.HasBuffers():
			l.warn(RuleDeepCopy, d.dimsAt, "pass a pointer, with the number of structs as count=",
				"the array `%s` is copied without the buffers of its structs", clip(d.Name))
		}
	}
}

// checkNested warns of structs with buffers in other structs and unions: a
// deep copy goes no deeper than the struct that is passed.
func (l *loader) checkNested(m *merged, structs map[string]*compositeDecl) {
	for _, p := range m.parts {
		for _, c := range p.types {
			for _, d := range c.members {
				s := structs[d.Type.Name]
				if s == nil || !s.HasBuffers() {
					continue
				}
				buffer := d.Type.Pointers == 1 && (d.Size != nil || d.Count != nil)
				if buffer || d.Type.Pointers == 0 {
					l.warn(RuleDeepCopy, d.whole, "pass it in a parameter of its own", "the member `%s` is copied without the buffers of %s", clip(d.Name), clip(s.Name))
				}
			}
		}
	}
}

func (c *Composite) hasPointer() bool {
	for _, m := range c.Members {
		if m.Type.Pointers > 0 {
			return true
		}
	}
	return false
}
