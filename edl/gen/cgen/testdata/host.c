/* The host of loop.edl, and the checks. It prints a line for each check that
 * fails, and how many there were. */
#include "loop_u.h"
#include "runtime.h"
#include <errno.h>
#include <stdio.h>

static const sgx_enclave_id_t eid = 1;
static int checks, failures;
static sgx_status_t st;

static void check(int good, const char *what, int line)
{
	checks++;
	if (good && live == 0 && violation == NULL)
		return;
	failures++;
	printf("line %d: %s: status %#x, %d allocations left%s%s\n", line, what, (unsigned)st, live, violation ? ", " : "",
	       violation ? violation : "");
	live = 0;
	violation = NULL;
}
#define CHECK(condition) check((condition), #condition, __LINE__)
#define OK(call) ((st = (call)) == SGX_SUCCESS)
#define FAILS(call, status) ((st = (call)) == (status))
#define COUNT_OF_NOPS 100 /* for e_run */
#define INVALID SGX_ERROR_INVALID_PARAMETER

/* The OCALLs. */

static int called;
void o_nop(void) { called++; }

int64_t o_values(char a, short b, int c, long d, float e, double f, uint8_t g, size_t h, enum color i, struct point j)
{
	return a + b + c + d + (long)e + (long)f + g + (long)h + (int)i + j.x;
}

static uint32_t sum(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint32_t s = 0;

	while (n--)
		s += *b++;
	return s;
}

uint32_t o_sum(const uint8_t *p, size_t n) { return p ? sum(p, n) : 7777; }

void o_fill(void *p, size_t n, uint8_t v)
{
	if (sum(p, n) == 0) /* zeros, and nothing of the enclave */
		memset(p, v, n);
}

void o_twice(int64_t *p, uint16_t n)
{
	while (n--)
		*p++ *= 2;
}

int o_whole(int *p, size_t n)
{
	int s = 0;

	for (size_t i = 0; i < n / 4; i++)
		s += p[i];
	return s;
}

size_t o_strings(const char *a, char *b)
{
	size_t n = (a ? strlen(a) : 100) + (b ? strlen(b) : 1000);

	if (b && b[0] == '!')
		memset(b, 'x', strlen(b) + 1);
	else if (b)
		b[strlen(b) - 1] = '\0';
	return n;
}

size_t o_wide(const wchar_t *a, wchar_t *b)
{
	size_t n = wcslen(a) + wcslen(b);

	if (b[0] == L'!')
		wmemset(b, L'x', wcslen(b) + 1);
	else
		b[wcslen(b) - 1] = 0;
	return n;
}

long o_arrays(int a[2][3], uint8_t b[4], long c[2])
{
	long s = 0;

	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 3; j++)
			s = s * 10 + a[i][j];
	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(b[i] + i);
	c[0] += c[1];
	return s;
}

uint64_t o_foreign(item_ptr p, bytes_ptr q, size_t n, key_array k)
{
	uint64_t s = 0;

	for (size_t i = 0; p && i < n; i++)
		s += p[i].id + p[i].value;
	s += q ? sum(q, n) : 0;
	for (int i = 0; k && i < 16; i++)
		k[i] ^= 0xFF;
	return s;
}

void *o_raw(void *p) { return (char *)p + 1; }
int o_nulls(int *a, int *b, char *c, struct deep *d) { return !a && !b && !c && !d; }

static int64_t weigh(const struct deep *p)
{
	int64_t s = 0;

	for (uint32_t i = 0; p->ints && i < p->n; i++)
		s += p->ints[i];
	s += p->bytes ? sum(p->bytes, p->size) : 1000;
	return s + (p->table ? sum(p->table, 3 * (size_t)p->each) : 2000);
}

int64_t o_deep_in(struct deep *p, size_t n)
{
	int64_t s = 0;

	for (size_t i = 0; i < n; i++)
		s = s * 10000 + weigh(&p[i]);
	return s;
}

