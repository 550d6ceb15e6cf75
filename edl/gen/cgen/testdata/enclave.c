/* The enclave of loop.edl. A function says by its result what it has seen. */
#include "loop_t.h"
#include "sgx_trts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int counted; /* calls of e_nop */

void e_nop(void) { counted++; }

int64_t e_values(char a, unsigned char b, short c, unsigned short d, int e, unsigned f, long g, unsigned long h, long long i,
		 unsigned long long j, float k, double l, long double m, int8_t n, int16_t o, int32_t p, int64_t q, uint8_t r,
		 uint16_t s, uint32_t t, uint64_t u, size_t v, wchar_t w)
{
	return a + b + c + d + e + f + g + (long)h + i + (long)j + (long)k + (long)l + (long)m + n + o + p + q + r + s + t + (long)u +
	       (long)v + w;
}

struct point e_struct(struct point p, enum color c, union number n, my_int m)
{
	struct point r;

	memset(&r, 0, sizeof(r));
	r.tag = (char)(p.tag + 1);
	r.x = p.x + (int64_t)c + (int64_t)n.w + m;
	r.y = p.y / 2;
	return r;
}

void e_mixed(struct mixed *m)
{
	m->a++;
	m->b *= 2;
	m->c[2] = m->c[0];
	m->d[0] = m->d[1];
	m->e.w++;
	m->f = GREEN;
}

static uint32_t sum(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint32_t s = 0;

	while (n--)
		s += *b++;
	return s;
}

/* What came in must lie inside, so that the host cannot change it. */
uint32_t e_sum(const uint8_t *p, size_t n)
{
	if (p == NULL)
		return 7777;
	return sgx_is_within_enclave(p, n) ? sum(p, n) : 9999;
}

void e_fill(void *p, size_t n, uint8_t v)
{
	if (p && sum(p, n) == 0)
		memset(p, v, n);
}

void e_twice(int *p, uint32_t n)
{
	for (uint32_t i = 0; p && i < n; i++)
		p[i] *= 2;
}

uint64_t e_product(void *p, size_t s, size_t c) { return p ? sum(p, s * c) : 1; }
uint64_t e_narrow(void *p, uint32_t s, uint32_t c) { return p ? (uint64_t)s * c : 1; }
int e_whole(int *p, int n) { return p ? p[n / 4 - 1] : -1; }

size_t e_strings(const char *a, char *b)
{
	size_t n = (a ? strlen(a) : 100) + (b ? strlen(b) : 1000);

	if (b && b[0] == '!')
		memset(b, 'x', strlen(b) + 1); /* no end: for generated code to make one */
	else if (b && b[0])
		b[strlen(b) - 1] = '\0';
	return n;
}

size_t e_unsigned(unsigned char *s) { return strlen((char *)s); }

size_t e_wide(const wchar_t *a, wchar_t *b)
{
	size_t n = (a ? wcslen(a) : 100) + (b ? wcslen(b) : 1000);

	if (b && b[0] == L'!')
		wmemset(b, L'x', wcslen(b) + 1);
	else if (b && b[0])
		b[wcslen(b) - 1] = 0;
	return n;
}

long e_arrays(int a[2][3], uint8_t b[4], long c[2], int d[3])
{
	long s = 0;

	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 3; j++)
			s = s * 10 + a[i][j];
	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(b[i] + i);
	c[0] += c[1];
	d[2] = 99; /* the host's own */
	return s;
}

uint64_t e_foreign(item_ptr p, bytes_ptr q, size_t n, key_array k, key_array u)
{
	uint64_t s = 0;

	for (size_t i = 0; p && i < n; i++)
		s += p[i].id + p[i].value;
	s += q ? sum(q, n) : 0;
	for (int i = 0; k && i < 16; i++)
		k[i] ^= 0xFF;
	if (u)
		u[15] = 1;
	return s;
}

void *e_raw(void *p, char **q)
{
	*q = (char *)p + 1;
	return (char *)p + 2;
}

int e_nulls(int *a, int *b, struct point *c, char *d, struct deep *e, key_array f)
{
	return !a && !b && !c && !d && !e && !f;
}

static int64_t weigh(const struct deep *p)
{
	int64_t s = 0;

	for (uint32_t i = 0; p->ints && i < p->n; i++)
		s += p->ints[i];
	s += p->bytes ? sum(p->bytes, p->size) : 1000;
	s += p->table ? sum(p->table, 3 * (size_t)p->each) : 2000;
	if (p->ints && !sgx_is_within_enclave(p->ints, p->n * sizeof(int)))
		return -1;
	if (p->raw && sgx_is_within_enclave(p->raw, 1))
		return -2;
	return s;
}

int64_t e_deep_in(struct deep *p, size_t n)
{
	int64_t s = 0;

	for (size_t i = 0; p && i < n; i++)
		s = s * 10000 + weigh(&p[i]);
	return s;
}

