#include "disk/disk_location.h"

#include "base/base_assert.h"

/* A class is a float of units: below 128 the number itself; above, (128 + low 7 bits) << (high 5 bits - 1). Classes of
 * 128..255 are exact, too (shift 0); from there on neighbours are at most 1/128 apart. */
#define MANTISSA_VALUES (1u << RK_DISK_MANTISSA_BITS)

unsigned rk_disk_class_of_size(uint64_t size_bytes)
{
    uint64_t units = (size_bytes + RK_DISK_UNIT_BYTES - 1) / RK_DISK_UNIT_BYTES;
    unsigned shift;
    uint64_t mantissa;

    RK_ASSERT(size_bytes >= 1 && size_bytes <= RK_DISK_RECORD_BYTES_MAX);
    if (units < MANTISSA_VALUES)
        return (unsigned)units;
    shift = 63u - (unsigned)__builtin_clzll(units) - RK_DISK_MANTISSA_BITS;
    mantissa = (units + ((uint64_t)1 << shift) - 1) >> shift; /* 128..256; 256 is 128 of the next shift */
    return (unsigned)((shift + 1) * MANTISSA_VALUES + mantissa - MANTISSA_VALUES);
}

uint64_t rk_disk_padded_size(uint64_t size_bytes)
{
    return rk_disk_size_of_class(rk_disk_class_of_size(size_bytes));
}

uint64_t rk_disk_location_encode(struct rk_location location)
{
    unsigned size_class = rk_disk_class_of_size(location.size_bytes);

    RK_ASSERT(location.file_number >= 1 && location.file_number <= RK_DISK_FILE_NUMBER_MAX);
    RK_ASSERT(location.offset_bytes < RK_DISK_FILE_BYTES_MAX && location.offset_bytes % RK_DISK_UNIT_BYTES == 0);
    RK_ASSERT(rk_disk_size_of_class(size_class) == location.size_bytes);
    return (uint64_t)location.file_number << (RK_DISK_CLASS_BITS + RK_DISK_OFFSET_BITS)
           | location.offset_bytes / RK_DISK_UNIT_BYTES << RK_DISK_CLASS_BITS | size_class;
}
