package edl

import "strings"

// directive is a directive without needless white space.
func directive(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r\v\f")
	}
	s = strings.Join(lines, "\n")
	s = strings.TrimLeft(s[1:], " \t\v\f")
	if strings.HasPrefix(s, "#") {
		return "# " + s // ## is one token
	}
	return "#" + s
}

// comment is a comment for a depth. The lines of a long one keep their places
// relative to each other, and to its start if that starts a line.
func comment(t Token, depth int) string {
	lines := strings.Split(t.Text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r\v\f")
	}
	if len(lines) == 1 {
		return lines[0]
	}
	common := -1
	stars := true
	for i, line := range lines[1:] {
		line = expandTabs(line)
		lines[i+1] = line
		body := strings.TrimLeft(line, " ")
		if body == "" {
			continue
		}
		stars = stars && body[0] == '*'
		if n := len(line) - len(body); common < 0 || n < common {
			common = n
		}
	}
	margin := strings.Repeat(formatIndent, depth)
	if stars {
		margin += " "
	} else {
		margin += strings.Repeat(" ", max(common-t.column, 0))
	}
	for i, line := range lines[1:] {
		if line != "" {
			lines[i+1] = margin + line[common:]
		}
	}
	return strings.Join(lines, "\n")
}

// expandTabs replaces tabs at the start of a line, four columns each.
func expandTabs(line string) string {
	n := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
			n++
		case '\t':
			n += 4 - n%4
		case '\r', '\v', '\f':
		default:
			return strings.Repeat(" ", n) + line[i:]
		}
	}
	return ""
}

// sameItems reports whether two trees have the same tokens in the same order;
// white space in comments and directives does not count.
func sameItems(a, b []*Item) bool {
	x, y := flatten(nil, a), flatten(nil, b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i].kind != y[i].kind || x[i].directive != y[i].directive || squeeze(x[i]) != squeeze(y[i]) {
			return false
		}
	}
	return true
}

// flatten appends the tokens of items.
func flatten(toks []Token, items []*Item) []Token {
	for _, it := range items {
		toks = append(toks, it.Head...)
		if it.Block {
			toks = append(toks, Token{kind: tPunct, Text: "{"})
			toks = append(toks, it.Open...)
			toks = flatten(toks, it.Body)
			toks = append(toks, Token{kind: tPunct, Text: "}"})
		}
		toks = append(append(toks, it.Tail...), it.Trailing...)
	}
	return toks
}

// squeeze is the text of a token without the white space that may change.
func squeeze(t Token) string {
	if t.directive {
		t.Text = directive(t.Text)
	}
	if t.comment() || t.directive {
		return strings.Join(strings.Fields(t.Text), " ")
	}
	return t.Text
}
