/* What is stored beside a value: comes back byte for byte, and nothing that could not be sent is stored or believed. */
#include "http/http_metadata.h"
#include "http_lines_bed.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What goes in; what comes out: the own fields as "name=value;". */
struct row {
    const char *stored[RK_HTTP_N_STORED];
    const char *own;
    const char *own_out;
};

static const struct row good[] = {
    { { NULL }, NULL, "" },
    { { "text/plain; charset=utf-8" }, NULL, "" },
    { { NULL, "gzip" }, NULL, "" },
    { { "text/html", "br", "public, max-age=60", "attachment; filename=\"a b;c.txt\"", "pl, en" }, NULL, "" },
    { { "t\xc3\xa4xt/\tplain" }, "RackKV-Meta-Utf8: caf\xc3\xa9", "RackKV-Meta-Utf8=caf\xc3\xa9;" },
    { { NULL }, "RackKV-Meta-A-b_c:x: y, z", "RackKV-Meta-A-b_c=x: y, z;" },
    { { NULL }, "rackkv-meta-lower:\t l", "rackkv-meta-lower=l;" },
    { { NULL }, "RACKKV-META-UPPER: U", "RACKKV-META-UPPER=U;" },
    { { NULL }, "RackKV-Meta-Empty:", "RackKV-Meta-Empty=;" },
    { { NULL },
      "RackKV-Meta-A: 2\nRackKV-Meta-B: 1\nRackKV-Meta-A: 1",
      "RackKV-Meta-A=2;RackKV-Meta-B=1;RackKV-Meta-A=1;" },
    { { NULL, NULL, NULL, NULL, "x" }, "RackKV-Meta-1: a  b\tc", "RackKV-Meta-1=a  b\tc;" },
};

static void make_lines(const struct row *row, struct bed_lines *beds, struct rk_http_metadata_lines *lines)
{
    for (int i = 0; i < RK_HTTP_N_STORED; i++)
        lines->stored[i] = bed_lines(&beds[i], row->stored[i]);
    lines->own = bed_lines(&beds[RK_HTTP_N_STORED], row->own);
}

static void print_own(struct rk_http_span own, char *out)
{
    struct rk_http_span name, value;

    *out = '\0';
    while (rk_http_metadata_next_own(&own, &name, &value))
        out += sprintf(out, "%.*s=%.*s;", (int)name.len, name.at, (int)value.len, value.at);
}

START_TEST(metadata_comes_back)
{
    const struct row *row = &good[_i];
    struct bed_lines beds[RK_HTTP_N_STORED + 1];
    struct rk_http_metadata_lines lines;
    struct rk_http_metadata out;
    struct rk_http_span wrong;
    uint8_t bytes[RK_HTTP_METADATA_MAX];
    char own[256];
    size_t len;

    make_lines(row, beds, &lines);
    ck_assert_int_eq(rk_http_metadata_encode(&lines, bytes, &len, &wrong), RK_OK);
    ck_assert_int_eq(rk_http_metadata_decode(bytes, len, &out), RK_OK);
    for (int i = 0; i < RK_HTTP_N_STORED; i++) {
        ck_assert((row->stored[i] == NULL) == (out.stored[i].at == NULL));
        if (row->stored[i] != NULL)
            ck_assert_msg(out.stored[i].len == strlen(row->stored[i])
                              && memcmp(out.stored[i].at, row->stored[i], out.stored[i].len) == 0,
                          "%s", row->stored[i]);
    }
    print_own(out.own, own);
    ck_assert_str_eq(own, row->own_out);
}
END_TEST

START_TEST(lines_of_lists_become_one)
{
    struct bed_lines bed;
    struct rk_http_metadata_lines lines = { .stored[RK_HTTP_CONTENT_LANGUAGE] = bed_lines(&bed, "pl\n\nen, de") };
    struct rk_http_metadata out;
    struct rk_http_span wrong;
    uint8_t bytes[RK_HTTP_METADATA_MAX];
    size_t len;

    ck_assert_int_eq(rk_http_metadata_encode(&lines, bytes, &len, &wrong), RK_OK);
    ck_assert_int_eq(rk_http_metadata_decode(bytes, len, &out), RK_OK);
    ck_assert_uint_eq(out.stored[RK_HTTP_CONTENT_LANGUAGE].len, strlen("pl, en, de"));
    ck_assert_mem_eq(out.stored[RK_HTTP_CONTENT_LANGUAGE].at, "pl, en, de", strlen("pl, en, de"));
}
END_TEST

