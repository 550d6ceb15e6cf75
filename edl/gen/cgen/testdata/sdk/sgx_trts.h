/* What generated code needs of the SDK's header of this name. */
#pragma once
#include <stddef.h>

int sgx_is_within_enclave(const void *addr, size_t size);
int sgx_is_outside_enclave(const void *addr, size_t size);
