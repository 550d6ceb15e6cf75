package gogen

import (
	"fmt"
	"path"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// codec is how values of a type are written to memory.
type codec uint8

const (
	codecInt codec = iota
	codecFloat
	codecBool
	codecMethods // EncodeC and DecodeC
	codecBinary  // AppendBinary and UnmarshalBinary
	codecDeep    // PackC, RepackC, UnpackC, LoadC and StoreC
)

// goType is a type of Go.
type goType struct {
	name   string // as it is written
	imp    string // the package it is from, "" for none
	size   uint64 // in C
	codec  codec
	plain  bool // the name is a predeclared integer type
	form   form
	doc    string // in C
	enum   *plan.Composite
	fields []*goField
	bufs   int // fields that are buffers
}

// form is how a type is declared in X_types.go.
type form uint8

const (
	formNone form = iota
	formEnum
	formStruct
	formUnion
	formBytes // [N]byte
	formUint
)

// goField is a member of a struct or union.
type goField struct {
	*plan.Member
	name    string
	typ     *goType   // of an element, unless it is a buffer
	buf     *goBuffer // nil if it is none
	derived bool      // it is a length that slices tell
	region  int       // index among the buffers
}

var (
	byteType    = &goType{name: "byte", size: 1, plain: true}
	pointerType = &goType{name: "edge.Pointer", imp: importEdge, size: 8}
)

var scalars = map[edl.Kind]*goType{
	edl.Char: byteType, edl.UChar: byteType,
	edl.UInt8: {name: "uint8", size: 1, plain: true}, edl.Int8: {name: "int8", size: 1, plain: true},
	edl.Short: {name: "int16", size: 2, plain: true}, edl.UShort: {name: "uint16", size: 2, plain: true},
	edl.Int16: {name: "int16", size: 2, plain: true}, edl.UInt16: {name: "uint16", size: 2, plain: true},
	edl.Int: {name: "int32", size: 4, plain: true}, edl.UInt: {name: "uint32", size: 4, plain: true},
	edl.Int32: {name: "int32", size: 4, plain: true}, edl.UInt32: {name: "uint32", size: 4, plain: true},
	edl.Long: {name: "int64", size: 8, plain: true}, edl.ULong: {name: "uint64", size: 8, plain: true},
	edl.LongLong: {name: "int64", size: 8, plain: true}, edl.ULongLong: {name: "uint64", size: 8, plain: true},
	edl.Int64: {name: "int64", size: 8, plain: true}, edl.UInt64: {name: "uint64", size: 8, plain: true},
	edl.SizeT: {name: "uint64", size: 8, plain: true}, edl.WChar: {name: "int32", size: 4, plain: true},
	edl.Float: {name: "float32", size: 4, codec: codecFloat}, edl.Double: {name: "float64", size: 8, codec: codecFloat},
	edl.LongDouble: {name: "edge.LongDouble", imp: importEdge, size: 16, codec: codecMethods},
	edl.Bool:       {name: "bool", size: 1, codec: codecBool},
}

// bytes reports whether a slice of the type is a []byte.
func (t *goType) bytes() bool { return t.name == "byte" || t.name == "uint8" }

// signed reports whether an integer is signed.
func (t *goType) signed() bool { return strings.HasPrefix(t.name, "int") }

// spell writes the name of a type in this file.
func (g *generator) spell(t *goType) string {
	if t.imp != "" {
		g.use(t.imp)
	}
	return t.name
}

// declareTypes makes types for what the EDL defines. What has no layout, or is
// too big, is left to who needs it.
func (g *generator) declareTypes() error {
	for _, c := range g.plan.Types {
		if c.Kind == edl.EnumKind && c.Name == "" {
			g.declared = append(g.declared, &goType{form: formEnum, enum: c, size: c.Size})
			continue
		}
		if !c.Known() || c.Size == 0 || c.Size > maxGoValue {
			continue
		}
		if _, err := g.composite(c, false); err != nil {
			return err
		}
	}
	return nil
}

// typeOf finds the type of Go for what the plan has in memory. deep says that
// buffers of a struct come with it; otherwise they are addresses.
func (g *generator) typeOf(pos edl.Pos, t plan.Type, deep bool) (*goType, error) {
	switch {
	case t.Pointers > 0:
		return pointerType, nil
	case !t.Known():
		return nil, errorf(pos, ErrType, "the size of %s is not known: say it with --type %s=SIZE, or in plan.Options.Foreign", foreignName(t), foreignName(t))
	case t.Size == 0:
		return nil, errorf(pos, ErrType, "%s has no size", t.Type)
	case t.Size > maxGoValue:
		return nil, errorf(pos, ErrTooBig, "%s has %d bytes", t.Type, t.Size)
	case t.Composite != nil:
		return g.composite(t.Composite, !deep)
	}
	if s := scalars[t.Kind]; s != nil {
		return s, nil
	}
	if t.Kind == edl.Foreign {
		for _, c := range g.plan.Types {
			if c.Name == t.Name && c.Size == t.Size {
				return g.composite(c, true)
			}
		}
	}
	return g.foreign(foreignName(t), t.Layout), nil
}

// foreignName is the name under which a layout is looked for.
func foreignName(t plan.Type) string {
	switch t.Kind {
	case edl.StructKind, edl.UnionKind, edl.EnumKind:
		return t.Kind.String() + " " + t.Name
	}
	return t.Name
}

// foreign is the type of Go for a type of a C header.
func (g *generator) foreign(name string, l plan.Layout) *goType {
	key := "foreign " + name
	if t := g.types[key]; t != nil {
		return t
	}
	t := &goType{size: l.Size, doc: name}
	g.types[key] = t
	from := func(f Type) {
		t.name, t.imp = f.Name, f.Import
		if f.Import != "" {
			t.name = path.Base(f.Import) + "." + f.Name
		}
		t.codec = map[Kind]codec{Integer: codecInt, Coder: codecMethods, Binary: codecBinary}[f.Kind]
	}
	signed, integer := signedTypes[name]
	if f, ok := g.options.Foreign[name]; ok {
		from(f)
		return t
	}
	if f, ok := knownTypes[name]; ok && f.size == l.Size {
		from(f.Type)
		return t
	}
	switch {
	case (name == "bool" || name == "_Bool") && l.Size == 1:
		t.name, t.codec = "bool", codecBool
		return t
	case integer && intName(l.Size, signed) != "":
		t.name, t.plain = intName(l.Size, signed), true
		return t
	}
	t.name = g.names.exported(exportedName(strings.TrimPrefix(name, "*")))
	if strings.HasPrefix(name, "*") {
		t.doc = "what a " + name[1:] + " points to"
	}
	// What is as large as it is aligned is taken for an integer, or an enum.
	if intName(l.Size, false) != "" && l.Size == l.Align && !strings.ContainsAny(name, " *") {
		t.form = formUint
	} else {
		t.form, t.codec = formBytes, codecMethods
	}
	g.declared = append(g.declared, t)
	return t
}

// composite is the type of Go for a struct, union or enum. raw leaves the
// buffers of a struct as addresses.
func (g *generator) composite(c *plan.Composite, raw bool) (*goType, error) {
	raw = raw && c.Deep
	key := fmt.Sprintf("%v %s %v", c.Kind, c.Name, raw)
	if t := g.types[key]; t != nil {
		return t, nil
	}
	if c.Size > maxGoValue {
		return nil, errorf(c.Pos, ErrTooBig, "%s has %d bytes", c.Name, c.Size)
	}
	name := exportedName(c.Name)
	if raw {
		name += "Raw"
	}
	t := &goType{size: c.Size, doc: c.Kind.String() + " " + c.Name}
	switch c.Kind {
	case edl.EnumKind:
		t.form, t.enum = formEnum, c
	case edl.UnionKind:
		t.form, t.codec = formUnion, codecMethods
	default:
		t.form, t.codec = formStruct, codecMethods
		if c.Deep && !raw {
			t.codec = codecDeep
		}
	}
	t.name = g.names.exported(name)
	g.types[key] = t
	if err := g.fields(t, c); err != nil {
		return nil, err
	}
	g.declared = append(g.declared, t)
	return t, nil
}

func (g *generator) fields(t *goType, c *plan.Composite) error {
	scope := newNameScope("EncodeC", "DecodeC", "PackC", "RepackC", "UnpackC", "LoadC", "StoreC")
	for _, m := range c.Members {
		f := &goField{Member: m}
		var err error
		if t.codec == codecDeep && m.Buffer != nil {
			f.region = t.bufs
			t.bufs++
			f.buf, err = g.buffer(m.Param, m.Buffer)
		} else {
			f.typ, err = g.typeOf(m.Pos, m.Type, false)
		}
		if err != nil {
			return err
		}
		t.fields = append(t.fields, f)
	}
	if t.codec == codecDeep {
		var bufs []*goBuffer
		for _, f := range t.fields {
			if f.buf != nil {
				bufs = append(bufs, f.buf)
			}
		}
		for n, f := range t.fields {
			if f.buf != nil {
				continue
			}
			if err := checkLength(f.Pos, f.Param.Name, f.typ, f.typ != pointerType && len(f.Dims) == 0, n, bufs); err != nil {
				return err
			}
			f.derived = len(f.Dims) == 0 && f.typ.plain && isDerived(n, bufs)
		}
	}
	for _, f := range t.fields {
		if !f.derived {
			f.name = scope.exported(exportedName(f.Param.Name))
			for t.form == formUnion && scope.taken["Set"+f.name] {
				f.name = scope.exported(f.name)
			}
			scope.taken["Set"+f.name] = t.form == formUnion
		}
	}
	return nil
}
