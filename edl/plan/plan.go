// Package plan lays out what crosses the border of an enclave: for every
// function of an interface its marshalling structure, with the offsets that C
// gives it on x86-64, and for every parameter what is copied, which way and
// how long it is. Everything that speaks to an enclave by an EDL follows the
// same plan: generated C, generated Go, and calls made by name.
//
// The marshalling structures are those of the Intel SDK's sgx_edger8r: natural
// alignment, ms_retval first, then ocall_errno, then the parameters in order,
// each string of an ECALL followed by its length.
package plan

import "github.com/feidi-dev/feidi/edl"

// Plan is the layout of an interface.
type Plan struct {
	Interface *edl.Interface
	// Types are the layouts of the interface's structs, unions and enums,
	// in order of definition.
	Types          []*Composite
	ECalls, OCalls []*Call
	// Allowed[o][e] says that ECALL e may be called while OCALL o runs.
	Allowed [][]bool
}

// Layout is a size and an alignment in bytes. A zero Align means that the
// plan does not know the type: a foreign type that nobody described.
type Layout struct{ Size, Align uint64 }

// Known reports whether the layout is known.
func (l Layout) Known() bool { return l.Align != 0 }

// Type is a type of a parameter, result, member or element, with its layout.
type Type struct {
	edl.Type
	Layout
	// Composite is the definition of a struct, union or enum that is not
	// behind a pointer; for a pointer that of what it points to.
	Composite *Composite
}

// Composite is a struct, union or enum.
type Composite struct {
	*edl.Composite
	Layout
	Members []*Member
	Values  []int64 // of an enum's elements
	// Deep says that members of the struct are buffers (size or count), so
	// that a pointer to it is copied deeply.
	Deep bool

	laid bool // New has come to the end of the definition
}

// Member is a member of a struct or a union.
type Member struct {
	*edl.Param
	Offset uint64
	Type   Type   // of one element
	Count  uint64 // of elements: the product of Dims, 1 if there are none
	// Buffer is not nil for a pointer that is copied with the struct.
	Buffer *Buffer
}

// Pass is how a parameter crosses.
type Pass uint8

// Ways to cross.
const (
	Value   Pass = iota // in the marshalling structure itself
	Address             // user_check: the address, and nothing behind it
	Copied              // a buffer that is copied
	String              // zero-terminated chars that are copied
	WString             // zero-terminated wchar_t (4 bytes) that are copied
)

// Call is a function.
type Call struct {
	*edl.Func
	Index int
	// Layout is that of the marshalling structure. Its size is zero if the
	// function has none (see HasMS). It is not known if that of a type in it
	// is not, and then the offsets behind that type are meaningless.
	Layout
	Result *Field // nil for void
	Errno  *Field // nil without propagate_errno
	Params []*Param
}

// Field is a member of a marshalling structure.
type Field struct {
	Offset uint64
	Type   Type
}

// Param is a parameter.
type Param struct {
	*edl.Param
	Offset uint64 // in the marshalling structure
	Type   Type   // what the marshalling structure holds; a pointer for all but Value
	Pass   Pass
	// LenOffset is where an ECALL's string has its length in bytes (the
	// terminating zero counts), 0 for all else. HasLen says that there is
	// one, even where the plan does not know the offset.
	LenOffset uint64
	HasLen    bool
	// Buffer is what is copied, nil for Value and Address.
	Buffer *Buffer
}

// Buffer is what a pointer points to.
type Buffer struct {
	// Elem is one element: the pointee, the element of an array, or a
	// foreign type. It is char for void*.
	Elem Type
	// Fixed is the number of elements of an array, 0 if it is no array.
	Fixed uint64
	// Size and Count are the operands of the attributes, nil where they are
	// not given. The buffer has Size (default: the size of Elem) times Count
	// (default: 1) bytes.
	Size, Count *edl.Operand
	// SizeParam and CountParam are the indexes of the parameters (of the
	// members, in a struct) that the operands name, or -1.
	SizeParam, CountParam int
	// Deep says that the elements are structs whose own buffers are copied
	// with them. Those of an array, and of a member's buffer, are not.
	Deep bool
}