void o_deep(struct deep *p, size_t n, int how)
{
	for (size_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < p[i].n; j++)
			p[i].ints[j]++;
		p[i].bytes[p[i].size - 1] = 200;
		switch (how) {
		case 1:
			p[i].n--; /* shorter */
			break;
		case 2:
			p[i].n++; /* longer: no */
			break;
		case 3:
			p[i].ints = (int32_t *)SECRET; /* not where it was: no */
			break;
		case 4:
			p[i].ints++;
			break;
		case 5:
			p[i].size = SIZE_MAX;
			break;
		}
	}
}

int o_errno(int v)
{
	errno = v;
	return v + 1;
}

void o_errno_only(void) { errno = 71; }

int o_threads(int v)
{
	errno = v;
	return v * 2;
}

int o_cdecl(int v) { return v + 1; }
int o_stdcall(int v) { return v + 2; }
int o_fastcall(int v) { return v + 3; }
int o_imported(int v) { return v * 11; }

int o_nested(int v)
{
	int a = 0, b = 0;

	if (e_private(eid, &a, v) != SGX_SUCCESS || e_public(eid, &b, v) != SGX_SUCCESS)
		return -1;
	return a + b;
}

int o_refused(int v)
{
	int a = 0;

	return (int)e_public(eid, &a, v);
}

/* The checks. */

static void plain(void)
{
	int64_t r = 0;
	struct point p, q;
	union number n;
	struct mixed m;
	int i = 0;
	char *raw = NULL;
	void *ret = NULL;

	CHECK(OK(e_nop(eid)) && OK(e_run(eid, &i, COUNT_OF_NOPS)) && i == 1);
	CHECK(OK(e_values(eid, &r, 1, 2, -3, 4, -5, 6, -7, 8, -9, 10, 11.5f, 12.5, 13.5L, -14, -15, -16, -17, 18, 19, 20, 21, 22, 23)));
	CHECK(r == 1 + 2 - 3 + 4 - 5 + 6 - 7 + 8 - 9 + 10 + 11 + 12 + 13 - 14 - 15 - 16 - 17 + 18 + 19 + 20 + 21 + 22 + 23);
	CHECK(OK(e_values(eid, NULL, 1, 2, -3, 4, -5, 6, -7, 8, -9, 10, 11.5f, 12.5, 13.5L, -14, -15, -16, -17, 18, 19, 20, 21, 22, 23)));
	memset(&p, 0, sizeof(p));
	p.tag = 'a';
	p.x = 1000;
	p.y = 5;
	memset(&n, 0, sizeof(n));
	n.w = 1 << 20;
	CHECK(OK(e_struct(eid, &q, p, BLUE, n, -1)) && q.tag == 'b' && q.x == 1000 + 6 + (1 << 20) - 1 && q.y == 2.5);
	memset(&m, 0, sizeof(m));
	m.b = 1.25L;
	m.c[0] = 77;
	m.d[1] = p;
	m.e.w = 41;
	m.g = &m;
	CHECK(OK(e_mixed(eid, &m)) && m.a == 1 && m.b == 2.5L && m.c[2] == 77 && m.d[0].x == 1000 && m.e.w == 42 && m.f == GREEN && m.g == &m);
	CHECK(OK(e_raw(eid, &ret, &m, &raw)) && ret == (char *)&m + 2 && raw == (char *)&m + 1);
	i = switchless;
	CHECK(OK(e_threads(eid, &failures, 0)) && switchless == i + 1);
	failures = 0;
	CHECK(OK(e_imported(eid, &i, 2)) && i == 2000);
	CHECK(FAILS(e_private(eid, &i, 2), SGX_ERROR_ECALL_NOT_ALLOWED));
	CHECK(OK(e_nulls(eid, &i, NULL, NULL, NULL, NULL, NULL, NULL)) && i == 1);
}

