// Package value is the language that arguments are written in when a function
// of an enclave is called by name, and the values that it stands for:
//
//	f(1, -0x2a, 1.5, 'c', true)              numbers
//	f("text\n", L"wide", hex:00ff, base64:AP8=, @file, zero:64)
//	f([1, 2, 3], {x: 1, name: "a"}, {1, 2})  lists and structs
//	f(null, &0x1000, RED, _)                 addresses, a name, nothing given
//	f(n: 3, s: "text")                       by name
//
// Values carry their place in the source, so that whoever finds one wrong can
// point at it. They have no C types: those are given by the function that is
// called. The package does no I/O; files are read by a function of the caller.
package value

// Kind is the kind of a value.
type Kind uint8

// Kinds of values.
const (
	Omitted Kind = iota // _, for what is derived or comes back
	Null                // null
	Bool                // Int is 0 or 1
	Int                 // Int, negated if Negative
	Address             // Int: &0x1000, an address that is passed as it is
	Float               // Float
	Text                // Bytes: "…", without the terminating zero
	Wide                // Wide: L"…", without the terminating zero
	Bytes               // Bytes: hex:, base64:, zero:, @file
	Name                // Name: an element of an enum
	List                // List: [1, 2] or {1, 2}
	Struct              // Fields: {a: 1}
)

var kinds = [...]string{
	"nothing", "null", "a truth value", "a number", "an address", "a floating-point number", "a text",
	"a wide text", "bytes", "a name", "a list", "a struct",
}

// String describes the kind with its article.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return "an unknown kind"
}

// Value is a value. The zero Value is Omitted.
type Value struct {
	Kind Kind
	// Pos and End are where the value stands in the source, in bytes. Both
	// are zero if it was not parsed.
	Pos, End int

	Negative bool
	Int      uint64  // the absolute value
	Float    float64 // also of a long double, with the precision of a double
	Bytes    []byte
	Wide     []rune
	Name     string
	List     []Value
	Fields   []Field
}

// Field is a value with a name: a member of a struct, or an argument.
type Field struct {
	Name  string // "" for an argument that is given by its position
	Pos   int    // of the name
	Value Value
}

// Call is a function with its arguments.
type Call struct {
	Name string
	Pos  int
	Args []Field
	End  int // behind the closing parenthesis
}

// OfInt is a number.
func OfInt(n int64) Value {
	if n < 0 {
		return Value{Kind: Int, Negative: true, Int: -uint64(n)}
	}
	return Value{Kind: Int, Int: uint64(n)}
}

// OfUint is a number.
func OfUint(n uint64) Value { return Value{Kind: Int, Int: n} }

// OfAddress is an address; zero is Null.
func OfAddress(a uint64) Value {
	if a == 0 {
		return Value{Kind: Null}
	}
	return Value{Kind: Address, Int: a}
}

// OfBool is a truth value.
func OfBool(b bool) Value {
	v := Value{Kind: Bool}
	if b {
		v.Int = 1
	}
	return v
}

// OfFloat is a floating-point number.
func OfFloat(f float64) Value { return Value{Kind: Float, Float: f} }

// OfText is a text.
func OfText(s string) Value { return Value{Kind: Text, Bytes: []byte(s)} }

// OfBytes are bytes. They are not copied.
func OfBytes(b []byte) Value { return Value{Kind: Bytes, Bytes: b} }

// OfName is the name of an element of an enum.
func OfName(s string) Value { return Value{Kind: Name, Name: s} }

// OfList is a list.
func OfList(v ...Value) Value { return Value{Kind: List, List: v} }

// Field returns the member of that name.
func (v Value) Field(name string) (Value, bool) {
	for _, f := range v.Fields {
		if f.Name == name {
			return f.Value, true
		}
	}
	return Value{}, false
}

// Memory is about how many bytes of memory the value takes, with all that it
// holds.
func (v Value) Memory() int {
	const self = 200 // a Field, rounded up
	n := self + len(v.Bytes) + 4*len(v.Wide) + len(v.Name)
	for _, e := range v.List {
		n += e.Memory()
	}
	for _, f := range v.Fields {
		n += len(f.Name) + f.Value.Memory()
	}
	return n
}
