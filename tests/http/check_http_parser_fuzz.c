/* Mutated requests through the parser and the slow one beside it, from a fixed start: the same in every run.
 * RK_PARSER_ROUNDS=1000000 for more of them. */
#include "fuzz_parser.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS   50000
#define MAX_SIZE 1024
#define HOST     "Host: h\r\n"
#define CHUNKED  "Transfer-Encoding: chunked\r\n"

static const char *const seeds[] = {
    "GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
    "\r\nPUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.0\r\n\r\n",
    "PUT /v1/kv/a HTTP/1.1\r\n" HOST CHUNKED "\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
    "PUT /a HTTP/1.1\r\n" HOST CHUNKED "\r\n5;a=b; c = \"d\\\"e\"\r\nhello\r\n00;x\r\nTrailer: x\r\n\r\nGET / HTTP/1.1",
    "POST http://h:80/a?b HTTP/1.1\r\n" HOST "Expect: 100-continue \r\nContent-Length: 01\t\r\n\r\nx",
    "OPTIONS * HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: close, keep-alive\r\n\r\n",
    "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\nHost: a%41.b:1\r\nRackKV-TTL: 5\r\nIf-Match: *\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: [1:2::fe]\r\n" CHUNKED "Content-Length: 3\r\n\r\n",
    "GET / HTTP/1.1\r\nHost:\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nH: 8\r\nI: \xc3\xa4\t\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]:0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "5\r\nhello\r\nA;b=\"c\"\r\n0123456789\r\n0\r\nX: y\r\n\r\nGET",
    "0000000000000001\r\na\r\nffffffff\r\nabc",
};

/* Pieces that mean something to a parser. */
static const char *const pieces[] = {
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    "\r\n\r\n",
    ":",
    ",",
    ";",
    "=",
    "\"",
    "\\",
    "/",
    "?",
    "*",
    "%",
    "%41",
    "#",
    "@",
    "[",
    "]",
    "[::1]",
    "0",
    "1",
    "5",
    "a",
    "x",
    "0x",
    "+",
    "-",
    "\xff",
    "\x7f",
    "\x01",
    "http://",
    "HTTPS://u",
    "HTTP/1.0",
    "HTTP/1.1",
    "HTTP/2.0",
    "GET ",
    "HEAD ",
    "OPTIONS * ",
    HOST,
    "Host: a:65536\r\n",
    "host:",
    "Content-Length: 1\r\n",
    "Content-Length: 99999999999999999999999\r\n",
    CHUNKED,
    "Transfer-Encoding: chunked, chunked\r\n",
    "Connection: close\r\n",
    "Connection: TE,keep-alive\r\n",
    "Expect: 100-Continue\r\n",
    "Expect: x\r\n",
    "If-None-Match: x\r\n",
    "RackKV-Foo: x\r\n",
    "Content-Type: x\r\n",
    "\r\n ",
    "0\r\n\r\n",
    "1\r\na\r\n",
    ";x=y",
    ";\"",
    "X: y\r\n",
};

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t insert(uint8_t *bytes, size_t size, size_t at, const void *piece, size_t len)
{
    if (size + len > MAX_SIZE)
        return size;
    memmove(bytes + at + len, bytes + at, size - at);
    memcpy(bytes + at, piece, len);
    return size + len;
}

static size_t mutate(uint8_t *bytes, size_t size, uint64_t *state)
{
    size_t at = next_random(state) % (size + 1);
    const char *piece = pieces[next_random(state) % N_OF(pieces)];
    uint8_t part[64];
    size_t n = next_random(state) % 6;

    switch (next_random(state) % 5) {
    case 0:
    case 1:
        return insert(bytes, size, at, piece, strlen(piece));
    case 2: /* take some away */
        n = n < size - at ? n : size - at;
        memmove(bytes + at, bytes + at + n, size - at - n);
        return size - n;
    case 3: /* double some */
        n = n * 10 < size - at ? n * 10 : size - at;
        memcpy(part, bytes + at, n);
        return insert(bytes, size, next_random(state) % (size + 1), part, n);
    default:
        if (at < size)
            bytes[at] = (uint8_t)(n < 3 ? bytes[at] ^ 1u << next_random(state) % 8 : next_random(state));
        return size;
    }
}

START_TEST(mutations)
{
    const char *asked = getenv("RK_PARSER_ROUNDS");
    long rounds = asked != NULL ? strtol(asked, NULL, 10) : ROUNDS;
    uint64_t state = 88172645463325252u;

    for (long round = 0; round < rounds; round++) {
        uint8_t bytes[MAX_SIZE];
        const char *seed = seeds[next_random(&state) % N_OF(seeds)];
        size_t size = strlen(seed);

        memcpy(bytes, seed, size);
        for (uint64_t n = next_random(&state) % 6; n > 0; n--)
            size = mutate(bytes, size, &state);
        ck_assert_int_eq(LLVMFuzzerTestOneInput(bytes, size), 0);
    }
    if (asked != NULL)
        printf("%ld mutated requests: no difference\n", rounds);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_parser_fuzz");
    TCase *tcase = tcase_create("fuzz");

    tcase_add_test(tcase, mutations);
    tcase_set_timeout(tcase, getenv("RK_PARSER_ROUNDS") != NULL ? 3600 : 120);
    suite_add_tcase(suite, tcase);
    return suite;
}
