package edl

import (
	"slices"
	"strings"
)

// Token is a token as it is written.
type Token struct {
	Pos  Pos
	Text string

	kind      tokenKind
	lineStart bool // nothing but white space is before it
	directive bool // a whole line of the preprocessor, with its continuations
	blank     bool // an empty line is before it
	column    int  // of what starts a line, tabs are four columns; else far right
}

const farRight = 1 << 20

// comment reports whether the token is a comment.
func (t *Token) comment() bool { return t.kind == tComment }

// ItemKind says what an Item is.
type ItemKind uint8

// Kinds of items.
const (
	OtherItem ItemKind = iota // what macros make a declaration of
	CommentItem
	DirectiveItem // of the preprocessor
	IncludeItem
	ImportItem
	EnclaveItem
	TrustedItem
	UntrustedItem
	StructItem
	UnionItem
	EnumItem
	FuncItem
	MemberItem
	ElementItem // of an enum
)

// Item is a declaration, a comment or a directive, with all its tokens.
type Item struct {
	Kind ItemKind
	Pos  Pos
	Head []Token // up to a brace, or all
	// Braces, if Block: Open are comments behind the brace, Tail is what
	// follows the closing brace.
	Block bool
	Open  []Token
	Body  []*Item
	Tail  []Token
	// Trailing are comments behind the item in its last line.
	Trailing []Token
	// Blank says that an empty line is before it.
	Blank bool
}

// File is an EDL file as it is written, before the preprocessor: every token,
// comment and directive is in it. Format prints it.
type File struct {
	Path  string
	Items []*Item
}

// maxNesting bounds the nesting of braces. A real file has two levels.
const maxNesting = 50

// Parse reads a file into a tree. It wants tokens of EDL and matching braces
// but not a correct interface, which Load checks: macros may stand for
// anything. The error is a Diagnostics.
func Parse(path string, src []byte) (*File, error) {
	r := newReport()
	at := &source{name: path}
	if len(src) > maxFileSize {
		r.fail(RuleFile, span{src: at}, "", "%s", errTooLarge)
		return nil, sorted(r.errors)
	}
	text := strings.TrimPrefix(string(src), bom)
	at.text, at.raw = text, text
	b := &treeBuilder{report: r, src: at}
	b.scan()
	f := &File{Path: path}
	if len(r.errors) == 0 {
		f.Items = b.items(OtherItem, 0)
	}
	if len(r.errors) > 0 {
		return nil, sorted(r.errors)
	}
	return f, nil
}

type treeBuilder struct {
	*report
	src  *source
	toks []Token
	at   []span
	i    int
}

func (b *treeBuilder) more() bool { return b.i < len(b.toks) && !b.full() }

// items builds what is between braces, or the whole file at depth 0.
func (b *treeBuilder) items(in ItemKind, depth int) []*Item {
	var list []*Item
	for b.more() {
		t := &b.toks[b.i]
		if depth > 0 && t.is("}") {
			break
		}
		it := &Item{Pos: t.Pos, Blank: t.blank && len(list) > 0}
		list = append(list, it)
		switch {
		case t.comment():
			it.Kind, it.Head = CommentItem, b.toks[b.i:b.i+1]
			b.i++
		case t.directive:
			it.Kind, it.Head = DirectiveItem, b.toks[b.i:b.i+1]
			b.i++
		default:
			b.declaration(it, in, depth)
			it.Trailing = b.trailing()
		}
	}
	return list
}

func (t *Token) is(text string) bool {
	return !t.directive && (t.kind == tIdent || t.kind == tPunct) && t.Text == text
}

// trailing takes the comments behind an item in its line, unless another item
// follows there.
func (b *treeBuilder) trailing() []Token {
	start := b.i
	for b.more() && b.toks[b.i].comment() && !b.toks[b.i].lineStart {
		b.i++
	}
	if b.more() && !b.toks[b.i].lineStart && !b.toks[b.i].is("}") && !b.toks[b.i].directive {
		b.i = start
	}
	return b.toks[start:b.i]
}

