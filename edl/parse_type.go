package edl

import (
	"fmt"
	"slices"
)

// simple are the types of one word.
var simple = map[string]Kind{
	"float": Float, "double": Double, "char": Char, "int": Int,
	"int8_t": Int8, "int16_t": Int16, "int32_t": Int32, "int64_t": Int64,
	"uint8_t": UInt8, "uint16_t": UInt16, "uint32_t": UInt32, "uint64_t": UInt64,
	"size_t": SizeT, "wchar_t": WChar, "void": Void,
}

// typ parses [const] base {*}.
func (p *parser) typ() (Type, span, bool) {
	var t Type
	first := p.peek()
	if p.accept("const") {
		t.Const = true
	}
	ok := false
	if t.Kind, t.Name, ok = p.base(); !ok {
		return t, first.span, false
	}
	for p.accept("*") {
		t.Pointers++
	}
	if tok := p.peek(); tok.is("const") {
		p.fail(RuleConst, tok.span, "write `const` before the type only", "`const` stands behind the type")
		p.next()
	}
	return t, first.span.to(p.toks[p.i-1].span), true
}

// base parses a type without const and stars.
func (p *parser) base() (Kind, string, bool) {
	t := p.peek()
	if t.kind != tIdent {
		p.unexpected("a type")
		return 0, "", false
	}
	switch t.text {
	case "unsigned", "short", "long":
		return p.integer(), "", true
	case "struct", "union", "enum":
		p.next()
		name, ok := p.ident("the name of the " + t.text)
		return map[string]Kind{"struct": StructKind, "union": UnionKind, "enum": EnumKind}[t.text], name.text, ok
	case "bool":
		if p.dialect == OpenEnclave {
			p.next()
			return Bool, "", true
		}
	case "signed":
		if n := p.ahead(1); n.is("char") || n.is("short") || n.is("int") || n.is("long") {
			p.fail(RuleType, t.span, "leave it out, or write int8_t for `signed char`", "EDL has no `signed`")
			p.next()
			return p.base()
		}
	}
	if kind, ok := simple[t.text]; ok {
		p.next()
		return kind, "", true
	}
	if keywords[t.text] {
		p.unexpected("a type")
		return 0, "", false
	}
	p.next()
	return Foreign, t.text, true
}

// integer parses types that begin with unsigned, short or long.
func (p *parser) integer() Kind {
	first := p.peek()
	unsigned := p.accept("unsigned")
	pick := func(signed, other Kind) Kind {
		if unsigned {
			return other
		}
		return signed
	}
	switch {
	case unsigned && p.accept("char"):
		return UChar
	case p.accept("short"):
		p.accept("int")
		return pick(Short, UShort)
	case p.accept("long"):
		switch {
		case p.accept("long"):
			if t := p.peek(); t.is("int") {
				if p.dialect != OpenEnclave {
					p.fail(RuleType, first.span.to(t.span), "write `long long`", "EDL has no `long long int`")
				}
				p.next()
			}
			return pick(LongLong, ULongLong)
		case !unsigned && p.accept("double"):
			return LongDouble
		}
		p.accept("int")
		return pick(Long, ULong)
	}
	p.accept("int")
	return pick(Int, UInt)
}

// dims parses the dimensions of an array.
func (p *parser) dims() ([]uint64, span, bool) {
	var dims []uint64
	at := p.peek().span
	for p.peek().is("[") {
		open := p.next()
		t := p.peek()
		switch {
		case t.is("]"):
			p.fail(RuleArraySize, open.span.to(t.span), "write the number of elements, or a pointer with count=", "an array needs a size")
			dims = append(dims, 1)
		case t.kind == tNumber:
			n, ok := p.number(p.next())
			if ok && n == 0 {
				p.fail(RuleArraySize, t.span, "write the number of elements", "an array of zero elements is not allowed")
			}
			dims = append(dims, max(n, 1))
		case t.kind == tIdent && !keywords[t.text] && p.dialect == OpenEnclave:
			p.next()
			n, ok := p.values[t.text]
			if !ok || n == 0 {
				p.fail(RuleDialect, t.span, "write the number, or #define "+clip(t.text), "the value of the dimension `%s` is known to C only", clip(t.text))
			}
			dims = append(dims, max(n, 1))
		case t.kind == tIdent && slices.Contains(paramAttrs, t.text):
			p.fail(RuleSyntax, t.span, "write the brackets before the type", "the attribute `%s` stands behind the name", t.text)
			return nil, at, false
		default:
			p.unexpected("a decimal number of elements")
			return nil, at, false
		}
		if !p.expect("]", "after the number of elements") {
			return nil, at, false
		}
		at = at.to(p.toks[p.i-1].span)
	}
	return dims, at, true
}

