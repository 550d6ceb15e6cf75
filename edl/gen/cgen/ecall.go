package cgen

import (
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

const invalid = "return SGX_ERROR_INVALID_PARAMETER;"

// ecallBridge writes what the runtime calls for an ECALL. The order is that
// of what it must not get wrong: one copy of the marshalling structure, all
// checks, a fence, copies of the buffers, the call, what goes back.
func (w *writer) ecallBridge(c *plan.Call) {
	w.f("/* ECALL %d */\nstatic sgx_status_t SGX_CDECL sgx_%s(void *pms)\n{\n", c.Index, c.Name)
	if !c.HasMS() {
		w.f("\tif (pms != NULL)\n\t\t%s\n\t%s();\n\treturn SGX_SUCCESS;\n}\n\n", invalid, c.Name)
		return
	}
	ms := func(name string) string { return "edge_ms.ms_" + name }
	var buffers []*plan.Param
	for _, p := range c.Params {
		if p.Buffer != nil {
			buffers = append(buffers, p)
		}
	}

	w.f("\tms_%s_t edge_ms;\n\tsgx_status_t edge_status;\n", c.Name)
	if c.Result != nil {
		w.f("\t%s;\n", declare(c.Result.Type.Type, "edge_result"))
	}
	for _, p := range buffers {
		w.f("\tsize_t edge_len_%s;\n\tvoid *edge_in_%s = NULL;\n", p.Name, p.Name)
		if p.Buffer.Deep {
			w.f("\tvoid *edge_deep_%s = NULL;\n", p.Name)
		}
	}
	w.f("\n\tedge_status = edge_enter(&edge_ms, pms, sizeof(edge_ms));\n\tif (edge_status != SGX_SUCCESS)\n\t\treturn edge_status;\n")

	if len(buffers) > 0 {
		w.f("\n")
	}
	for _, p := range buffers {
		if p.HasLen {
			w.f("\tedge_len_%s = %s_len;\n", p.Name, ms(p.Name))
		} else {
			w.length("\t", "edge_len_"+p.Name, p.Buffer, p.Name, invalid, ms)
		}
	}
	for _, p := range buffers {
		w.f("\tif (!edge_is_outside(%s, edge_len_%s))\n\t\t%s\n", ms(p.Name), p.Name, invalid)
	}
	if len(buffers) > 0 {
		w.f("\tsgx_lfence();\n")
	}
	for _, p := range buffers {
		w.f("\n")
		w.ecallIn(p, ms(p.Name))
	}
	w.ecallInvoke(c)
	for _, p := range buffers {
		w.ecallOut(p, ms(p.Name))
	}
	if len(buffers) > 0 {
		w.f("\nedge_end:\n")
	}
	for _, p := range buffers {
		if p.Buffer.Deep {
			w.f("\tfree(edge_deep_%s);\n", p.Name)
		}
		w.f("\tfree(edge_in_%s);\n", p.Name)
	}
	w.f("\treturn edge_status;\n}\n\n")
}

const orEnd = "\tif (edge_status != SGX_SUCCESS)\n\t\tgoto edge_end;\n"

// ecallIn makes the copy of a buffer inside.
func (w *writer) ecallIn(p *plan.Param, from string) {
	if p.Pass == plan.Copied && partial(p.Buffer) {
		w.f("\tif (%s != NULL && edge_len_%s %% %s != 0) {\n\t\tedge_status = SGX_ERROR_INVALID_PARAMETER;\n\t\tgoto edge_end;\n\t}\n",
			from, p.Name, elemSize(p.Buffer, from))
	}
	copier := "edge_copy_in"
	switch {
	case p.Direction == edl.Out:
		copier = "edge_zeros"
	case p.Pass == plan.String:
		copier = "edge_string_in"
	case p.Pass == plan.WString:
		copier = "edge_wstring_in"
	}
	w.f("\tedge_status = %s(&edge_in_%s, %s, edge_len_%s);\n%s", copier, p.Name, from, p.Name, orEnd)
	if p.Buffer.Deep {
		s, keep := p.Buffer.Elem.Name, 0
		if p.Direction == edl.InOut {
			keep = 1
		}
		w.f("\tedge_status = edge_%s_in((struct %s *)edge_in_%s, edge_len_%s / sizeof(struct %s), &edge_deep_%s, %d);\n%s",
			s, s, p.Name, p.Name, s, p.Name, keep, orEnd)
	}
}

// ecallInvoke calls the enclave's function and returns its result.
func (w *writer) ecallInvoke(c *plan.Call) {
	var args []string
	for _, p := range c.Params {
		args = append(args, ecallArgument(p))
	}
	w.f("\n\t")
	if c.Result != nil {
		w.f("edge_result = ")
	}
	w.f("%s(%s);\n", c.Name, strings.Join(args, ", "))
	if c.Result != nil {
		w.f("\tedge_status = edge_copy_out(&SGX_CAST(ms_%s_t *, pms)->ms_retval, &edge_result, sizeof(edge_result));\n", c.Name)
	}
}

// ecallArgument is a parameter from the copies that the bridge has made.
func ecallArgument(p *plan.Param) string {
	switch {
	case p.Buffer == nil:
		return argument(p, "edge_ms.ms_"+p.Name)
	case p.IsAry:
		return argument(p, "(("+spellType(p.Type.Type)+")edge_in_"+p.Name+")")
	case len(p.Dims) > 1:
		return argument(p, "edge_in_"+p.Name)
	}
	return "(" + spellType(p.Type.Type) + ")edge_in_" + p.Name
}

// ecallOut copies a buffer back to the host.
func (w *writer) ecallOut(p *plan.Param, to string) {
	if p.Direction&edl.Out == 0 {
		return
	}
	switch p.Pass {
	case plan.String:
		w.f("\tedge_len_%s = edge_string_end((char *)edge_in_%s, edge_len_%s);\n", p.Name, p.Name, p.Name)
	case plan.WString:
		w.f("\tedge_len_%s = edge_wstring_end((wchar_t *)edge_in_%s, edge_len_%s);\n", p.Name, p.Name, p.Name)
	}
	if p.Buffer.Deep {
		s := p.Buffer.Elem.Name
		w.f("\tif (edge_status == SGX_SUCCESS)\n\t\tedge_status = edge_%s_out((struct %s *)edge_in_%s, edge_len_%s / sizeof(struct %s), (const struct edge_buffer *)edge_deep_%s);\n",
			s, s, p.Name, p.Name, s, p.Name)
	}
	w.f("\tif (edge_status == SGX_SUCCESS && edge_in_%s != NULL)\n\t\tedge_status = edge_copy_out(%s, edge_in_%s, edge_len_%s);\n", p.Name, to, p.Name, p.Name)
}
