package edl

// block parses `trusted { ... };` or `untrusted { ... };`.
func (p *parser) block() bool {
	kind := p.next()
	if !p.expect("{", "after `"+kind.text+"`") {
		return false
	}
	open := p.toks[p.i-1]
	trusted := kind.text == "trusted"
	includes := &p.unit.untrusted
	if trusted {
		includes = &p.unit.trusted
	}
	for !p.peek().is("}") {
		if p.peek().kind == tEOF {
			p.unclosed(open, "the "+kind.text+" block")
			return false
		}
		if p.full() {
			return false
		}
		start := p.i
		ok := false
		switch t := p.peek(); {
		case t.is("include") && p.onlyIncludes():
			ok = p.include(includes)
		case t.is("include"):
			p.fail(RuleInclude, t.span, "move it before the first function of the block", "an include stands behind a function")
			ok = p.include(new([]string))
		case trusted:
			ok = p.trustedFunc()
		default:
			ok = p.untrustedFunc()
		}
		if !ok {
			p.resync(start)
		}
	}
	p.next()
	return p.semicolon()
}

// onlyIncludes reports whether there is nothing but includes between the brace
// of the block and here.
func (p *parser) onlyIncludes() bool {
	if p.toks[p.i-1].is("{") {
		return true
	}
	return p.i >= 2 && p.toks[p.i-2].is("include")
}

func (p *parser) trustedFunc() bool {
	if t := p.peek(); t.is("[") {
		p.fail(RuleTrustedForm, t.span, "remove the brackets", "a trusted function has no attributes")
		if _, _, ok := p.attributes(); !ok {
			return false
		}
	}
	public := p.accept("public")
	f, ok := p.function()
	if !ok {
		return false
	}
	f.Public = public
	for {
		switch t := p.peek(); {
		case t.is("transition_using_threads") && !f.Switchless:
			p.next()
			f.Switchless = true
			continue
		case t.is("allow"), t.is("propagate_errno"):
			p.fail(RuleTrustedForm, t.span, "remove it, or move the function to the untrusted block",
				"`%s` is for untrusted functions", t.text)
			return false
		}
		break
	}
	p.checkParams(f)
	p.checkOpenEnclave(f, true)
	p.unit.ecalls = append(p.unit.ecalls, f)
	return p.semicolon()
}

func (p *parser) untrustedFunc() bool {
	var attrs []attr
	if p.peek().is("[") {
		var ok bool
		if attrs, _, ok = p.attributes(); !ok {
			return false
		}
	}
	if t := p.peek(); t.is("public") {
		p.fail(RuleUntrustedForm, t.span, "remove it", "`public` is for trusted functions")
		p.next()
	}
	f, ok := p.function()
	if !ok {
		return false
	}
	if p.accept("allow") {
		if !p.expect("(", "after `allow`") {
			return false
		}
		if !p.accept(")") {
			if f.allow, ok = p.names("the name of a trusted function"); !ok {
				return false
			}
			if !p.expect(")", "after the names") {
				return false
			}
		}
	}
	for {
		switch t := p.peek(); {
		case t.is("propagate_errno") && !f.PropagateErrno:
			p.next()
			f.PropagateErrno = true
			continue
		case t.is("transition_using_threads") && !f.Switchless:
			p.next()
			f.Switchless = true
			continue
		case t.is("allow"):
			p.fail(RuleUntrustedForm, t.span, "write `allow(...)` directly after the parameters", "`allow` stands in the wrong place")
			return false
		}
		break
	}
	p.checkFuncAttributes(f, attrs)
	p.checkParams(f)
	p.checkOpenEnclave(f, false)
	p.unit.ocalls = append(p.unit.ocalls, f)
	return p.semicolon()
}

