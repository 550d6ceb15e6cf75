package edl

// unit is one file, parsed: what it declares, in its own order, with the
// places that checks need. The checks of the whole interface come later, when
// the imports are merged.
type unit struct {
	src        *source
	short      string // file name without folder and extension
	includes   []string
	trusted    []string // includes of trusted blocks
	untrusted  []string // includes of untrusted blocks
	imports    []importDecl
	composites []*compositeDecl
	ecalls     []*funcDecl
	ocalls     []*funcDecl
}

// importDecl is `from "path" import a, b;`. names is nil for `*`.
type importDecl struct {
	path  string
	at    span
	all   bool
	names []nameRef
}

// nameRef is a name and where it stands.
type nameRef struct {
	name string
	at   span
}

type compositeDecl struct {
	*Composite
	at       span // of the name, or of the keyword
	members  []*paramDecl
	elements []span // of the names of Elements
}

type funcDecl struct {
	*Func
	at     span // of the name
	params []*paramDecl
	allow  []nameRef

	declared string // signature, once it was asked for
}

// paramDecl is a parameter or a member with what was written.
type paramDecl struct {
	*Param
	at      span // of the name
	typeAt  span
	whole   span // from the attributes to the dimensions
	attrs   []attr
	attrsAt span // the brackets
	dimsAt  span
}

// attr is an attribute as written.
type attr struct {
	name, value token // value.kind is tEOF if there is none
}

func (a attr) at() span {
	if a.value.kind == tEOF {
		return a.name.span
	}
	return a.name.span.to(a.value.span)
}

// attr returns the first attribute of a name, or one without a name.
func (p *paramDecl) attr(names ...string) attr {
	for _, a := range p.attrs {
		for _, name := range names {
			if a.name.text == name {
				return a
			}
		}
	}
	return attr{name: token{span: p.attrsAt}}
}
