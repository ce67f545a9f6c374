#include "disk/disk_location.h"

#include "base/base_assert.h"

/* A class is a float of units: below 128 the number itself; above, (128 + low 7 bits) << (high 5 bits - 1). Classes of
 * 128..255 are exact, too (shift 0); from there on neighbours are at most 1/128 apart. */
#define MANTISSA_BITS   7
#define MANTISSA_VALUES (1u << MANTISSA_BITS)

#define CLASS_BITS   12
#define OFFSET_BITS  28
#define OFFSET_SHIFT CLASS_BITS
#define FILE_SHIFT   (CLASS_BITS + OFFSET_BITS)

_Static_assert(RK_DISK_FILE_BYTES_MAX == (uint64_t)RK_DISK_UNIT_BYTES << OFFSET_BITS, "offsets of a full file fit");
_Static_assert(FILE_SHIFT + 24 == 64, "the three parts fill the word");

unsigned rk_disk_class_of_size(uint64_t size_bytes)
{
    uint64_t units = (size_bytes + RK_DISK_UNIT_BYTES - 1) / RK_DISK_UNIT_BYTES;
    unsigned shift;
    uint64_t mantissa;

    RK_ASSERT(size_bytes >= 1 && size_bytes <= RK_DISK_RECORD_BYTES_MAX);
    if (units < MANTISSA_VALUES)
        return (unsigned)units;
    shift = 63u - (unsigned)__builtin_clzll(units) - MANTISSA_BITS;
    mantissa = (units + ((uint64_t)1 << shift) - 1) >> shift; /* 128..256; 256 is 128 of the next shift */
    return (unsigned)((shift + 1) * MANTISSA_VALUES + mantissa - MANTISSA_VALUES);
}

uint64_t rk_disk_size_of_class(unsigned size_class)
{
    unsigned exponent = size_class >> MANTISSA_BITS;
    uint64_t mantissa = size_class % MANTISSA_VALUES;

    RK_ASSERT(size_class < 1u << CLASS_BITS);
    if (exponent == 0)
        return mantissa * RK_DISK_UNIT_BYTES;
    return ((MANTISSA_VALUES + mantissa) << (exponent - 1)) * RK_DISK_UNIT_BYTES;
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
    return (uint64_t)location.file_number << FILE_SHIFT | location.offset_bytes / RK_DISK_UNIT_BYTES << OFFSET_SHIFT
           | size_class;
}

/* A word may come from memory or a file that is damaged: whatever it is, decoding it is defined, and a size that does
 * not fit into 32 bits becomes 0, which no record has. */
struct rk_location rk_disk_location_decode(uint64_t word)
{
    uint64_t size_bytes = rk_disk_size_of_class(word & ((1u << CLASS_BITS) - 1));
    uint64_t units = word >> OFFSET_SHIFT & (((uint64_t)1 << OFFSET_BITS) - 1);

    return (struct rk_location){
        .file_number = (uint32_t)(word >> FILE_SHIFT),
        .offset_bytes = units * RK_DISK_UNIT_BYTES,
        .size_bytes = size_bytes <= RK_DISK_RECORD_BYTES_MAX ? (uint32_t)size_bytes : 0,
    };
}
