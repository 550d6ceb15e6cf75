package edl

import (
	"maps"
	"slices"
)

// paramAttrs are the attributes of parameters, for suggestions.
var paramAttrs = []string{"in", "out", "user_check", "string", "wstring", "size", "count", "isptr", "isary", "readonly"}

// setAttributes turns what was written into Attributes. It reports unknown and
// repeated attributes and values where they do not belong, and returns false
// after an error.
func (p *parser) setAttributes(d *paramDecl) bool {
	ok := true
	fail := func(rule Rule, at span, hint, format string, args ...any) {
		p.fail(rule, at, hint, format, args...)
		ok = false
	}
	for _, a := range d.attrs {
		name := a.name.text
		if (name == "size" || name == "count") && a.value.kind == tEOF {
			fail(RuleAttrValue, a.name.span, "write "+name+"= and a number or a parameter", "`%s` has no value", name)
			continue
		}
		if slices.Contains(paramAttrs, name) && name != "size" && name != "count" && a.value.kind != tEOF {
			fail(RuleAttrValue, a.at(), "write `"+name+"` alone", "`%s` takes no value", name)
		}
		again := func(twice bool) {
			if twice {
				fail(RuleDuplicateAttr, a.at(), "remove one", "`%s` stands twice", name)
			}
		}
		switch name {
		case "in":
			again(d.Direction&In != 0)
			d.Direction |= In
		case "out":
			again(d.Direction&Out != 0)
			d.Direction |= Out
		case "user_check":
			d.UserCheck = true
		case "string":
			d.String = true
		case "wstring":
			d.WString = true
		case "isptr":
			d.IsPtr = true
		case "isary":
			d.IsAry = true
		case "readonly":
			d.ReadOnly = true
		case "size":
			again(d.Size != nil)
			d.Size, ok = p.operand(a.value, ok)
		case "count":
			again(d.Count != nil)
			d.Count, ok = p.operand(a.value, ok)
		case "sizefunc":
			fail(RuleSizeFunc, a.at(), "pass the size as a parameter and write size=", "`sizefunc` is not supported any more")
		default:
			fail(RuleUnknownAttr, a.name.span, suggest(name, paramAttrs, "attributes are in, out, user_check, string, wstring, size, count, isptr, isary, readonly"),
				"there is no attribute `%s`", clip(name))
		}
	}
	return ok
}

// operand makes the value of size or count.
func (p *parser) operand(t token, ok bool) (*Operand, bool) {
	if t.kind == tIdent {
		return &Operand{Pos: t.pos(), Name: t.text}, ok
	}
	n, fine := p.number(t)
	return &Operand{Pos: t.pos(), Number: n}, ok && fine
}

// checkParams checks the parameters of a function.
func (p *parser) checkParams(f *funcDecl) {
	names := p.byName(f.Name, "parameter", f.params)
	for _, d := range f.params {
		if p.full() {
			return
		}
		if !p.setAttributes(d) || !p.checkValue(d, "parameter") {
			continue
		}
		if d.Type.Const && d.Type.Pointers == 0 && p.dialect != OpenEnclave {
			p.fail(RuleConst, d.typeAt, "remove `const`", "the value `%s` cannot be const", clip(d.Name))
			continue
		}
		if p.checkForeign(d) && p.checkDirection(d) {
			p.checkType(d)
		}
		p.checkOperands(d, names, "parameter")
	}
}

// byName returns the parameters or members of something by their names, of
// which none may stand twice.
func (p *parser) byName(of, what string, list []*paramDecl) map[string]*paramDecl {
	names := map[string]*paramDecl{}
	for _, d := range list {
		if names[d.Name] != nil {
			p.fail(RuleDuplicate, d.at, "rename one", "%s has two %ss `%s`", clip(of), what, clip(d.Name))
		}
		names[d.Name] = d
	}
	return names
}

// checkValue refuses void, arrays too large, and attributes on a plain value.
func (p *parser) checkValue(d *paramDecl, what string) bool {
	if d.Type.Kind == Void && d.Type.Pointers == 0 {
		p.fail(RuleVoid, d.typeAt, "write a type, or `void*`", "the %s `%s` has type void", what, clip(d.Name))
		return false
	}
	size := uint64(1)
	for _, n := range d.Dims {
		if size > maxArray/n {
			p.fail(RuleArraySize, d.dimsAt, "make it smaller", "the array `%s` is too large", clip(d.Name))
			return false
		}
		size *= n
	}
	return true
}

// maxArray bounds the number of elements of an array: what no x86-64 address
// space holds.
const maxArray = 1 << 47