void e_deep(struct deep *p, size_t n, int how)
{
	static int elsewhere; /* outside the arena, so outside the enclave */

	for (size_t i = 0; p && i < n; i++) {
		for (uint32_t j = 0; p[i].ints && j < p[i].n; j++)
			p[i].ints[j]++;
		if (p[i].bytes && p[i].size)
			p[i].bytes[p[i].size - 1] = 200;
		switch (how) {
		case 1:
			p[i].n--; /* shorter */
			break;
		case 2:
			p[i].n++; /* longer: no */
			break;
		case 3:
			p[i].ints = NULL; /* given up */
			break;
		case 4:
			p[i].ints = &elsewhere; /* not its own: no */
			break;
		case 5:
			p[i].n = UINT32_MAX;
			break;
		}
	}
}

int e_threads(int v) { return v + 3; }
int e_private(int v) { return v * 10; }
int e_public(int v) { return v * 100; }
int e_imported(int v) { return v * 1000; }

static sgx_status_t last;
#define OK(call) ((last = (call)) == SGX_SUCCESS)
#define CHECK(condition) do { if (!(condition)) return __LINE__ * 10000 + (int)last; } while (0)

/* A struct with buffers, all of them inside. */
static void fill_deep(struct deep *d, int32_t *ints, uint8_t *bytes, uint8_t *table)
{
	memset(d, 0, sizeof(*d));
	for (int i = 0; i < 3; i++)
		ints[i] = 100 * (i + 1);
	for (int i = 0; i < 5; i++)
		bytes[i] = (uint8_t)(i + 1);
	for (int i = 0; i < 6; i++)
		table[i] = 9;
	d->n = 3;
	d->ints = ints;
	d->size = 5;
	d->bytes = bytes;
	d->each = 2;
	d->table = table;
}

static int run_plain(void)
{
	struct point p;
	int64_t r = 0;
	uint32_t u = 0;
	uint8_t buf[40];
	int64_t longs[3] = { 1, 2, 3 };
	int ints[2] = { 4, 5 }, n = 0;

	CHECK(OK(o_nop()));
	memset(&p, 0, sizeof(p));
	p.x = 9;
	CHECK(OK(o_values(&r, 1, -2, 3, -4, 5.5f, 6.5, 7, 8, BLUE, p)) && r == 1 - 2 + 3 - 4 + 5 + 6 + 7 + 8 + 6 + 9);
	CHECK(OK(o_values(NULL, 1, -2, 3, -4, 5.5f, 6.5, 7, 8, BLUE, p)));
	memset(buf, 3, sizeof(buf));
	CHECK(OK(o_sum(&u, buf, sizeof(buf))) && u == 120);
	CHECK(OK(o_sum(&u, buf, 0)) && u == 0);
	CHECK(OK(o_fill(buf, 30, 6)) && buf[0] == 6 && buf[29] == 6 && buf[30] == 3);
	CHECK(OK(o_twice(longs, 2)) && longs[0] == 2 && longs[1] == 4 && longs[2] == 3);
	CHECK(OK(o_whole(&n, ints, 8)) && n == 9);
	CHECK(!OK(o_whole(&n, ints, 7)) && last == SGX_ERROR_INVALID_PARAMETER);
	CHECK(OK(o_imported(&n, 5)) && n == 55);
	return 0;
}

static int run_strings(void)
{
	char a[] = "enclave", b[] = "abcdef", c[] = "!bcdef";
	wchar_t w[] = L"abcdef", x[] = L"!bcdef";
	size_t n = 0;

	CHECK(OK(o_strings(&n, a, b)) && n == 13 && strcmp(b, "abcde") == 0 && b[6] == 0);
	CHECK(OK(o_strings(&n, NULL, NULL)) && n == 1100);
	CHECK(OK(o_strings(&n, a, c)) && strcmp(c, "xxxxxx") == 0);
	CHECK(OK(o_wide(&n, w, w)) && n == 12 && wcscmp(w, L"abcde") == 0 && w[6] == 0);
	CHECK(OK(o_wide(&n, w, x)) && wcscmp(x, L"xxxxxx") == 0);
	return 0;
}

