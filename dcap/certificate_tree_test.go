package dcap_test

import (
	"bytes"
	"encoding/asn1"
	"math/rand/v2"
)

// node is an element of DER that a test may change; lengths are made anew.
type node struct {
	tag      byte
	content  []byte  // of a primitive one
	children []*node // of a constructed one
}

func parseTree(b []byte) *node {
	n, err := readTree(b)
	if err != nil {
		panic(err)
	}
	return n
}

func readTree(b []byte) (*node, error) {
	var v asn1.RawValue
	if rest, err := asn1.Unmarshal(b, &v); err != nil {
		return nil, err
	} else if len(rest) > 0 {
		return nil, asn1.SyntaxError{Msg: "trailing data"}
	}
	n := &node{tag: b[0]}
	if !v.IsCompound {
		n.content = bytes.Clone(v.Bytes)
		return n, nil
	}
	for rest := v.Bytes; len(rest) > 0; {
		var raw asn1.RawValue
		next, err := asn1.Unmarshal(rest, &raw)
		if err != nil {
			return nil, err
		}
		child, err := readTree(raw.FullBytes)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, child)
		rest = next
	}
	return n, nil
}

func (n *node) bytes() []byte {
	content := n.content
	if n.tag&0x20 != 0 {
		content = nil
		for _, child := range n.children {
			content = append(content, child.bytes()...)
		}
	}
	b := []byte{n.tag}
	switch size := len(content); {
	case size < 0x80:
		b = append(b, byte(size))
	case size < 0x100:
		b = append(b, 0x81, byte(size))
	case size < 0x10000:
		b = append(b, 0x82, byte(size>>8), byte(size))
	default:
		b = append(b, 0x83, byte(size>>16), byte(size>>8), byte(size))
	}
	return append(b, content...)
}

// at goes down to a child of a child ...
func (n *node) at(path ...int) *node {
	for _, i := range path {
		n = n.children[i]
	}
	return n
}

func (n *node) insert(i int, child *node) {
	n.children = append(n.children[:i:i], append([]*node{child}, n.children[i:]...)...)
}

func (n *node) remove(i int) { n.children = append(n.children[:i:i], n.children[i+1:]...) }

// list returns the extensions of a certificate.
func (n *node) list() *node {
	tbs := n.children[0]
	return tbs.children[len(tbs.children)-1].children[0]
}

// extension returns one of a certificate, by the content of its identifier.
func (n *node) extension(oid string) *node {
	for _, e := range n.list().children {
		if string(e.children[0].content) == oid {
			return e
		}
	}
	panic("no such extension")
}

// value returns the tree in the value of an extension, which is put back by
// the function that it returns.
func (n *node) value(oid string) (tree *node, put func()) {
	e := n.extension(oid)
	octets := e.children[len(e.children)-1]
	tree = parseTree(octets.content)
	return tree, func() { octets.content = tree.bytes() }
}

// all lists an element and those below.
func (n *node) all() []*node {
	list := []*node{n}
	for _, child := range n.children {
		list = append(list, child.all()...)
	}
	return list
}

// mutate changes something, in the values of extensions too.
func (n *node) mutate(random *rand.Rand) {
	list := n.all()
	at := list[random.IntN(len(list))]
	if at.tag == 0x04 && len(at.content) > 1 && at.content[0]&0x30 == 0x30 && random.IntN(4) > 0 {
		if inner, err := readTree(at.content); err == nil {
			inner.mutate(random)
			at.content = inner.bytes()
			return
		}
	}
	pick := func() *node { return list[random.IntN(len(list))] }
	if at.tag&0x20 == 0 {
		switch random.IntN(5) {
		case 0:
			at.content = append(at.content, byte(random.Uint32()))
		case 1:
			at.content = at.content[:random.IntN(len(at.content)+1)]
		case 2:
			if other := pick(); other.tag&0x20 == 0 {
				at.tag, at.content = other.tag, bytes.Clone(other.content)
			}
		case 3:
			at.tag = []byte{1, 2, 3, 4, 5, 6, 0x0A, 0x0C, 0x13, 0x14, 0x16, 0x17, 0x18, 0x80, 0x82, 0x86}[random.IntN(16)]
		default:
			if len(at.content) > 0 {
				at.content[random.IntN(len(at.content))] = []byte{0, 1, 0x7F, 0x80, 0xFF, '5', 'Z'}[random.IntN(7)]
			}
		}
		return
	}
	i := random.IntN(len(at.children) + 1)
	switch {
	case i == len(at.children), random.IntN(3) == 0:
		at.insert(i, pick().clone())
	case random.IntN(2) == 0:
		at.remove(i)
	default:
		j := random.IntN(len(at.children))
		at.children[i], at.children[j] = at.children[j], at.children[i]
	}
}

func (n *node) clone() *node {
	c := &node{tag: n.tag, content: bytes.Clone(n.content)}
	for _, child := range n.children {
		c.children = append(c.children, child.clone())
	}
	return c
}
