/*
 * sample_t.c: how the enclave is called, and calls its host.
 * Generated from sample.edl. Change that, not this.
 */
#include "sample_t.h"
#include "sgx_trts.h"   /* sgx_is_outside_enclave, sgx_is_within_enclave */
#include "sgx_lfence.h" /* sgx_lfence */

#include <errno.h>
#include <mbusafecrt.h> /* memcpy_s, memcpy_verw_s */
#include <stdlib.h>
#include <string.h>

/*
 * What is written to the host goes through copies that clear the buffers of the
 * processor (VERW), so that no stale data of the enclave goes with it. An SDK
 * that has no such copies needs EDGE_WITHOUT_VERW.
 */
#ifdef EDGE_WITHOUT_VERW
#define edge_put(outside, inside, len) memcpy_s((outside), (len), (inside), (len))
#define edge_fill(outside, len) memset((outside), 0, (len))
#else
#define edge_put(outside, inside, len) memcpy_verw_s((outside), (len), (inside), (len))
#define edge_fill(outside, len) memset_verw((outside), 0, (len))
#endif

/* Copies the marshalling structure, which the host can change at any time, into
 * the enclave. Nothing reads it there again. */
static sgx_status_t edge_enter(void *ms, const void *pms, size_t size)
{
	if (pms == NULL || !sgx_is_outside_enclave(pms, size))
		return SGX_ERROR_INVALID_PARAMETER;
	sgx_lfence();
	if (memcpy_s(ms, size, pms, size) != 0)
		return SGX_ERROR_UNEXPECTED;
	return SGX_SUCCESS;
}

/* The length of a buffer of count times size bytes. Returns 0 if it overflows. */
static int edge_product(size_t size, size_t count, size_t *len)
{
	*len = size * count;
	return size == 0 || count <= SIZE_MAX / size;
}

/* Adds a length to a total, rounded up for what follows to be aligned. Returns 0
 * if it overflows. */
static int edge_add(size_t *total, size_t len)
{
	size_t rounded = (len + 15) & ~(size_t)15;

	*total += rounded;
	return rounded >= len && *total >= rounded;
}

/* Takes room for len bytes, as edge_add has counted them. */
static void *edge_place(char **next, size_t len)
{
	void *place = *next;

	*next += (len + 15) & ~(size_t)15;
	return place;
}

/* A buffer of the host is NULL or wholly outside. */
static int edge_is_outside(const void *ptr, size_t len)
{
	return ptr == NULL || sgx_is_outside_enclave(ptr, len);
}

/* A buffer of the enclave is NULL or wholly inside. */
static int edge_is_inside(const void *ptr, size_t len)
{
	return ptr == NULL || sgx_is_within_enclave(ptr, len);
}

/* Makes room inside for what goes to a buffer of the host. No buffer, or an
 * empty one, remains NULL. */
static sgx_status_t edge_zeros(void **inside, const void *outside, size_t len)
{
	if (outside == NULL || len == 0)
		return SGX_SUCCESS;
	*inside = malloc(len);
	if (*inside == NULL)
		return SGX_ERROR_OUT_OF_MEMORY;
	memset(*inside, 0, len);
	return SGX_SUCCESS;
}

/* Copies a buffer of the host into the enclave. No buffer, or an empty one,
 * remains NULL. */
static sgx_status_t edge_copy_in(void **inside, const void *outside, size_t len)
{
	if (outside == NULL || len == 0)
		return SGX_SUCCESS;
	*inside = malloc(len);
	if (*inside == NULL)
		return SGX_ERROR_OUT_OF_MEMORY;
	if (memcpy_s(*inside, len, outside, len) != 0)
		return SGX_ERROR_UNEXPECTED;
	return SGX_SUCCESS;
}

/* Copies a string of the host into the enclave. len must be its length with the
 * terminating zero, by the copy. */
static sgx_status_t edge_string_in(void **inside, const void *outside, size_t len)
{
	sgx_status_t status = edge_copy_in(inside, outside, len);
	char *s = (char *)*inside;

	if (status != SGX_SUCCESS || s == NULL)
		return status;
	s[len - 1] = '\0';
	return strlen(s) + 1 == len ? SGX_SUCCESS : SGX_ERROR_UNEXPECTED;
}

