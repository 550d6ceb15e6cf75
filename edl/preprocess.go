package edl

import (
	"maps"
	"path/filepath"
	"strings"
)

// Bounds of the preprocessor.
const (
	maxIncludeDepth = 64
	maxArgDepth     = 64  // macro calls in arguments of macro calls
	maxConditions   = 200 // #if in #if
	maxMacros       = 1 << 14
	maxTokenText    = 4096 // bytes of a token that macros make
)

// preprocessor does for one EDL file what `gcc -E` does: it takes directives
// out and replaces macros. Tokens keep their places in the files that were
// written; one that a macro made has the place of the macro's use.
type preprocessor struct {
	*loader
	macros   map[string]*macro
	files    []*openFile
	contexts []context
	isolated int // >0: the contexts are all there is, the files wait
	depth    int // of expand
	once     map[string]bool
	stopped  bool // by a bound: there are no more tokens
}

// openFile is a file of the include stack.
type openFile struct {
	lx    *lexer
	conds []condition
}

// condition is an #if whose #endif is to come.
type condition struct {
	at      span
	hasElse bool
}

// context is a list of tokens that are read before the files.
type context struct {
	toks  []token
	macro *macro // whose expansion it is, or nil
}

// predefined are the macros that are always there: what gcc says of x86-64
// Linux, as far as it is of use in an interface.
const predefined = `#define __STDC__ 1
#define __STDC_VERSION__ 201710L
#define __STDC_HOSTED__ 1
#define __GNUC__ 4
#define __x86_64__ 1
#define __x86_64 1
#define __amd64__ 1
#define __amd64 1
#define __linux__ 1
#define __linux 1
#define __gnu_linux__ 1
#define __unix__ 1
#define __unix 1
#define __ELF__ 1
#define __LP64__ 1
#define _LP64 1
#define __CHAR_BIT__ 8
#define __SIZEOF_INT__ 4
#define __SIZEOF_LONG__ 8
#define __SIZEOF_POINTER__ 8
#define __SIZEOF_SIZE_T__ 8
#define __SIZEOF_WCHAR_T__ 4
#define __INT_MAX__ 0x7fffffff
#define __LONG_MAX__ 0x7fffffffffffffffL
`

// preprocess returns the tokens of a file, the last of which is tEOF; nil if
// there are too many.
func (l *loader) preprocess(src *source) []token {
	pp := &preprocessor{loader: l, macros: l.initialMacros(), once: map[string]bool{}}
	pp.files = []*openFile{{lx: newLexer(src)}}
	var out []token
	for {
		t := pp.next()
		out = append(out, t)
		if pp.stopped {
			return nil
		}
		if t.kind == tEOF {
			return out
		}
	}
}

// initialMacros are what is defined at the start of a file.
func (l *loader) initialMacros() map[string]*macro {
	if l.initial == nil {
		pp := &preprocessor{loader: l, macros: map[string]*macro{}}
		pp.define(newSource("<built-in>", []byte(predefined)))
		for _, name := range []string{"__LINE__", "__FILE__", "__DATE__", "__TIME__"} {
			pp.macros[name] = &macro{name: name, builtin: true}
		}
		pp.define(newSource("<option>", []byte(pp.options())))
		l.initial = pp.macros
	}
	return maps.Clone(l.initial)
}

// options are the macros of Options.Defines as directives.
func (pp *preprocessor) options() string {
	var b strings.Builder
	for _, d := range pp.opts.Defines {
		name, value, ok := strings.Cut(d, "=")
		if !ok {
			value = "1"
		}
		if name == "" || strings.ContainsAny(d, "\n\r") {
			pp.fail(RulePreprocessor, span{}, "write NAME or NAME=value", "%q defines no macro", clip(d))
			continue
		}
		b.WriteString("#define " + name + " " + value + "\n")
	}
	return b.String()
}

// define runs a source that has nothing but directives.
func (pp *preprocessor) define(src *source) {
	pp.files = []*openFile{{lx: newLexer(src)}}
	pp.next()
}

// charge counts n tokens, and stops everything when there are too many.
func (pp *preprocessor) charge(n int, at span) bool {
	if pp.tokens += n; pp.tokens > maxTokens {
		pp.stop(at, "split the interface, or look for a macro that grows", "there are more than %d tokens", maxTokens)
	}
	return !pp.stopped
}

func (pp *preprocessor) stop(at span, hint, format string, args ...any) {
	if !pp.stopped {
		pp.fail(RuleLimit, at, hint, format, args...)
	}
	pp.stopped = true
}

// raw returns the next token before macros are replaced. It carries out
// directives and leaves files at their ends.
func (pp *preprocessor) raw() token {
	for !pp.stopped {
		if n := len(pp.contexts); n > 0 {
			c := &pp.contexts[n-1]
			if len(c.toks) > 0 {
				t := c.toks[0]
				c.toks = c.toks[1:]
				return t
			}
			if pp.isolated > 0 && n == pp.isolated {
				return token{kind: tEOF}
			}
			if c.macro != nil {
				c.macro.disabled = false
			}
			pp.contexts = pp.contexts[:n-1]
			continue
		}
		f := pp.files[len(pp.files)-1]
		t := f.lx.next()
		switch {
		case t.kind == tEOF && len(pp.files) > 1:
			pp.leave(f)
			pp.files = pp.files[:len(pp.files)-1]
		case t.kind == tEOF:
			pp.leave(f)
			return t
		case t.is("#") && t.bol:
			pp.directive(f, t)
		default:
			return t
		}
	}
	at := span{}
	if len(pp.files) > 0 {
		lx := pp.files[0].lx
		at = span{lx.src, lx.off, lx.off}
	}
	return token{kind: tEOF, span: at}
}

// leave checks that a file that ends has no open conditions.
func (pp *preprocessor) leave(f *openFile) {
	for _, c := range f.conds {
		pp.fail(RulePreprocessor, c.at, "write #endif", "this condition has no #endif")
	}
	f.conds = nil
}

// unread puts a token back.
func (pp *preprocessor) unread(t token) {
	pp.contexts = append(pp.contexts, context{toks: []token{t}})
}

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