// function parses a result type, a name and parameters.
func (p *parser) function() (*funcDecl, bool) {
	result, at, ok := p.typ()
	if !ok {
		return nil, false
	}
	if result.Const && p.dialect != OpenEnclave {
		p.fail(RuleConst, at, "remove `const`", "a result cannot be const")
	}
	if t := p.peek(); t.is("[") {
		p.fail(RuleResultArray, t.span, "return a pointer", "a function cannot return an array")
		return nil, false
	}
	if t := p.peek(); result.Kind == Foreign && t.kind == tIdent && keywords[t.text] {
		p.fail(RuleSyntax, at, suggest(result.Name, []string{"public", "const", "unsigned", "struct"}, "remove it"), "`%s` is not expected here", clip(result.Name))
		return nil, false
	}
	name, ok := p.ident("the name of a function")
	if !ok {
		return nil, false
	}
	f := &funcDecl{Func: &Func{Pos: name.pos(), Name: name.text, Result: result}, at: name.span}
	if !p.expect("(", "after the name of the function") {
		return nil, false
	}
	if p.accept(")") {
		return f, true
	}
	if p.peek().is("void") && p.ahead(1).is(")") {
		p.next()
		p.next()
		return f, true
	}
	for {
		param, ok := p.param("a parameter")
		if !ok {
			return nil, false
		}
		f.params = append(f.params, param)
		f.Params = append(f.Params, param.Param)
		if p.accept(")") {
			return f, true
		}
		if !p.expect(",", "or `)` after a parameter") {
			return nil, false
		}
	}
}

// param parses attributes, type, name and dimensions of a parameter or a
// member.
func (p *parser) param(what string) (*paramDecl, bool) {
	d := &paramDecl{Param: &Param{}}
	d.whole = p.peek().span
	if p.peek().is("[") {
		var ok bool
		if d.attrs, d.attrsAt, ok = p.attributes(); !ok {
			return nil, false
		}
		if t := p.peek(); t.is("[") {
			p.fail(RuleSyntax, t.span, "write all attributes in one pair, as in [in, size=n]", "%s has several pairs of brackets before it", what)
			return nil, false
		}
	}
	var ok bool
	if d.Type, d.typeAt, ok = p.typ(); !ok {
		return nil, false
	}
	if t := p.peek(); t.is("(") {
		p.fail(RuleSyntax, t.span, "use a typedef of a C header with user_check", "EDL has no function pointers")
		return nil, false
	}
	if t := p.peek(); t.is(",") || t.is(")") {
		p.fail(RuleSyntax, d.typeAt, "write a name after the type", "%s has no name", what)
		return nil, false
	}
	name, ok := p.ident("the name of " + what)
	if !ok {
		return nil, false
	}
	d.at, d.Name, d.Pos = name.span, name.text, name.pos()
	if d.Dims, d.dimsAt, ok = p.dims(); !ok {
		return nil, false
	}
	d.whole = d.whole.to(p.toks[p.i-1].span)
	return d, true
}

// attributes parses a block in brackets.
func (p *parser) attributes() ([]attr, span, bool) {
	at := p.next().span
	if t := p.peek(); t.is("]") {
		p.fail(RuleNoAttribute, at.to(t.span), "remove the brackets or write attributes in them", "there is no attribute in the brackets")
		p.next()
		return nil, at.to(t.span), true
	}
	var list []attr
	for {
		t := p.peek()
		if t.kind != tIdent || keywords[t.text] {
			p.unexpected("the name of an attribute")
			return nil, at, false
		}
		a := attr{name: p.next()}
		if p.accept("=") {
			v := p.peek()
			if v.kind != tNumber && (v.kind != tIdent || keywords[v.text]) {
				p.unexpected("a decimal number or the name of a parameter")
				return nil, at, false
			}
			a.value = p.next()
		}
		list = append(list, a)
		if t := p.peek(); p.accept("]") {
			return list, at.to(t.span), true
		}
		if t := p.peek(); t.is("*") || t.is("+") || t.is("-") || t.is("/") {
			p.fail(RuleSyntax, t.span, "write a number or a parameter; size= and count= together are multiplied", "`%s` cannot be computed with here", t.text)
			return nil, at, false
		}
		if !p.expect(",", "or `]` after an attribute") {
			return nil, at, false
		}
	}
}