/* Copies a wide string of the host into the enclave. len must be its length in
 * bytes with the terminating zero, by the copy. */
static sgx_status_t edge_wstring_in(void **inside, const void *outside, size_t len)
{
	sgx_status_t status;
	wchar_t *s;

	if (outside != NULL && len % sizeof(wchar_t) != 0)
		return SGX_ERROR_UNEXPECTED;
	status = edge_copy_in(inside, outside, len);
	s = (wchar_t *)*inside;
	if (status != SGX_SUCCESS || s == NULL)
		return status;
	s[len / sizeof(wchar_t) - 1] = 0;
	return wcslen(s) + 1 == len / sizeof(wchar_t) ? SGX_SUCCESS : SGX_ERROR_UNEXPECTED;
}

/* Ends a string in a buffer of len bytes and returns how many of them it has. */
static size_t edge_string_end(char *s, size_t len)
{
	if (s == NULL)
		return 0;
	s[len - 1] = '\0';
	return strlen(s) + 1;
}

/* Ends a wide string in a buffer of len bytes and returns how many of them it
 * has. */
static size_t edge_wstring_end(wchar_t *s, size_t len)
{
	if (s == NULL)
		return 0;
	s[len / sizeof(wchar_t) - 1] = 0;
	return (wcslen(s) + 1) * sizeof(wchar_t);
}

/* Copies to a place of the host that has been checked to be outside. */
static sgx_status_t edge_copy_out(void *outside, const void *inside, size_t len)
{
	return edge_put(outside, inside, len) == 0 ? SGX_SUCCESS : SGX_ERROR_UNEXPECTED;
}

/* The bytes of a string with its terminating zero, 0 of none. */
static size_t edge_string_size(const char *s) { return s ? strlen(s) + 1 : 0; }

/* Copies what the host has returned from where the enclave has put it. */
static sgx_status_t edge_get(void *inside, const void *outside, size_t len)
{
	return memcpy_s(inside, len, outside, len) == 0 ? SGX_SUCCESS : SGX_ERROR_UNEXPECTED;
}

/* Copies a string that the host has returned, ends it, and clears the rest. */
static sgx_status_t edge_string_get(char *inside, const void *outside, size_t len)
{
	size_t used;

	if (memcpy_s(inside, len, outside, len) != 0)
		return SGX_ERROR_UNEXPECTED;
	used = edge_string_end(inside, len);
	memset(inside + used, 0, len - used);
	return SGX_SUCCESS;
}

/* A buffer of a struct of the host: where it is, and how long. */
struct edge_buffer {
	void *outside;
	size_t len;
};

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

/* The structs at s are copies of the host's: copies their buffers into one block
 * and makes the structs point to that. With keep the block begins with where the
 * buffers are outside. */
static sgx_status_t edge_blob_in(struct blob *s, size_t n, void **block, int keep)
{
	struct edge_buffer *kept;
	size_t total = 0, len, i;
	char *next;

	if (s == NULL)
		return SGX_SUCCESS;
	if (keep && !edge_product(1 * sizeof(*kept), n, &total))
		return SGX_ERROR_INVALID_PARAMETER;
	for (i = 0; i < n; i++) {
		len = (size_t)s[i].size;
		if (s[i].data != NULL && len != 0) {
			if (!sgx_is_outside_enclave(s[i].data, len))
				return SGX_ERROR_INVALID_PARAMETER;
			if (!edge_add(&total, len))
				return SGX_ERROR_INVALID_PARAMETER;
		}
	}
	sgx_lfence();
	if (total != 0) {
		*block = malloc(total);
		if (*block == NULL)
			return SGX_ERROR_OUT_OF_MEMORY;
	}
	kept = (struct edge_buffer *)*block;
	next = (char *)*block + (keep ? 1 * sizeof(*kept) * n : 0);
	for (i = 0; i < n; i++) {
		len = (size_t)s[i].size;
		if (s[i].data == NULL)
			len = 0;
		if (keep) {
			kept->outside = (void *)s[i].data;
			kept->len = len;
			kept++;
		}
		if (len != 0) {
			if (memcpy_s(next, len, s[i].data, len) != 0)
				return SGX_ERROR_UNEXPECTED;
			s[i].data = (void *)edge_place(&next, len);
		} else {
			s[i].data = NULL;
		}
	}
	return SGX_SUCCESS;
}

