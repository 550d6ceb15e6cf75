package edl

// macro is a #define.
type macro struct {
	name string
}

func (l *loader) preprocess(src *source) []token {
	var toks []token
	lx := newLexer(src)
	for {
		t := lx.next()
		toks = append(toks, t)
		if t.kind == tEOF {
			return toks
		}
	}
}