// declaration builds a declaration up to its semicolon.
func (b *treeBuilder) declaration(it *Item, in ItemKind, depth int) {
	start := b.i
	round := 0
	for b.more() {
		t := &b.toks[b.i]
		switch {
		case t.is("("), t.is("["):
			round++
		case t.is(")"), t.is("]"):
			round--
		case t.is("{") && round <= 0:
			it.Head = b.toks[start:b.i]
			it.Kind = kindOf(it.Head, in)
			b.block(it, depth)
			return
		case t.is("}"):
			if depth == 0 {
				b.fail(RuleSyntax, b.at[b.i], "remove it", "this `}` has no `{`")
				b.i = len(b.toks)
			}
			it.Head = b.toks[start:b.i]
			it.Kind = kindOf(it.Head, in)
			return
		case in == EnumItem && (t.comment() && t.lineStart || t.directive) && b.i > start && b.closes(b.i):
			it.Head, it.Kind = b.toks[start:b.i], ElementItem
			return
		}
		b.i++
		if round <= 0 && (t.is(";") || in == EnumItem && t.is(",") || b.includeEnds(start)) {
			break
		}
	}
	it.Head = b.toks[start:b.i]
	it.Kind = kindOf(it.Head, in)
}

// closes reports whether nothing but comments and directives is between a
// token and a closing brace.
func (b *treeBuilder) closes(i int) bool {
	for ; i < len(b.toks); i++ {
		if t := &b.toks[i]; !t.comment() && !t.directive {
			return t.is("}")
		}
	}
	return false
}

// includeEnds reports whether `include "x"` or `import "x"` ends here, which
// have no semicolon.
func (b *treeBuilder) includeEnds(start int) bool {
	toks := b.toks[start:b.i]
	if len(toks) != 2 || toks[1].kind != tString || !toks[0].is("include") && !toks[0].is("import") {
		return false
	}
	return b.i == len(b.toks) || !b.toks[b.i].is(";")
}

// block builds what is in braces and what follows them.
func (b *treeBuilder) block(it *Item, depth int) {
	open := b.at[b.i]
	it.Block = true
	b.i++
	if depth >= maxNesting {
		b.fail(RuleLimit, open, "", "braces are nested deeper than %d", maxNesting)
		b.i = len(b.toks)
		return
	}
	it.Open = b.trailing()
	it.Body = b.items(it.Kind, depth+1)
	if len(b.errors) > 0 {
		return
	}
	if !b.more() {
		b.fail(RuleSyntax, open, "close it, in the same branch of #if that opens it", "this `{` has no `}`")
		return
	}
	b.i++
	start := b.i
	for b.more() && b.toks[b.i].comment() {
		b.i++
	}
	if b.more() && b.toks[b.i].is(";") {
		b.i++
	} else {
		b.i = start
	}
	it.Tail = b.toks[start:b.i]
}

// kindOf is the kind of an item with a head, in a block of a kind.
func kindOf(head []Token, in ItemKind) ItemKind {
	i := slices.IndexFunc(head, func(t Token) bool { return !t.comment() && !t.directive })
	if i < 0 {
		return OtherItem
	}
	kind, ok := map[string]ItemKind{
		"include": IncludeItem, "from": ImportItem, "import": ImportItem, "enclave": EnclaveItem,
		"trusted": TrustedItem, "untrusted": UntrustedItem,
	}[head[i].Text]
	switch {
	case ok:
		return kind
	case in == EnumItem:
		return ElementItem
	case in == StructItem || in == UnionItem:
		return MemberItem
	case in == TrustedItem || in == UntrustedItem:
		return FuncItem
	}
	return map[string]ItemKind{"struct": StructItem, "union": UnionItem, "enum": EnumItem}[head[i].Text]
}
