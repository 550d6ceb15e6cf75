package edl

// checkMembers checks the members of a struct or a union.
func (p *parser) checkMembers(c *compositeDecl) {
	names := p.byName(c.Name, "member", c.members)
	for _, d := range c.members {
		if p.full() {
			return
		}
		if !p.setAttributes(d) || !p.checkValue(d, "member") {
			continue
		}
		if d.Type.Const && p.dialect != OpenEnclave {
			p.fail(RuleConst, d.typeAt, "remove `const`", "the member `%s` cannot be const", clip(d.Name))
			continue
		}
		if len(d.attrs) == 0 {
			if p.dialect == OpenEnclave && c.Kind == StructKind && d.Type.Pointers > 0 {
				p.warn(RulePtrInStruct, d.whole, "add size= or count=", "what `%s` points to is not copied", clip(d.Name))
			}
			continue
		}
		if c.Kind == UnionKind {
			p.fail(RuleMemberAttr, d.attrsAt, "remove the brackets, or use a struct", "a member of a union has no attributes")
			continue
		}
		if p.checkMemberAttributes(d) {
			p.checkOperands(d, names, "member")
		}
	}
}

// checkMemberAttributes allows size= and count= for a pointer, which make the
// struct one that is copied deeply.
func (p *parser) checkMemberAttributes(d *paramDecl) bool {
	for _, name := range []string{"in", "out", "string", "wstring", "isptr", "isary", "readonly", "user_check"} {
		if a := d.attr(name); a.name.text == name {
			p.fail(RuleMemberAttr, a.at(), "members take size= and count= only", "a struct member cannot have `%s`", name)
			return false
		}
	}
	switch {
	case len(d.Dims) > 0:
		p.fail(RuleArrayAttr, d.attr("size", "count").at(), "remove it, or make `"+clip(d.Name)+"` a pointer", "the array `%s` has a size already", clip(d.Name))
	case d.Type.Pointers == 0:
		p.fail(RuleMemberAttr, d.attrsAt, "remove the brackets, or make it a pointer", "the member `%s` is no pointer", clip(d.Name))
	case d.Type.Kind == Void && d.Type.Pointers == 1 && d.Size == nil:
		p.warn(RuleVoidPointer, d.whole, "write size= instead", "count= of the void pointer `%s` counts bytes", clip(d.Name))
		return true
	default:
		return true
	}
	return false
}
