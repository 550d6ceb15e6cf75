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

// scan cuts the text into tokens.
func (b *treeBuilder) scan() {
	lx := newLexer(b.src)
	lx.keepComments = true
	fresh := true // nothing but comments since the start of the line
	end := 0      // of the token before
	for !b.full() {
		t := lx.next()
		if t.kind == tEOF {
			return
		}
		if len(b.toks) >= maxTokens {
			b.fail(RuleLimit, t.span, "split the file", "there are more than %d tokens", maxTokens)
			return
		}
		gap := b.src.text[end:t.off]
		fresh = fresh || t.bol
		tok := Token{Pos: t.pos(), Text: t.text, kind: t.kind, lineStart: t.bol, blank: strings.Count(gap, "\n") > 1}
		tok.column = farRight
		if t.bol {
			tok.column = len(expandTabs(b.src.text[t.off-tok.Pos.Col+1:t.off]+"x")) - 1
		}
		switch {
		case t.is("#") && fresh:
			n, ended := directiveLength(b.src.text[t.off:])
			tok.Text, tok.directive = b.src.text[t.off:t.off+n], true
			lx.off = t.off + n
			t.end = lx.off
			if lx.off == len(b.src.text) && strings.HasSuffix(strings.TrimRight(tok.Text, " \t\r\n\v\f"), "\\") {
				b.fail(RuleToken, t.span, "remove the last `\\`", "the file ends in a line continuation")
			}
			if !ended {
				b.fail(RuleToken, t.span, "close it with `*/`", "a comment has no end")
			}
		case t.is("#"), t.is("##"), t.kind == tChar:
			b.fail(RuleToken, t.span, "remove it", "`%s` has no meaning here", clip(t.text))
		case t.kind == tBad:
			(&parser{report: b.report}).badToken(t)
		case t.kind == tComment && foldedComment(t.text):
			b.fail(RuleToken, t.span, "end the comment before it", "a line continuation is in the end of a comment")
		}
		fresh = fresh && t.kind == tComment && !strings.Contains(t.text, "\n")
		b.toks, b.at = append(b.toks, tok), append(b.at, t.span)
		end = t.end
	}
}

// foldedComment reports whether a line continuation changes where a comment
// ends.
func foldedComment(s string) bool {
	if strings.HasPrefix(s, "//") {
		return strings.HasSuffix(strings.TrimRight(s, " \t\r\v\f"), "\\")
	}
	for i := range len(s) {
		if s[i] == '\\' && i > 0 && s[i-1] == '*' && continuation(s[i:]) > 0 {
			return true
		}
	}
	return false
}

// directiveLength is the length of the directive that s begins with, without
// the end of its line; false if a comment in it has no end.
func directiveLength(s string) (int, bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\n':
			return i, true
		case '\\':
			if n := continuation(s[i:]); n > 0 {
				i += n - 1
			}
		case '/':
			switch {
			case strings.HasPrefix(s[i:], "/*"):
				n := strings.Index(s[i+2:], "*/")
				if n < 0 {
					return len(s), false
				}
				i += n + 3
			case strings.HasPrefix(s[i:], "//"):
				for i < len(s) && s[i] != '\n' {
					if n := continuation(s[i:]); n > 0 {
						i += n
					} else {
						i++
					}
				}
				return i, true
			}
		case '"', '\'':
			i += quotedLength(s[i:]) - 1
		}
	}
	return len(s), true
}

// quotedLength is the length of the string or character constant that s begins
// with. Without a closing quote it goes on to the end of the line.
func quotedLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch n := continuation(s[i:]); {
		case n > 0:
			i += n - 1
		case s[i] == '\n':
			return i
		case s[i] == s[0]:
			return i + 1
		case s[i] == '\\' && s[0] == '\'' && i+1 < len(s) && s[i+1] != '\n':
			i++
		}
	}
	return len(s)
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
