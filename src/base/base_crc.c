#include "base/base_crc.h"

#include <isa-l/crc.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define VECTOR_BYTES_MIN 256 /* shorter pieces are not computed with wide vectors */

#if defined(__x86_64__)
#include <immintrin.h>

/* Of a few bytes, for which ISA-L takes 14 to 30 ns, and longer when they were just stored: of a record's header in all
 * 8 ns instead of 24. */
__attribute__((target("sse4.2"))) static uint32_t crc_of_few(uint32_t crc, const uint8_t *bytes, size_t size)
{
    uint64_t sum = crc;

    for (; size >= sizeof(uint64_t); bytes += sizeof(uint64_t), size -= sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, bytes, sizeof word);
        sum = _mm_crc32_u64(sum, word);
    }
    for (; size > 0; bytes++, size--)
        sum = _mm_crc32_u8((uint32_t)sum, *bytes);
    return (uint32_t)sum;
}

static bool can_do_few(void)
{
    return __builtin_cpu_supports("sse4.2");
}

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
static bool can_do_few(void)
{
    return false;
}

static uint32_t crc_of_few(uint32_t crc, const uint8_t *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    return crc;
}

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
    if (size < VECTOR_BYTES_MIN && can_do_few())
        return ~crc_of_few(crc, bytes, size);
    while (rest > INT_MAX) {
        crc = crc32_iscsi(at, INT_MAX, crc);
        at += INT_MAX;
        rest -= INT_MAX;
    }
    crc = crc32_iscsi(at, (int)rest, crc);
    leave_vectors(size);
    return ~crc;
}
