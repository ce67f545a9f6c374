#include "linear_value.h"

#include <string.h>

#define NUMBER_BYTES 16u

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Mostly small; some of several pages, a few that are read in pieces. */
static size_t size_of(uint64_t number)
{
    uint64_t dice = mix(number) % 2000;

    if (dice < 2)
        return LINEAR_VALUE_BYTES_MAX - dice * 777;
    if (dice < 12)
        return 70000 + (size_t)dice;
    if (dice < 150)
        return 1000 + (size_t)(dice * 50);
    return NUMBER_BYTES + (size_t)(dice % 200);
}

size_t linear_value_make(uint64_t number, uint8_t *bytes)
{
    size_t size = size_of(number);
    uint64_t words[2] = { number, mix(number) };

    memcpy(bytes, words, NUMBER_BYTES);
    for (size_t i = NUMBER_BYTES; i < size; i++)
        bytes[i] = (uint8_t)(words[1] + i * 131);
    return size;
}

uint64_t linear_value_read(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t words[2];

    if (size < NUMBER_BYTES)
        return 0;
    memcpy(words, bytes, NUMBER_BYTES);
    if (words[0] == 0 || words[1] != mix(words[0]) || size != size_of(words[0]))
        return 0;
    for (size_t i = NUMBER_BYTES; i < size; i++)
        if (at[i] != (uint8_t)(words[1] + i * 131))
            return 0;
    return words[0];
}