// composite parses a struct, a union or an enum, up to its brace.
func (p *parser) composite() bool {
	keyword := p.next()
	if keyword.text == "enum" {
		return p.enum(keyword)
	}
	if t := p.peek(); t.is("{") {
		p.fail(RuleAnonymous, keyword.span, "write a name after `"+keyword.text+"`", "a %s needs a name", keyword.text)
		return false
	}
	name, ok := p.ident("the name of the " + keyword.text)
	if !ok || !p.expect("{", "after the name of the "+keyword.text) {
		return false
	}
	c := &compositeDecl{Composite: &Composite{Pos: name.pos(), Kind: StructKind, Name: name.text}, at: name.span}
	if keyword.text == "union" {
		c.Kind = UnionKind
	}
	open := p.toks[p.i-1]
	for !p.accept("}") {
		if p.full() {
			return false
		}
		if p.peek().kind == tEOF {
			p.unclosed(open, keyword.text+" "+clip(c.Name))
			return false
		}
		start := p.i
		if m, ok := p.param("a member"); !ok {
			p.resync(start)
		} else {
			c.members = append(c.members, m)
			c.Members = append(c.Members, m.Param)
			if !p.semicolon() {
				p.resync(start)
			}
		}
	}
	if len(c.members) == 0 && !p.hasErrorsSince(open) {
		p.fail(RuleEmpty, name.span, "write a member", "%s %s has no members", keyword.text, c.Name)
	}
	p.checkMembers(c)
	p.addComposite(c)
	return true
}

func (p *parser) addComposite(c *compositeDecl) {
	p.unit.composites = append(p.unit.composites, c)
	p.defined[c.Name] = c
}

// hasErrorsSince reports whether there was an error behind a token.
func (p *parser) hasErrorsSince(t token) bool {
	n := len(p.errors)
	return n > 0 && p.errors[n-1].off > t.off
}

func (p *parser) enum(keyword token) bool {
	c := &compositeDecl{Composite: &Composite{Pos: keyword.pos(), Kind: EnumKind}, at: keyword.span}
	if !p.peek().is("{") {
		name, ok := p.ident("the name of the enum")
		if !ok {
			return false
		}
		c.Name, c.Pos, c.at = name.text, name.pos(), name.span
	}
	if !p.expect("{", "after `enum`") {
		return false
	}
	p.addComposite(c)
	if p.accept("}") {
		return true
	}
	for {
		if t := p.peek(); t.is("}") {
			if p.dialect != OpenEnclave {
				p.fail(RuleSyntax, p.toks[p.i-1].span, "remove the last `,`", "no element follows the `,`")
			}
			p.next()
			return true
		}
		name, ok := p.ident("the name of an enum element")
		if !ok {
			return false
		}
		e := Element{Pos: name.pos(), Name: name.text}
		if p.accept("=") {
			if e.Value, ok = p.elementValue(); !ok {
				return false
			}
		}
		c.Elements = append(c.Elements, e)
		c.elements = append(c.elements, name.span)
		p.evaluate(c, e)
		if p.accept("}") {
			return true
		}
		if !p.expect(",", "or `}` after an enum element") {
			return false
		}
	}
}

// evaluate notes the value of an element, the last of c, if it is known.
func (p *parser) evaluate(c *compositeDecl, e Element) {
	n, ok := uint64(0), true
	switch {
	case e.Value == nil && len(c.Elements) > 1:
		n, ok = p.values[c.Elements[len(c.Elements)-2].Name]
		n++
	case e.Value != nil && e.Value.Name != "":
		n, ok = p.values[e.Value.Name]
	case e.Value != nil:
		n = e.Value.Number
	}
	if ok {
		p.values[e.Name] = n
	}
}

// elementValue parses what follows the `=` of an enum element.
func (p *parser) elementValue() (*Operand, bool) {
	t := p.peek()
	switch {
	case t.kind == tNumber:
		p.next()
		n, _ := p.number(t)
		return &Operand{Pos: t.pos(), Number: n}, true
	case t.kind == tIdent && !keywords[t.text]:
		p.next()
		return &Operand{Pos: t.pos(), Name: t.text}, true
	case t.is("-"):
		p.fail(RuleNumber, t.span, fmt.Sprint("write a decimal number up to ", maxNumber), "an enum element cannot be negative")
		return nil, false
	}
	p.unexpected("a decimal number or the name of another element")
	return nil, false
}
