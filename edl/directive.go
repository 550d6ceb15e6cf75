package edl

import (
	"path/filepath"
	"strings"
)

// line returns what is left of the line of a directive.
func (f *openFile) line() []token {
	var toks []token
	for {
		before := *f.lx
		t := f.lx.next()
		if t.kind == tEOF || t.bol {
			*f.lx = before
			return toks
		}
		toks = append(toks, t)
	}
}

// directive carries out the directive that a # begins.
func (pp *preprocessor) directive(f *openFile, hash token) {
	start := f.lx.off
	toks := f.line()
	if len(toks) == 0 {
		return
	}
	if !pp.charge(1+len(toks), hash.span) {
		return
	}
	name, rest := toks[0], toks[1:]
	whole := hash.to(toks[len(toks)-1].span)
	switch name.text {
	case "define":
		pp.defineMacro(name, rest)
	case "undef":
		if t, ok := pp.macroName(name, rest); ok {
			delete(pp.macros, t.text)
		}
	case "include":
		pp.include(f, name, rest)
	case "if", "ifdef", "ifndef":
		if len(f.conds) >= maxConditions {
			pp.stop(whole, "flatten the conditions", "conditions are nested deeper than %d", maxConditions)
			return
		}
		f.conds = append(f.conds, condition{at: whole})
		if !pp.holds(name, rest) {
			pp.skip(f, false)
		}
	case "elif", "else", "endif":
		pp.branch(f, name, whole)
	case "error":
		pp.fail(RulePreprocessor, whole, "", "#error %s", message(f, start, name))
	case "warning":
		pp.warn(RulePreprocessor, whole, "", "#warning %s", message(f, start, name))
	case "pragma":
		if len(rest) == 1 && rest[0].text == "once" {
			pp.once[f.lx.src.name] = true
		}
	case "line", "ident", "sccs":
	default:
		pp.fail(RulePreprocessor, whole, suggest(name.text, directives, "directives are "+strings.Join(directives, ", ")),
			"there is no directive #%s", clip(name.text))
	}
}

var directives = []string{"define", "undef", "include", "if", "ifdef", "ifndef", "elif", "else", "endif", "error", "warning", "pragma"}

// message is the text of #error and #warning.
func message(f *openFile, start int, name token) string {
	text := f.lx.src.text[start:]
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	text = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), name.text))
	if len(text) > 200 {
		text = text[:200]
	}
	return text
}

// branch is an #elif, #else or #endif behind a group that was read.
func (pp *preprocessor) branch(f *openFile, name token, whole span) {
	if len(f.conds) == 0 {
		pp.fail(RulePreprocessor, whole, "remove it", "#%s without #if", name.text)
		return
	}
	c := &f.conds[len(f.conds)-1]
	if name.text == "endif" {
		f.conds = f.conds[:len(f.conds)-1]
		return
	}
	pp.checkElse(c, name, whole)
	pp.skip(f, true)
}

// checkElse refuses what follows an #else other than #endif.
func (pp *preprocessor) checkElse(c *condition, name token, whole span) {
	if c.hasElse {
		pp.fail(RulePreprocessor, whole, "remove it", "#%s behind #else", name.text)
	}
	if name.text == "else" {
		c.hasElse = true
	}
}

// skip goes on to the branch of the innermost condition that holds, or to its
// #endif. taken says that a branch was read already.
func (pp *preprocessor) skip(f *openFile, taken bool) {
	nested := 0
	for {
		t := f.lx.next()
		if t.kind == tEOF {
			return
		}
		if !t.is("#") || !t.bol {
			continue
		}
		toks := f.line()
		if len(toks) == 0 {
			continue
		}
		name := toks[0]
		whole := t.to(toks[len(toks)-1].span)
		switch name.text {
		case "if", "ifdef", "ifndef":
			nested++
		case "endif":
			if nested == 0 {
				f.conds = f.conds[:len(f.conds)-1]
				return
			}
			nested--
		case "elif", "else":
			if nested > 0 {
				continue
			}
			pp.checkElse(&f.conds[len(f.conds)-1], name, whole)
			if !taken && (name.text == "else" || pp.holds(name, toks[1:])) {
				return
			}
		}
	}
}

// holds evaluates the condition of #if, #ifdef, #ifndef or #elif.
func (pp *preprocessor) holds(name token, rest []token) bool {
	switch name.text {
	case "ifdef", "ifndef":
		t, ok := pp.macroName(name, rest)
		return ok && (pp.macros[t.text] != nil) == (name.text == "ifdef")
	}
	return pp.condition(name, rest)
}

// macroName is the one name that a directive is about.
func (pp *preprocessor) macroName(name token, rest []token) (token, bool) {
	if len(rest) == 0 || rest[0].kind != tIdent {
		at := name.span
		if len(rest) > 0 {
			at = rest[0].span
		}
		pp.fail(RulePreprocessor, at, "write the name of a macro", "#%s needs a name", name.text)
		return token{}, false
	}
	return rest[0], true
}

// include enters the file of an #include.
func (pp *preprocessor) include(f *openFile, name token, rest []token) {
	if len(rest) > 0 && rest[0].kind == tIdent {
		rest = pp.expand(rest)
	}
	if len(rest) == 0 || rest[0].kind != tString {
		at := name.span
		if len(rest) > 0 {
			at = rest[0].span.to(rest[len(rest)-1].span)
		}
		hint := "write the name of a file in double quotes"
		if len(rest) > 0 && rest[0].is("<") {
			hint = "system headers are not read: to name one in generated code, write `include` without #, in double quotes"
		}
		pp.fail(RulePreprocessor, at, hint, "#include without a file")
		return
	}
	at, file := rest[0].span, strings.Trim(rest[0].text, `"`)
	if len(pp.files) > maxIncludeDepth {
		pp.stop(at, "remove the circle, or guard the file with #ifndef", "includes are nested deeper than %d, ending with %s", maxIncludeDepth, clip(file))
		return
	}
	if pp.visits++; pp.visits > maxImports {
		pp.stop(at, "include each file once", "there are more than %d includes and imports", maxImports)
		return
	}
	folders := append([]string{filepath.Dir(f.lx.src.name)}, pp.opts.SearchPath...)
	path, data, err := pp.find(file, append(folders, "."))
	if err != nil {
		pp.fail(RuleFile, at, searched(folders), "cannot include %s: %s", clip(file), openError(err))
		return
	}
	if pp.once[path] {
		return
	}
	if _, ok := pp.loader.files[path]; !ok {
		pp.loader.files[path] = len(pp.loader.files)
	}
	pp.files = append(pp.files, &openFile{lx: newLexer(newSource(path, data))})
}
