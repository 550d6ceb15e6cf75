package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/internal/mistake"
	"github.com/feidi-dev/feidi/internal/text"
)

// MaxFile is the size of the largest policy file, in bytes.
const MaxFile = 256 << 10

// A decoder makes a policy of the values of a file, and collects what is wrong.
type decoder struct {
	doc  []byte
	errs Errors
	at   map[string]int // offset of each key
}

func newDecoder(doc []byte) *decoder { return &decoder{doc: doc, at: map[string]int{}} }

// report adds an error, of one line, whatever the file has in it.
func (d *decoder) report(offset int, key, reason string) {
	if len(d.errs) >= mistake.Most {
		return // to find places takes time
	}
	l, c := place(d.doc, offset)
	d.errs.Add(Error{Line: l, Column: c, Key: key, Kind: ErrInvalid, Reason: reason})
}

// policy reads all sections, adds options, and checks the whole.
func (d *decoder) policy(file *node, options []Option) (*Policy, error) {
	p := &Policy{}
	readKeys(d, file, "", topRules, &p.top, "tcb", "collateral", "platform", "sgx", "tdx")
	for _, n := range file.items {
		switch n.key {
		case "tcb":
			readTable(d, n, n.key, tcbRules, &p.tcb)
		case "collateral":
			readTable(d, n, n.key, collateralRules, &p.collateral)
		case "platform":
			readTable(d, n, n.key, platformRules, &p.platform)
		case "sgx":
			p.enclaves = readTables(d, n, enclaveRules)
		case "tdx":
			p.tds = readTables(d, n, tdRules)
		}
	}
	if err := failed(d.errs); err != nil {
		return nil, err // what it contradicts would not be known for sure
	}
	for _, o := range options {
		o.apply(p)
	}
	errs := p.validate()
	for _, e := range errs {
		if at, ok := d.at[e.Key]; ok || e.Key == "" {
			e.Line, e.Column = place(d.doc, at)
		}
	}
	if err := failed(errs); err != nil {
		return nil, err
	}
	return p, nil
}

// readTables reads the tables of a list.
func readTables[S, F any](d *decoder, n *node, rules []rule[S, F]) []S {
	if n.kind != array || len(n.items) == 0 {
		d.report(n.offset, n.key, fmt.Sprintf("%v does not belong here: write a list of tables, [[%s]] in TOML", n.kind, n.key))
		return nil
	}
	list := make([]S, len(n.items))
	for i, m := range n.items {
		readTable(d, m, fmt.Sprintf("%s[%d]", n.key, i), rules, &list[i])
	}
	return list
}

func readTable[S, F any](d *decoder, n *node, path string, rules []rule[S, F], s *S) {
	d.at[path] = n.offset
	if n.kind != object {
		d.report(n.offset, path, fmt.Sprintf("%v does not belong here: write a table", n.kind))
		return
	}
	readKeys(d, n, path, rules, s)
}

// readKeys reads the keys of a table that have a rule; sections are others that
// it may have.
func readKeys[S, F any](d *decoder, n *node, path string, rules []rule[S, F], s *S, sections ...string) {
next:
	for _, m := range n.items {
		key := join(path, m.key)
		for _, name := range sections {
			if m.key == name {
				continue next
			}
		}
		for i := range rules {
			r := &rules[i]
			if r.key != m.key {
				continue
			}
			d.at[key] = m.offset
			switch {
			case m.kind == array && !r.list:
				d.report(m.offset, key, "a list does not belong here: write "+r.what)
			case m.kind == array && len(m.items) == 0 && !r.empty:
				d.report(m.offset, key, "an empty list would accept nothing: leave it out, or write "+r.what)
			default:
				r.read(s, m, func(e *node, reason string) { d.report(e.offset, key, reason) })
			}
			continue next
		}
		if len(d.errs) >= mistake.Most {
			return
		}
		keys := slices.Clone(sections)
		for _, r := range rules {
			keys = append(keys, r.key)
		}
		d.report(m.keyAt, key, "there is no such key"+nearest(m.key, keys))
	}
}

// nearest says which key was meant: one that differs in case and punctuation
// only, or in at most two letters.
func nearest(name string, keys []string) string {
	plain := func(s string) string { return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s)) }
	best, least := "", 3
	if len(name) > 64 {
		return ""
	}
	for _, k := range keys {
		if d := text.Distance(plain(name), plain(k), least); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return ": write " + best
}

func quote(s string) string { return strconv.Quote(text.Line(s, 40)) }
