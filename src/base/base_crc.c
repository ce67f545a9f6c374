#include "base/base_crc.h"

#include <isa-l/crc.h>
#include <limits.h>

uint32_t rk_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    /* ISA-L only reads through its non-const pointer, and takes the length as an int. */
    unsigned char *at = (unsigned char *)(uintptr_t)bytes;

    crc = ~crc;
    while (size > INT_MAX) {
        crc = crc32_iscsi(at, INT_MAX, crc);
        at += INT_MAX;
        size -= INT_MAX;
    }
    return ~crc32_iscsi(at, (int)size, crc);
}