static void buffers(void)
{
	uint8_t b[64], s[] = "unsigned";
	int ints[3] = { 1, 2, 3 }, two[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } }, own[3] = { 0, 0, 0 };
	uint8_t four[4] = { 9, 9, 9, 9 };
	uint32_t u = 0;
	uint64_t w = 0;
	long longs[2] = { 20, 22 }, r = 0;
	item items[2];
	key_array k = { 1, 2 }, l = { 0 };
	int i = 0;
	size_t z = 0;

	memset(b, 2, sizeof(b));
	CHECK(OK(e_sum(eid, &u, b, 10)) && u == 20);
	CHECK(OK(e_sum(eid, &u, NULL, 10)) && u == 7777);
	CHECK(OK(e_sum(eid, &u, b, 0)) && u == 7777);
	CHECK(OK(e_fill(eid, b, 20, 7)) && b[0] == 7 && b[19] == 7 && b[20] == 2);
	CHECK(OK(e_twice(eid, ints, 2)) && ints[0] == 2 && ints[1] == 4 && ints[2] == 3);
	memset(b, 1, sizeof(b));
	CHECK(OK(e_product(eid, &w, b, 4, 5)) && w == 20);
	CHECK(OK(e_narrow(eid, &w, b, 4, 5)) && w == 20);
	CHECK(OK(e_whole(eid, &i, ints, 12)) && i == 3);
	CHECK(FAILS(e_whole(eid, &i, ints, 11), INVALID));
	CHECK(FAILS(e_whole(eid, &i, ints, -4), INVALID));
	CHECK(OK(e_unsigned(eid, &z, s)) && z == 8);
	CHECK(OK(e_arrays(eid, &r, two, four, longs, own)) && r == 123456 && four[0] == 0 && four[3] == 3 && longs[0] == 42 && own[2] == 99);
	memset(items, 0, sizeof(items));
	items[0].id = 1;
	items[1].value = 1000;
	CHECK(OK(e_foreign(eid, &w, items, b, 2, k, l)) && w == 1003 && k[0] == 0xFE && k[15] == 0xFF && l[15] == 1);
}

static void strings(void)
{
	char b[] = "abcdef", c[] = "!bcdef", e[] = "";
	wchar_t w[] = L"abcdef", x[] = L"!bcdef";
	size_t n = 0;

	CHECK(OK(e_strings(eid, &n, "host", b)) && n == 10 && strcmp(b, "abcde") == 0);
	CHECK(OK(e_strings(eid, &n, NULL, NULL)) && n == 1100);
	CHECK(OK(e_strings(eid, &n, "", e)) && n == 0);
	CHECK(OK(e_strings(eid, &n, "", c)) && strcmp(c, "xxxxxx") == 0);
	CHECK(OK(e_wide(eid, &n, L"host", w)) && n == 10 && wcscmp(w, L"abcde") == 0);
	CHECK(OK(e_wide(eid, &n, NULL, x)) && wcscmp(x, L"xxxxxx") == 0);
}

static int32_t ints[2][3];
static uint8_t bytes[2][5], table[2][6];
static struct deep pair[2];

static void fill(void)
{
	memset(pair, 0, sizeof(pair));
	for (int n = 0; n < 2; n++) {
		for (int i = 0; i < 3; i++)
			ints[n][i] = 100 * (i + 1);
		for (int i = 0; i < 5; i++)
			bytes[n][i] = (uint8_t)(i + 1);
		memset(table[n], 9, 6);
		pair[n].n = 3;
		pair[n].ints = ints[n];
		pair[n].size = 5;
		pair[n].bytes = bytes[n];
		pair[n].each = 2;
		pair[n].table = table[n];
		pair[n].raw = (char *)table[n];
	}
}

static int pointers_back(void)
{
	return pair[0].ints == ints[0] && pair[1].ints == ints[1] && pair[0].bytes == bytes[0] && pair[1].table == table[1] &&
	       pair[0].raw == (char *)table[0];
}

