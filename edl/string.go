package edl

import "strings"

var kindNames = [...]string{
	Void: "void", Char: "char", UChar: "unsigned char", Short: "short", UShort: "unsigned short",
	Int: "int", UInt: "unsigned int", Long: "long", ULong: "unsigned long",
	LongLong: "long long", ULongLong: "unsigned long long",
	Float: "float", Double: "double", LongDouble: "long double",
	Int8: "int8_t", Int16: "int16_t", Int32: "int32_t", Int64: "int64_t",
	UInt8: "uint8_t", UInt16: "uint16_t", UInt32: "uint32_t", UInt64: "uint64_t",
	SizeT: "size_t", WChar: "wchar_t", Bool: "bool",
	StructKind: "struct", UnionKind: "union", EnumKind: "enum", Foreign: "foreign",
}

// String returns the keyword of the kind, as EDL and C have it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// String returns the type as C has it.
func (t Type) String() string {
	var b strings.Builder
	if t.Const {
		b.WriteString("const ")
	}
	switch t.Kind {
	case Foreign:
		b.WriteString(t.Name)
	case StructKind, UnionKind, EnumKind:
		b.WriteString(t.Kind.String() + " " + t.Name)
	default:
		b.WriteString(t.Kind.String())
	}
	b.WriteString(strings.Repeat("*", t.Pointers))
	return b.String()
}

// String returns the direction as it is written in brackets, "" for None.
func (d Direction) String() string {
	return [...]string{"", "in", "out", "in, out"}[d&InOut]
}