/* What is written of a type alone is what is written of all that there is. */
START_TEST(a_type_alone)
{
    static const char *const types[] = { "", "t", "text/plain; charset=utf-8", "a\tb", "a\x01" };
    char longest[RK_HTTP_METADATA_VALUE_MAX + 2];

    memset(longest, 't', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < sizeof types / sizeof types[0] + 2; i++) {
        const char *type = i < 5 ? types[i] : longest + (6 - i);
        struct bed_lines bed;
        struct rk_http_metadata_lines lines = { .stored[RK_HTTP_CONTENT_TYPE] = bed_lines(&bed, type) };
        uint8_t bytes[RK_HTTP_METADATA_MAX], *alone = malloc(RK_HTTP_METADATA_TYPE_MAX);
        size_t len = 0, alone_len = 0;
        struct rk_http_span wrong;
        enum rk_err err = rk_http_metadata_encode(&lines, bytes, &len, &wrong);

        ck_assert_int_eq(rk_http_metadata_encode_type(bed_span(type), alone, &alone_len), err);
        ck_assert_uint_eq(alone_len, len);
        ck_assert_mem_eq(alone, bytes, len);
        free(alone);
    }
}
END_TEST

START_TEST(an_empty_value_is_none)
{
    struct bed_lines bed;
    struct rk_http_metadata_lines lines = { .stored[RK_HTTP_CONTENT_TYPE] = bed_lines(&bed, "") };
    struct rk_http_span wrong;
    uint8_t bytes[RK_HTTP_METADATA_MAX];
    size_t len;

    ck_assert_int_eq(rk_http_metadata_encode(&lines, bytes, &len, &wrong), RK_OK);
    ck_assert_uint_eq(len, 0);
}
END_TEST

/* ---- what is refused, and the name that is told ---- */

struct bad_row {
    struct row row;
    const char *wrong;
};

static const struct bad_row bad[] = {
    { { { "text/plain\ntext/html" }, NULL, NULL }, "Content-Type" },
    { { { NULL, NULL, NULL, "a\nb" }, NULL, NULL }, "Content-Disposition" },
    { { { "a\x01" }, NULL, NULL }, "Content-Type" },
    { { { NULL, NULL, "a\rb" }, NULL, NULL }, "Cache-Control" },
    { { { NULL, NULL, NULL, NULL, "\x7f" }, NULL, NULL }, "Content-Language" },
    { { { NULL }, "RackKV-Meta-: nameless", NULL }, "RackKV-Meta-*" },
    { { { NULL }, "RackKV-Meta-A", NULL }, "RackKV-Meta-*" },
    { { { NULL }, "RackKV-Met-A: 1", NULL }, "RackKV-Meta-*" },
    { { { NULL }, "RackKV-Meta-A B: 1", NULL }, "RackKV-Meta-*" },
    { { { NULL }, "RackKV-Meta-\xc3\xa9: 1", NULL }, "RackKV-Meta-*" },
    { { { NULL }, "RackKV-Meta-A: a\rb", NULL }, "RackKV-Meta-*" },
};

START_TEST(what_could_not_be_sent_is_refused)
{
    struct bed_lines beds[RK_HTTP_N_STORED + 1];
    struct rk_http_metadata_lines lines;
    struct rk_http_span wrong;
    uint8_t bytes[RK_HTTP_METADATA_MAX];
    size_t len;

    make_lines(&bad[_i].row, beds, &lines);
    ck_assert_int_eq(rk_http_metadata_encode(&lines, bytes, &len, &wrong), RK_ERR_INVALID);
    ck_assert_uint_eq(wrong.len, strlen(bad[_i].wrong));
    ck_assert_mem_eq(wrong.at, bad[_i].wrong, wrong.len);
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
    struct rk_http_line line = { { "a\0b", 3 }, NULL };
    struct rk_http_metadata_lines lines = { .stored[RK_HTTP_CONTENT_TYPE] = &line };
    struct rk_http_span wrong;
    uint8_t bytes[RK_HTTP_METADATA_MAX];
    size_t len;

    ck_assert_int_eq(rk_http_metadata_encode(&lines, bytes, &len, &wrong), RK_ERR_INVALID);
}
END_TEST

