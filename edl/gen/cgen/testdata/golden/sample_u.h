/*
 * sample_u.h: the host's side of the interface sample.
 * Generated from sample.edl. Change that, not this.
 */
#ifndef SAMPLE_U_H__
#define SAMPLE_U_H__

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include "sgx_edger8r.h" /* sgx_status_t, sgx_ecall, sgx_ocall */

#include "loop_types.h"

#ifndef SGX_CAST
#define SGX_CAST(type, item) ((type)(item))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mode {
	READ,
	WRITE = 4,
	BOTH,
} mode;

#ifndef _range
#define _range
typedef struct range {
	uint32_t first;
	uint32_t last;
} range;
#endif

#ifndef _value
#define _value
typedef union value {
	uint64_t whole;
	uint8_t bytes[8];
} value;
#endif

#ifndef _blob
#define _blob
typedef struct blob {
	size_t size;
	void *data;
} blob;
#endif

/* For the host to implement. */
#ifndef TICK_DEFINED__
#define TICK_DEFINED__
void SGX_UBRIDGE(SGX_NOCONVENTION, tick, (void));
#endif
#ifndef PRINT_DEFINED__
#define PRINT_DEFINED__
int SGX_UBRIDGE(SGX_CDECL, print, (const char *s));
#endif
#ifndef READ_DEFINED__
#define READ_DEFINED__
uint32_t SGX_UBRIDGE(SGX_NOCONVENTION, read, (void *buf, uint32_t room));
#endif
#ifndef PUT_DEFINED__
#define PUT_DEFINED__
void SGX_UBRIDGE(SGX_NOCONVENTION, put, (struct blob *b, long next[2], char *total));
#endif
#ifndef FORGET_DEFINED__
#define FORGET_DEFINED__
void SGX_UBRIDGE(SGX_NOCONVENTION, forget, (void));
#endif

/* Calls into the enclave. The result of one is in *retval if SGX_SUCCESS is
 * returned; retval may be NULL. */
sgx_status_t start(sgx_enclave_id_t eid);
sgx_status_t add(sgx_enclave_id_t eid, int *retval, int ms, int status);
sgx_status_t greet(sgx_enclave_id_t eid, size_t *retval, const char *name, char *text, size_t size);
sgx_status_t sort(sgx_enclave_id_t eid, uint32_t *values, uint32_t count, struct range *i);
sgx_status_t wide(sgx_enclave_id_t eid, wchar_t *text);
sgx_status_t grid(sgx_enclave_id_t eid, union value *retval, uint8_t cells[2][3], enum mode pms);
sgx_status_t keys(sgx_enclave_id_t eid, uint32_t *retval, key_array key, item_ptr items, size_t n);
sgx_status_t blobs(sgx_enclave_id_t eid, struct blob *list, size_t n);
sgx_status_t later(sgx_enclave_id_t edge_eid, int *retval, void *eid);

#ifdef __cplusplus
}
#endif

#endif