static int run_arrays(void)
{
	int a[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
	uint8_t b[4] = { 9, 9, 9, 9 };
	long c[2] = { 20, 22 }, r = 0;
	item items[2];
	uint8_t q[2] = { 5, 6 };
	key_array k = { 1, 2 };
	uint64_t u = 0;
	void *raw = NULL;

	CHECK(OK(o_arrays(&r, a, b, c)) && r == 123456 && b[0] == 0 && b[3] == 3 && c[0] == 42 && c[1] == 22);
	memset(items, 0, sizeof(items));
	items[0].id = 1;
	items[1].value = 1000;
	CHECK(OK(o_foreign(&u, items, q, 2, k)) && u == 1012 && k[0] == 0xFE && k[15] == 0xFF);
	CHECK(OK(o_foreign(&u, NULL, NULL, 0, NULL)) && u == 0);
	CHECK(OK(o_raw(&raw, a)) && raw == (void *)((char *)a + 1));
	return 0;
}

static int run_deep(void)
{
	struct deep d[2];
	int32_t ints[2][3];
	uint8_t bytes[2][5], table[2][6];
	int64_t r = 0;
	int n = 0;

	for (int i = 0; i < 2; i++)
		fill_deep(&d[i], ints[i], bytes[i], table[i]);
	CHECK(OK(o_nulls(&n, NULL, NULL, NULL, NULL)) && n == 1);
	CHECK(OK(o_deep_in(&r, d, 2)) && r == 6690669);
	d[1].ints = NULL;
	d[1].each = 0;
	CHECK(OK(o_deep_in(&r, d, 2)) && r == 669 * 10000 + 15 + 2000);
	CHECK(OK(o_deep_in(&r, NULL, 0)) && r == 0);
	fill_deep(&d[1], ints[1], bytes[1], table[1]);
	CHECK(OK(o_deep(d, 2, 0)) && ints[0][0] == 101 && ints[1][2] == 301 && bytes[1][4] == 200);
	CHECK(d[0].ints == ints[0] && d[1].bytes == bytes[1] && d[1].table == table[1] && d[1].n == 3);
	CHECK(OK(o_deep(d, 2, 1)) && d[0].n == 2 && ints[0][1] == 202 && ints[0][2] == 301 && d[0].ints == ints[0]);
	for (int how = 2; how <= 5; how++) {
		for (int i = 0; i < 2; i++)
			fill_deep(&d[i], ints[i], bytes[i], table[i]);
		CHECK(!OK(o_deep(d, 2, how)) && last == SGX_ERROR_INVALID_PARAMETER);
		CHECK(d[0].ints == ints[0] && d[1].ints == ints[1]);
	}
	return 0;
}

static int run_errno(void)
{
	int n = 0;

	errno = 0;
	CHECK(OK(o_errno(&n, 5)) && n == 6 && errno == 5);
	CHECK(OK(o_errno_only()) && errno == 71);
	CHECK(OK(o_threads(&n, 8)) && n == 16 && errno == 8);
	CHECK(OK(o_cdecl(&n, 1)) && n == 2);
	CHECK(OK(o_stdcall(&n, 2)) && n == 4);
	CHECK(OK(o_fastcall(&n, 3)) && n == 6);
	return 0;
}

static int run_nested(void)
{
	int n = 0;

	CHECK(OK(o_nested(&n, 4)) && n == 40 + 400);
	CHECK(OK(o_refused(&n, 4)) && n == SGX_ERROR_ECALL_NOT_ALLOWED);
	return 0;
}

/* What an enclave must not hand over by mistake, and what the host's stack has
 * no room for. */
static int run_mistakes(void)
{
	static uint8_t elsewhere[8];
	struct deep d;
	int32_t ints[3];
	uint8_t bytes[5], table[6], *big;
	uint32_t u = 0;
	int64_t r = 0;

	CHECK(!OK(o_sum(&u, elsewhere, 8)) && last == SGX_ERROR_INVALID_PARAMETER);
	CHECK(!OK(o_sum(&u, bytes, SIZE_MAX)) && last == SGX_ERROR_INVALID_PARAMETER);
	fill_deep(&d, ints, bytes, table);
	d.bytes = elsewhere;
	CHECK(!OK(o_deep_in(&r, &d, 1)) && last == SGX_ERROR_INVALID_PARAMETER);
	fill_deep(&d, ints, bytes, table);
	d.size = SIZE_MAX;
	CHECK(!OK(o_deep_in(&r, &d, 1)) && last == SGX_ERROR_INVALID_PARAMETER);
	big = malloc(100 << 10);
	CHECK(big != NULL);
	CHECK(!OK(o_sum(&u, big, 100 << 10)) && last == SGX_ERROR_UNEXPECTED);
	free(big);
#ifndef LENIENT
	CHECK(!OK(o_deep_in(&r, &d, SIZE_MAX / 16)) && last == SGX_ERROR_INVALID_PARAMETER);
#endif
	return 0;
}

/* A host that moves the buffer changes nothing. */
static int run_moved(void)
{
	uint8_t buf[16] = { 0 };

	CHECK(OK(o_fill(buf, sizeof(buf), 6)) && buf[0] == 6 && buf[15] == 6);
	return 0;
}

int e_run(int what)
{
	int (*const runs[])(void) = { run_plain, run_strings, run_arrays, run_deep, run_errno, run_nested, run_mistakes, run_moved };

	last = SGX_SUCCESS;
	return what < (int)(sizeof(runs) / sizeof(runs[0])) ? runs[what]() : counted;
}