/* Copies the buffers of the structs at s to where edge_blob_in has found them, and
 * makes the structs point there again. A buffer may have become shorter. */
static sgx_status_t edge_blob_out(struct blob *s, size_t n, const struct edge_buffer *kept)
{
	size_t len, i;

	if (s == NULL)
		return SGX_SUCCESS;
	for (i = 0; i < n; i++) {
		len = (size_t)s[i].size;
		if (s[i].data != NULL && len != 0) {
			if (len > kept->len || !sgx_is_within_enclave(s[i].data, len) ||
			    !sgx_is_outside_enclave(kept->outside, kept->len))
				return SGX_ERROR_INVALID_PARAMETER;
			if (edge_put(kept->outside, s[i].data, len) != 0)
				return SGX_ERROR_UNEXPECTED;
		}
		s[i].data = (void *)kept->outside;
		kept++;
	}
	return SGX_SUCCESS;
}

/* Adds up the buffers of the structs at s, which must be inside. */
static sgx_status_t edge_blob_room(const struct blob *s, size_t n, size_t *total)
{
	size_t len, i;

	for (i = 0; s != NULL && i < n; i++) {
		len = (size_t)s[i].size;
		if (s[i].data != NULL && len != 0) {
			if (!sgx_is_within_enclave(s[i].data, len))
				return SGX_ERROR_INVALID_PARAMETER;
			if (!edge_add(total, len))
				return SGX_ERROR_INVALID_PARAMETER;
		}
	}
	return SGX_SUCCESS;
}

/* Copies the structs at s to the host, and their buffers to next. Returns 0 if
 * that went well. */
static int edge_blob_put(struct blob *host, const struct blob *s, size_t n, char **next)
{
	struct blob one;
	size_t len, i;
	void *place;
	int bad = 0;

	for (i = 0; i < n; i++) {
		one = s[i];
		len = (size_t)s[i].size;
		one.data = NULL;
		if (s[i].data != NULL && len != 0) {
			place = edge_place(next, len);
			bad |= edge_put(place, s[i].data, len);
			one.data = (void *)place;
		}
		bad |= edge_put(&host[i], &one, sizeof(one));
	}
	return bad;
}

/* Copies the structs that the host has returned to s, and their buffers from
 * next, where edge_blob_put has placed them. The host can have made a buffer
 * shorter, and nothing else of where it is. */
static sgx_status_t edge_blob_back(struct blob *s, size_t n, const struct blob *host, char *next)
{
	struct blob one;
	size_t room, len, i;
	void *place;

	for (i = 0; i < n; i++) {
		if (memcpy_s(&one, sizeof(one), &host[i], sizeof(one)) != 0)
			return SGX_ERROR_UNEXPECTED;
		room = (size_t)s[i].size;
		len = (size_t)one.size;
		if (s[i].data == NULL)
			room = 0;
		place = room != 0 ? edge_place(&next, room) : NULL;
		if (s[i].data != NULL && len != 0) {
			if ((void *)one.data != place || len > room)
				return SGX_ERROR_INVALID_PARAMETER;
			if (memcpy_s((void *)s[i].data, room, place, len) != 0)
				return SGX_ERROR_UNEXPECTED;
		}
		one.data = s[i].data;
		s[i] = one;
	}
	return SGX_SUCCESS;
}

/* ECALL 0 */
static sgx_status_t SGX_CDECL sgx_start(void *pms)
{
	if (pms != NULL)
		return SGX_ERROR_INVALID_PARAMETER;
	start();
	return SGX_SUCCESS;
}

