/* What generated code needs of the SDK's header of this name. */
#pragma once
#include <stddef.h>
#include <string.h>

int memcpy_s(void *dst, size_t room, const void *src, size_t len);
int memcpy_verw_s(void *dst, size_t room, const void *src, size_t len);
void *memset_verw(void *dst, int value, size_t len);
