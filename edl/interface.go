package edl

import "slices"

// Pos is a place in a source file.
type Pos struct {
	File string // as it was opened
	Line int    // from 1
	Col  int    // from 1, in bytes
}

// Interface is what an enclave and its host may call of each other: one EDL
// file, checked, with its imports merged in.
type Interface struct {
	// Name is the short name of the file, without folder and extension. It
	// begins the names of generated files and tables.
	Name string
	// Includes are the C headers to include, in order, without repetition,
	// as they are written between the quotes.
	Includes []string
	// TrustedIncludes and UntrustedIncludes stand at the start of a block;
	// only the trusted or only the untrusted header includes them, after
	// Includes.
	TrustedIncludes, UntrustedIncludes []string
	// Types are the structs, unions and enums, in order of definition.
	Types []*Composite
	// ECalls and OCalls are the trusted and the untrusted functions. The
	// index of a function is the number that it is called by.
	ECalls, OCalls []*Func
}

// Kind is the kind of a type.
type Kind uint8

// Kinds of types, as on x86-64 (System V ABI).
const (
	Void Kind = iota
	Char
	UChar
	Short
	UShort
	Int
	UInt
	Long
	ULong
	LongLong
	ULongLong
	Float
	Double
	LongDouble
	Int8
	Int16
	Int32
	Int64
	UInt8
	UInt16
	UInt32
	UInt64
	SizeT
	WChar
	Bool // Open Enclave dialect
	StructKind
	UnionKind
	EnumKind
	Foreign // a typedef of a C header
)

// Type is a type as it is written: a base with stars.
type Type struct {
	Kind     Kind
	Name     string // of a struct, union, enum or foreign type
	Const    bool
	Pointers int
}

// Composite is the definition of a struct, a union or an enum.
type Composite struct {
	Pos      Pos
	Kind     Kind   // StructKind, UnionKind or EnumKind
	Name     string // "" for an anonymous enum
	Members  []*Param
	Elements []Element // of an enum
}

// HasBuffers reports whether the struct has members with size= or count=. A
// pointer to such a struct is copied deeply: with what these members point to.
func (c *Composite) HasBuffers() bool {
	return c.Kind == StructKind && slices.ContainsFunc(c.Members, func(m *Param) bool { return m.Size != nil || m.Count != nil })
}

// Element is one name of an enum.
type Element struct {
	Pos   Pos
	Name  string
	Value *Operand // nil if it follows from the one before
}

// Operand is a number or the name of a parameter, member or enum element.
type Operand struct {
	Pos    Pos
	Name   string // "" for a number
	Number uint64
}

// Direction says which way a buffer is copied.
type Direction uint8

// Directions. InOut is In|Out.
const (
	None  Direction = 0
	In    Direction = 1
	Out   Direction = 2
	InOut Direction = In | Out
)

// Attributes stand in brackets before a parameter or a struct member.
type Attributes struct {
	Direction   Direction
	UserCheck   bool
	String      bool
	WString     bool
	IsPtr       bool // the foreign type is a pointer
	IsAry       bool // the foreign type is an array
	ReadOnly    bool // the foreign type points to const
	Size, Count *Operand
}

// Param is a parameter of a function or a member of a struct or union.
type Param struct {
	Pos  Pos // of the name
	Name string
	Type Type
	Dims []uint64 // of an array, outermost first
	Attributes
}

// Func is a function that crosses the border.
type Func struct {
	Pos    Pos // of the name
	Name   string
	Result Type
	Params []*Param
	// Public ECALLs may be called at any time, others only in an OCALL that
	// allows them.
	Public bool
	// Switchless is transition_using_threads.
	Switchless bool

	// What only an untrusted function has.
	Convention     string // cdecl, stdcall, fastcall or ""
	DLLImport      bool
	Allow          []string // ECALLs that may be called while this OCALL runs
	PropagateErrno bool
}