/* ECALL 1 */
static sgx_status_t SGX_CDECL sgx_add(void *pms)
{
	ms_add_t edge_ms;
	sgx_status_t edge_status;
	int edge_result;

	edge_status = edge_enter(&edge_ms, pms, sizeof(edge_ms));
	if (edge_status != SGX_SUCCESS)
		return edge_status;

	edge_result = add(edge_ms.ms_ms, edge_ms.ms_status);
	edge_status = edge_copy_out(&SGX_CAST(ms_add_t *, pms)->ms_retval, &edge_result, sizeof(edge_result));
	return edge_status;
}

/* ECALL 2 */
static sgx_status_t SGX_CDECL sgx_greet(void *pms)
{
	ms_greet_t edge_ms;
	sgx_status_t edge_status;
	size_t edge_result;
	size_t edge_len_name;
	void *edge_in_name = NULL;
	size_t edge_len_text;
	void *edge_in_text = NULL;

	edge_status = edge_enter(&edge_ms, pms, sizeof(edge_ms));
	if (edge_status != SGX_SUCCESS)
		return edge_status;

	edge_len_name = edge_ms.ms_name_len;
	edge_len_text = (size_t)edge_ms.ms_size;
	if (!edge_is_outside(edge_ms.ms_name, edge_len_name))
		return SGX_ERROR_INVALID_PARAMETER;
	if (!edge_is_outside(edge_ms.ms_text, edge_len_text))
		return SGX_ERROR_INVALID_PARAMETER;
	sgx_lfence();

	edge_status = edge_string_in(&edge_in_name, edge_ms.ms_name, edge_len_name);
	if (edge_status != SGX_SUCCESS)
		goto edge_end;

	edge_status = edge_zeros(&edge_in_text, edge_ms.ms_text, edge_len_text);
	if (edge_status != SGX_SUCCESS)
		goto edge_end;

	edge_result = greet((const char *)edge_in_name, (char *)edge_in_text, edge_ms.ms_size);
	edge_status = edge_copy_out(&SGX_CAST(ms_greet_t *, pms)->ms_retval, &edge_result, sizeof(edge_result));
	if (edge_status == SGX_SUCCESS && edge_in_text != NULL)
		edge_status = edge_copy_out(edge_ms.ms_text, edge_in_text, edge_len_text);

edge_end:
	free(edge_in_name);
	free(edge_in_text);
	return edge_status;
}

/* ECALL 3 */
static sgx_status_t SGX_CDECL sgx_sort(void *pms)
{
	ms_sort_t edge_ms;
	sgx_status_t edge_status;
	size_t edge_len_values;
	void *edge_in_values = NULL;
	size_t edge_len_i;
	void *edge_in_i = NULL;

	edge_status = edge_enter(&edge_ms, pms, sizeof(edge_ms));
	if (edge_status != SGX_SUCCESS)
		return edge_status;

	if (!edge_product(sizeof(uint32_t), (size_t)edge_ms.ms_count, &edge_len_values))
		return SGX_ERROR_INVALID_PARAMETER;
	edge_len_i = sizeof(struct range);
	if (!edge_is_outside(edge_ms.ms_values, edge_len_values))
		return SGX_ERROR_INVALID_PARAMETER;
	if (!edge_is_outside(edge_ms.ms_i, edge_len_i))
		return SGX_ERROR_INVALID_PARAMETER;
	sgx_lfence();

	edge_status = edge_copy_in(&edge_in_values, edge_ms.ms_values, edge_len_values);
	if (edge_status != SGX_SUCCESS)
		goto edge_end;

	edge_status = edge_copy_in(&edge_in_i, edge_ms.ms_i, edge_len_i);
	if (edge_status != SGX_SUCCESS)
		goto edge_end;

	sort((uint32_t *)edge_in_values, edge_ms.ms_count, (struct range *)edge_in_i);
	if (edge_status == SGX_SUCCESS && edge_in_values != NULL)
		edge_status = edge_copy_out(edge_ms.ms_values, edge_in_values, edge_len_values);

edge_end:
	free(edge_in_values);
	free(edge_in_i);
	return edge_status;
}

