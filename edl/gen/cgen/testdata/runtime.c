#define _GNU_SOURCE
#include "runtime.h"
#include "sgx_edger8r.h"
#include "sgx_lfence.h"
#include "sgx_trts.h"
#include <errno.h>
#include <mbusafecrt.h>
#include <stdlib.h>
#include <ucontext.h>

static unsigned char arena[ENCLAVE_SIZE] __attribute__((aligned(4096)));
unsigned char *const enclave = arena;
void (*mutate)(void);
int mutate_at, steps, fail_malloc_at, live, switchless, fences;
const char *violation;

#define MAX_DEPTH 4
#define STACK_SIZE (128 << 10)
#define HEAP_START 4096 /* behind the secret */
#define STACKS (sizeof(arena) - MAX_DEPTH * STACK_SIZE)

static size_t heap = HEAP_START;
static int allocations, unfenced;

static unsigned char host_stack[64 << 10] __attribute__((aligned(64)));
static size_t host_used;

/* One ECALL and the OCALL that it waits for. */
static struct frame {
	ucontext_t outside, inside;
	int index;
	void *ms;
	int done, ocall;
	void *ocall_ms;
	sgx_status_t status, ocall_status;
	size_t host_mark;
} frames[MAX_DEPTH];
static int depth;

void runtime_reset(void)
{
	memset(arena, SECRET_BYTE, HEAP_START);
	mutate = NULL;
	mutate_at = fail_malloc_at = steps = allocations = live = 0;
	heap = HEAP_START;
	violation = NULL;
}

static void step(void)
{
	if (++steps == mutate_at && mutate)
		mutate();
}

static int inside(const void *p)
{
	return (const unsigned char *)p >= arena && (const unsigned char *)p < arena + sizeof(arena);
}

static int overlap(const void *addr, size_t size)
{
	uintptr_t first = (uintptr_t)addr, last = first + (size ? size - 1 : 0);

	if (last < first)
		return -1;
	return first <= (uintptr_t)arena + sizeof(arena) - 1 && last >= (uintptr_t)arena;
}

int sgx_is_within_enclave(const void *addr, size_t size)
{
	int yes = overlap(addr, size) == 1 && inside(addr) && inside((const char *)addr + (size ? size - 1 : 0));

	step();
	return yes;
}

int sgx_is_outside_enclave(const void *addr, size_t size)
{
	int yes = overlap(addr, size) == 0;

	unfenced = 1;
	step();
	return yes;
}

void sgx_lfence(void)
{
	unfenced = 0;
	fences++;
}

static int copy(void *dst, size_t room, const void *src, size_t len)
{
	if (len == 0)
		return 0;
	if (dst == NULL || src == NULL || room < len)
		return EINVAL;
	memcpy(dst, src, len);
	return 0;
}

int memcpy_s(void *dst, size_t room, const void *src, size_t len)
{
	int rc;

#ifndef LENIENT
	if (len && !inside(dst))
		violation = "a plain copy to the outside";
	if (unfenced && !inside(src))
		violation = "a use of an address without a fence behind its check";
#endif
	rc = copy(dst, room, src, len);
	step();
	return rc;
}

int memcpy_verw_s(void *dst, size_t room, const void *src, size_t len)
{
	int rc;

	if (len && overlap(dst, len) != 0)
		violation = "a copy to the outside that ends inside";
	rc = copy(dst, room, src, len);
	step();
	return rc;
}

void *memset_verw(void *dst, int value, size_t len)
{
	if (len && overlap(dst, len) != 0)
		violation = "a fill outside that ends inside";
	return memset(dst, value, len);
}

/* The heap of the enclave. It gives memory back when all of it is free. */
void *enclave_malloc(size_t size)
{
	void *p;

	step();
	size = (size + 31) & ~(size_t)15;
	if (++allocations == fail_malloc_at || size > STACKS - heap)
		return NULL;
	p = arena + heap;
	heap += size;
	live++;
	return memset(p, 0xAA, size);
}

