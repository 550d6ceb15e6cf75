package cgen

import (
	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// ocallProxyBody writes what the enclave calls for an OCALL. The marshalling
// structure and every buffer go to one block on the stack of the host.
func (w *writer) ocallProxyBody(c *plan.Call) {
	call := "sgx_ocall"
	if c.Switchless {
		call = "sgx_ocall_switchless"
	}
	w.f("\n/* OCALL %d */\n%s\n{\n", c.Index, ocallProxy(c))
	if !c.HasMS() {
		w.f("\treturn %s(%d, NULL);\n}\n", call, c.Index)
		return
	}
	var buffers []*plan.Param
	for _, p := range c.Params {
		if p.Buffer != nil {
			buffers = append(buffers, p)
		}
	}
	w.f("\tms_%s_t *edge_ms;\n\tsgx_status_t edge_status;\n\tsize_t edge_total = 0;\n\tchar *edge_next;\n", c.Name)
	if len(c.Params) > 0 {
		w.f("\tint edge_bad = 0;\n")
	}
	for _, p := range buffers {
		w.f("\tsize_t edge_len_%s;\n\tvoid *edge_host_%s = NULL;\n", p.Name, p.Name)
		if p.Buffer.Deep && p.Direction == edl.InOut {
			w.f("\tchar *edge_deep_%s = NULL;\n", p.Name)
		}
	}
	w.f("\n")
	for _, p := range buffers {
		w.ocallCheck(p)
	}
	w.ocallRoom(c, buffers)
	if len(c.Params) > 0 {
		w.f("\n")
	}
	for _, p := range c.Params {
		if p.Buffer == nil {
			w.f("\tedge_bad |= edge_put(&edge_ms->ms_%s, &%s, sizeof(edge_ms->ms_%s));\n", p.Name, p.Name, p.Name)
		} else {
			w.ocallPut(p)
		}
	}
	if len(c.Params) > 0 {
		w.f("\tedge_status = edge_bad ? SGX_ERROR_UNEXPECTED : %s(%d, edge_ms);\n", call, c.Index)
	} else {
		w.f("\tedge_status = %s(%d, edge_ms);\n", call, c.Index)
	}
	w.ocallBack(c, buffers)
	w.f("\tsgx_ocfree();\n\treturn edge_status;\n}\n")
}

// ocallCheck finds the length of a buffer and checks it to be inside.
func (w *writer) ocallCheck(p *plan.Param) {
	name := p.Name
	switch p.Pass {
	case plan.String:
		w.f("\tedge_len_%s = edge_string_size((const char *)%s);\n", name, name)
	case plan.WString:
		w.f("\tedge_len_%s = edge_wstring_size(%s);\n", name, name)
	default:
		w.length("\t", "edge_len_"+name, p.Buffer, name, invalid, func(s string) string { return s })
	}
	w.f("\tif (!edge_is_inside(%s, edge_len_%s))\n\t\t%s\n", name, name, invalid)
	if p.Pass == plan.Copied && partial(p.Buffer) {
		w.f("\tif (%s != NULL && edge_len_%s %% %s != 0)\n\t\t%s\n", name, name, elemSize(p.Buffer, name), invalid)
	}
}

// ocallRoom adds up what goes to the host, and gets room for it there.
func (w *writer) ocallRoom(c *plan.Call, buffers []*plan.Param) {
	w.f("\tif (!edge_add(&edge_total, sizeof(*edge_ms))")
	for _, p := range buffers {
		w.f(" ||\n\t    !edge_add(&edge_total, %s != NULL ? edge_len_%s : 0)", p.Name, p.Name)
	}
	w.f(")\n\t\t%s\n", invalid)
	for _, p := range buffers {
		if p.Buffer.Deep {
			s := p.Buffer.Elem.Name
			w.f("\tedge_status = edge_%s_room(%s, edge_len_%s / sizeof(struct %s), &edge_total);\n\tif (edge_status != SGX_SUCCESS)\n\t\treturn edge_status;\n", s, p.Name, p.Name, s)
		}
	}
	w.f("\tedge_next = (char *)sgx_ocalloc(edge_total);\n\tif (edge_next == NULL) {\n\t\tsgx_ocfree();\n\t\treturn SGX_ERROR_UNEXPECTED;\n\t}\n")
	w.f("\tedge_ms = (ms_%s_t *)edge_place(&edge_next, sizeof(*edge_ms));\n", c.Name)
}

// ocallPut places a buffer outside, and its address in the structure.
func (w *writer) ocallPut(p *plan.Param) {
	name := p.Name
	w.f("\tif (%s != NULL) {\n\t\tedge_host_%s = edge_place(&edge_next, edge_len_%s);\n", name, name, name)
	switch {
	case p.Direction == edl.Out:
		w.f("\t\tedge_fill(edge_host_%s, edge_len_%s);\n", name, name)
	case p.Buffer.Deep:
		if p.Direction == edl.InOut {
			w.f("\t\tedge_deep_%s = edge_next;\n", name)
		}
		s := p.Buffer.Elem.Name
		w.f("\t\tedge_bad |= edge_%s_put((struct %s *)edge_host_%s, %s, edge_len_%s / sizeof(struct %s), &edge_next);\n", s, s, name, name, name, s)
	default:
		w.f("\t\tedge_bad |= edge_put(edge_host_%s, %s, edge_len_%s);\n", name, name, name)
	}
	w.f("\t}\n\tedge_bad |= edge_put(&edge_ms->ms_%s, &edge_host_%s, sizeof(edge_ms->ms_%s));\n", name, name, name)
}

// ocallBack takes what the host has returned: from where the enclave has put
// it, whatever the structure says now.
func (w *writer) ocallBack(c *plan.Call, buffers []*plan.Param) {
	if c.Result != nil {
		w.f("\tif (edge_status == SGX_SUCCESS && retval != NULL)\n\t\tedge_status = edge_get(retval, &edge_ms->ms_retval, sizeof(*retval));\n")
	}
	for _, p := range buffers {
		if p.Direction&edl.Out == 0 {
			continue
		}
		w.f("\tif (edge_status == SGX_SUCCESS && %s != NULL)\n\t\tedge_status = ", p.Name)
		s := p.Buffer.Elem.Name
		switch {
		case p.Pass == plan.String:
			w.f("edge_string_get((char *)%s, edge_host_%s, edge_len_%s);\n", p.Name, p.Name, p.Name)
		case p.Pass == plan.WString:
			w.f("edge_wstring_get(%s, edge_host_%s, edge_len_%s);\n", p.Name, p.Name, p.Name)
		case p.Buffer.Deep:
			w.f("edge_%s_back(%s, edge_len_%s / sizeof(struct %s), (const struct %s *)edge_host_%s, edge_deep_%s);\n", s, p.Name, p.Name, s, s, p.Name, p.Name)
		default:
			w.f("edge_get((void *)%s, edge_host_%s, edge_len_%s);\n", p.Name, p.Name, p.Name)
		}
	}
	if c.Errno != nil {
		w.f("\tif (edge_status == SGX_SUCCESS)\n\t\terrno = edge_ms->ocall_errno;\n")
	}
}