/* ECALL 4 */
static sgx_status_t SGX_CDECL sgx_wide(void *pms)
{
	ms_wide_t edge_ms;
	sgx_status_t edge_status;
	size_t edge_len_text;
	void *edge_in_text = NULL;

	edge_status = edge_enter(&edge_ms, pms, sizeof(edge_ms));
	if (edge_status != SGX_SUCCESS)
		return edge_status;

	edge_len_text = edge_ms.ms_text_len;
	if (!edge_is_outside(edge_ms.ms_text, edge_len_text))
		return SGX_ERROR_INVALID_PARAMETER;
	sgx_lfence();

	edge_status = edge_wstring_in(&edge_in_text, edge_ms.ms_text, edge_len_text);
	if (edge_status != SGX_SUCCESS)
		goto edge_end;

	wide((wchar_t *)edge_in_text);
	edge_len_text = edge_wstring_end((wchar_t *)edge_in_text, edge_len_text);
	if (edge_status == SGX_SUCCESS && edge_in_text != NULL)
		edge_status = edge_copy_out(edge_ms.ms_text, edge_in_text, edge_len_text);

edge_end:
	free(edge_in_text);
	return edge_status;
}

/* ECALL 5 */
static sgx_status_t SGX_CDECL sgx_grid(void *pms)
{
	ms_grid_t edge_ms;
	sgx_status_t edge_status;
	union value edge_result;
	size_t edge_len_cells;
	void *edge_in_cells = NULL;

	edge_status = edge_enter(&edge_ms, pms, sizeof(edge_ms));
	if (edge_status != SGX_SUCCESS)
		return edge_status;

	edge_len_cells = 6 * sizeof(uint8_t);
	if (!edge_is_outside(edge_ms.ms_cells, edge_len_cells))
		return SGX_ERROR_INVALID_PARAMETER;
	sgx_lfence();

	edge_status = edge_copy_in(&edge_in_cells, edge_ms.ms_cells, edge_len_cells);
	if (edge_status != SGX_SUCCESS)
		goto edge_end;

	edge_result = grid((uint8_t (*)[3])edge_in_cells, edge_ms.ms_pms);
	edge_status = edge_copy_out(&SGX_CAST(ms_grid_t *, pms)->ms_retval, &edge_result, sizeof(edge_result));

edge_end:
	free(edge_in_cells);
	return edge_status;
}

/* ECALL 6 */
static sgx_status_t SGX_CDECL sgx_keys(void *pms)
{
	ms_keys_t edge_ms;
	sgx_status_t edge_status;
	uint32_t edge_result;
	size_t edge_len_key;
	void *edge_in_key = NULL;
	size_t edge_len_items;
	void *edge_in_items = NULL;

	edge_status = edge_enter(&edge_ms, pms, sizeof(edge_ms));
	if (edge_status != SGX_SUCCESS)
		return edge_status;

	edge_len_key = sizeof(key_array);
	if (!edge_product(sizeof(*edge_ms.ms_items), (size_t)edge_ms.ms_n, &edge_len_items))
		return SGX_ERROR_INVALID_PARAMETER;
	if (!edge_is_outside(edge_ms.ms_key, edge_len_key))
		return SGX_ERROR_INVALID_PARAMETER;
	if (!edge_is_outside(edge_ms.ms_items, edge_len_items))
		return SGX_ERROR_INVALID_PARAMETER;
	sgx_lfence();

	edge_status = edge_copy_in(&edge_in_key, edge_ms.ms_key, edge_len_key);
	if (edge_status != SGX_SUCCESS)
		goto edge_end;

	edge_status = edge_zeros(&edge_in_items, edge_ms.ms_items, edge_len_items);
	if (edge_status != SGX_SUCCESS)
		goto edge_end;

	edge_result = keys((((key_array *)edge_in_key) != NULL) ? (*((key_array *)edge_in_key)) : NULL, (item_ptr)edge_in_items, edge_ms.ms_n);
	edge_status = edge_copy_out(&SGX_CAST(ms_keys_t *, pms)->ms_retval, &edge_result, sizeof(edge_result));
	if (edge_status == SGX_SUCCESS && edge_in_items != NULL)
		edge_status = edge_copy_out(edge_ms.ms_items, edge_in_items, edge_len_items);

edge_end:
	free(edge_in_key);
	free(edge_in_items);
	return edge_status;
}

