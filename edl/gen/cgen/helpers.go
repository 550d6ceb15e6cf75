package cgen

import "strings"

// helpers are the functions that generated code uses. Each uses only those
// before it.
var helpers = []struct{ name, text string }{
	{"edge_put", `/*
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
`},
	{"edge_enter", `/* Copies the marshalling structure, which the host can change at any time, into
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
`},
	{"edge_product", `/* The length of a buffer of count times size bytes. Returns 0 if it overflows. */
static int edge_product(size_t size, size_t count, size_t *len)
{
	*len = size * count;
	return size == 0 || count <= SIZE_MAX / size;
}
`},
	{"edge_add", `/* Adds a length to a total, rounded up for what follows to be aligned. Returns 0
 * if it overflows. */
static int edge_add(size_t *total, size_t len)
{
	size_t rounded = (len + 15) & ~(size_t)15;

	*total += rounded;
	return rounded >= len && *total >= rounded;
}
`},
	{"edge_place", `/* Takes room for len bytes, as edge_add has counted them. */
static void *edge_place(char **next, size_t len)
{
	void *place = *next;

	*next += (len + 15) & ~(size_t)15;
	return place;
}
`},
	{"edge_is_outside", `/* A buffer of the host is NULL or wholly outside. */
static int edge_is_outside(const void *ptr, size_t len)
{
	return ptr == NULL || sgx_is_outside_enclave(ptr, len);
}
`},
	{"edge_is_inside", `/* A buffer of the enclave is NULL or wholly inside. */
static int edge_is_inside(const void *ptr, size_t len)
{
	return ptr == NULL || sgx_is_within_enclave(ptr, len);
}
`},
	{"edge_zeros", `/* Makes room inside for what goes to a buffer of the host. No buffer, or an
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
`},
	{"edge_copy_in", `/* Copies a buffer of the host into the enclave. No buffer, or an empty one,
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
`},
	{"edge_string_in", `/* Copies a string of the host into the enclave. len must be its length with the
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
`},
	{"edge_wstring_in", `/* Copies a wide string of the host into the enclave. len must be its length in
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
`},
	{"edge_string_end", `/* Ends a string in a buffer of len bytes and returns how many of them it has. */
static size_t edge_string_end(char *s, size_t len)
{
	if (s == NULL)
		return 0;
	s[len - 1] = '\0';
	return strlen(s) + 1;
}
`},
	{"edge_wstring_end", `/* Ends a wide string in a buffer of len bytes and returns how many of them it
 * has. */
static size_t edge_wstring_end(wchar_t *s, size_t len)
{
	if (s == NULL)
		return 0;
	s[len / sizeof(wchar_t) - 1] = 0;
	return (wcslen(s) + 1) * sizeof(wchar_t);
}
`},
	{"edge_copy_out", `/* Copies to a place of the host that has been checked to be outside. */
static sgx_status_t edge_copy_out(void *outside, const void *inside, size_t len)
{
	return edge_put(outside, inside, len) == 0 ? SGX_SUCCESS : SGX_ERROR_UNEXPECTED;
}
`},
	{"edge_string_size", `/* The bytes of a string with its terminating zero, 0 of none. */
static size_t edge_string_size(const char *s) { return s ? strlen(s) + 1 : 0; }
`},
	{"edge_wstring_size", `/* The bytes of a wide string with its terminating zero, 0 of none. */
static size_t edge_wstring_size(const wchar_t *s) { return s ? (wcslen(s) + 1) * sizeof(wchar_t) : 0; }
`},
	{"edge_get", `/* Copies what the host has returned from where the enclave has put it. */
static sgx_status_t edge_get(void *inside, const void *outside, size_t len)
{
	return memcpy_s(inside, len, outside, len) == 0 ? SGX_SUCCESS : SGX_ERROR_UNEXPECTED;
}
`},
	{"edge_string_get", `/* Copies a string that the host has returned, ends it, and clears the rest. */
static sgx_status_t edge_string_get(char *inside, const void *outside, size_t len)
{
	size_t used;

	if (memcpy_s(inside, len, outside, len) != 0)
		return SGX_ERROR_UNEXPECTED;
	used = edge_string_end(inside, len);
	memset(inside + used, 0, len - used);
	return SGX_SUCCESS;
}
`},
	{"edge_wstring_get", `/* Copies a wide string that the host has returned, ends it, and clears the
 * rest. */
static sgx_status_t edge_wstring_get(wchar_t *inside, const void *outside, size_t len)
{
	size_t used;

	if (memcpy_s(inside, len, outside, len) != 0)
		return SGX_ERROR_UNEXPECTED;
	used = edge_wstring_end(inside, len);
	memset((char *)inside + used, 0, len - used);
	return SGX_SUCCESS;
}
`},
	{"edge_buffer", `/* A buffer of a struct of the host: where it is, and how long. */
struct edge_buffer {
	void *outside;
	size_t len;
};
`},
}

// usedHelpers are the helpers that a source uses, and those that they use.
func usedHelpers(source string) string {
	var used []string
	for n := len(helpers) - 1; n >= 0; n-- {
		h := helpers[n]
		if uses(source, h.name) || h.name == "edge_put" && uses(source, "edge_fill") {
			used = append(used, h.text)
			source += h.text
		}
	}
	var b strings.Builder
	for n := len(used) - 1; n >= 0; n-- {
		b.WriteString(used[n] + "\n")
	}
	return b.String()
}

// uses reports whether a source calls a function or names a struct.
func uses(source, name string) bool {
	return strings.Contains(source, name+"(") || strings.Contains(source, "struct "+name+" ")
}
