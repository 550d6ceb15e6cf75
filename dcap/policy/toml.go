package policy

import (
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/feidi-dev/feidi/internal/mistake"
)

// Bounds on what a TOML file may be.
const (
	maxNesting = 32 // brackets, in whatever way: a policy has three
	maxPath    = 4  // names with dots between: a policy has two
	maxKeys    = 64 // of a table: the largest has two dozen
)

// ParseTOML reads a policy of at most MaxFile bytes in TOML, adds options, and
// checks the whole. Keys that it does not know, values of another type and
// whatever is there twice are errors, with line and column; an error wraps
// Errors, which has everything that is wrong.
//
// docs/policy.md has all keys. A file that names no identity is ErrNoIdentity,
// unless the options do.
func ParseTOML(b []byte, options ...Option) (*Policy, error) {
	d := newDecoder(b)
	if len(b) > MaxFile {
		d.report(0, "", fmt.Sprintf("the file has more than %d bytes", MaxFile))
		return nil, failed(d.errs)
	}
	if mistake.Nested(b, maxNesting) {
		d.report(0, "", "its brackets nest too deep")
		return nil, failed(d.errs)
	}
	file, err := d.readTOML(b)
	if d.errs == nil {
		// The parser that readTOML uses knows the words of the language; that
		// they make sense together is checked here.
		values := map[string]any{}
		if e := toml.Unmarshal(b, &values); e != nil {
			err = e
		}
		if err != nil {
			line, column, reason := mistake.NoTOML(err)
			d.errs.Add(Error{Line: line, Column: column, Kind: ErrInvalid, Reason: reason})
		}
	}
	if d.errs != nil {
		return nil, failed(d.errs)
	}
	return d.policy(file, options)
}

// readTOML reads a file as far as it is TOML.
func (d *decoder) readTOML(b []byte) (*node, error) {
	file := &node{kind: object}
	table := file
	var p unstable.Parser
	p.Reset(b)
	for table != nil && d.errs == nil && p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.KeyValue:
			d.keyValue(table, e)
		case unstable.Table, unstable.ArrayTable:
			table = d.header(file, e)
		}
	}
	return file, p.Error()
}

// names are the parts of a key, and where the first is.
func (d *decoder) names(keys unstable.Iterator) (path []string, offset int) {
	for keys.Next() {
		n := keys.Node()
		if path == nil {
			offset = int(n.Raw.Offset)
		}
		if len(path) == maxPath {
			d.report(offset, strings.Join(path, "."), "no key has so many parts")
			break
		}
		path = append(path, string(n.Data))
	}
	return path, offset
}

// open returns the table of a path, which it makes if it is not there. Of a
// list of tables it is the last. It is nil if something else is there.
func (d *decoder) open(n *node, path []string, offset int) *node {
	for _, name := range path {
		m := n.member(name)
		if m == nil {
			m = d.add(n, &node{kind: object, key: name, keyAt: offset, offset: offset})
		}
		if m.kind == array && len(m.items) > 0 {
			m = m.items[len(m.items)-1]
		}
		if m.kind != object {
			d.report(offset, strings.Join(path, "."), "it is something else already")
			return nil
		}
		n = m
	}
	return n
}

// header returns the table that [name] or [[name]] begins.
func (d *decoder) header(file *node, e *unstable.Node) *node {
	path, offset := d.names(e.Key())
	if d.errs != nil {
		return nil
	}
	last := len(path) - 1
	parent := d.open(file, path[:last], offset)
	if parent == nil {
		return nil
	}
	if e.Kind == unstable.Table {
		t := d.open(parent, path[last:], offset)
		if t == nil || t.explicit {
			d.twice(t, path, offset)
			return nil
		}
		t.explicit = true
		return t
	}
	list := parent.member(path[last])
	if list == nil {
		list = d.add(parent, &node{kind: array, key: path[last], keyAt: offset, offset: offset})
	}
	if list.kind != array || list.explicit {
		d.twice(list, path, offset)
		return nil
	}
	t := &node{kind: object, offset: offset, explicit: true}
	list.items = append(list.items, t)
	return t
}

// twice reports a key that is there already.
func (d *decoder) twice(first *node, path []string, offset int) {
	if first == nil {
		return // reported
	}
	l, _ := place(d.doc, first.offset)
	d.report(offset, strings.Join(path, "."), fmt.Sprintf("it is given on line %d already: leave one out", l))
}

// keyValue adds a key and its value to a table.
func (d *decoder) keyValue(table *node, e *unstable.Node) {
	path, offset := d.names(e.Key())
	if d.errs != nil {
		return
	}
	last := len(path) - 1
	if table = d.open(table, path[:last], offset); table == nil {
		return
	}
	if first := table.member(path[last]); first != nil {
		d.twice(first, path, offset)
		return
	}
	v := d.value(e.Value(), offset)
	v.key, v.keyAt = path[last], offset
	d.add(table, v)
}

// add adds a member to a table.
func (d *decoder) add(table, m *node) *node {
	if len(table.items) == maxKeys {
		d.report(m.offset, m.key, "no table has so many keys")
	}
	table.items = append(table.items, m)
	return m
}

// value reads a value; offset is where it is if it does not say.
func (d *decoder) value(e *unstable.Node, offset int) *node {
	if e.Raw.Length > 0 {
		offset = int(e.Raw.Offset)
	}
	n := &node{offset: offset, text: string(e.Data)}
	switch e.Kind {
	case unstable.String, unstable.LocalDate:
		n.kind = textual
	case unstable.DateTime:
		n.kind, n.text = textual, strings.Replace(n.text, " ", "T", 1)
	case unstable.Integer:
		n.kind = number
	case unstable.Bool:
		n.kind = boolean
	case unstable.Array:
		n.kind, n.explicit, n.text = array, true, ""
		for items := e.Children(); items.Next(); {
			n.items = append(n.items, d.value(items.Node(), offset))
		}
	case unstable.InlineTable:
		n.kind, n.explicit, n.text = object, true, ""
		for items := e.Children(); items.Next() && d.errs == nil; {
			d.keyValue(n, items.Node())
		}
	}
	return n
}