/* ---- limits ---- */

static enum rk_err encode_sizes(size_t value_len, size_t own_len, int n_own)
{
    size_t prefix = strlen("RackKV-Meta-");
    char *value = malloc(value_len + 1), *own = malloc(prefix + own_len + 1);
    struct rk_http_line value_line = { { value, value_len }, NULL };
    struct rk_http_line *own_lines = calloc((size_t)n_own + 1, sizeof *own_lines);
    struct rk_http_metadata_lines lines = { .own = n_own > 0 ? own_lines : NULL };
    struct rk_http_metadata out;
    struct rk_http_span wrong;
    uint8_t *bytes = malloc(RK_HTTP_METADATA_MAX); /* on the heap, so that overruns are seen */
    size_t len;
    enum rk_err err;

    memset(value, 'v', value_len);
    memset(own, 'm', prefix + own_len + 1);
    memcpy(own, "RackKV-Meta-A:", prefix + 2);
    for (int i = 0; i < RK_HTTP_N_STORED; i++)
        lines.stored[i] = &value_line;
    for (int i = 0; i < n_own; i++)
        own_lines[i] = (struct rk_http_line){ { own, prefix + own_len + 1 }, i + 1 < n_own ? &own_lines[i + 1] : NULL };
    err = rk_http_metadata_encode(&lines, bytes, &len, &wrong);
    if (err == RK_OK)
        ck_assert_int_eq(rk_http_metadata_decode(bytes, len, &out), RK_OK);
    free(bytes);
    free(own_lines);
    free(own);
    free(value);
    return err;
}

START_TEST(limits_of_metadata)
{
    ck_assert_int_eq(encode_sizes(2048, 2048, 1), RK_OK); /* the names count, without the prefix and the colon */
    ck_assert_int_eq(encode_sizes(2048, 20, 100), RK_OK);
    ck_assert_int_eq(encode_sizes(2048, 21, 100), RK_ERR_TOO_LARGE);
    ck_assert_int_eq(encode_sizes(2049, 1, 0), RK_ERR_TOO_LARGE);
    ck_assert_int_eq(encode_sizes(1, 2049, 1), RK_ERR_TOO_LARGE);
    ck_assert_int_eq(encode_sizes(1, 1025, 2), RK_ERR_TOO_LARGE);
    ck_assert_int_eq(encode_sizes(1, 1024, 2), RK_OK);
    ck_assert_int_eq(encode_sizes(1, 1, 101), RK_ERR_TOO_LARGE);
}
END_TEST

START_TEST(names_have_a_limit)
{
    char line[300];
    struct rk_http_line own = { { line, 0 }, NULL };
    struct rk_http_metadata_lines lines = { .own = &own };
    struct rk_http_span wrong;
    uint8_t bytes[RK_HTTP_METADATA_MAX];
    size_t len;

    memset(line, 'n', sizeof line);
    memcpy(line, "RackKV-Meta-", strlen("RackKV-Meta-"));
    line[255] = ':';
    own.value.len = 256;
    ck_assert_int_eq(rk_http_metadata_encode(&lines, bytes, &len, &wrong), RK_OK);
    line[255] = 'n';
    line[256] = ':';
    own.value.len = 257;
    ck_assert_int_eq(rk_http_metadata_encode(&lines, bytes, &len, &wrong), RK_ERR_INVALID);
}
END_TEST

/* ---- damage, and what another program could have written ---- */

#define OWN "\x0d\x01\x00RackKV-Meta-A1" /* 13 bytes of name, one of value: 17 in all */

struct stored_row {
    const char *bytes;
    size_t len;
    enum rk_err err;
};

#define STORED(bytes, err)            \
    {                                 \
        bytes, sizeof(bytes) - 1, err \
    }

