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
		params[i] = p.Declaration()
	}
	s := fmt.Sprintf("%s %s(%s)", f.Func.Result, f.Name, strings.Join(params, ", "))
	if f.PropagateErrno {
		s += " propagate_errno"
	}
	return s
}

// Definition is a struct, union or enum as EDL defines it, with its size in
// bytes in a comment, if that is known.
func Definition(t *plan.Composite) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s {", t.Kind, t.Name)
	if t.Kind == edl.EnumKind {
		for i, e := range t.Elements {
			fmt.Fprintf(&b, " %s = %d,", e.Name, t.Values[i])
		}
		return strings.TrimSuffix(b.String(), ",") + " }"
	}
	for _, m := range t.Members {
		fmt.Fprintf(&b, "\n    %s;", m.Declaration())
	}
	b.WriteString("\n}")
	if t.Known() {
		fmt.Fprintf(&b, " // %d bytes", t.Size)
	}
	return b.String()
}
