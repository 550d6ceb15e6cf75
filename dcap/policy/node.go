package policy

// A node is a value of a file, in either format.
type node struct {
	kind   kind
	offset int    // of the first byte in the file
	key    string // in the object that it is in
	keyAt  int    // offset of the key
	text   string // of a text; the digits of a number; "false" or "true"
	items  []*node

	// What TOML needs to know of an object.
	explicit bool // it has had its header, or is written inline
}

// kind is the type of a node.
type kind uint8

const (
	other kind = iota // what no key takes: null, a fraction, a time of day
	object
	array
	textual
	number
	boolean
)

func (k kind) String() string {
	switch k {
	case object:
		return "a table"
	case array:
		return "a list"
	case textual:
		return "text in quotation marks"
	case number:
		return "a number"
	case boolean:
		return "true or false"
	}
	return "no value that a policy has"
}

// member returns the member of an object, or nil.
func (n *node) member(key string) *node {
	for _, m := range n.items {
		if m.key == key {
			return m
		}
	}
	return nil
}

// place is the line and column of an offset, both from 1.
func place(doc []byte, offset int) (line, column int) {
	line, column = 1, 1
	for _, c := range doc[:min(offset, len(doc))] {
		column++
		if c == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}