/* ECALL 7 */
static sgx_status_t SGX_CDECL sgx_blobs(void *pms)
{
	ms_blobs_t edge_ms;
	sgx_status_t edge_status;
	size_t edge_len_list;
	void *edge_in_list = NULL;
	void *edge_deep_list = NULL;

	edge_status = edge_enter(&edge_ms, pms, sizeof(edge_ms));
	if (edge_status != SGX_SUCCESS)
		return edge_status;

	if (!edge_product(sizeof(struct blob), (size_t)edge_ms.ms_n, &edge_len_list))
		return SGX_ERROR_INVALID_PARAMETER;
	if (!edge_is_outside(edge_ms.ms_list, edge_len_list))
		return SGX_ERROR_INVALID_PARAMETER;
	sgx_lfence();

	edge_status = edge_copy_in(&edge_in_list, edge_ms.ms_list, edge_len_list);
	if (edge_status != SGX_SUCCESS)
		goto edge_end;
	edge_status = edge_blob_in((struct blob *)edge_in_list, edge_len_list / sizeof(struct blob), &edge_deep_list, 1);
	if (edge_status != SGX_SUCCESS)
		goto edge_end;

	blobs((struct blob *)edge_in_list, edge_ms.ms_n);
	if (edge_status == SGX_SUCCESS)
		edge_status = edge_blob_out((struct blob *)edge_in_list, edge_len_list / sizeof(struct blob), (const struct edge_buffer *)edge_deep_list);
	if (edge_status == SGX_SUCCESS && edge_in_list != NULL)
		edge_status = edge_copy_out(edge_ms.ms_list, edge_in_list, edge_len_list);

edge_end:
	free(edge_deep_list);
	free(edge_in_list);
	return edge_status;
}

/* ECALL 8 */
static sgx_status_t SGX_CDECL sgx_later(void *pms)
{
	ms_later_t edge_ms;
	sgx_status_t edge_status;
	int edge_result;

	edge_status = edge_enter(&edge_ms, pms, sizeof(edge_ms));
	if (edge_status != SGX_SUCCESS)
		return edge_status;

	edge_result = later(edge_ms.ms_eid);
	edge_status = edge_copy_out(&SGX_CAST(ms_later_t *, pms)->ms_retval, &edge_result, sizeof(edge_result));
	return edge_status;
}

/* The ECALLs by index. */
SGX_EXTERNC const struct {
	size_t nr_ecall;
	struct { void *ecall_addr; uint8_t is_priv; uint8_t is_switchless; } ecall_table[9];
} g_ecall_table = {
	9,
	{
		{ (void *)(uintptr_t)sgx_start, 0, 0 },
		{ (void *)(uintptr_t)sgx_add, 0, 0 },
		{ (void *)(uintptr_t)sgx_greet, 0, 0 },
		{ (void *)(uintptr_t)sgx_sort, 0, 0 },
		{ (void *)(uintptr_t)sgx_wide, 0, 0 },
		{ (void *)(uintptr_t)sgx_grid, 0, 0 },
		{ (void *)(uintptr_t)sgx_keys, 0, 0 },
		{ (void *)(uintptr_t)sgx_blobs, 0, 0 },
		{ (void *)(uintptr_t)sgx_later, 1, 1 },
	}
};

/* Which ECALLs (columns) may be called in which OCALL (rows). */
SGX_EXTERNC const struct {
	size_t nr_ocall;
	uint8_t entry_table[5][9];
} g_dyn_entry_table = {
	5,
	{
		{ 0, 0, 0, 0, 0, 0, 0, 0, 0, },
		{ 0, 0, 0, 0, 0, 0, 0, 0, 0, },
		{ 0, 0, 0, 0, 0, 0, 0, 0, 1, },
		{ 0, 0, 0, 0, 0, 0, 0, 0, 0, },
		{ 0, 0, 0, 0, 0, 0, 0, 0, 0, },
	}
};

