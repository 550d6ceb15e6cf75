/*
 * sample_t.h: the enclave's side of the interface sample.
 * Generated from sample.edl. Change that, not this.
 */
#ifndef SAMPLE_T_H__
#define SAMPLE_T_H__

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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

/* For the enclave to implement. Buffers are copies inside, those of user_check
 * are the host's and may be anywhere. */
void start(void);
int add(int ms, int status);
size_t greet(const char *name, char *text, size_t size);
void sort(uint32_t *values, uint32_t count, struct range *i);
void wide(wchar_t *text);
union value grid(uint8_t cells[2][3], enum mode pms);
uint32_t keys(key_array key, item_ptr items, size_t n);
void blobs(struct blob *list, size_t n);
int later(void *eid);

/* Calls to the host. The result of one is in *retval if SGX_SUCCESS is
 * returned; retval may be NULL. The host may return anything. */
sgx_status_t SGX_CDECL tick(void);
sgx_status_t SGX_CDECL print(int *retval, const char *s);
sgx_status_t SGX_CDECL read(uint32_t *retval, void *buf, uint32_t room);
sgx_status_t SGX_CDECL put(struct blob *b, long next[2], char *total);
sgx_status_t SGX_CDECL forget(void);

#ifdef __cplusplus
}
#endif

#endif
