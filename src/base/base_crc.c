#include "base/base_crc.h"

#include <isa-l/crc.h>
#include <limits.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define VECTOR_BYTES_MIN 256 /* shorter pieces are not computed with wide vectors */

/* ISA-L's code for long pieces leaves the upper halves of the vector registers in use. Whatever SSE instruction comes
 * next, in our code or a memcpy, then pays for putting them away: 150 to 190 ns a call (Sapphire Rapids, ISA-L 2.30),
 * several times as much as the CRC of a KiB. */
__attribute__((target("avx"))) static void clear_upper_halves(void)
{
    _mm256_zeroupper();
}

static void leave_vectors(size_t size)
{
    if (size >= VECTOR_BYTES_MIN && __builtin_cpu_supports("avx"))
        clear_upper_halves();
}
#else
static void leave_vectors(size_t size)
{
    (void)size;
}
#endif

uint32_t rk_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    /* ISA-L only reads through its non-const pointer, and takes the length as an int. */
    unsigned char *at = (unsigned char *)(uintptr_t)bytes;
    size_t rest = size;

    crc = ~crc;
    while (rest > INT_MAX) {
        crc = crc32_iscsi(at, INT_MAX, crc);
        at += INT_MAX;
        rest -= INT_MAX;
    }
    crc = crc32_iscsi(at, (int)rest, crc);
    leave_vectors(size);
    return ~crc;
}
