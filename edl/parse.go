package edl

import "strings"

// parser turns the tokens of one file into a unit. It reports what is wrong
// and goes on with the next declaration.
type parser struct {
	*report
	dialect Dialect
	toks    []token // ends with tEOF
	i       int
	before  int // errors before this file
	unit    *unit
	defined map[string]*compositeDecl // structs, unions and enums so far
	values  map[string]uint64         // of enum elements so far, where they are known
}

// keywords are no names. bool is one in the Open Enclave dialect only.
var keywords = map[string]bool{
	"char": true, "short": true, "int": true, "long": true, "unsigned": true,
	"float": true, "double": true,
	"int8_t": true, "int16_t": true, "int32_t": true, "int64_t": true,
	"uint8_t": true, "uint16_t": true, "uint32_t": true, "uint64_t": true,
	"size_t": true, "wchar_t": true, "void": true,
	"struct": true, "union": true, "enum": true,
	"enclave": true, "trusted": true, "untrusted": true, "from": true, "import": true,
	"allow": true, "public": true, "include": true, "const": true,
	"propagate_errno": true, "transition_using_threads": true,
}

// file parses the whole file.
func (p *parser) file() {
	if !p.expect("enclave", "first: an EDL file is `enclave { ... };`") {
		return
	}
	if !p.expect("{", "after `enclave`") {
		return
	}
	open := p.toks[p.i-1]
	for !p.peek().is("}") {
		if p.peek().kind == tEOF {
			p.unclosed(open, "the enclave")
			return
		}
		if p.full() {
			return
		}
		start := p.i
		if !p.item() {
			p.resync(start)
		}
	}
	p.next()
	if !p.accept(";") && p.dialect != OpenEnclave {
		p.unexpected("`;` after the last `}`")
		return
	}
	if p.peek().kind != tEOF {
		p.unexpected("nothing after `enclave { ... };`")
	}
}

// item parses a declaration at the top level of the enclave.
func (p *parser) item() bool {
	switch t := p.peek(); {
	case t.is("include"):
		return p.include(&p.unit.includes)
	case t.is("from"):
		return p.fromImport()
	case t.is("import") && p.dialect == OpenEnclave:
		return p.plainImport()
	case t.is("import"):
		p.fail(RuleSyntax, t.span, "write `from \"file.edl\" import *;`", "an import begins with `from`")
		return false
	case t.is("struct"), t.is("union"), t.is("enum"):
		return p.composite() && p.semicolon()
	case t.is("trusted"), t.is("untrusted"):
		return p.block()
	case t.kind == tIdent && !keywords[t.text]:
		p.fail(RuleSyntax, t.span, suggest(t.text, items, "write "+strings.Join(items, ", ")), "`%s` is not expected here%s", clip(t.text), origin(t))
		return false
	default:
		p.unexpected("one of " + strings.Join(items, ", "))
		return false
	}
}

// items are the words that begin a declaration of the enclave.
var items = []string{"include", "from", "struct", "union", "enum", "trusted", "untrusted"}

func (p *parser) semicolon() bool {
	if p.accept(";") {
		return true
	}
	if p.i == 0 || p.peek().kind == tBad {
		p.unexpected("`;`")
		return false
	}
	if t := p.peek(); t.is(":") || t.is("=") {
		p.fail(RuleSyntax, t.span, "remove it", "EDL has no bit fields and no initial values")
		return false
	}
	last := p.toks[p.i-1]
	at := span{last.src, last.end, last.end}
	if last.from != nil {
		at = last.span
	}
	p.fail(RuleSyntax, at, "write `;` here", "`;` is missing after `%s`", clip(last.text))
	return false
}

// resync goes on to where a declaration may begin: behind the next semicolon
// that is in no deeper braces, or to the brace that closes what it is in.
func (p *parser) resync(start int) {
	if p.i == start {
		if p.peek().is("}") {
			return
		}
		p.next()
	}
	depth := 0
	for i := start; i < p.i; i++ {
		switch {
		case p.toks[i].is("{"):
			depth++
		case p.toks[i].is("}"):
			depth--
		}
	}
	if depth <= 0 && p.i > start && p.toks[p.i-1].is(";") {
		return
	}
	for ; p.peek().kind != tEOF; p.next() {
		switch t := p.peek(); {
		case t.is("{"):
			depth++
		case t.is("}") && depth <= 0:
			return
		case t.is("}"):
			depth--
		case t.is(";") && depth <= 0:
			p.next()
			return
		case depth <= 0 && t.bol && startsItem[t.text] && t.kind == tIdent && p.i > start:
			return
		}
	}
}

// startsItem are words that begin a declaration and can hardly be anything
// else at the start of a line.
var startsItem = map[string]bool{
	"from": true, "trusted": true, "untrusted": true, "public": true, "include": true,
}

// include parses `include "header.h"`, which has no semicolon.
func (p *parser) include(list *[]string) bool {
	p.next()
	s, ok := p.str("the name of a header in double quotes")
	if !ok {
		return false
	}
	*list = append(*list, s.name)
	if t := p.peek(); t.is(";") {
		p.fail(RuleSyntax, t.span, "remove it", "no `;` follows an include")
		p.next()
	}
	return true
}

func (p *parser) fromImport() bool {
	p.next()
	path, ok := p.str("the name of an EDL file in double quotes")
	if !ok || !p.expect("import", "after the name of the file") {
		return false
	}
	d := importDecl{path: path.name, at: path.at}
	if p.accept("*") {
		d.all = true
	} else if d.names, ok = p.names("the name of a function, or `*` for all"); !ok {
		return false
	}
	p.unit.imports = append(p.unit.imports, d)
	return p.semicolon()
}

// plainImport parses `import "file.edl"`, with or without a semicolon, of the Open Enclave dialect.
func (p *parser) plainImport() bool {
	p.next()
	path, ok := p.str("the name of an EDL file in double quotes")
	if !ok {
		return false
	}
	p.unit.imports = append(p.unit.imports, importDecl{path: path.name, at: path.at, all: true})
	p.accept(";")
	return true
}

// names parses one name or more with commas between.
func (p *parser) names(what string) ([]nameRef, bool) {
	var list []nameRef
	for {
		t, ok := p.ident(what)
		if !ok {
			return nil, false
		}
		list = append(list, nameRef{t.text, t.span})
		if len(list) > maxNames {
			p.fail(RuleLimit, t.span, "use several lists, or `*`", "the list has more than %d names", maxNames)
			return nil, false
		}
		if !p.accept(",") {
			return list, true
		}
	}
}