/* OCALL 0 */
sgx_status_t SGX_CDECL tick(void)
{
	return sgx_ocall(0, NULL);
}

/* OCALL 1 */
sgx_status_t SGX_CDECL print(int *retval, const char *s)
{
	ms_print_t *edge_ms;
	sgx_status_t edge_status;
	size_t edge_total = 0;
	char *edge_next;
	int edge_bad = 0;
	size_t edge_len_s;
	void *edge_host_s = NULL;

	edge_len_s = edge_string_size((const char *)s);
	if (!edge_is_inside(s, edge_len_s))
		return SGX_ERROR_INVALID_PARAMETER;
	if (!edge_add(&edge_total, sizeof(*edge_ms)) ||
	    !edge_add(&edge_total, s != NULL ? edge_len_s : 0))
		return SGX_ERROR_INVALID_PARAMETER;
	edge_next = (char *)sgx_ocalloc(edge_total);
	if (edge_next == NULL) {
		sgx_ocfree();
		return SGX_ERROR_UNEXPECTED;
	}
	edge_ms = (ms_print_t *)edge_place(&edge_next, sizeof(*edge_ms));

	if (s != NULL) {
		edge_host_s = edge_place(&edge_next, edge_len_s);
		edge_bad |= edge_put(edge_host_s, s, edge_len_s);
	}
	edge_bad |= edge_put(&edge_ms->ms_s, &edge_host_s, sizeof(edge_ms->ms_s));
	edge_status = edge_bad ? SGX_ERROR_UNEXPECTED : sgx_ocall(1, edge_ms);
	if (edge_status == SGX_SUCCESS && retval != NULL)
		edge_status = edge_get(retval, &edge_ms->ms_retval, sizeof(*retval));
	if (edge_status == SGX_SUCCESS)
		errno = edge_ms->ocall_errno;
	sgx_ocfree();
	return edge_status;
}

/* OCALL 2 */
sgx_status_t SGX_CDECL read(uint32_t *retval, void *buf, uint32_t room)
{
	ms_read_t *edge_ms;
	sgx_status_t edge_status;
	size_t edge_total = 0;
	char *edge_next;
	int edge_bad = 0;
	size_t edge_len_buf;
	void *edge_host_buf = NULL;

	edge_len_buf = (size_t)room;
	if (!edge_is_inside(buf, edge_len_buf))
		return SGX_ERROR_INVALID_PARAMETER;
	if (!edge_add(&edge_total, sizeof(*edge_ms)) ||
	    !edge_add(&edge_total, buf != NULL ? edge_len_buf : 0))
		return SGX_ERROR_INVALID_PARAMETER;
	edge_next = (char *)sgx_ocalloc(edge_total);
	if (edge_next == NULL) {
		sgx_ocfree();
		return SGX_ERROR_UNEXPECTED;
	}
	edge_ms = (ms_read_t *)edge_place(&edge_next, sizeof(*edge_ms));

	if (buf != NULL) {
		edge_host_buf = edge_place(&edge_next, edge_len_buf);
		edge_fill(edge_host_buf, edge_len_buf);
	}
	edge_bad |= edge_put(&edge_ms->ms_buf, &edge_host_buf, sizeof(edge_ms->ms_buf));
	edge_bad |= edge_put(&edge_ms->ms_room, &room, sizeof(edge_ms->ms_room));
	edge_status = edge_bad ? SGX_ERROR_UNEXPECTED : sgx_ocall_switchless(2, edge_ms);
	if (edge_status == SGX_SUCCESS && retval != NULL)
		edge_status = edge_get(retval, &edge_ms->ms_retval, sizeof(*retval));
	if (edge_status == SGX_SUCCESS && buf != NULL)
		edge_status = edge_get((void *)buf, edge_host_buf, edge_len_buf);
	sgx_ocfree();
	return edge_status;
}

