/*
 * sample_u.c: how the host calls the enclave, and is called.
 * Generated from sample.edl. Change that, not this.
 */
#include "sample_u.h"
#include <errno.h>

typedef struct ms_add_t {
	int ms_retval;
	int ms_ms;
	int ms_status;
} ms_add_t;

typedef struct ms_greet_t {
	size_t ms_retval;
	const char *ms_name;
	size_t ms_name_len;
	char *ms_text;
	size_t ms_size;
} ms_greet_t;

typedef struct ms_sort_t {
	uint32_t *ms_values;
	uint32_t ms_count;
	struct range *ms_i;
} ms_sort_t;

typedef struct ms_wide_t {
	wchar_t *ms_text;
	size_t ms_text_len;
} ms_wide_t;

typedef struct ms_grid_t {
	union value ms_retval;
	uint8_t *ms_cells;
	enum mode ms_pms;
} ms_grid_t;

typedef struct ms_keys_t {
	uint32_t ms_retval;
	key_array *ms_key;
	item_ptr ms_items;
	size_t ms_n;
} ms_keys_t;

typedef struct ms_blobs_t {
	struct blob *ms_list;
	size_t ms_n;
} ms_blobs_t;

typedef struct ms_later_t {
	int ms_retval;
	void *ms_eid;
} ms_later_t;

typedef struct ms_print_t {
	int ms_retval;
	int ocall_errno;
	const char *ms_s;
} ms_print_t;

typedef struct ms_read_t {
	uint32_t ms_retval;
	void *ms_buf;
	uint32_t ms_room;
} ms_read_t;

typedef struct ms_put_t {
	struct blob *ms_b;
	long *ms_next;
	char *ms_total;
} ms_put_t;

typedef struct ms_forget_t {
	int ocall_errno;
} ms_forget_t;

/* OCALL 0 */
static sgx_status_t SGX_CDECL sample_tick(void *pms)
{
	if (pms != NULL)
		return SGX_ERROR_INVALID_PARAMETER;
	tick();
	return SGX_SUCCESS;
}

/* OCALL 1 */
static sgx_status_t SGX_CDECL sample_print(void *pms)
{
	ms_print_t *edge_ms = SGX_CAST(ms_print_t *, pms);

	edge_ms->ms_retval = print(edge_ms->ms_s);
	edge_ms->ocall_errno = errno;
	return SGX_SUCCESS;
}

/* OCALL 2 */
static sgx_status_t SGX_CDECL sample_read(void *pms)
{
	ms_read_t *edge_ms = SGX_CAST(ms_read_t *, pms);

	edge_ms->ms_retval = read(edge_ms->ms_buf, edge_ms->ms_room);
	return SGX_SUCCESS;
}

/* OCALL 3 */
static sgx_status_t SGX_CDECL sample_put(void *pms)
{
	ms_put_t *edge_ms = SGX_CAST(ms_put_t *, pms);

	put(edge_ms->ms_b, edge_ms->ms_next, edge_ms->ms_total);
	return SGX_SUCCESS;
}

/* OCALL 4 */
static sgx_status_t SGX_CDECL sample_forget(void *pms)
{
	ms_forget_t *edge_ms = SGX_CAST(ms_forget_t *, pms);

	forget();
	edge_ms->ocall_errno = errno;
	return SGX_SUCCESS;
}

/* The OCALLs by index. */
static const struct {
	size_t nr_ocall;
	void *table[5];
} ocall_table_sample = {
	5,
	{
		(void *)(uintptr_t)sample_tick,
		(void *)(uintptr_t)sample_print,
		(void *)(uintptr_t)sample_read,
		(void *)(uintptr_t)sample_put,
		(void *)(uintptr_t)sample_forget,
	}
};

/* ECALL 0 */
sgx_status_t start(sgx_enclave_id_t eid)
{
	return sgx_ecall(eid, 0, &ocall_table_sample, NULL);
}

