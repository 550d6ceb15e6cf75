package cgen

import (
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// spellType writes a type as C does: "const char *", with a space before the
// stars and none behind.
func spellType(t edl.Type) string {
	if t.Pointers == 0 {
		t.Const = false
		return t.String()
	}
	stars := strings.Repeat("*", t.Pointers)
	t.Pointers = 0
	return t.String() + " " + stars
}

// declare declares a name of a type.
func declare(t edl.Type, name string) string {
	if t.Pointers > 0 {
		return spellType(t) + name
	}
	return spellType(t) + " " + name
}

// spellDims writes the dimensions of an array.
func spellDims(dims []uint64) string {
	var b strings.Builder
	for _, d := range dims {
		fmt.Fprintf(&b, "[%d]", d)
	}
	return b.String()
}

// declareParam declares a parameter.
func declareParam(p *edl.Param) string { return declare(p.Type, p.Name) + spellDims(p.Dims) }

// paramList is the list of parameters, after those that come first.
func paramList(params []*plan.Param, first ...string) string {
	for _, p := range params {
		first = append(first, declareParam(p.Param))
	}
	if len(first) == 0 {
		return "void"
	}
	return strings.Join(first, ", ")
}

// declareResult declares the parameter that a proxy returns a result through.
func declareResult(c *plan.Call) string {
	t := c.Result.Type.Type
	t.Pointers++
	return declare(t, "retval")
}

// msMember is a member of a marshalling structure.
type msMember struct{ name, declaration string }

// msMembers are the members in order, which is the order of the plan.
func msMembers(c *plan.Call) []msMember {
	var out []msMember
	if c.Result != nil {
		out = append(out, msMember{"ms_retval", declare(c.Result.Type.Type, "ms_retval")})
	}
	if c.Errno != nil {
		out = append(out, msMember{"ocall_errno", "int ocall_errno"})
	}
	for _, p := range c.Params {
		name := "ms_" + p.Name
		out = append(out, msMember{name, declare(p.Type.Type, name)})
		if p.HasLen {
			out = append(out, msMember{name + "_len", "size_t " + name + "_len"})
		}
	}
	return out
}

// marshalling defines the marshalling structures. Both sides have the same.
func (w *writer) marshalling() {
	for _, calls := range [][]*plan.Call{w.plan.ECalls, w.plan.OCalls} {
		for _, c := range calls {
			if !c.HasMS() {
				continue
			}
			w.f("typedef struct ms_%s_t {\n", c.Name)
			for _, m := range msMembers(c) {
				w.f("\t%s;\n", m.declaration)
			}
			w.f("} ms_%s_t;\n\n", c.Name)
		}
	}
}

// composites defines the structs, unions and enums of the interface.
func (w *writer) composites() {
	for _, c := range w.plan.Types {
		if c.Kind == edl.EnumKind {
			w.enum(c.Composite)
			continue
		}
		kind := "struct"
		if c.Kind == edl.UnionKind {
			kind = "union"
		}
		w.f("#ifndef _%s\n#define _%s\ntypedef %s %s {\n", c.Name, c.Name, kind, c.Name)
		for _, m := range c.Composite.Members {
			w.f("\t%s;\n", declareParam(m))
		}
		w.f("} %s;\n#endif\n\n", c.Name)
	}
}

func (w *writer) enum(c *edl.Composite) {
	if len(c.Elements) == 0 {
		// C has no enum without elements; one of that name is an int.
		if c.Name != "" {
			w.f("typedef enum %s { EDGE_NOTHING_IN_%s } %s;\n\n", c.Name, c.Name, c.Name)
		}
		return
	}
	if c.Name == "" {
		w.f("enum {\n")
	} else {
		w.f("typedef enum %s {\n", c.Name)
	}
	for _, e := range c.Elements {
		switch {
		case e.Value == nil:
			w.f("\t%s,\n", e.Name)
		case e.Value.Name != "":
			w.f("\t%s = %s,\n", e.Name, e.Value.Name)
		default:
			w.f("\t%s = %d,\n", e.Name, e.Value.Number)
		}
	}
	if c.Name == "" {
		w.f("};\n\n")
	} else {
		w.f("} %s;\n\n", c.Name)
	}
}
