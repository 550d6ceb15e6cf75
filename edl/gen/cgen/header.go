package cgen

import (
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// header opens a header file, up to and with the types.
func (w *writer) header(side, guard string, standard ...string) {
	w.f("/*\n * %s: %s side of the interface %s.\n * Generated from %s.edl. Change that, not this.\n */\n",
		w.plan.Interface.Name+"_"+strings.ToLower(guard)+".h", side, w.plan.Interface.Name, w.plan.Interface.Name)
	macro := strings.ToUpper(w.ident) + "_" + guard + "_H__"
	w.f("#ifndef %s\n#define %s\n\n", macro, macro)
	for _, name := range standard {
		w.f("#include <%s>\n", name)
	}
	if usesBool(w.plan) {
		w.f("#include <stdbool.h>\n")
	}
	w.f("#include \"sgx_edger8r.h\" /* sgx_status_t, sgx_ecall, sgx_ocall */\n\n")
	for _, name := range w.plan.Interface.Includes {
		w.f("#include \"%s\"\n", name)
	}
	w.f(`
#ifndef SGX_CAST
#define SGX_CAST(type, item) ((type)(item))
#endif

#ifdef __cplusplus
extern "C" {
#endif

`)
	w.composites()
}

func (w *writer) headerEnd() {
	w.f(`
#ifdef __cplusplus
}
#endif

#endif
`)
}

// untrustedHeader writes X_u.h: the OCALLs, which the host implements, and a
// proxy of every ECALL, which it calls.
func (w *writer) untrustedHeader() {
	w.header("the host's", "U", "stddef.h", "stdint.h", "stdlib.h", "string.h", "wchar.h")
	if len(w.plan.OCalls) > 0 {
		w.f("/* For the host to implement. */\n")
	}
	for _, c := range w.plan.OCalls {
		guard := strings.ToUpper(c.Name) + "_DEFINED__"
		w.f("#ifndef %s\n#define %s\n", guard, guard)
		if c.DLLImport {
			w.f("SGX_DLLIMPORT ")
		}
		w.f("%s SGX_UBRIDGE(%s, %s, (%s));\n#endif\n", spellType(c.Func.Result), convention(c.Convention), c.Name, paramList(c.Params))
	}
	if len(w.plan.ECalls) > 0 {
		w.f("\n/* Calls into the enclave. The result of one is in *retval if SGX_SUCCESS is\n * returned; retval may be NULL. */\n")
	}
	for _, c := range w.plan.ECalls {
		w.f("%s;\n", w.ecallProxy(c))
	}
	w.headerEnd()
}

// trustedHeader writes X_t.h: the ECALLs, which the enclave implements, and a
// proxy of every OCALL, which it calls.
func (w *writer) trustedHeader() {
	w.header("the enclave's", "T", "stddef.h", "stdint.h", "stdlib.h", "wchar.h")
	if len(w.plan.ECalls) > 0 {
		w.f("/* For the enclave to implement. Buffers are copies inside, those of user_check\n * are the host's and may be anywhere. */\n")
	}
	for _, c := range w.plan.ECalls {
		w.f("%s(%s);\n", declare(c.Func.Result, c.Name), paramList(c.Params))
	}
	if len(w.plan.OCalls) > 0 {
		w.f("\n/* Calls to the host. The result of one is in *retval if SGX_SUCCESS is\n * returned; retval may be NULL. The host may return anything. */\n")
	}
	for _, c := range w.plan.OCalls {
		w.f("%s;\n", ocallProxy(c))
	}
	w.headerEnd()
}

// ecallProxy is the prototype of what the host calls.
func (w *writer) ecallProxy(c *plan.Call) string {
	name := c.Name
	if w.options.UsePrefix {
		name = w.ident + "_" + name
	}
	first := []string{"sgx_enclave_id_t " + enclaveName(c)}
	if c.Result != nil {
		first = append(first, declareResult(c))
	}
	return "sgx_status_t " + name + "(" + paramList(c.Params, first...) + ")"
}

// enclaveName is the name of a proxy's parameter for the enclave.
func enclaveName(c *plan.Call) string {
	for _, p := range c.Params {
		if p.Name == "eid" {
			return "edge_eid"
		}
	}
	return "eid"
}

// ocallProxy is the prototype of what the enclave calls.
func ocallProxy(c *plan.Call) string {
	var first []string
	if c.Result != nil {
		first = append(first, declareResult(c))
	}
	return "sgx_status_t SGX_CDECL " + c.Name + "(" + paramList(c.Params, first...) + ")"
}

func convention(c string) string {
	switch c {
	case "cdecl", "stdcall", "fastcall":
		return "SGX_" + strings.ToUpper(c)
	}
	return "SGX_NOCONVENTION"
}

// usesBool reports whether the bool of the Open Enclave dialect appears.
func usesBool(p *plan.Plan) bool {
	for _, c := range p.Interface.Types {
		for _, m := range c.Members {
			if m.Type.Kind == edl.Bool {
				return true
			}
		}
	}
	for _, fs := range [][]*edl.Func{p.Interface.ECalls, p.Interface.OCalls} {
		for _, f := range fs {
			if f.Result.Kind == edl.Bool {
				return true
			}
			for _, q := range f.Params {
				if q.Type.Kind == edl.Bool {
					return true
				}
			}
		}
	}
	return false
}
