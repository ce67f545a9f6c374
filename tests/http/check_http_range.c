/* Range: a table of what comes of it, for values of 1000 bytes and of none. */
#include "http/http_range.h"
#include "http_lines_bed.h"
#include "test_main.h"

#include <string.h>

struct row {
    const char *lines;
    uint64_t size;
    enum rk_http_range range;
    uint64_t first, len;
};

#define PART(lines, first, last)                                          \
    {                                                                     \
        "bytes=" lines, 1000, RK_HTTP_RANGE_PART, first, last - first + 1 \
    }
#define NONE(lines)                                    \
    {                                                  \
        "bytes=" lines, 1000, RK_HTTP_RANGE_NONE, 0, 0 \
    }
#define WHOLE(lines)                           \
    {                                          \
        lines, 1000, RK_HTTP_RANGE_WHOLE, 0, 0 \
    }
#define EMPTY(lines, range)                            \
    {                                                  \
        "bytes=" lines, 0, RK_HTTP_RANGE_##range, 0, 0 \
    }

static const struct row rows[] = {
    PART("0-0", 0, 0),
    PART("0-9", 0, 9),
    PART("5-5", 5, 5),
    PART("0-", 0, 999),
    PART("999-", 999, 999),
    PART("999-999", 999, 999),
    PART("990-2000", 990, 999),
    PART("0-998", 0, 998),
    PART("0-999", 0, 999),
    PART("0-1000", 0, 999),
    PART("-1", 999, 999),
    PART("-999", 1, 999),
    PART("-1000", 0, 999),
    PART("-1001", 0, 999),
    PART("-18446744073709551616", 0, 999),
    PART("00-09", 0, 9),
    PART("0-18446744073709551615", 0, 999),
    PART("0-18446744073709551616", 0, 999),
    PART("0-99999999999999999999999", 0, 999),
    PART("500-4294967296", 500, 999),
    PART(" 1-2", 1, 2),
    PART("1-2 ", 1, 2),
    PART(",1-2,\t,", 1, 2),
    { "BYTES=1-2", 1000, RK_HTTP_RANGE_PART, 1, 2 },
    { "bytes=0-", UINT64_MAX, RK_HTTP_RANGE_PART, 0, UINT64_MAX },
    { "bytes=0-0", 1, RK_HTTP_RANGE_PART, 0, 1 },
    NONE("1000-"),
    NONE("1000-1000"),
    NONE("5000-6000"),
    NONE("-0"),
    NONE("-00"),
    NONE("4294967296-"),
    NONE("18446744073709551616-"),
    NONE("18446744073709551617-18446744073709551618"),
    NONE("99999999999999999999999-"),
    WHOLE("bytes=0-0,5-9"),
    WHOLE("bytes=0-0, -1"),
    WHOLE("bytes=0-0,2000-"),
    WHOLE("bytes=1000-,0-1"),
    WHOLE("bytes=0-0\nbytes=0-0"),
    WHOLE("items=0-5"),
    WHOLE("bytesx=0-1"),
    WHOLE("xbytes=0-1"),
    WHOLE("bytes=5-2"),
    WHOLE("bytes="),
    WHOLE("bytes=,"),
    WHOLE("bytes=-"),
    WHOLE("bytes=a-b"),
    WHOLE("bytes=1-b"),
    WHOLE("bytes=1"),
    WHOLE("bytes=0x0-0x5"),
    WHOLE("bytes=--5"),
    WHOLE("bytes=-5-"),
    WHOLE("bytes=0-5-9"),
    WHOLE("bytes=+1-5"),
    WHOLE("bytes=1.5-2"),
    WHOLE("bytes=1 -2"),
    WHOLE("bytes=1- 2"),
    WHOLE("bytes"),
    WHOLE("bytes 0-5"),
    WHOLE("bytes =0-5"),
    WHOLE("0-5"),
    WHOLE(""),
    EMPTY("0-", NONE),
    EMPTY("0-0", NONE),
    EMPTY("5-9", NONE),
    EMPTY("-0", NONE),
    EMPTY("-5", WHOLE),
};

START_TEST(ranges_are_found)
{
    const struct row *row = &rows[_i];
    uint64_t first = 0, len = 0;
    struct bed_lines bed;

    ck_assert_msg(rk_http_range_find(bed_lines(&bed, row->lines), row->size, &first, &len) == row->range, "'%s'",
                  row->lines);
    ck_assert_uint_eq(first, row->first);
    ck_assert_uint_eq(len, row->len);
}
END_TEST

static void check_format(uint64_t first, uint64_t len, uint64_t size, const char *expected)
{
    char text[RK_HTTP_CONTENT_RANGE_BYTES + 1];

    text[rk_http_range_format(first, len, size, text)] = '\0';
    ck_assert_str_eq(text, expected);
}

START_TEST(content_ranges_are_written)
{
    check_format(0, 10, 1000, "bytes 0-9/1000");
    check_format(999, 1, 1000, "bytes 999-999/1000");
    check_format(0, 0, 1000, "bytes */1000");
    check_format(0, 0, 0, "bytes */0");
    check_format(UINT64_MAX - 1, 1, UINT64_MAX, "bytes 18446744073709551614-18446744073709551614/18446744073709551615");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_range");
    TCase *tcase = tcase_create("ranges");

    tcase_add_loop_test(tcase, ranges_are_found, 0, (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(tcase, content_ranges_are_written);
    suite_add_tcase(suite, tcase);
    return suite;
}
