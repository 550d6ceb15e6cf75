package gen

import (
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/edl"
)

// edlFunc is the declaration of a function, as EDL has it.
func edlFunc(f *edl.Func) string {
	var b strings.Builder
	var attrs []string
	if f.Convention != "" {
		attrs = append(attrs, f.Convention)
	}
	if f.DLLImport {
		attrs = append(attrs, "dllimport")
	}
	if len(attrs) > 0 {
		b.WriteString("[" + strings.Join(attrs, ", ") + "] ")
	}
	if f.Public {
		b.WriteString("public ")
	}
	b.WriteString(f.Result.String() + " " + f.Name + "(")
	for n, p := range f.Params {
		if n > 0 {
			b.WriteString(", ")
		}
		b.WriteString(edlParam(p))
	}
	b.WriteString(")")
	if len(f.Allow) > 0 {
		b.WriteString(" allow(" + strings.Join(f.Allow, ", ") + ")")
	}
	if f.PropagateErrno {
		b.WriteString(" propagate_errno")
	}
	if f.Switchless {
		b.WriteString(" transition_using_threads")
	}
	return b.String() + ";"
}

func edlParam(p *edl.Param) string {
	attrs := []string{}
	for _, a := range []struct {
		set  bool
		text string
	}{
		{p.Direction != edl.None, p.Direction.String()},
		{p.UserCheck, "user_check"},
		{p.String, "string"},
		{p.WString, "wstring"},
		{p.IsPtr, "isptr"},
		{p.IsAry, "isary"},
		{p.ReadOnly, "readonly"},
		{p.Size != nil, "size=" + edlOperand(p.Size)},
		{p.Count != nil, "count=" + edlOperand(p.Count)},
	} {
		if a.set {
			attrs = append(attrs, a.text)
		}
	}
	s := p.Type.String() + " " + p.Name
	if len(attrs) > 0 {
		s = "[" + strings.Join(attrs, ", ") + "] " + s
	}
	for _, d := range p.Dims {
		s += fmt.Sprintf("[%d]", d)
	}
	return s
}

func edlOperand(o *edl.Operand) string {
	switch {
	case o == nil:
		return ""
	case o.Name != "":
		return o.Name
	}
	return fmt.Sprint(o.Number)
}
