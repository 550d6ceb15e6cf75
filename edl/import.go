package edl

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// part is what one import takes of a file: its types and includes, and the
// functions that were asked for.
type part struct {
	*unit
	key    string // what files are merged by
	types  []*compositeDecl
	ecalls []*funcDecl
	ocalls []*funcDecl
}

// merged is the whole interface: the first part is the file itself.
type merged struct {
	parts []*part
	units []*unit // in the order they were read, without repetition
}

// merge follows the imports. The order of functions is that of sgx_edger8r:
// first those of a file itself, then those of its imports, in order, each with
// its own imports. A file that is imported twice is merged with its first
// occurrence; functions that are new stand where the later import is.
func (l *loader) merge(root *unit) *merged {
	m := &merger{loader: l, read: map[*unit]bool{}}
	m.parts = m.take(root, nil, nil)
	return &m.merged
}

type merger struct {
	*loader
	merged
	read  map[*unit]bool
	stack []*unit
}

// take returns the parts of u and its imports. names are the functions that
// are wanted, nil for all; missing, if not nil, loses those that are found.
func (m *merger) take(u *unit, names map[string]bool, missing map[string]bool) []*part {
	if !m.read[u] {
		m.read[u] = true
		m.units = append(m.units, u)
	}
	p := &part{unit: u, key: identifier(u.short), types: u.composites}
	p.ecalls = choose(u.ecalls, names, missing)
	p.ocalls = choose(u.ocalls, names, missing)
	if names != nil {
		// What was found here is not looked for in the imports.
		rest := map[string]bool{}
		for name := range names {
			if missing[name] {
				rest[name] = true
			}
		}
		names = rest
	}
	parts := []*part{p}
	m.stack = append(m.stack, u)
	for _, d := range u.imports {
		next := m.open(d)
		if next == nil {
			continue
		}
		if names != nil {
			parts = join(parts, m.take(next, names, missing))
			continue
		}
		if d.all {
			parts = join(parts, m.take(next, nil, nil))
			continue
		}
		wanted, left := map[string]bool{}, map[string]bool{}
		for _, n := range d.names {
			wanted[n.name], left[n.name] = true, true
		}
		parts = join(parts, m.take(next, wanted, left))
		for _, n := range d.names {
			if left[n.name] && !m.full() {
				m.fail(RuleImport, n.at, suggest(n.name, functionNames(next), "import `*`, or a function that it has"),
					"%s has no function `%s`", clip(d.path), clip(n.name))
			}
		}
	}
	m.stack = m.stack[:len(m.stack)-1]
	return parts
}

// choose returns the functions with given names, all if names is nil.
func choose(fs []*funcDecl, names, missing map[string]bool) []*funcDecl {
	if names == nil {
		return fs
	}
	var list []*funcDecl
	for _, f := range fs {
		if names[f.Name] {
			list = append(list, f)
			delete(missing, f.Name)
		}
	}
	return list
}

// open returns the unit of an import, nil after an error.
func (m *merger) open(d importDecl) *unit {
	if m.visits++; m.visits > maxImports {
		m.fail(RuleLimit, d.at, "import each file once", "there are more than %d imports", maxImports)
		return nil
	}
	if len(m.stack) > maxImportDepth {
		m.fail(RuleLimit, d.at, "flatten the imports", "imports are nested deeper than %d", maxImportDepth)
		return nil
	}
	folders := m.folders(filepath.Dir(m.stack[len(m.stack)-1].src.name))
	path, data, err := m.find(d.path, folders)
	if err != nil {
		m.fail(RuleFile, d.at, searched(folders), "cannot import %s: %s", clip(d.path), openError(err))
		return nil
	}
	for i, u := range m.stack {
		if u.src.name == path {
			m.fail(RuleImportCycle, d.at, "remove one of these imports", "the import of %s closes a circle: %s",
				clip(d.path), circle(m.stack[i:]))
			return nil
		}
	}
	if u, ok := m.parsed[path]; ok {
		return u
	}
	return m.unit(path, data)
}

