/* What generated code needs of the SDK's header of this name. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum {
	SGX_SUCCESS = 0,
	SGX_ERROR_UNEXPECTED = 1,
	SGX_ERROR_INVALID_PARAMETER = 2,
	SGX_ERROR_OUT_OF_MEMORY = 3,
	SGX_ERROR_INVALID_FUNCTION = 0x1001,
	SGX_ERROR_ECALL_NOT_ALLOWED = 0x1007,
} sgx_status_t;

typedef uint64_t sgx_enclave_id_t;

#ifdef __cplusplus
#define SGX_EXTERNC extern "C"
extern "C" {
#else
#define SGX_EXTERNC
#endif

#define SGX_CDECL
#define SGX_STDCALL
#define SGX_FASTCALL
#define SGX_NOCONVENTION
#define SGX_DLLIMPORT
#define SGX_UBRIDGE(convention, name, params) convention name params

void *sgx_ocalloc(size_t size);
void sgx_ocfree(void);
sgx_status_t sgx_ecall(sgx_enclave_id_t eid, int index, const void *ocall_table, void *ms);
sgx_status_t sgx_ecall_switchless(sgx_enclave_id_t eid, int index, const void *ocall_table, void *ms);
sgx_status_t sgx_ocall(unsigned int index, void *ms);
sgx_status_t sgx_ocall_switchless(unsigned int index, void *ms);

#ifdef __cplusplus
}
#endif
