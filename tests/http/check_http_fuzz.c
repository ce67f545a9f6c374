/* Mutations of seeds through the fuzz target, from a fixed start: the same in every run. */
#include "fuzz_http.h"
#include "test_main.h"

#include <string.h>

#define ROUNDS   60000
#define MAX_SIZE 512

static const char *const seeds[] = {
    "/v1/kv/a%2Fb?x=1",
    "/v1/kv?key=a%20b&ttl=1",
    "/v1/kv?prefix=a%2Fb&after64=YQ==&limit=10&delimiter=/&values=1",
    "/put?key=a+b&val=%00%ff",
    "/get?a+b%2",
    "/delete?key=&x",
    "GET /v1/kv/a HTTP/1.1\r\nHost: h\r\n\r\n",
    "\r\nPUT /put?key=a HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nX: y\r\n\r\nbody",
    "PUT /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\ncontent-length: 0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
    "\x01\x02\x01",
    "\x01\x0a",
};

/* Pieces that mean something to a parser. */
static const char *const pieces[] = {
    "%",
    "%2f",
    "%00",
    "+",
    "&key=",
    "&after=",
    "&prefix64=",
    "%3D%3D",
    "limit=99999999999999999999",
    "key=",
    "?",
    "=",
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    "\r\n\r\n",
    ":",
    "Host: h",
    "HTTP/1.0",
    "HTTP/1.1",
    "/v1/kv/",
    "/.",
    "//",
    "\x01",
    "\x02",
    "\xff",
    "GET ",
    "0",
    "Content-Length: 1\r\n",
    "Transfer-Encoding: chunked\r\n",
    "\r\n ",
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t insert_piece(uint8_t *bytes, size_t size, size_t at, const char *piece)
{
    size_t len = strlen(piece);

    if (size + len > MAX_SIZE)
        return size;
    memmove(bytes + at + len, bytes + at, size - at);
    memcpy(bytes + at, piece, len);
    return size + len;
}

static size_t remove_some(uint8_t *bytes, size_t size, size_t at, size_t n)
{
    n = n < size - at ? n : size - at;
    memmove(bytes + at, bytes + at + n, size - at - n);
    return size - n;
}

static size_t mutate(uint8_t *bytes, size_t size, uint64_t *state)
{
    size_t at = next_random(state) % (size + 1);

    switch (next_random(state) % 4) {
    case 0:
        return insert_piece(bytes, size, at, pieces[next_random(state) % (sizeof pieces / sizeof pieces[0])]);
    case 1:
        return remove_some(bytes, size, at, next_random(state) % 6);
    case 2:
        if (at < size)
            bytes[at] = (uint8_t)next_random(state);
        return size;
    default:
        if (at < size)
            bytes[at] ^= (uint8_t)(1u << next_random(state) % 8);
        return size;
    }
}

START_TEST(mutations)
{
    uint64_t state = 88172645463325252u;

    for (int round = 0; round < ROUNDS; round++) {
        uint8_t bytes[MAX_SIZE];
        const char *seed = seeds[next_random(&state) % (sizeof seeds / sizeof seeds[0])];
        size_t size = strlen(seed);

        memcpy(bytes, seed, size);
        for (uint64_t n = next_random(&state) % 5; n > 0; n--)
            size = mutate(bytes, size, &state);
        ck_assert_int_eq(LLVMFuzzerTestOneInput(bytes, size), 0);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_fuzz");
    TCase *tcase = tcase_create("fuzz");

    tcase_add_test(tcase, mutations);
    tcase_set_timeout(tcase, 30);
    suite_add_tcase(suite, tcase);
    return suite;
}
