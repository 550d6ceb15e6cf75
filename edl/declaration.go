package edl

import (
	"fmt"
	"strconv"
	"strings"
)

// Declaration returns the function as EDL declares it, on one line.
func (f *Func) Declaration() string {
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
		b.WriteString(p.Declaration())
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

// Declaration returns the parameter or member as EDL declares it, without a
// comma or a semicolon behind it.
func (p *Param) Declaration() string {
	var attrs []string
	for _, a := range []struct {
		set  bool
		text string
	}{
		{p.Direction != None, p.Direction.String()},
		{p.UserCheck, "user_check"},
		{p.String, "string"},
		{p.WString, "wstring"},
		{p.IsPtr, "isptr"},
		{p.IsAry, "isary"},
		{p.ReadOnly, "readonly"},
		{p.Size != nil, "size=" + p.Size.String()},
		{p.Count != nil, "count=" + p.Count.String()},
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

// String returns the name or the number, "" for nil.
func (o *Operand) String() string {
	switch {
	case o == nil:
		return ""
	case o.Name != "":
		return o.Name
	}
	return strconv.FormatUint(o.Number, 10)
}
