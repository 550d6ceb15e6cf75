package policy

import (
	"fmt"

	"github.com/feidi-dev/feidi/internal/strictjson"
)

// tree is the policy as the values of a file.
func (p *Policy) tree() *node {
	file := &node{kind: object}
	add := func(key string, n *node) {
		if len(n.items) > 0 {
			n.key = key
			file.items = append(file.items, n)
		}
	}
	file.items = append(file.items, table(topRules, &p.top).items...)
	add("tcb", table(tcbRules, &p.tcb))
	add("collateral", table(collateralRules, &p.collateral))
	add("platform", table(platformRules, &p.platform))
	add("sgx", tables(enclaveRules, p.enclaves))
	add("tdx", tables(tdRules, p.tds))
	return file
}

func table[S, F any](rules []rule[S, F], s *S) *node {
	t := &node{kind: object}
	for i := range rules {
		if n := rules[i].write(s); n != nil {
			n.key = rules[i].key
			t.items = append(t.items, n)
		}
	}
	return t
}

func tables[S, F any](rules []rule[S, F], list []S) *node {
	n := &node{kind: array}
	for i := range list {
		n.items = append(n.items, table(rules, &list[i]))
	}
	return n
}

// AppendTOML appends the policy in TOML: what differs from the defaults.
// ParseTOML makes the same policy of it.
func (p *Policy) AppendTOML(b []byte) []byte {
	for _, n := range p.tree().items {
		switch {
		case n.kind == object:
			b = appendTable(b, "["+n.key+"]", n)
		case n.kind == array && n.items[0].kind == object:
			for _, t := range n.items {
				b = appendTable(b, "[["+n.key+"]]", t)
			}
		default:
			b = appendPair(b, n)
		}
	}
	return b
}

func appendTable(b []byte, header string, t *node) []byte {
	if len(b) > 0 {
		b = append(b, '\n')
	}
	b = append(b, header+"\n"...)
	for _, n := range t.items {
		b = appendPair(b, n)
	}
	return b
}

func appendPair(b []byte, n *node) []byte {
	return append(appendValue(fmt.Appendf(b, "%s = ", n.key), n, ""), '\n')
}

// AppendJSON appends the policy in JSON: what differs from the defaults.
// ParseJSON makes the same policy of it.
func (p *Policy) AppendJSON(b []byte) []byte {
	return append(appendValue(b, p.tree(), "\n"), '\n')
}

// appendValue appends a value as both languages have it, but for objects, which
// are JSON's, with each member on a line of its own, after indent.
func appendValue(b []byte, n *node, indent string) []byte {
	switch n.kind {
	case object, array:
		brackets, inner, list := "[]", indent, n.kind == array
		if !list {
			brackets = "{}"
		}
		lines := len(n.items) > 0 && n.items[0].kind == object || !list && len(n.items) > 0
		if lines {
			inner += "  "
		}
		b = append(b, brackets[0])
		for i, m := range n.items {
			switch {
			case i > 0 && lines:
				b = append(b, ',')
			case i > 0:
				b = append(b, ", "...)
			}
			if lines {
				b = append(b, inner...)
			}
			if !list {
				b = append(strictjson.AppendString(b, m.key), ": "...)
			}
			b = appendValue(b, m, inner)
		}
		if lines {
			b = append(b, indent...)
		}
		return append(b, brackets[1])
	case textual:
		return strictjson.AppendString(b, n.text)
	}
	return append(b, n.text...)
}