/* OCALL 3 */
sgx_status_t SGX_CDECL put(struct blob *b, long next[2], char *total)
{
	ms_put_t *edge_ms;
	sgx_status_t edge_status;
	size_t edge_total = 0;
	char *edge_next;
	int edge_bad = 0;
	size_t edge_len_b;
	void *edge_host_b = NULL;
	char *edge_deep_b = NULL;
	size_t edge_len_next;
	void *edge_host_next = NULL;
	size_t edge_len_total;
	void *edge_host_total = NULL;

	edge_len_b = sizeof(struct blob);
	if (!edge_is_inside(b, edge_len_b))
		return SGX_ERROR_INVALID_PARAMETER;
	edge_len_next = 2 * sizeof(long);
	if (!edge_is_inside(next, edge_len_next))
		return SGX_ERROR_INVALID_PARAMETER;
	edge_len_total = edge_string_size((const char *)total);
	if (!edge_is_inside(total, edge_len_total))
		return SGX_ERROR_INVALID_PARAMETER;
	if (!edge_add(&edge_total, sizeof(*edge_ms)) ||
	    !edge_add(&edge_total, b != NULL ? edge_len_b : 0) ||
	    !edge_add(&edge_total, next != NULL ? edge_len_next : 0) ||
	    !edge_add(&edge_total, total != NULL ? edge_len_total : 0))
		return SGX_ERROR_INVALID_PARAMETER;
	edge_status = edge_blob_room(b, edge_len_b / sizeof(struct blob), &edge_total);
	if (edge_status != SGX_SUCCESS)
		return edge_status;
	edge_next = (char *)sgx_ocalloc(edge_total);
	if (edge_next == NULL) {
		sgx_ocfree();
		return SGX_ERROR_UNEXPECTED;
	}
	edge_ms = (ms_put_t *)edge_place(&edge_next, sizeof(*edge_ms));

	if (b != NULL) {
		edge_host_b = edge_place(&edge_next, edge_len_b);
		edge_deep_b = edge_next;
		edge_bad |= edge_blob_put((struct blob *)edge_host_b, b, edge_len_b / sizeof(struct blob), &edge_next);
	}
	edge_bad |= edge_put(&edge_ms->ms_b, &edge_host_b, sizeof(edge_ms->ms_b));
	if (next != NULL) {
		edge_host_next = edge_place(&edge_next, edge_len_next);
		edge_bad |= edge_put(edge_host_next, next, edge_len_next);
	}
	edge_bad |= edge_put(&edge_ms->ms_next, &edge_host_next, sizeof(edge_ms->ms_next));
	if (total != NULL) {
		edge_host_total = edge_place(&edge_next, edge_len_total);
		edge_bad |= edge_put(edge_host_total, total, edge_len_total);
	}
	edge_bad |= edge_put(&edge_ms->ms_total, &edge_host_total, sizeof(edge_ms->ms_total));
	edge_status = edge_bad ? SGX_ERROR_UNEXPECTED : sgx_ocall(3, edge_ms);
	if (edge_status == SGX_SUCCESS && b != NULL)
		edge_status = edge_blob_back(b, edge_len_b / sizeof(struct blob), (const struct blob *)edge_host_b, edge_deep_b);
	if (edge_status == SGX_SUCCESS && total != NULL)
		edge_status = edge_string_get((char *)total, edge_host_total, edge_len_total);
	sgx_ocfree();
	return edge_status;
}

/* OCALL 4 */
sgx_status_t SGX_CDECL forget(void)
{
	ms_forget_t *edge_ms;
	sgx_status_t edge_status;
	size_t edge_total = 0;
	char *edge_next;

	if (!edge_add(&edge_total, sizeof(*edge_ms)))
		return SGX_ERROR_INVALID_PARAMETER;
	edge_next = (char *)sgx_ocalloc(edge_total);
	if (edge_next == NULL) {
		sgx_ocfree();
		return SGX_ERROR_UNEXPECTED;
	}
	edge_ms = (ms_forget_t *)edge_place(&edge_next, sizeof(*edge_ms));
	edge_status = sgx_ocall(4, edge_ms);
	if (edge_status == SGX_SUCCESS)
		errno = edge_ms->ocall_errno;
	sgx_ocfree();
	return edge_status;
}
