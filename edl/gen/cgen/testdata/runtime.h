/* A stand-in for the runtimes of the SDK, on both sides of the border, that
 * the generated code of loop.edl runs on. The enclave is an arena of memory:
 * its heap and its stacks. It is watched more closely than a real one. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define ENCLAVE_SIZE (1 << 20)
extern unsigned char *const enclave;

/* A secret of the enclave. */
#define SECRET enclave
#define SECRET_BYTE 0x5A

/* mutate is called at step number mutate_at of the next ECALL. A step is a
 * check of an address, a copy, or an allocation by trusted code: the moments
 * between which a host could change memory. */
extern void (*mutate)(void);
extern int mutate_at, steps;

extern int fail_malloc_at;    /* the allocation that fails, from 1; 0 for none */
extern int live;              /* allocations of the enclave not freed */
extern int switchless;        /* calls made that way */
extern int fences;            /* in the last ECALL */
extern const char *violation; /* what trusted code has done wrong, or NULL */

void runtime_reset(void);
