// Asks Intel's client of caching services, the QCNL, for all that it can be asked
// for, and prints what it says: a line for each with name, status and, in
// hexadecimal, the bytes.
//
//   qcnl LIBRARY QEID CPUSVN PCESVN PCEID PPID|- FMSPC CA CDP
//
// LIBRARY is libsgx_default_qcnl_wrapper.so; nothing of Intel's is needed to
// compile this. What the library asks, and how, QCNL_CONF_PATH says. The two
// structures are as version 1 of its interface has them, without padding.

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma pack(push, 1)
struct machine {
	uint8_t *qeid;
	uint32_t qeid_size;
	uint8_t *cpusvn, *pcesvn, *ppid;
	uint32_t ppid_size;
	uint8_t suite;
	uint16_t pceid;
};
struct certified {
	int version;
	uint8_t tcbm[18];
	uint32_t size;
	uint8_t *data;
};
#pragma pack(pop)

static void *library;

static void *function(const char *name) {
	void *f = dlsym(library, name);
	if (!f) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	return f;
}

static void print(const char *name, int status, const void *a, size_t na, const void *b, size_t nb) {
	printf("%s %x ", name, status);
	for (size_t i = 0; status == 0 && i < na; i++) printf("%02x", ((const uint8_t *)a)[i]);
	for (size_t i = 0; status == 0 && i < nb; i++) printf("%02x", ((const uint8_t *)b)[i]);
	printf("\n");
}

static uint32_t bytes(const char *digits, uint8_t **out) {
	uint32_t n = strlen(digits) / 2;
	*out = malloc(n + 1);
	for (uint32_t i = 0; i < n; i++) sscanf(digits + 2 * i, "%2hhx", *out + i);
	return n;
}

// Functions that give a buffer with a size of 16 bits.
static void small(const char *name, const char *symbol, const char *arg, uint16_t size) {
	int (*f)(const char *, uint16_t, const char *, uint8_t **, uint16_t *) = function(symbol);
	uint8_t *data = 0;
	uint16_t n = 0;
	int status = f(arg, size, 0, &data, &n);
	print(name, status, data, n, 0, 0);
}

int main(int argc, char **argv) {
	if (argc != 10) return 2;
	if (!(library = dlopen(argv[1], RTLD_NOW))) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	struct machine m = {0};
	uint8_t *fmspc, *pceid;
	m.qeid_size = bytes(argv[2], &m.qeid);
	bytes(argv[3], &m.cpusvn);
	bytes(argv[4], &m.pcesvn);
	bytes(argv[5], &pceid);
	memcpy(&m.pceid, pceid, 2);
	if (strcmp(argv[6], "-")) m.ppid_size = bytes(argv[6], &m.ppid);
	m.suite = 1;
	uint16_t size = bytes(argv[7], &fmspc);

	struct certified *c = 0;
	int (*pck)(const struct machine *, struct certified **) = function("sgx_qcnl_get_pck_cert_chain");
	int status = pck(&m, &c);
	print("pckcert", status, c ? c->tcbm : 0, c ? 18 : 0, c ? c->data : 0, c ? c->size : 0);

	small("pckcrl", "sgx_qcnl_get_pck_crl_chain", argv[8], strlen(argv[8]));
	small("sgx/tcb", "sgx_qcnl_get_tcbinfo", (char *)fmspc, size);
	small("tdx/tcb", "tdx_qcnl_get_tcbinfo", (char *)fmspc, size);

	int (*qe)(int, const char *, uint8_t **, uint16_t *) = function("sgx_qcnl_get_qe_identity");
	uint8_t *data = 0;
	uint16_t n = 0;
	status = qe(0, 0, &data, &n);
	print("sgx/qe", status, data, n, 0, 0);
	status = qe(1, 0, &data, &n);
	print("tdx/qe", status, data, n, 0, 0);

	int (*qve)(const char *, char **, uint32_t *, char **, uint32_t *) = function("sgx_qcnl_get_qve_identity");
	char *identity = 0, *chain = 0;
	uint32_t ni = 0, nc = 0;
	status = qve(0, &identity, &ni, &chain, &nc);
	print("sgx/qve", status, identity, ni, chain, nc);

	int (*root)(const char *, const char *, uint8_t **, uint16_t *) = function("sgx_qcnl_get_root_ca_crl");
	status = root(argv[9], 0, &data, &n);
	print("rootcacrl", status, data, n, 0, 0);

	int (*policy)(const char *, uint16_t, uint8_t **, uint32_t *) = function("tee_qcnl_get_default_platform_policy");
	status = policy((char *)fmspc, size, &data, &ni);
	print("policy", status, data, ni, 0, 0);
	return 0;
}
