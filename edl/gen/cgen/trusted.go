package cgen

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
