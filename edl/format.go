package edl

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"
)

// The canonical form: four spaces for a level, a declaration in a line of up
// to formatWidth columns or else a parameter in a line, the star beside the
// name, one empty line at most between declarations.
const (
	formatIndent = "    "
	formatWidth  = 100
)

// errFormat is a defect of the printer, found before it does harm.
var errFormat = errors.New("edl: the formatted text would not read the same; the file is left as it is")

// FormatSource returns an EDL file in canonical form. The error is a
// Diagnostics if the file cannot be read.
func FormatSource(path string, src []byte) ([]byte, error) {
	f, err := Parse(path, src)
	if err != nil {
		return nil, err
	}
	out := Format(f)
	if g, err := Parse(path, out); err != nil || !sameItems(f.Items, g.Items) {
		return nil, errFormat
	}
	return out, nil
}

// Format prints a file in canonical form. Comments and directives are kept.
func Format(f *File) []byte {
	p := &printer{}
	p.items(f.Items, 0)
	return p.Bytes()
}

type printer struct{ bytes.Buffer }

func (p *printer) indent(depth int) {
	for range depth {
		p.WriteString(formatIndent)
	}
}

func (p *printer) items(list []*Item, depth int) {
	for _, it := range list {
		if it.Blank {
			p.WriteByte('\n')
		}
		p.item(it, depth)
	}
}

func (p *printer) item(it *Item, depth int) {
	switch it.Kind {
	case DirectiveItem:
		p.WriteString(directive(it.Head[0].Text))
		p.WriteByte('\n')
		return
	case CommentItem:
		p.indent(depth)
		p.WriteString(comment(it.Head[0], depth))
		p.WriteByte('\n')
		return
	}
	p.tokens(it.Head, depth)
	if it.Block {
		if len(it.Head) == 0 {
			p.indent(depth)
		} else if lineEnds(it.Head[len(it.Head)-1]) {
			p.WriteByte('\n')
			p.indent(depth)
		} else {
			p.WriteByte(' ')
		}
		p.WriteByte('{')
		p.comments(it.Open, depth+1)
		p.WriteByte('\n')
		p.items(it.Body, depth+1)
		p.indent(depth)
		p.WriteByte('}')
		for _, t := range it.Tail {
			if t.comment() {
				p.comments([]Token{t}, depth)
				if lineEnds(t) {
					p.WriteByte('\n')
					p.indent(depth)
				}
				continue
			}
			p.WriteString(t.Text)
		}
	}
	p.comments(it.Trailing, depth)
	p.WriteByte('\n')
}

// comments prints comments behind something in the same line.
func (p *printer) comments(toks []Token, depth int) {
	for _, t := range toks {
		p.WriteByte(' ')
		p.WriteString(comment(t, depth))
	}
}

// lineEnds reports whether a new line must follow a token.
func lineEnds(t Token) bool {
	return t.directive || t.comment() && (strings.HasPrefix(t.Text, "//") || strings.Contains(t.Text, "\n"))
}

// tokens prints a declaration or its head, in one line if it fits.
func (p *printer) tokens(toks []Token, depth int) {
	if len(toks) == 0 {
		return
	}
	var line strings.Builder
	whole := true
	bracket := 0
	for i, t := range toks {
		if lineEnds(t) && (i < len(toks)-1 || t.directive) {
			whole = false
			break
		}
		if i > 0 && spaced(toks, i, bracket) {
			line.WriteByte(' ')
		}
		bracket += nesting(t)
		if t.comment() {
			line.WriteString(comment(t, depth))
		} else {
			line.WriteString(t.Text)
		}
	}
	if whole && (depth*len(formatIndent)+utf8.RuneCountInString(line.String()) <= formatWidth || !breakable(toks)) {
		p.indent(depth)
		p.WriteString(line.String())
		return
	}
	p.broken(toks, depth)
}

// nesting is the change of the depth of square brackets.
func nesting(t Token) int {
	switch {
	case t.is("["):
		return 1
	case t.is("]"):
		return -1
	}
	return 0
}

// breakable reports whether a declaration has parameters to break lines at.
func breakable(toks []Token) bool {
	for i, t := range toks {
		if t.is("(") && i+1 < len(toks) && !toks[i+1].is(")") {
			return true
		}
	}
	return false
}

// broken prints a declaration with each parameter in a line of its own.
func (p *printer) broken(toks []Token, depth int) {
	p.indent(depth)
	newline := false // before the next token
	first := true    // nothing is in this line yet
	round, bracket := 0, 0
	list := false // in the parameters, not in allow()
	for i, t := range toks {
		if t.directive {
			if p.atIndent() {
				p.trimIndent()
			} else if !p.atLineStart() {
				p.WriteByte('\n')
			}
			p.WriteString(directive(t.Text))
			newline, first = true, true
			if i == len(toks)-1 {
				return
			}
			continue
		}
		if newline {
			p.WriteByte('\n')
			p.indent(depth + 1)
			newline, first = false, true
		}
		if !first && spaced(toks, i, bracket) {
			p.WriteByte(' ')
		}
		first = false
		bracket += nesting(t)
		switch {
		case t.comment():
			p.WriteString(comment(t, depth+1))
			newline = lineEnds(t) || i > 0 && list && toks[i-1].is(",") && !t.lineStart && i+1 < len(toks) && toks[i+1].lineStart
			continue
		case t.is("("):
			round++
			if round == 1 && !list && i+1 < len(toks) && !toks[i+1].is(")") && (i == 0 || !toks[i-1].is("allow")) {
				list = true
				newline = true
			}
		case t.is(")"):
			round--
			list = list && round > 0
		case t.is(",") && list && round == 1 && bracket == 0:
			newline = i+1 >= len(toks) || !toks[i+1].comment() || toks[i+1].lineStart || i+2 < len(toks) && !toks[i+2].lineStart
		}
		p.WriteString(t.Text)
	}
}

// atLineStart reports whether the last byte ends a line.
func (p *printer) atLineStart() bool {
	b := p.Bytes()
	return len(b) == 0 || b[len(b)-1] == '\n'
}

// atIndent reports whether the current line has nothing but an indent.
func (p *printer) atIndent() bool {
	b := p.Bytes()
	line := b[bytes.LastIndexByte(b, '\n')+1:]
	return len(line) > 0 && len(bytes.TrimSpace(line)) == 0
}

func (p *printer) trimIndent() {
	b := p.Bytes()
	p.Truncate(bytes.LastIndexByte(b, '\n') + 1)
}

// spaced reports whether a space is between toks[i-1] and toks[i].
func spaced(toks []Token, i, bracket int) bool {
	a, b := toks[i-1], toks[i]
	word := func(t Token) bool { return t.kind == tIdent || t.kind == tNumber || t.kind == tString }
	switch {
	case b.is(","), b.is(";"), b.is(")"), b.is("]"):
		return false
	case b.comment():
		return !a.is("(") && !a.is("[")
	case a.comment():
		return true
	case a.is("("), a.is("["):
		return false
	case b.is("("):
		return a.kind != tIdent
	case b.is("["):
		return a.kind != tIdent && !a.is("]")
	case bracket > 0 && b.is("="):
		return !word(a)
	case bracket > 0 && a.is("="):
		return !word(b)
	case a.is("*"):
		return !word(b) && !b.is("*")
	}
	return true
}