static void deep_copies(void)
{
	int64_t r = 0;

	fill();
	CHECK(OK(e_deep_in(eid, &r, pair, 2)) && r == 6690669 && pointers_back());
	CHECK(OK(e_deep_in(eid, &r, NULL, 2)) && r == 0);
	CHECK(OK(e_deep_in(eid, &r, pair, 0)) && r == 0);
	pair[1].ints = NULL;
	pair[1].size = 0;
	CHECK(OK(e_deep_in(eid, &r, pair, 2)) && r == 669 * 10000 + 1054);
	pair[1].ints = (int32_t *)SECRET;
	CHECK(FAILS(e_deep_in(eid, &r, pair, 2), INVALID));
	fill();
	pair[0].bytes = enclave - 1; /* one byte outside */
	CHECK(FAILS(e_deep_in(eid, &r, pair, 2), INVALID));
	fill();
	pair[1].table = SECRET;
	CHECK(FAILS(e_deep_in(eid, &r, pair, 2), INVALID));
	fill();
	pair[1].size = SIZE_MAX;
	CHECK(FAILS(e_deep_in(eid, &r, pair, 2), INVALID));
	fill();
	CHECK(FAILS(e_deep_in(eid, &r, pair, SIZE_MAX / 8), INVALID));
	memset(pair, 0, sizeof(pair));
	CHECK(OK(e_deep_in(eid, &r, pair, 1)) && r == 3000); /* no buffers at all */
#ifndef LENIENT
	fill();
	CHECK(OK(e_deep(eid, pair, 2, 0)) && ints[0][0] == 101 && ints[1][2] == 301 && bytes[1][4] == 200 && pointers_back());
	CHECK(OK(e_deep(eid, pair, 2, 1)) && pair[0].n == 2 && ints[0][1] == 202 && ints[0][2] == 301 && pointers_back());
	fill();
	CHECK(OK(e_deep(eid, pair, 2, 3)) && ints[0][0] == 100 && pointers_back());
	fill();
	pair[0].bytes = NULL;
	pair[1].table = NULL; /* lengths that are not zero, of no buffers */
	CHECK(OK(e_deep(eid, pair, 2, 0)) && ints[1][0] == 101 && pair[0].bytes == NULL && pair[1].table == NULL && pair[1].bytes == bytes[1]);
	CHECK(OK(e_deep(eid, NULL, 2, 0)));
	for (int how = 2; how <= 5; how++) {
		if (how == 3)
			continue;
		fill();
		CHECK(FAILS(e_deep(eid, pair, 2, how), INVALID));
		CHECK(pointers_back()); /* and no address of the enclave in their place */
	}
#endif
}

static void hostile(void)
{
	uint8_t b[16] = { 0 };
	uint32_t u = 0;
	uint64_t w = 0;
	int own[3] = { 0 };
	size_t n = 0;
	key_array k;

	CHECK(FAILS(e_sum(eid, &u, SECRET, 16), INVALID));
	CHECK(FAILS(e_sum(eid, &u, enclave - 8, 16), INVALID));
	CHECK(FAILS(e_sum(eid, &u, enclave + ENCLAVE_SIZE - 1, 2), INVALID));
	CHECK(FAILS(e_sum(eid, &u, b, SIZE_MAX), INVALID));
	CHECK(FAILS(e_fill(eid, SECRET, 16, 0), INVALID));
	CHECK(FAILS(e_twice(eid, (int *)SECRET, 4), INVALID));
	CHECK(FAILS(e_twice(eid, (int *)b, UINT32_MAX), INVALID) || st == SGX_ERROR_OUT_OF_MEMORY);
	CHECK(FAILS(e_product(eid, &w, b, SIZE_MAX / 2 + 1, 2), INVALID));
	CHECK(FAILS(e_product(eid, &w, b, 2, SIZE_MAX / 2 + 1), INVALID));
#ifndef LENIENT
	/* 65536 * 65536 is 0 in 32 bits. */
	CHECK(!OK(e_narrow(eid, &w, b, 65536, 65536)));
#endif
	CHECK(FAILS(e_strings(eid, &n, (char *)SECRET, NULL), INVALID));
	CHECK(FAILS(e_wide(eid, &n, NULL, (wchar_t *)SECRET), INVALID));
	CHECK(FAILS(e_foreign(eid, &w, (item_ptr)SECRET, NULL, 1, k, k), INVALID));
	CHECK(FAILS(e_foreign(eid, &w, NULL, SECRET, 1, k, k), INVALID));
	CHECK(FAILS(e_foreign(eid, &w, NULL, NULL, 1, SECRET, k), INVALID));
	CHECK(FAILS(e_arrays(eid, NULL, (int(*)[3])SECRET, b, (long *)b, own), INVALID));
	CHECK(SECRET[0] == SECRET_BYTE && SECRET[15] == SECRET_BYTE);
}