// isPlain reports whether the type is neither pointer nor array.
func (d *paramDecl) isPlain() bool { return d.Type.Pointers == 0 && len(d.Dims) == 0 }

// checkForeign checks isptr, isary and readonly, and that only pointers and
// arrays have attributes.
func (p *parser) checkForeign(d *paramDecl) bool {
	bare := d.Type.Kind == Foreign && d.Type.Pointers == 0
	at := d.attr("isptr", "isary", "readonly").at()
	switch {
	case d.IsPtr && !bare:
		p.fail(RuleForeign, d.attr("isptr").at(), "remove it", "`isptr` is for a typedef of a C header, not for %s", d.Type)
	case d.IsAry && !bare:
		p.fail(RuleForeign, d.attr("isary").at(), "remove it", "`isary` is for a typedef of a C header, not for %s", d.Type)
	case d.ReadOnly && d.Type.Kind != Foreign:
		p.fail(RuleForeign, d.attr("readonly").at(), "write `const` before the type", "`readonly` is for a typedef of a C header, not for %s", d.Type)
	case d.ReadOnly && !d.IsPtr:
		p.fail(RuleForeign, d.attr("readonly").at(), "add `isptr` if the typedef is a pointer, or remove `readonly`", "`readonly` goes with `isptr` only")
	case d.IsPtr && d.IsAry:
		p.fail(RuleForeign, at, "keep the one that the typedef is", "a typedef cannot be both `isptr` and `isary`")
	case d.IsAry && (d.Size != nil || d.Count != nil):
		p.fail(RuleForeign, d.attr("size", "count").at(), "remove it: the typedef has a size", "`isary` has no size= or count=")
	case d.IsAry && (d.String || d.WString):
		p.fail(RuleForeign, d.attr("string", "wstring").at(), "remove it", "`isary` is no string")
	case d.IsAry && len(d.Dims) > 0:
		p.fail(RuleForeign, d.attr("isary").at(), "remove `isary` or the dimensions", "`%s` is an array already", clip(d.Name))
	case d.IsPtr && len(d.Dims) > 0:
		p.fail(RulePointerArray, d.dimsAt, "pass one pointer with user_check", "`%s` is an array of pointers", clip(d.Name))
	case d.isPlain() && !d.IsPtr && !d.IsAry && len(d.attrs) > 0:
		hint := "remove the brackets, or make it a pointer"
		if d.Type.Kind == Foreign {
			hint = "add `isptr` or `isary` if the typedef is a pointer or an array, else remove the brackets"
		}
		p.fail(RulePlainValue, d.attrsAt, hint, "`%s` is passed by value and has no attributes", clip(d.Name))
	default:
		return true
	}
	return false
}

// checkDirection checks how direction, user_check, string and sizes go
// together.
func (p *parser) checkDirection(d *paramDecl) bool {
	if d.isPlain() && !d.IsPtr && !d.IsAry {
		return true
	}
	str := d.attr("string", "wstring")
	sized := d.Size != nil || d.Count != nil
	switch {
	case d.String && d.WString:
		p.fail(RuleString, d.attr("wstring").at(), "keep `string` for char, `wstring` for wchar_t", "`string` and `wstring` exclude each other")
	case (d.String || d.WString) && sized:
		p.fail(RuleString, d.attr("size", "count").at(), "remove it: a string ends with a zero", "`%s` excludes size= and count=", str.name.text)
	case d.Direction != None && d.UserCheck:
		p.fail(RuleUserCheck, d.attr("user_check").at(), "keep `user_check` to pass the address only, or the direction to copy", "`user_check` excludes a direction")
	case (d.String || d.WString || sized) && d.Direction == None:
		a := d.attr("string", "wstring", "size", "count")
		p.fail(RuleSizeDirection, a.at(), "add `in`, `out` or both", "`%s` needs a direction", a.name.text)
	case d.Direction == None && !d.UserCheck:
		return p.undirected(d)
	case (d.String || d.WString) && d.Direction == Out:
		p.fail(RuleString, str.at(), "write `in, out`, or a buffer with `out` and size=", "`%s` cannot be only `out`: its length is not known before the call", str.name.text)
	default:
		return true
	}
	return false
}

// undirected reports a pointer or an array without a direction, which the
// Open Enclave dialect takes as user_check.
func (p *parser) undirected(d *paramDecl) bool {
	what := "pointer"
	if len(d.Dims) > 0 || d.IsAry {
		what = "array"
	}
	const hint = "write [in], [out], [in, out], or [user_check] to pass the address only"
	if p.dialect == OpenEnclave {
		p.warn(RulePtrInFunc, d.whole, hint, "the %s `%s` has no direction: only its address is passed", what, clip(d.Name))
		d.UserCheck = true
		return true
	}
	p.fail(RuleDirection, d.whole, hint, "the %s `%s` has no direction", what, clip(d.Name))
	return false
}

