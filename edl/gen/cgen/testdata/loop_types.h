/* Types that loop.edl does not define itself. */
#pragma once
#include <stdint.h>

typedef int32_t my_int;
typedef struct {
	uint16_t id;
	uint64_t value;
} item;
typedef item *item_ptr;
typedef const uint8_t *bytes_ptr;
typedef uint8_t key_array[16];
