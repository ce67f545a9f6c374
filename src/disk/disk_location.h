/* A location: where a record is, in one 64-bit word that a keydir entry can hold and one store can publish.
 *
 *    63          40 39                    12 11         0
 *   +--------------+------------------------+------------+
 *   | file number  | offset / 16            | size class |
 *   +--------------+------------------------+------------+
 *
 * 1. File number 0 is never used, so no location is 0.
 * 2. A record's padded size is exactly rk_disk_size_of_class(size class): the word alone says how many bytes to read
 * and how many become dead when it is replaced.
 *
 * Size class: in units of 16 bytes, a float of 7 bits mantissa and 5 bits exponent; classes 1..127 are exact, above
 * that a record is padded by at most 1/128 of its size. */
#ifndef RK_DISK_LOCATION_H
#define RK_DISK_LOCATION_H

#include <stdint.h>

#define RK_DISK_UNIT_BYTES       16u
#define RK_DISK_FILE_NUMBER_MAX  0xffffffu           /* 24 bits; 1 is the first */
#define RK_DISK_FILE_BYTES_MAX   ((uint64_t)1 << 32) /* 28 bits of 16-byte units */
#define RK_DISK_RECORD_BYTES_MAX ((uint64_t)1 << 31)

struct rk_location {
    uint32_t file_number;
    uint32_t size_bytes;
    uint64_t offset_bytes;
};

#define RK_DISK_CLASS_BITS    12
#define RK_DISK_OFFSET_BITS   28
#define RK_DISK_MANTISSA_BITS 7

_Static_assert(RK_DISK_FILE_BYTES_MAX == (uint64_t)RK_DISK_UNIT_BYTES << RK_DISK_OFFSET_BITS,
               "offsets of a full file fit");
_Static_assert(RK_DISK_CLASS_BITS + RK_DISK_OFFSET_BITS + 24 == 64, "the three parts fill the word");

/* The smallest class whose size is at least size_bytes (1..RK_DISK_RECORD_BYTES_MAX). Pure. */
unsigned rk_disk_class_of_size(uint64_t size_bytes);

/* Bytes of a class (12 bits; what is above them is not looked at). Pure. */
static inline uint64_t rk_disk_size_of_class(unsigned size_class)
{
    const unsigned n_mantissas = 1u << RK_DISK_MANTISSA_BITS;
    unsigned exponent = (size_class >> RK_DISK_MANTISSA_BITS) % (1u << (RK_DISK_CLASS_BITS - RK_DISK_MANTISSA_BITS));
    uint64_t mantissa = size_class % n_mantissas;

    return (exponent == 0 ? mantissa : (n_mantissas + mantissa) << (exponent - 1)) * RK_DISK_UNIT_BYTES;
}

/* The padded size of a record of so many bytes. Pure. */
uint64_t rk_disk_padded_size(uint64_t size_bytes);

/* Asserts that the parts fit (offset a multiple of 16, size exactly that of a class). Pure. */
uint64_t rk_disk_location_encode(struct rk_location location);

/* A word may come from memory or a file that is damaged: whatever it is, decoding it is defined, and a size that does
 * not fit into 32 bits becomes 0, which no record has. Pure; here, since a start asks it several times a record. */
static inline struct rk_location rk_disk_location_decode(uint64_t word)
{
    uint64_t size_bytes = rk_disk_size_of_class(word & ((1u << RK_DISK_CLASS_BITS) - 1));
    uint64_t units = word >> RK_DISK_CLASS_BITS & (((uint64_t)1 << RK_DISK_OFFSET_BITS) - 1);

    return (struct rk_location){
        .file_number = (uint32_t)(word >> (RK_DISK_CLASS_BITS + RK_DISK_OFFSET_BITS)),
        .offset_bytes = units * RK_DISK_UNIT_BYTES,
        .size_bytes = size_bytes <= RK_DISK_RECORD_BYTES_MAX ? (uint32_t)size_bytes : 0,
    };
}

#endif
