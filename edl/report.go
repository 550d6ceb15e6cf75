package edl

import (
	"fmt"
	"slices"
)

// maxDiagnostics is how many errors, and how many warnings, are kept.
const maxDiagnostics = 50

// report collects diagnostics.
type report struct {
	errors, warnings []finding
	files            map[string]int // in the order they were opened
	seen             map[place]bool
}

type finding struct {
	*Diagnostic
	file, off int
}

type place struct {
	src *source
	off int
	msg string
}

func newReport() *report { return &report{files: map[string]int{}} }

// fail reports an error.
func (r *report) fail(rule Rule, at span, hint, format string, args ...any) {
	r.add(Error, rule, at, hint, fmt.Sprintf(format, args...))
}

// warn reports a warning.
func (r *report) warn(rule Rule, at span, hint, format string, args ...any) {
	r.add(Warning, rule, at, hint, fmt.Sprintf(format, args...))
}

func (r *report) add(severity Severity, rule Rule, at span, hint, msg string) {
	list := &r.errors
	if severity == Warning {
		list = &r.warnings
	}
	key := place{at.src, at.off, msg}
	if len(*list) >= maxDiagnostics || r.seen[key] {
		return
	}
	if r.seen == nil {
		r.seen = map[place]bool{}
	}
	r.seen[key] = true
	d := &Diagnostic{Severity: severity, Rule: rule, Msg: printable(msg), Hint: printable(hint)}
	f := finding{Diagnostic: d, off: at.off}
	if at.src != nil {
		d.Pos, d.End = at.src.pos(at.off), at.src.pos(max(at.end, at.off))
		d.Source = at.src.line(d.Pos.Line)
		f.file = r.files[at.src.name]
	}
	*list = append(*list, f)
}

// full reports whether further errors would be dropped.
func (r *report) full() bool { return len(r.errors) >= maxDiagnostics }

// sorted returns findings by file, in the order of opening, and place.
func sorted(fs []finding) Diagnostics {
	slices.SortStableFunc(fs, func(a, b finding) int {
		if a.file != b.file {
			return a.file - b.file
		}
		return a.off - b.off
	})
	var ds Diagnostics
	for _, f := range fs {
		ds = append(ds, f.Diagnostic)
	}
	return ds
}