/* ECALL 1 */
sgx_status_t add(sgx_enclave_id_t eid, int *retval, int ms, int status)
{
	ms_add_t edge_ms;
	sgx_status_t edge_status;

	edge_ms.ms_ms = ms;
	edge_ms.ms_status = status;
	edge_status = sgx_ecall(eid, 1, &ocall_table_sample, &edge_ms);
	if (edge_status == SGX_SUCCESS && retval)
		*retval = edge_ms.ms_retval;
	return edge_status;
}

/* ECALL 2 */
sgx_status_t greet(sgx_enclave_id_t eid, size_t *retval, const char *name, char *text, size_t size)
{
	ms_greet_t edge_ms;
	sgx_status_t edge_status;

	edge_ms.ms_name = name;
	edge_ms.ms_name_len = name ? strlen((const char *)name) + 1 : 0;
	edge_ms.ms_text = text;
	edge_ms.ms_size = size;
	edge_status = sgx_ecall(eid, 2, &ocall_table_sample, &edge_ms);
	if (edge_status == SGX_SUCCESS && retval)
		*retval = edge_ms.ms_retval;
	return edge_status;
}

/* ECALL 3 */
sgx_status_t sort(sgx_enclave_id_t eid, uint32_t *values, uint32_t count, struct range *i)
{
	ms_sort_t edge_ms;

	edge_ms.ms_values = values;
	edge_ms.ms_count = count;
	edge_ms.ms_i = i;
	return sgx_ecall(eid, 3, &ocall_table_sample, &edge_ms);
}

/* ECALL 4 */
sgx_status_t wide(sgx_enclave_id_t eid, wchar_t *text)
{
	ms_wide_t edge_ms;

	edge_ms.ms_text = text;
	edge_ms.ms_text_len = text ? (wcslen(text) + 1) * sizeof(wchar_t) : 0;
	return sgx_ecall(eid, 4, &ocall_table_sample, &edge_ms);
}

/* ECALL 5 */
sgx_status_t grid(sgx_enclave_id_t eid, union value *retval, uint8_t cells[2][3], enum mode pms)
{
	ms_grid_t edge_ms;
	sgx_status_t edge_status;

	edge_ms.ms_cells = (uint8_t *)cells;
	edge_ms.ms_pms = pms;
	edge_status = sgx_ecall(eid, 5, &ocall_table_sample, &edge_ms);
	if (edge_status == SGX_SUCCESS && retval)
		*retval = edge_ms.ms_retval;
	return edge_status;
}

/* ECALL 6 */
sgx_status_t keys(sgx_enclave_id_t eid, uint32_t *retval, key_array key, item_ptr items, size_t n)
{
	ms_keys_t edge_ms;
	sgx_status_t edge_status;

	edge_ms.ms_key = (key_array *)&key[0];
	edge_ms.ms_items = items;
	edge_ms.ms_n = n;
	edge_status = sgx_ecall(eid, 6, &ocall_table_sample, &edge_ms);
	if (edge_status == SGX_SUCCESS && retval)
		*retval = edge_ms.ms_retval;
	return edge_status;
}

/* ECALL 7 */
sgx_status_t blobs(sgx_enclave_id_t eid, struct blob *list, size_t n)
{
	ms_blobs_t edge_ms;

	edge_ms.ms_list = list;
	edge_ms.ms_n = n;
	return sgx_ecall(eid, 7, &ocall_table_sample, &edge_ms);
}

/* ECALL 8 */
sgx_status_t later(sgx_enclave_id_t edge_eid, int *retval, void *eid)
{
	ms_later_t edge_ms;
	sgx_status_t edge_status;

	edge_ms.ms_eid = eid;
	edge_status = sgx_ecall_switchless(edge_eid, 8, &ocall_table_sample, &edge_ms);
	if (edge_status == SGX_SUCCESS && retval)
		*retval = edge_ms.ms_retval;
	return edge_status;
}
