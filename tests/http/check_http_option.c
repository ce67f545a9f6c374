/* Times to live, durabilities, operations, numbers: tables. */
#include "http/http_number.h"
#include "http/http_option.h"
#include "http_lines_bed.h"
#include "test_main.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define UNTOUCHED 4711

/* ---- times ---- */

struct time_row {
    const char *text;
    uint64_t ttl_ms;     /* 0: refused */
    uint64_t expires_ms; /* 0: refused */
};

static const struct time_row times[] = {
    { "60", 60000, 60000 },
    { "1", 1000, 1000 },
    { "007", 7000, 7000 },
    { "60s", 60000, 0 },
    { "500ms", 500, 0 },
    { "1ms", 1, 0 },
    { "10m", 600000, 0 },
    { "2h", 7200000, 0 },
    { "7d", 604800000, 0 },
    { "253402300799", UINT64_C(253402300799000), UINT64_C(253402300799000) },
    { "253402300799000ms", UINT64_C(253402300799000), 0 },
    { "2932896d", UINT64_C(253402214400000), 0 },
    { "253402300800", 0, 0 },
    { "253402300799001ms", 0, 0 },
    { "2932897d", 0, 0 },
    { "18446744073709551", 0, 0 },    /* seconds that fit into 64 bits as ms */
    { "18446744073709552", 0, 0 },    /* and that do not */
    { "18446744073709551616", 0, 0 }, /* 2^64 */
    { "18446744073709551676", 0, 0 }, /* 2^64 + 60 */
    { "99999999999999999999999999999999", 0, 0 },
    { "213503982335d", 0, 0 }, /* 2^64 ms and some */
    { "0", 0, 0 },
    { "00", 0, 0 },
    { "0ms", 0, 0 },
    { "-1", 0, 0 },
    { "+1", 0, 0 },
    { "", 0, 0 },
    { "s", 0, 0 },
    { "ms", 0, 0 },
    { "abc", 0, 0 },
    { "1.5", 0, 0 },
    { "1e3", 0, 0 },
    { "0x10", 0, 0 },
    { " 60", 0, 0 },
    { "60 ", 0, 0 },
    { "60 s", 0, 0 },
    { "60S", 0, 0 },
    { "60sec", 0, 0 },
    { "1w", 0, 0 },
    { "10m5s", 0, 0 },
    { "60, 61", 0, 0 },
};

START_TEST(times_to_live_and_of_expiry)
{
    const struct time_row *row = &times[_i];
    uint64_t ttl_ms = UNTOUCHED, expires_ms = UNTOUCHED;

    ck_assert_msg(rk_http_option_ttl(bed_span(row->text), &ttl_ms) == (row->ttl_ms != 0), "ttl '%s'", row->text);
    ck_assert_msg(rk_http_option_expires(bed_span(row->text), &expires_ms) == (row->expires_ms != 0), "'%s'",
                  row->text);
    ck_assert_uint_eq(ttl_ms, row->ttl_ms != 0 ? row->ttl_ms : UNTOUCHED);
    ck_assert_uint_eq(expires_ms, row->expires_ms != 0 ? row->expires_ms : UNTOUCHED);
}
END_TEST

START_TEST(the_relative_time_wins)
{
    ck_assert_uint_eq(rk_http_option_expiry_ms(&(struct rk_http_expiry){ 0, 0 }, 1000), 0);
    ck_assert_uint_eq(rk_http_option_expiry_ms(&(struct rk_http_expiry){ 500, 0 }, 1000), 1500);
    ck_assert_uint_eq(rk_http_option_expiry_ms(&(struct rk_http_expiry){ 0, 7000 }, 1000), 7000);
    ck_assert_uint_eq(rk_http_option_expiry_ms(&(struct rk_http_expiry){ 0, 7 }, 1000), 7); /* past */
    ck_assert_uint_eq(rk_http_option_expiry_ms(&(struct rk_http_expiry){ 500, 7000 }, 1000), 1500);
    ck_assert_uint_gt(rk_http_option_expiry_ms(&(struct rk_http_expiry){ RK_HTTP_TTL_MAX_MS, 0 }, RK_HTTP_TTL_MAX_MS),
                      RK_HTTP_TTL_MAX_MS);
}
END_TEST

/* ---- names ---- */

START_TEST(durabilities_have_two_names)
{
    static const char *const wrong[] = {
        "", "write", "writtens", "Written", "SYNCED", "sync", "none", "written, synced"
    };
    bool is_synced = true;

    ck_assert(rk_http_option_durability(bed_span("written"), &is_synced));
    ck_assert(!is_synced);
    ck_assert(rk_http_option_durability(bed_span("synced"), &is_synced));
    ck_assert(is_synced);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!rk_http_option_durability(bed_span(wrong[i]), &is_synced), "%s", wrong[i]);
    ck_assert_str_eq(rk_http_option_durability_name(true), "synced");
    ck_assert_str_eq(rk_http_option_durability_name(false), "written");
}
END_TEST

