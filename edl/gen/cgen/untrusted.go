package cgen

import (
	"strings"

	"github.com/feidi-dev/feidi/edl/plan"
)

// untrustedSource writes X_u.c: a bridge for every OCALL, by which the
// enclave's call reaches the host's function, and the proxies of the ECALLs.
func (w *writer) untrustedSource() {
	w.f("/*\n * %s_u.c: how the host calls the enclave, and is called.\n * Generated from %s.edl. Change that, not this.\n */\n", w.plan.Interface.Name, w.plan.Interface.Name)
	w.f("#include \"%s_u.h\"\n#include <errno.h>\n\n", w.plan.Interface.Name)
	w.marshalling()
	if len(w.plan.ECalls) == 0 {
		return // and nobody to hand the OCALLs to
	}
	for _, c := range w.plan.OCalls {
		w.ocallBridge(c)
	}
	w.f("/* The OCALLs by index. */\nstatic const struct {\n\tsize_t nr_ocall;\n\tvoid *table[%d];\n} ocall_table_%s = {\n\t%d,\n\t{\n",
		max(len(w.plan.OCalls), 1), w.ident, len(w.plan.OCalls))
	if len(w.plan.OCalls) == 0 {
		w.f("\t\tNULL,\n")
	}
	for _, c := range w.plan.OCalls {
		w.f("\t\t(void *)(uintptr_t)%s_%s,\n", w.ident, c.Name)
	}
	w.f("\t}\n};\n")
	for _, c := range w.plan.ECalls {
		w.f("\n")
		w.ecallProxyBody(c)
	}
}

func (w *writer) ocallBridge(c *plan.Call) {
	w.f("/* OCALL %d */\nstatic sgx_status_t SGX_CDECL %s_%s(void *pms)\n{\n", c.Index, w.ident, c.Name)
	if !c.HasMS() {
		w.f("\tif (pms != NULL)\n\t\treturn SGX_ERROR_INVALID_PARAMETER;\n\t%s();\n\treturn SGX_SUCCESS;\n}\n\n", c.Name)
		return
	}
	w.f("\tms_%s_t *edge_ms = SGX_CAST(ms_%s_t *, pms);\n\n\t", c.Name, c.Name)
	if c.Result != nil {
		w.f("edge_ms->ms_retval = ")
	}
	var args []string
	for _, p := range c.Params {
		args = append(args, argument(p, "edge_ms->ms_"+p.Name))
	}
	w.f("%s(%s);\n", c.Name, strings.Join(args, ", "))
	if c.Errno != nil {
		w.f("\tedge_ms->ocall_errno = errno;\n")
	}
	w.f("\treturn SGX_SUCCESS;\n}\n\n")
}

// argument makes an argument of what the marshalling structure, or a copy of
// the buffer, holds.
func argument(p *plan.Param, from string) string {
	switch {
	case p.IsAry:
		return "(" + from + " != NULL) ? (*" + from + ") : NULL"
	case len(p.Dims) > 1:
		return "(" + spellType(p.Param.Type) + " (*)" + spellDims(p.Dims[1:]) + ")" + from
	}
	return from
}

func (w *writer) ecallProxyBody(c *plan.Call) {
	call := "sgx_ecall"
	if c.Switchless {
		call = "sgx_ecall_switchless"
	}
	eid := enclaveName(c)
	w.f("/* ECALL %d */\n%s\n{\n", c.Index, w.ecallProxy(c))
	if !c.HasMS() {
		w.f("\treturn %s(%s, %d, &ocall_table_%s, NULL);\n}\n", call, eid, c.Index, w.ident)
		return
	}
	w.f("\tms_%s_t edge_ms;\n", c.Name)
	if c.Result != nil {
		w.f("\tsgx_status_t edge_status;\n")
	}
	w.f("\n")
	for _, p := range c.Params {
		switch {
		case p.IsAry:
			w.f("\tedge_ms.ms_%s = (%s)&%s[0];\n", p.Name, spellType(p.Type.Type), p.Name)
		case len(p.Dims) > 0:
			w.f("\tedge_ms.ms_%s = (%s)%s;\n", p.Name, spellType(p.Type.Type), p.Name)
		default:
			w.f("\tedge_ms.ms_%s = %s;\n", p.Name, p.Name)
		}
		switch {
		case !p.HasLen:
		case p.Pass == plan.WString:
			w.f("\tedge_ms.ms_%s_len = %s ? (wcslen(%s) + 1) * sizeof(wchar_t) : 0;\n", p.Name, p.Name, p.Name)
		default:
			w.f("\tedge_ms.ms_%s_len = %s ? strlen((const char *)%s) + 1 : 0;\n", p.Name, p.Name, p.Name)
		}
	}
	if c.Result == nil {
		w.f("\treturn %s(%s, %d, &ocall_table_%s, &edge_ms);\n}\n", call, eid, c.Index, w.ident)
		return
	}
	w.f("\tedge_status = %s(%s, %d, &ocall_table_%s, &edge_ms);\n", call, eid, c.Index, w.ident)
	w.f("\tif (edge_status == SGX_SUCCESS && retval)\n\t\t*retval = edge_ms.ms_retval;\n\treturn edge_status;\n}\n")
}