/* Memory runs out at each allocation in turn. */
static void no_memory(void)
{
	int64_t r = 0;
	size_t n = 0;

	for (int at = 1; at <= 2; at++) {
		char b[] = "b";
		fail_malloc_at = at;
		CHECK(FAILS(e_strings(eid, &n, "a", b), SGX_ERROR_OUT_OF_MEMORY));
		fill();
		CHECK(FAILS(e_deep_in(eid, &r, pair, 2), SGX_ERROR_OUT_OF_MEMORY));
	}
	fail_malloc_at = 0;
}

/* Blocks that no honest proxy makes. The layouts are those of the interface. */
struct strings_ms {
	size_t retval;
	const char *a;
	size_t a_len;
	char *b;
	size_t b_len;
};
struct wide_ms {
	size_t retval;
	const wchar_t *a;
	size_t a_len;
	wchar_t *b;
	size_t b_len;
};
struct sum_ms {
	uint32_t retval;
	const uint8_t *p;
	size_t n;
};
enum { E_NOP = 0, E_SUM = 4, E_STRINGS = 10, E_WIDE = 12, E_RUN = 22 };

static const struct {
	size_t count;
	void *table[1];
} no_ocalls = { 0, { NULL } };
#define RAW(index, ms) sgx_ecall(eid, index, &no_ocalls, ms)

static void raw(void)
{
	char text[8] = "abc";
	wchar_t wide[4] = L"abc";
	struct strings_ms s;
	struct wide_ms w;
	int x = 0;

	CHECK(FAILS(RAW(E_NOP, &x), INVALID)); /* it has no block */
	CHECK(FAILS(RAW(E_SUM, NULL), INVALID));
	CHECK(FAILS(RAW(E_SUM, SECRET), INVALID));
	CHECK(FAILS(RAW(E_SUM, enclave - sizeof(struct sum_ms) + 1), INVALID));
	memset(&s, 0, sizeof(s));
	s.a = text;
	s.a_len = 4;
	CHECK(OK(RAW(E_STRINGS, &s)) && s.retval == 1003);
	s.a_len = 3; /* "ab", and no end there: one is made */
	CHECK(OK(RAW(E_STRINGS, &s)));
	s.a_len = 5; /* the string is shorter than said */
	CHECK(FAILS(RAW(E_STRINGS, &s), SGX_ERROR_UNEXPECTED));
	s.a_len = 0;
	CHECK(OK(RAW(E_STRINGS, &s)) && s.retval == 1100); /* no string */
	s.a_len = SIZE_MAX;
	CHECK(FAILS(RAW(E_STRINGS, &s), INVALID));
	s.a = NULL;
	CHECK(OK(RAW(E_STRINGS, &s)));
	memset(&w, 0, sizeof(w));
	w.a = wide;
	w.a_len = 16;
	CHECK(OK(RAW(E_WIDE, &w)) && w.retval == 1003);
	w.a_len = 15;
	CHECK(FAILS(RAW(E_WIDE, &w), SGX_ERROR_UNEXPECTED));
	w.a_len = 2;
	CHECK(FAILS(RAW(E_WIDE, &w), SGX_ERROR_UNEXPECTED));
}

/* The host changes the block, or what it points to, while the enclave looks at
 * it: at each step in turn, to something that must not pass. */
static struct sum_ms sum_block;
static struct strings_ms strings_block;
static char changing[8];

static void point_inside(void) { sum_block.p = SECRET; }
static void grow(void) { sum_block.n = 2000; }
static void shrink(void) { sum_block.n = 1; }
static void strings_inside(void)
{
	strings_block.a = strings_block.b = (char *)SECRET;
	strings_block.a_len = strings_block.b_len = 64;
}
static void lose_end(void) { memset(changing, 'x', sizeof(changing)); }

static void deep_inside(void)
{
	pair[0].ints = pair[1].ints = (int32_t *)SECRET;
	pair[0].bytes = pair[1].bytes = SECRET;
}
static void deep_longer(void) { pair[0].n = pair[1].n = 500; }