START_TEST(names_in_parameters)
{
    char longest[RK_HTTP_OPTION_BYTES_MAX + 1], longer[RK_HTTP_OPTION_BYTES_MAX + 2];
    char room[RK_HTTP_OPTION_BYTES_MAX];

    memset(longest, 'x', sizeof longest);
    memset(longer, 'x', sizeof longer);
    longest[sizeof longest - 1] = longer[sizeof longer - 1] = '\0';
    ck_assert(rk_http_option_is(bed_span("incr"), "incr"));
    ck_assert(rk_http_option_is(bed_span("inc%72"), "incr"));
    ck_assert(rk_http_option_is(bed_span(longest), longest));
    ck_assert(!rk_http_option_is(bed_span(longer), longer));
    ck_assert(!rk_http_option_is(bed_span("INCR"), "incr"));
    ck_assert(!rk_http_option_is(bed_span("inc"), "incr"));
    ck_assert(!rk_http_option_is(bed_span("incr+"), "incr "));
    ck_assert(!rk_http_option_is(bed_span("incr%"), "incr"));
    ck_assert(!rk_http_option_is((struct rk_http_span){ NULL, 0 }, ""));
    ck_assert_uint_eq(rk_http_option_decode(bed_span("%zz"), false, room).len, 0);
    ck_assert_uint_eq(rk_http_option_decode(bed_span("a+%20"), true, room).len, 3);
    ck_assert_mem_eq(room, "a  ", 3);
}
END_TEST

/* ---- numbers ---- */

struct number_row {
    const char *text;
    bool is_good;
    int64_t number;
};

static const struct number_row numbers[] = {
    { "0", true, 0 },
    { "1", true, 1 },
    { "-1", true, -1 },
    { "-0", true, 0 },
    { "007", true, 7 },
    { "-007", true, -7 },
    { "9223372036854775807", true, INT64_MAX },
    { "-9223372036854775808", true, INT64_MIN },
    { "-9223372036854775807", true, -INT64_MAX },
    { "00000000000000000000000000000000000042", true, 42 },
    { "9223372036854775808", false, 0 },
    { "-9223372036854775809", false, 0 },
    { "18446744073709551616", false, 0 },
    { "18446744073709551617", false, 0 },
    { "99999999999999999999999999", false, 0 },
    { "", false, 0 },
    { "-", false, 0 },
    { "--1", false, 0 },
    { "+1", false, 0 },
    { " 1", false, 0 },
    { "1 ", false, 0 },
    { "1\n", false, 0 },
    { "1.0", false, 0 },
    { "1e3", false, 0 },
    { "0x10", false, 0 },
    { "12abc", false, 0 },
    { "1,000", false, 0 },
    { "/", false, 0 },
    { ":", false, 0 },
    { "\xd9\xa1", false, 0 }, /* an Arabic one */
};

START_TEST(numbers_are_read_and_written)
{
    const struct number_row *row = &numbers[_i];
    int64_t number = UNTOUCHED;
    char ours[RK_HTTP_NUMBER_BYTES + 1], theirs[32];

    ck_assert_msg(rk_http_number_parse(bed_span(row->text), &number) == row->is_good, "'%s'", row->text);
    ck_assert_int_eq(number, row->is_good ? row->number : UNTOUCHED);
    ours[rk_http_number_format(number, ours)] = '\0';
    snprintf(theirs, sizeof theirs, "%" PRId64, number);
    ck_assert_str_eq(ours, theirs);
}
END_TEST

START_TEST(a_nul_byte_is_no_digit)
{
    int64_t number;

    ck_assert(!rk_http_number_parse((struct rk_http_span){ "1\0", 2 }, &number));
    ck_assert(!rk_http_number_parse((struct rk_http_span){ NULL, 0 }, &number));
}
END_TEST

struct sum_row {
    int64_t a, b;
    bool fits;
};

static const struct sum_row sums[] = {
    { 0, 0, true },
    { 41, 1, true },
    { -1, 1, true },
    { INT64_MAX - 1, 1, true },
    { INT64_MIN + 1, -1, true },
    { INT64_MIN, INT64_MAX, true },
    { INT64_MAX, 1, false },
    { 1, INT64_MAX, false },
    { INT64_MAX, INT64_MAX, false },
    { INT64_MIN, -1, false },
    { -1, INT64_MIN, false },
    { INT64_MIN, INT64_MIN, false },
};

START_TEST(sums_that_do_not_fit_are_none)
{
    const struct sum_row *row = &sums[_i];
    int64_t sum = UNTOUCHED;

    ck_assert_int_eq(rk_http_number_add(row->a, row->b, &sum), row->fits);
    ck_assert(sum == (row->fits ? (int64_t)((uint64_t)row->a + (uint64_t)row->b) : UNTOUCHED));
}
END_TEST

#define N_ROWS(rows) (int)(sizeof(rows) / sizeof(rows)[0])

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_option");
    TCase *tcase = tcase_create("options");

    tcase_add_loop_test(tcase, times_to_live_and_of_expiry, 0, N_ROWS(times));
    tcase_add_test(tcase, the_relative_time_wins);
    tcase_add_test(tcase, durabilities_have_two_names);
    tcase_add_test(tcase, names_in_parameters);
    tcase_add_loop_test(tcase, numbers_are_read_and_written, 0, N_ROWS(numbers));
    tcase_add_test(tcase, a_nul_byte_is_no_digit);
    tcase_add_loop_test(tcase, sums_that_do_not_fit_are_none, 0, N_ROWS(sums));
    suite_add_tcase(suite, tcase);
    return suite;
}
