package cgen

import (
	"fmt"
	"math"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// trustedSource writes X_t.c: a bridge for every ECALL, which checks and
// copies what the host hands in, the tables that the runtime finds them by,
// and the proxies of the OCALLs.
func (w *writer) trustedSource() {
	body := &writer{plan: w.plan, options: w.options, ident: w.ident}
	body.marshalling()
	body.deepHelpers()
	for _, c := range w.plan.ECalls {
		body.ecallBridge(c)
	}
	body.tables()
	for _, c := range w.plan.OCalls {
		body.ocallProxyBody(c)
	}

	w.f("/*\n * %s_t.c: how the enclave is called, and calls its host.\n * Generated from %s.edl. Change that, not this.\n */\n", w.plan.Interface.Name, w.plan.Interface.Name)
	w.f("#include \"%s_t.h\"\n", w.plan.Interface.Name)
	w.WriteString(`#include "sgx_trts.h"   /* sgx_is_outside_enclave, sgx_is_within_enclave */
#include "sgx_lfence.h" /* sgx_lfence */

#include <errno.h>
#include <mbusafecrt.h> /* memcpy_s, memcpy_verw_s */
#include <stdlib.h>
#include <string.h>

`)
	w.WriteString(usedHelpers(body.String()))
	w.WriteString(body.String())
}

// tables writes the ECALLs by index, and which of them each OCALL allows.
func (w *writer) tables() {
	bit := map[bool]int{true: 1}
	w.f("/* The ECALLs by index. */\nSGX_EXTERNC const struct {\n\tsize_t nr_ecall;\n")
	w.f("\tstruct { void *ecall_addr; uint8_t is_priv; uint8_t is_switchless; } ecall_table[%d];\n} g_ecall_table = {\n\t%d,\n", len(w.plan.ECalls), len(w.plan.ECalls))
	if len(w.plan.ECalls) > 0 {
		w.f("\t{\n")
		for _, c := range w.plan.ECalls {
			w.f("\t\t{ (void *)(uintptr_t)sgx_%s, %d, %d },\n", c.Name, bit[!c.Public], bit[c.Switchless])
		}
		w.f("\t}\n")
	}
	w.f("};\n\n/* Which ECALLs (columns) may be called in which OCALL (rows). */\nSGX_EXTERNC const struct {\n\tsize_t nr_ocall;\n")
	table := len(w.plan.ECalls) > 0 && len(w.plan.OCalls) > 0
	if table {
		w.f("\tuint8_t entry_table[%d][%d];\n", len(w.plan.OCalls), len(w.plan.ECalls))
	}
	w.f("} g_dyn_entry_table = {\n\t%d,\n", len(w.plan.OCalls))
	if table {
		w.f("\t{\n")
		for _, row := range w.plan.Allowed {
			w.f("\t\t{ ")
			for _, allowed := range row {
				w.f("%d, ", bit[allowed])
			}
			w.f("},\n")
		}
		w.f("\t}\n")
	}
	w.f("};\n")
}

// cNumber is a constant of type size_t.
func cNumber(n uint64) string {
	if n > math.MaxInt32 {
		return fmt.Sprintf("%dUL", n)
	}
	return fmt.Sprint(n)
}

// cElem is the size of an element of a buffer. self is the pointer to it.
func cElem(b *plan.Buffer, self string) string {
	if strings.HasPrefix(b.Elem.Name, "*") { // an isptr type
		return "sizeof(*" + self + ")"
	}
	return "sizeof(" + cType(b.Elem.Type) + ")"
}

// length computes the length of a buffer into the variable to, and does
// otherwise if it overflows. value is how a parameter or member is read.
func (w *writer) length(indent, to string, b *plan.Buffer, name, otherwise string, value func(name string) string) {
	read := func(o *edl.Operand) string {
		if o.Name == "" {
			return cNumber(o.Number)
		}
		return "(size_t)" + value(o.Name)
	}
	size := cElem(b, value(name))
	if b.Size != nil {
		size = read(b.Size)
	}
	switch {
	case b.Fixed > 0:
		w.f("%s%s = %s * %s;\n", indent, to, cNumber(b.Fixed), size)
	case b.Count == nil:
		w.f("%s%s = %s;\n", indent, to, size)
	default:
		w.f("%sif (!edge_product(%s, %s, &%s))\n%s\t%s\n", indent, size, read(b.Count), to, indent, otherwise)
	}
}

// partial reports whether a length can come out as no whole number of
// elements where it must.
func partial(b *plan.Buffer) bool { return b.Size != nil && b.Whole() && b.Elem.Size != 1 }
