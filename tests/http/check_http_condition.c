/* Conditions: a table of what can be understood, and one of what follows from it, written from RFC 9110 section 13. */
#include "http/http_condition.h"
#include "http/http_date.h"
#include "http_lines_bed.h"
#include "test_main.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- dates ---- */

struct date_row {
    const char *text;
    int64_t seconds;
    bool is_good;
};

#define GOOD_DATE(text, seconds) \
    {                            \
        text, seconds, true      \
    }
#define NO_DATE(text)  \
    {                  \
        text, 0, false \
    }

static const struct date_row dates[] = {
    GOOD_DATE("Sun, 06 Nov 1994 08:49:37 GMT", 784111777),
    GOOD_DATE("Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
    GOOD_DATE("Sun Nov  6 08:49:37 1994", 784111777),
    GOOD_DATE("Wed Nov 16 08:49:37 1994", 784975777),
    GOOD_DATE("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    GOOD_DATE("Wed, 31 Dec 1969 23:59:59 GMT", -1),
    GOOD_DATE("Thu, 29 Feb 2024 00:00:00 GMT", 1709164800),
    GOOD_DATE("Tue, 29 Feb 2000 12:00:00 GMT", 951825600),
    GOOD_DATE("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800), /* a leap second */
    GOOD_DATE("Fri, 31 Dec 9999 23:59:59 GMT", 253402300799),
    GOOD_DATE("Thursday, 01-Jan-70 00:00:00 GMT", 0),
    GOOD_DATE("Tuesday, 31-Dec-69 23:59:59 GMT", 3155759999),
    GOOD_DATE("Sat, 01 Jan 0000 00:00:00 GMT", -719528 * INT64_C(86400)),
    NO_DATE(""),
    NO_DATE("yesterday"),
    NO_DATE("0"),
    NO_DATE("1790000000"),
    NO_DATE("2026-01-01T00:00:00Z"),
    NO_DATE("Mon, 99 Foo 2026 00:00:00 GMT"),
    NO_DATE("Mon, 00 Jan 2026 00:00:00 GMT"),
    NO_DATE("Sun, 06 nov 1994 08:49:37 GMT"),
    NO_DATE("Sun, 06 Nov 1994 08:49:37 UTC"),
    NO_DATE("Sun, 06 Nov 1994 08:49:37 GMT "),
    NO_DATE("Sun, 06 Nov 1994 08:49:37"),
    NO_DATE("Sun, 6 Nov 1994 08:49:37 GMT"),
    NO_DATE("Sun, 06 Nov 1994 24:00:00 GMT"),
    NO_DATE("Sun, 06 Nov 1994 08:60:00 GMT"),
    NO_DATE("Sun, 06 Nov 1994 08:49:61 GMT"),
    NO_DATE("Sun, 31 Nov 1994 08:49:37 GMT"),
    NO_DATE("Wed, 29 Feb 2023 00:00:00 GMT"),
    NO_DATE("Mon, 29 Feb 1900 00:00:00 GMT"),
    NO_DATE("Son, 06 Nov 1994 08:49:37 GMT"),
    NO_DATE("Sunday, 06 Nov 1994 08:49:37 GMT"),
    NO_DATE("Sun Nov 6 08:49:37 1994"),
    NO_DATE("Sun Nov  6 08:49:37 94"),
    NO_DATE("Sun Nov  6 08:49:3"),
};

START_TEST(dates_are_read)
{
    const struct date_row *row = &dates[_i];
    int64_t seconds = 4711;

    ck_assert_msg(rk_http_date_parse(bed_span(row->text), &seconds) == row->is_good, "'%s'", row->text);
    ck_assert_msg(seconds == (row->is_good ? row->seconds : 4711), "'%s' is %lld", row->text, (long long)seconds);
}
END_TEST

static void check_form(const char *format, const struct tm *broken_down, int64_t seconds)
{
    char text[64];
    int64_t ours;

    ck_assert_uint_gt(strftime(text, sizeof text, format, broken_down), 0);
    ck_assert_msg(rk_http_date_parse(bed_span(text), &ours), "'%s'", text);
    ck_assert_msg(ours == seconds, "'%s' is %lld", text, (long long)ours);
}

START_TEST(dates_as_the_c_library_writes_them)
{
    for (int64_t day = 0; day < 36500; day++) {
        time_t seconds = (time_t)(day * 86400 + day * 37 % 86400);
        struct tm broken_down;

        ck_assert_ptr_nonnull(gmtime_r(&seconds, &broken_down));
        check_form("%a, %d %b %Y %H:%M:%S GMT", &broken_down, seconds);
        check_form("%A, %d-%b-%y %H:%M:%S GMT", &broken_down, seconds);
        check_form("%a %b %e %H:%M:%S %Y", &broken_down, seconds);
    }
}
END_TEST

/* ---- what can be understood ---- */

struct list_row {
    const char *list;
    bool is_good;
};

static const struct list_row lists[] = {
    { "*", true },
    { "\"1\"", true },
    { "W/\"1\"", true },
    { "\"1\", \"2\"", true },
    { "\"1\",W/\"2\"\t,\t\"x\"", true },
    { ",, \"1\" ,", true },
    { "\"a,b\", \"1\"", true },
    { "\"\"", true },
    { "\"!#\xff\"", true },
    { "\"1\"\n\"2\"", true },
    { "\n\"2\"", true },
    { "\"1\",\n,\"2\"", true },
    { "", false },
    { ",", false },
    { "\n,", false },
    { "abc", false },
    { "1234", false },
    { "\"abc", false },
    { "abc\"", false },
    { "\"1\" \"2\"", false },
    { "\"1\"\"2\"", false },
    { "*, \"1\"", false },
    { "\"1\", *", false },
    { "*\n*", false },
    { "*\n\"1\"", false },
    { "\"1\"\n*", false },
    { "**", false },
    { "* ", false }, /* the parser has taken white space off */
    { "W/1", false },
    { "w/\"1\"", false },
    { "W \"1\"", false },
    { "W/ \"1\"", false },
    { "W/*", false },
    { "W/", false },
    { "W", false },
    { "\"1\", abc", false },
    { "'1'", false },
    { "\"1\";\"2\"", false },
    { "\"", false },
    { "\"a b\"", false },
    { "\"a\tb\"", false },
    { "\"a\x7f\"", false },
    { "\"1\nx\"", false },
};

START_TEST(lists_of_tags_are_read)
{
    const struct list_row *row = &lists[_i];
    struct bed_lines bed;
    struct rk_http_conditions match = { .if_match = bed_lines(&bed, row->list) };
    struct rk_http_conditions none = { .if_none_match = bed_lines(&bed, row->list) };
    const char *names[] = { rk_http_condition_malformed(&match, RK_HTTP_MAKES_KEY),
                            rk_http_condition_malformed(&none, RK_HTTP_READS) };

    ck_assert_msg((names[0] == NULL) == row->is_good && (names[1] == NULL) == row->is_good, "'%s'", row->list);
    if (row->is_good)
        return;
    ck_assert_str_eq(names[0], "If-Match");
    ck_assert_str_eq(names[1], "If-None-Match");
}
END_TEST

#define EARLY   "Sun, 06 Nov 1994 08:49:36 GMT"
#define THEN    "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATE    "Sun, 06 Nov 1994 08:49:38 GMT"
#define THEN_MS UINT64_C(784111777999)

START_TEST(dates_that_are_none)
{
    struct bed_lines bed;
    struct rk_http_conditions modified = { .if_modified_since = bed_lines(&bed, "yesterday") };
    struct rk_http_conditions unmodified = { .if_unmodified_since = bed_lines(&bed, "yesterday") };
    struct rk_http_conditions twice = { .if_unmodified_since = bed_lines(&bed, THEN "\n" THEN) };

    ck_assert_ptr_null(rk_http_condition_malformed(&modified, RK_HTTP_READS));
    ck_assert_str_eq(rk_http_condition_malformed(&modified, RK_HTTP_MAKES_KEY), "If-Modified-Since");
    ck_assert_str_eq(rk_http_condition_malformed(&modified, RK_HTTP_NEEDS_KEY), "If-Modified-Since");
    ck_assert_str_eq(rk_http_condition_malformed(&twice, RK_HTTP_READS), "If-Unmodified-Since");
    (void)bed_lines(&bed, "yesterday");
    ck_assert_str_eq(rk_http_condition_malformed(&unmodified, RK_HTTP_READS), "If-Unmodified-Since");
    ck_assert_str_eq(rk_http_condition_malformed(&unmodified, RK_HTTP_MAKES_KEY), "If-Unmodified-Since");
}
END_TEST

/* ---- what follows: of a key with sequence 1234, written at THEN; and of an absent one ---- */

#define GO     RK_HTTP_PROCEED
#define SAME   RK_HTTP_NOT_MODIFIED
#define FAILED RK_HTTP_FAILED
#define ABSENT RK_HTTP_ABSENT

struct verdict_row {
    const char *if_match, *if_unmodified, *if_none_match, *if_modified;
    enum rk_http_verdict read, write, make_absent;
};

static const struct verdict_row verdicts[] = {
    { NULL, NULL, NULL, NULL, GO, GO, GO },
    /* If-Match alone: strong */
    { "\"1234\"", NULL, NULL, NULL, GO, GO, FAILED },
    { "*", NULL, NULL, NULL, GO, GO, FAILED },
    { "\"1\", \"1234\"", NULL, NULL, NULL, GO, GO, FAILED },
    { "\"1\"\n\"1234\"", NULL, NULL, NULL, GO, GO, FAILED },
    { "\"1234\"\n\"1\"", NULL, NULL, NULL, GO, GO, FAILED },
    { "\"a,b\",\"1234\"", NULL, NULL, NULL, GO, GO, FAILED },
    { "\"1\"", NULL, NULL, NULL, FAILED, FAILED, FAILED },
    { "W/\"1234\"", NULL, NULL, NULL, FAILED, FAILED, FAILED },
    { "W/\"1234\", \"1\"", NULL, NULL, NULL, FAILED, FAILED, FAILED },
    { "W/\"1\", \"1234\"", NULL, NULL, NULL, GO, GO, FAILED },
    { "\"01234\"", NULL, NULL, NULL, FAILED, FAILED, FAILED },
    { "\"+1234\"", NULL, NULL, NULL, FAILED, FAILED, FAILED },
    { "\"-1234\"", NULL, NULL, NULL, FAILED, FAILED, FAILED },
    { "\"123\"", NULL, NULL, NULL, FAILED, FAILED, FAILED },
    { "\"12345\"", NULL, NULL, NULL, FAILED, FAILED, FAILED },
    { "\"18446744073709552850\"", NULL, NULL, NULL, FAILED, FAILED, FAILED }, /* 2^64 + 1234 */
    { "\"\"", NULL, NULL, NULL, FAILED, FAILED, FAILED },
    { "\"W/1234\"", NULL, NULL, NULL, FAILED, FAILED, FAILED },
    /* If-None-Match alone: weak */
    { NULL, NULL, "\"1234\"", NULL, SAME, FAILED, GO },
    { NULL, NULL, "W/\"1234\"", NULL, SAME, FAILED, GO },
    { NULL, NULL, "*", NULL, SAME, FAILED, GO },
    { NULL, NULL, "\"x\",\"1234\",\"y\"", NULL, SAME, FAILED, GO },
    { NULL, NULL, "\"x\"\nW/\"1234\"", NULL, SAME, FAILED, GO },
    { NULL, NULL, "\"1233\"", NULL, GO, GO, GO },
    { NULL, NULL, "\"01234\"", NULL, GO, GO, GO },
    /* dates alone */
    { NULL, EARLY, NULL, NULL, FAILED, FAILED, GO },
    { NULL, THEN, NULL, NULL, GO, GO, GO },
    { NULL, LATE, NULL, NULL, GO, GO, GO },
    { NULL, NULL, NULL, EARLY, GO, GO, GO },
    { NULL, NULL, NULL, THEN, SAME, GO, GO },
    { NULL, NULL, NULL, LATE, SAME, GO, GO },
    { NULL, NULL, NULL, "yesterday", GO, GO, GO },
    { NULL, NULL, NULL, THEN "\n" THEN, GO, GO, GO },
    { NULL, NULL, NULL, "Wed, 31 Dec 1969 23:59:59 GMT", GO, GO, GO },
    /* the order */
    { "\"1\"", NULL, "\"1234\"", NULL, FAILED, FAILED, FAILED },
    { "\"1234\"", NULL, "\"1234\"", NULL, SAME, FAILED, FAILED },
    { "\"1234\"", NULL, "\"1\"", NULL, GO, GO, FAILED },
    { "\"1234\"", EARLY, NULL, NULL, GO, GO, FAILED }, /* the date is passed over */
    { "\"1\"", LATE, NULL, NULL, FAILED, FAILED, FAILED },
    { NULL, EARLY, "\"1234\"", NULL, FAILED, FAILED, GO },
    { NULL, LATE, "\"1234\"", NULL, SAME, FAILED, GO },
    { NULL, NULL, "\"1\"", LATE, GO, GO, GO }, /* the date is passed over */
    { NULL, NULL, "\"1234\"", EARLY, SAME, FAILED, GO },
    { "\"1234\"", NULL, NULL, LATE, SAME, GO, FAILED },
    { "\"1234\"", LATE, "\"1\"", EARLY, GO, GO, FAILED },
    { "\"1234\"", LATE, "\"1\"", LATE, GO, GO, FAILED },
    { "*", NULL, "*", NULL, SAME, FAILED, FAILED },
};

START_TEST(verdicts_of_conditions)
{
    const struct verdict_row *row = &verdicts[_i];
    struct bed_lines bed[4];
    struct rk_http_conditions conditions = {
        .if_match = bed_lines(&bed[0], row->if_match),
        .if_unmodified_since = bed_lines(&bed[1], row->if_unmodified),
        .if_none_match = bed_lines(&bed[2], row->if_none_match),
        .if_modified_since = bed_lines(&bed[3], row->if_modified),
    };
    struct rk_http_key_state there = { true, 1234, THEN_MS }, absent = { false, 0, 0 };

    ck_assert_int_eq(rk_http_condition_evaluate(&conditions, RK_HTTP_READS, &there), row->read);
    ck_assert_int_eq(rk_http_condition_evaluate(&conditions, RK_HTTP_NEEDS_KEY, &there), row->write);
    ck_assert_int_eq(rk_http_condition_evaluate(&conditions, RK_HTTP_MAKES_KEY, &there), row->write);
    ck_assert_int_eq(rk_http_condition_evaluate(&conditions, RK_HTTP_READS, &absent), ABSENT);
    ck_assert_int_eq(rk_http_condition_evaluate(&conditions, RK_HTTP_NEEDS_KEY, &absent), ABSENT);
    ck_assert_int_eq(rk_http_condition_evaluate(&conditions, RK_HTTP_MAKES_KEY, &absent), row->make_absent);
}
END_TEST

/* ---- If-Range ---- */

struct if_range_row {
    const char *lines;
    bool is_good;
    bool holds; /* for sequence 1234 */
};

static const struct if_range_row if_ranges[] = {
    { "\"1234\"", true, true },
    { "\"1233\"", true, false },
    { "\"01234\"", true, false },
    { "W/\"1234\"", true, false },
    { "\"abc\"", true, false },
    { THEN, true, false },
    { LATE, true, false },
    { "*", false, false },
    { "junk", false, false },
    { "", false, false },
    { "\"1\", \"1234\"", false, false },
    { "\"1234\"\n\"1234\"", false, false },
    { THEN "\n" THEN, false, false },
};

START_TEST(if_range_is_one_tag_or_one_date)
{
    const struct if_range_row *row = &if_ranges[_i];
    struct bed_lines bed;

    ck_assert_int_eq(rk_http_condition_is_if_range(bed_lines(&bed, row->lines)), row->is_good);
    ck_assert_int_eq(rk_http_condition_if_range_holds(bed_lines(&bed, row->lines), 1234), row->holds);
}
END_TEST

#define N_ROWS(rows) (int)(sizeof(rows) / sizeof(rows)[0])

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_condition");
    TCase *tcase = tcase_create("conditions");

    tcase_add_loop_test(tcase, dates_are_read, 0, N_ROWS(dates));
    tcase_add_test(tcase, dates_as_the_c_library_writes_them);
    tcase_add_loop_test(tcase, lists_of_tags_are_read, 0, N_ROWS(lists));
    tcase_add_test(tcase, dates_that_are_none);
    tcase_add_loop_test(tcase, verdicts_of_conditions, 0, N_ROWS(verdicts));
    tcase_add_loop_test(tcase, if_range_is_one_tag_or_one_date, 0, N_ROWS(if_ranges));
    suite_add_tcase(suite, tcase);
    return suite;
}