// functionNames are the functions of a file, for suggestions.
func functionNames(u *unit) []string {
	var names []string
	for _, f := range u.ecalls {
		names = append(names, f.Name)
	}
	for _, f := range u.ocalls {
		names = append(names, f.Name)
	}
	return names
}

// circle writes the files of a circle.
func circle(us []*unit) string {
	var b strings.Builder
	for i, u := range us {
		if i == 8 {
			b.WriteString("... -> ")
			break
		}
		b.WriteString(filepath.Base(u.src.name) + " -> ")
	}
	return b.String() + filepath.Base(us[0].src.name)
}

// join appends parts. Of a part whose file is there already, only what is new
// is kept.
func join(parts, more []*part) []*part {
	byKey := map[string][]*part{}
	for _, p := range parts {
		byKey[p.key] = append(byKey[p.key], p)
	}
	for _, p := range more {
		if first := byKey[p.key]; first != nil {
			p = p.without(first)
		}
		byKey[p.key] = append(byKey[p.key], p)
		parts = append(parts, p)
	}
	return parts
}

// without is p less what other parts of the same file have.
func (p *part) without(others []*part) *part {
	types, functions := map[*compositeDecl]bool{}, map[string]bool{}
	for _, q := range others {
		for _, c := range q.types {
			types[c] = true
		}
		for _, f := range slices.Concat(q.ecalls, q.ocalls) {
			functions[f.signature()] = true
		}
	}
	rest := &part{unit: p.unit, key: p.key, ecalls: fresh(p.ecalls, functions), ocalls: fresh(p.ocalls, functions)}
	for _, c := range p.types {
		if !types[c] {
			rest.types = append(rest.types, c)
		}
	}
	return rest
}

func fresh(fs []*funcDecl, same map[string]bool) []*funcDecl {
	var list []*funcDecl
	for _, f := range fs {
		if !same[f.signature()] {
			list = append(list, f)
		}
	}
	return list
}

// signature is equal for functions that were declared in the same way.
func (f *funcDecl) signature() string {
	if f.declared != "" {
		return f.declared
	}
	var b strings.Builder
	fmt.Fprint(&b, f.Name, f.Result, f.Public, f.Switchless, f.Convention, f.DLLImport, f.PropagateErrno)
	for _, a := range f.allow {
		fmt.Fprint(&b, " ", a.name)
	}
	for _, p := range f.Params {
		fmt.Fprint(&b, ";", p.Name, p.Type, p.Dims, p.Direction, p.UserCheck, p.String, p.WString, p.IsPtr, p.IsAry, p.ReadOnly)
		for _, o := range []*Operand{p.Size, p.Count} {
			if o != nil {
				fmt.Fprint(&b, ",", o.Name, o.Number)
			} else {
				b.WriteString(",-")
			}
		}
	}
	f.declared = b.String()
	return f.declared
}

// build makes the interface.
func (m *merged) build() *Interface {
	iface := &Interface{Name: m.parts[0].short}
	var trusted, untrusted []string
	var includes []string
	for _, p := range m.parts {
		includes = append(includes, p.includes...)
		for _, c := range p.types {
			iface.Types = append(iface.Types, c.Composite)
		}
		for _, f := range p.ecalls {
			iface.ECalls = append(iface.ECalls, f.Func)
		}
		for _, f := range p.ocalls {
			iface.OCalls = append(iface.OCalls, f.Func)
		}
	}
	for _, u := range m.units {
		trusted = append(trusted, u.trusted...)
		untrusted = append(untrusted, u.untrusted...)
	}
	iface.Includes = unique(includes)
	iface.TrustedIncludes = unique(trusted)
	iface.UntrustedIncludes = unique(untrusted)
	return iface
}

// unique drops repetitions.
func unique(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
