package invoke

import (
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// Signature is a function as EDL declares it.
func Signature(f *plan.Call) string {
	params := make([]string, len(f.Params))
	for i, p := range f.Params {
		params[i] = Declaration(p.Param)
	}
	s := fmt.Sprintf("%s %s(%s)", f.Func.Result, f.Name, strings.Join(params, ", "))
	if f.PropagateErrno {
		s += " propagate_errno"
	}
	return s
}

// Declaration is a parameter or a member as EDL declares it.
func Declaration(p *edl.Param) string {
	var attrs []string
	if p.Direction != edl.None {
		attrs = append(attrs, p.Direction.String())
	}
	for _, a := range []struct {
		name string
		set  bool
	}{
		{"user_check", p.UserCheck}, {"string", p.String}, {"wstring", p.WString},
		{"isptr", p.IsPtr}, {"isary", p.IsAry}, {"readonly", p.ReadOnly},
	} {
		if a.set {
			attrs = append(attrs, a.name)
		}
	}
	for _, o := range []struct {
		name    string
		operand *edl.Operand
	}{{"size", p.Size}, {"count", p.Count}} {
		if o.operand != nil {
			attrs = append(attrs, o.name+"="+operandText(o.operand))
		}
	}
	s := p.Type.String() + " " + p.Name
	for _, d := range p.Dims {
		s += fmt.Sprintf("[%d]", d)
	}
	if len(attrs) > 0 {
		s = "[" + strings.Join(attrs, ", ") + "] " + s
	}
	return s
}

func operandText(o *edl.Operand) string {
	if o.Name != "" {
		return o.Name
	}
	return fmt.Sprint(o.Number)
}
