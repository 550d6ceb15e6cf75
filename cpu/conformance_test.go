package cpu

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

var update = flag.Bool("update", false, "write docs/conformance.md")

// The conformance suite has one row for each condition of the manual's
// operation sections (SDM Vol. 3D, "SGX Instruction References"; the access
// rules are those of "Enclave Access Control and Data Structures"). A row sets
// the condition up, executes the leaf and compares the result; its reason is
// part of the fault's text, so that another condition cannot pass for it.

// success is the result of a row whose leaf completes.
const success = "success"

// A row is one condition.
type row struct {
	cond   string // in the manual's terms
	want   string // "#GP", "#PF", "#UD", the name of an error code, or success
	reason string // in the fault's text
	run    func(m *machine) error
}

// A gap is a condition that the API cannot express, or that cannot arise.
type gap struct{ cond, want, why string }

// Reasons of gaps.
const (
	byValue    = "the operand is a Go value and has no address"
	noField    = "the operand's Go type has no such field"
	atomicLeaf = "leaves are atomic: no other leaf is ever seen half done"
	noCET      = "the processor has no CET, so ATTRIBUTES.CET and shadow-stack pages are refused before"
	mode64     = "logical processors are always in 64-bit mode"
	noCR       = "control registers of the host are not modelled: CR0 and CR4 have the values that SGX needs"
	noVMX      = "there is no VMX operation"
	noIRQ      = "no interrupt arrives within a leaf"
)

// A chapter is the suite of one leaf. Several may be of one leaf, if they
// start from different machines.
type chapter struct {
	leaf string
	on   func(testing.TB) *machine
	rows []row
	gaps []gap
}

// chapters returns the whole suite, in the order of the manual.
func chapters() []chapter {
	var all []chapter
	for _, part := range [][]chapter{
		buildChapters(), pagingChapters(), debugChapters(), sgx2Chapters(),
		enterChapters(), keyChapters(), acceptChapters(), accessChapters(),
	} {
		all = append(all, part...)
	}
	return all
}

// classify names the result of a leaf.
func classify(err error) string {
	var f *Fault
	var code isa.ErrorCode
	switch {
	case err == nil:
		return success
	case errors.As(err, &f):
		return f.Vector.String()
	case errors.As(err, &code):
		return code.Error()
	}
	return "unexpected error: " + err.Error()
}

func TestConformance(t *testing.T) {
	all := chapters()
	for _, c := range all {
		for _, r := range c.rows {
			t.Run(c.leaf+"/"+strings.ReplaceAll(r.cond, "/", "|"), func(t *testing.T) {
				err := r.run(c.on(t))
				if got := classify(err); got != r.want {
					t.Fatalf("%s: got %s (%v), want %s", r.cond, got, err, r.want)
				}
				if err != nil && !strings.Contains(err.Error(), r.reason) {
					t.Fatalf("%s: refused for another reason: %v (want %q)", r.cond, err, r.reason)
				}
			})
		}
	}
	doc := document(all)
	t.Logf("\n%s", summary(all))
	path := filepath.Join("..", "docs", "conformance.md")
	if *update {
		if err := os.WriteFile(path, doc, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old, err := os.ReadFile(path); err != nil || !bytes.Equal(old, doc) {
		t.Errorf("docs/conformance.md is stale (%v): run go test ./cpu -run Conformance -update", err)
	}
}

// summary returns the table of leaves.
func summary(all []chapter) string {
	var b strings.Builder
	type count struct{ tested, gaps int }
	var names []string
	counts := map[string]*count{}
	total := &count{}
	for _, c := range all {
		n := counts[c.leaf]
		if n == nil {
			n = &count{}
			counts[c.leaf] = n
			names = append(names, c.leaf)
		}
		n.tested += len(c.rows)
		n.gaps += len(c.gaps)
		total.tested += len(c.rows)
		total.gaps += len(c.gaps)
	}
	b.WriteString("| Leaf | Rows | Tested | Cannot arise |\n|---|--:|--:|--:|\n")
	line := func(name string, n *count) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d |\n", name, n.tested+n.gaps, n.tested, n.gaps)
	}
	for _, n := range names {
		line(n, counts[n])
	}
	line("**all**", total)
	return b.String()
}

// document returns docs/conformance.md.
func document(all []chapter) []byte {
	var b bytes.Buffer
	b.WriteString(`# Conformance of the software processor

Each row is one condition of the operation section of a leaf (SDM Vol. 3D, "SGX Instruction References"), or of the
access rules. A tested row sets the condition up, executes the leaf without any engine, and compares the fault, error
code or success. The last column of the summary counts the conditions that cannot arise here; each is listed with its
reason. This file is written by ` + "`go test ./cpu -run Conformance -update`" + `, and the test fails if it is stale.
Where the manual's texts disagree, [sdm-choices.md](sdm-choices.md) says what was chosen.

`)
	b.WriteString(summary(all))
	last := ""
	for _, c := range all {
		if c.leaf != last {
			fmt.Fprintf(&b, "\n## %s\n\n| Condition | Result | |\n|---|---|---|\n", c.leaf)
			last = c.leaf
		}
		for _, r := range c.rows {
			fmt.Fprintf(&b, "| %s | %s | tested |\n", r.cond, r.want)
		}
		for _, g := range c.gaps {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", g.cond, g.want, g.why)
		}
	}
	return b.Bytes()
}