void enclave_free(void *p)
{
	if (p && --live == 0)
		heap = HEAP_START;
}

/* The stack of the host, where OCALLs put what they hand over. */
void *sgx_ocalloc(size_t size)
{
	void *p = host_stack + host_used;

	size = (size + 15) & ~(size_t)15;
	if (size > sizeof(host_stack) - host_used)
		return NULL;
	host_used += size;
	return p;
}

void sgx_ocfree(void)
{
	size_t mark = frames[depth - 1].host_mark;

	memset(host_stack + mark, 0xEE, host_used - mark);
	host_used = mark;
}

struct entry {
	sgx_status_t (*bridge)(void *);
	uint8_t is_priv, is_switchless;
};
extern const struct {
	size_t count;
	struct entry entries[];
} g_ecall_table;
extern const struct {
	size_t count;
	uint8_t allowed[];
} g_dyn_entry_table;

static void enter(void)
{
	struct frame *f = &frames[depth - 1];

	f->status = g_ecall_table.entries[f->index].bridge(f->ms);
	f->done = 1;
	swapcontext(&f->inside, &f->outside);
}

static sgx_status_t run(struct frame *f, const void *ocall_table)
{
	const struct {
		size_t count;
		sgx_status_t (*table[])(void *);
	} *ocalls = ocall_table;

	getcontext(&f->inside);
	f->inside.uc_stack.ss_sp = arena + STACKS + (size_t)(depth - 1) * STACK_SIZE;
	f->inside.uc_stack.ss_size = STACK_SIZE;
	makecontext(&f->inside, enter, 0);
	swapcontext(&f->outside, &f->inside);
	while (!f->done) {
		size_t used = host_used;

		f->ocall_status = SGX_ERROR_INVALID_FUNCTION;
		if ((size_t)f->ocall < ocalls->count && (size_t)f->ocall < g_dyn_entry_table.count)
			f->ocall_status = ocalls->table[f->ocall](f->ocall_ms);
		if (host_used != used)
			violation = "a nested call has left something on the host's stack";
		swapcontext(&f->outside, &f->inside);
	}
	return f->status;
}

sgx_status_t sgx_ecall(sgx_enclave_id_t eid, int index, const void *ocall_table, void *ms)
{
	struct frame *f = &frames[depth];
	sgx_status_t status;

	(void)eid;
	if (index < 0 || (size_t)index >= g_ecall_table.count || depth == MAX_DEPTH)
		return SGX_ERROR_INVALID_FUNCTION;
	if (depth == 0 && g_ecall_table.entries[index].is_priv)
		return SGX_ERROR_ECALL_NOT_ALLOWED;
	if (depth > 0 && !g_dyn_entry_table.allowed[(size_t)frames[depth - 1].ocall * g_ecall_table.count + (size_t)index])
		return SGX_ERROR_ECALL_NOT_ALLOWED;
	if (depth == 0)
		steps = allocations = fences = unfenced = 0;
	memset(f, 0, sizeof(*f));
	f->index = index;
	f->ms = ms;
	f->host_mark = host_used;
	depth++;
	status = run(f, ocall_table);
	depth--;
	if (host_used != f->host_mark)
		violation = "an ECALL has left something on the host's stack";
	return status;
}

sgx_status_t sgx_ecall_switchless(sgx_enclave_id_t eid, int index, const void *ocall_table, void *ms)
{
	switchless++;
	if (!g_ecall_table.entries[index].is_switchless)
		violation = "an ECALL made without a switch that the table does not say so of";
	return sgx_ecall(eid, index, ocall_table, ms);
}

sgx_status_t sgx_ocall(unsigned int index, void *ms)
{
	struct frame *f = &frames[depth - 1];

	f->ocall = (int)index;
	f->ocall_ms = ms;
	swapcontext(&f->inside, &f->outside);
	errno = 0; /* the enclave's is not the host's */
	return f->ocall_status;
}

sgx_status_t sgx_ocall_switchless(unsigned int index, void *ms)
{
	switchless++;
	return sgx_ocall(index, ms);
}