/* An OCALL whose host says afterwards that the buffer is elsewhere. */
struct fill_ms {
	void *p;
	size_t n;
	uint8_t v;
};
static sgx_status_t moves_buffer(void *pms)
{
	struct fill_ms *ms = pms;

	o_fill(ms->p, ms->n, ms->v);
	ms->p = SECRET;
	ms->n = 4000;
	return SGX_SUCCESS;
}
static const struct {
	size_t count;
	void *table[4];
} moving_ocalls = { 4, { NULL, NULL, NULL, (void *)moves_buffer } };
struct run_ms {
	int retval, what;
};

static void changing_host(void)
{
	struct run_ms run = { -1, 7 };
	static uint8_t b[4096];
	int at, last = 1;

	memset(b, 1, sizeof(b));
	for (at = 1; at <= last; at++) {
		mutate_at = at;
		sum_block.p = b;
		sum_block.n = 100;
		mutate = point_inside;
		st = RAW(E_SUM, &sum_block);
		CHECK(st == INVALID || (st == SGX_SUCCESS && sum_block.retval == 100));
		sum_block.p = b;
		sum_block.n = 100;
		mutate = grow;
		st = RAW(E_SUM, &sum_block);
		CHECK(st == SGX_SUCCESS && (sum_block.retval == 100 || sum_block.retval == 2000));
		sum_block.n = 100;
		mutate = shrink;
		st = RAW(E_SUM, &sum_block);
		CHECK(st == SGX_SUCCESS && (sum_block.retval == 100 || sum_block.retval == 1));
		last = steps > last ? steps : last;
	}
	CHECK(last >= 5); /* it was not for nothing */
	for (at = 1, last = 1; at <= last; at++) {
		char text[8] = "abc";
		strcpy(changing, "abc");
		strings_block.a = changing;
		strings_block.b = text;
		strings_block.a_len = strings_block.b_len = 4;
		mutate = strings_inside;
		mutate_at = at;
		st = RAW(E_STRINGS, &strings_block);
		last = steps > last ? steps : last;
		CHECK(st == INVALID || (st == SGX_SUCCESS && strings_block.retval == 6));
		CHECK(SECRET[3] == SECRET_BYTE); /* where a string would have ended */

		strcpy(changing, "abc");
		strings_block.a = changing;
		strings_block.b = text;
		strcpy(text, "abc");
		strings_block.a_len = strings_block.b_len = 4;
		mutate = lose_end;
		st = RAW(E_STRINGS, &strings_block);
		CHECK(st == SGX_SUCCESS && strings_block.retval == 6);
	}
	CHECK(last >= 6);
	for (at = 1, last = 1; at <= last; at++) {
		int64_t r = 0;

		mutate_at = at;
		fill();
		mutate = deep_inside;
		st = e_deep_in(eid, &r, pair, 2);
		last = steps > last ? steps : last;
		CHECK(st == INVALID || (st == SGX_SUCCESS && r == 6690669));
		fill();
		mutate = deep_longer;
		st = e_deep_in(eid, &r, pair, 2);
		CHECK(st == SGX_SUCCESS);
#ifndef LENIENT
		fill();
		mutate = deep_inside;
		st = e_deep(eid, pair, 2, 0);
		last = steps > last ? steps : last;
		CHECK(st == INVALID || (st == SGX_SUCCESS && ints[0][0] == 101 && bytes[1][4] == 200));
#endif
		CHECK(SECRET[0] == SECRET_BYTE && SECRET[4] == SECRET_BYTE);
	}
	CHECK(last >= 12);
	mutate = NULL;
	CHECK(FAILS(sgx_ecall(eid, E_RUN, &moving_ocalls, &run), SGX_SUCCESS) && run.retval == 0);
	CHECK(SECRET[0] == SECRET_BYTE);
}

int main(void)
{
	int r;

	setvbuf(stdout, NULL, _IONBF, 0);
	runtime_reset();
	plain();
	buffers();
	strings();
	deep_copies();
	runtime_reset();
	hostile();
	no_memory();
	raw();
	changing_host();
	for (int what = 0; what < 7; what++) {
		r = -1;
		CHECK(OK(e_run(eid, &r, what)) && r == 0);
		if (r)
			printf("e_run(%d): line %d of enclave.c, status %#x\n", what, r / 10000, (unsigned)(r % 10000));
	}
	CHECK(called == 1);
	printf("%d checks, %d failures\n", checks, failures);
	return failures != 0;
}
