package edl

import "strings"

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
