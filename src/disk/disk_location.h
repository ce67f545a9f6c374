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

/* The smallest class whose size is at least size_bytes (1..RK_DISK_RECORD_BYTES_MAX). Pure. */
unsigned rk_disk_class_of_size(uint64_t size_bytes);
uint64_t rk_disk_size_of_class(unsigned size_class);

/* The padded size of a record of so many bytes. Pure. */
uint64_t rk_disk_padded_size(uint64_t size_bytes);

/* Both ways; encode asserts that the parts fit (offset a multiple of 16, size exactly that of a class). Every word can
 * be decoded; one whose size no record has gives size 0. Pure. */
uint64_t rk_disk_location_encode(struct rk_location location);
struct rk_location rk_disk_location_decode(uint64_t word);

#endif