static const struct stored_row stored[] = {
    STORED("", RK_OK),
    STORED("\x01\x01\x00"
           "a",
           RK_OK),
    STORED("\x01\x01\x00"
           "a\x07\x02\x00"
           "x\n",
           RK_OK), /* of a later version */
    STORED("\x06\x11\x00" OWN, RK_OK),
    STORED("\x06\x22\x00" OWN OWN, RK_OK),
    STORED("\x01\x01\x00"
           "a\x01\x01\x00"
           "b",
           RK_ERR_CORRUPT),
    STORED("\x02\x01\x00"
           "a\x01\x01\x00"
           "b",
           RK_ERR_CORRUPT),
    STORED("\x00\x01\x00"
           "a",
           RK_ERR_CORRUPT),
    STORED("\x01\x02\x00"
           "a",
           RK_ERR_CORRUPT),
    STORED("\x01\x00", RK_ERR_CORRUPT),
    STORED("\x03\x01\x00\r", RK_ERR_CORRUPT),
    STORED("\x05\x01\x00\n", RK_ERR_CORRUPT),
    STORED("\x06\x00\x00", RK_ERR_CORRUPT),                            /* an empty list */
    STORED("\x06\x12\x00" OWN "\x0d", RK_ERR_CORRUPT),                 /* the next is cut */
    STORED("\x06\x11\x00\x0d\x02\x00RackKV-Meta-A1", RK_ERR_CORRUPT),  /* longer than the item */
    STORED("\x06\x10\x00\x0c\x01\x00RackKV-Meta-1", RK_ERR_CORRUPT),   /* without a name */
    STORED("\x06\x11\x00\x0d\x01\x00RackKV-Metb-A1", RK_ERR_CORRUPT),  /* another field */
    STORED("\x06\x11\x00\x0d\x01\x00RackKV-Meta-:1", RK_ERR_CORRUPT),  /* a colon in a name */
    STORED("\x06\x11\x00\x0d\x01\x00RackKV-Meta-\n1", RK_ERR_CORRUPT), /* a line ends */
    STORED("\x06\x11\x00\x0d\x01\x00RackKV-Meta-A\n", RK_ERR_CORRUPT),
};

START_TEST(what_does_not_add_up_is_refused)
{
    uint8_t *bytes = malloc(stored[_i].len + 1); /* on the heap, so that overruns are seen */
    struct rk_http_metadata out;

    memcpy(bytes, stored[_i].bytes, stored[_i].len);
    ck_assert_int_eq(rk_http_metadata_decode(bytes, stored[_i].len, &out), stored[_i].err);
    free(bytes);
}
END_TEST

/* The bytes stay what they are: stores are read by later versions. */
START_TEST(the_bytes_on_the_disk)
{
    static const char expected[] = "\x01\x03\x00t/p\x05\x02\x00pl\x06\x11\x00" OWN;
    const struct row row = { { "t/p", NULL, NULL, NULL, "pl" }, "RackKV-Meta-A: 1", NULL };
    struct bed_lines beds[RK_HTTP_N_STORED + 1];
    struct rk_http_metadata_lines lines;
    struct rk_http_span wrong;
    uint8_t bytes[RK_HTTP_METADATA_MAX];
    size_t len;

    make_lines(&row, beds, &lines);
    ck_assert_int_eq(rk_http_metadata_encode(&lines, bytes, &len, &wrong), RK_OK);
    ck_assert_uint_eq(len, sizeof expected - 1);
    ck_assert_mem_eq(bytes, expected, len);
}
END_TEST

#define N_ROWS(rows) (int)(sizeof(rows) / sizeof(rows)[0])

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_metadata");
    TCase *tcase = tcase_create("metadata");

    tcase_add_loop_test(tcase, metadata_comes_back, 0, N_ROWS(good));
    tcase_add_test(tcase, lines_of_lists_become_one);
    tcase_add_test(tcase, a_type_alone);
    tcase_add_test(tcase, an_empty_value_is_none);
    tcase_add_loop_test(tcase, what_could_not_be_sent_is_refused, 0, N_ROWS(bad));
    tcase_add_test(tcase, a_nul_byte_is_refused);
    tcase_add_test(tcase, limits_of_metadata);
    tcase_add_test(tcase, names_have_a_limit);
    tcase_add_loop_test(tcase, what_does_not_add_up_is_refused, 0, N_ROWS(stored));
    tcase_add_test(tcase, the_bytes_on_the_disk);
    suite_add_tcase(suite, tcase);
    return suite;
}
