package edl

import (
	"maps"
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