// checkType checks the attributes against the type.
func (p *parser) checkType(d *paramDecl) {
	t := d.Type
	ptr := t.Pointers > 0
	switch {
	case len(d.Dims) > 0 && ptr:
		p.fail(RulePointerArray, d.typeAt.to(d.dimsAt), "pass one pointer with user_check", "`%s` is an array of pointers", clip(d.Name))
	case len(d.Dims) > 0 && (d.Size != nil || d.Count != nil):
		p.fail(RuleArrayAttr, d.attr("size", "count").at(), "remove it, or make `"+clip(d.Name)+"` a pointer", "the array `%s` has a size already", clip(d.Name))
	case t.Const && ptr && d.Direction&Out != 0:
		p.fail(RuleConstOut, d.attr("out").at(), "remove `out` or `const`", "`%s` points to const data, which is not copied out", clip(d.Name))
	case d.ReadOnly && d.Direction&Out != 0:
		p.fail(RuleConstOut, d.attr("out").at(), "remove `out` or `readonly`", "`%s` is readonly, which is not copied out", clip(d.Name))
	case d.String && (t.Pointers != 1 || t.Kind != Char && t.Kind != UChar):
		p.fail(RuleStringType, d.attr("string").at(), "make it char*, or use size=", "`string` is for char* and unsigned char*, not for %s", t)
	case d.WString && (t.Pointers != 1 || t.Kind != WChar):
		p.fail(RuleStringType, d.attr("wstring").at(), "make it wchar_t*, or use size=", "`wstring` is for wchar_t*, not for %s", t)
	case t.Kind == Void && t.Pointers == 1 && !d.UserCheck && d.Size == nil:
		p.fail(RuleVoidPointer, d.whole, "add size= with the number of bytes", "the size of what `%s` points to is not known", clip(d.Name))
	}
}

// checkSize refuses a size that is known and can only overflow.
func (p *parser) checkSize(d *paramDecl) {
	size, count := d.Type.elementSize(), uint64(1)
	if d.Size != nil {
		size = max(d.Size.Number, 1)
	}
	if d.Count != nil && d.Count.Name == "" {
		count = d.Count.Number
	}
	if count > maxNumber/size {
		p.fail(RuleArraySize, d.attr("count").at(), "make it smaller", "the size of what `%s` points to overflows", clip(d.Name))
	}
}

// elementSize is the size in bytes of what a pointer points to, 1 where it is
// not known here.
func (t Type) elementSize() uint64 {
	if t.Pointers > 1 {
		return 8
	}
	switch t.Kind {
	case Short, UShort, Int16, UInt16:
		return 2
	case Int, UInt, Int32, UInt32, Float, WChar, EnumKind:
		return 4
	case Long, ULong, LongLong, ULongLong, Int64, UInt64, SizeT, Double:
		return 8
	case LongDouble:
		return 16
	}
	return 1
}

// checkOperands checks what size= and count= say.
func (p *parser) checkOperands(d *paramDecl, names map[string]*paramDecl, what string) {
	p.checkSize(d)
	for _, a := range []struct {
		name string
		op   *Operand
	}{{"size", d.Size}, {"count", d.Count}} {
		if a.op == nil || a.op.Name == "" {
			continue
		}
		at := d.attr(a.name).value.span
		other := names[a.op.Name]
		if other == nil {
			p.fail(RuleOperand, at, suggest(a.op.Name, slices.Sorted(maps.Keys(names)), "name a "+what+" or write a number"), "there is no %s `%s`", what, clip(a.op.Name))
			continue
		}
		t := other.Type
		object := t.Pointers > 0 || len(other.Dims) > 0 || t.Kind == StructKind || t.Kind == UnionKind
		switch {
		case object && p.dialect == OpenEnclave:
			p.fail(RuleOperand, at, "make it size_t", "the %s `%s` is no integer", what, clip(other.Name))
		case object || t.Kind == Float || t.Kind == Double || t.Kind == LongDouble:
			p.warn(RuleOperand, at, "make it size_t", "the %s `%s` is no integer", what, clip(other.Name))
		case signed(t.Kind):
			p.warn(RuleSignedSize, at, "make it size_t", "the %s `%s` is signed: a negative number becomes a very large size", what, clip(other.Name))
		}
	}
}

func signed(k Kind) bool {
	switch k {
	case Char, Short, Int, Long, LongLong, Int8, Int16, Int32, Int64:
		return true
	}
	return false
}
