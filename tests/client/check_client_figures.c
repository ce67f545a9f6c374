/* Figures and tables, as people see them. */
#include "client/client_figure.h"
#include "client/client_table.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static const struct {
    uint64_t bytes;
    const char *compact;
    const char *size;
} sizes[] = {
    { 0, "0", "0 bytes" },
    { 1, "1", "1 byte" },
    { 999, "999", "999 bytes" },
    { 1023, "1023", "1023 bytes" },
    { 1024, "1.00K", "1.00 KiB" },
    { 10234, "9.99K", "9.99 KiB" },
    { 10240, "10.0K", "10.0 KiB" },
    { 102348, "99.9K", "99.9 KiB" },
    { 102400, "100K", "100 KiB" },
    { 1023 * 1024, "1023K", "1023 KiB" },
    { 1024 * 1024 - 1, "1.00M", "1.00 MiB" },
    { (uint64_t)12884901888, "12.0G", "12.0 GiB" },
    { (uint64_t)1 << 40, "1.00T", "1.00 TiB" },
    { UINT64_MAX, "16.0E", "16.0 EiB" },
};

START_TEST(sizes_have_three_digits)
{
    char text[RK_CLIENT_FIGURE_BYTES], digits[RK_CLIENT_FIGURE_BYTES];

    for (size_t i = 0; i < N_OF(sizes); i++) {
        ck_assert_str_eq(rk_client_figure_bytes(sizes[i].bytes, false, text), sizes[i].compact);
        ck_assert_uint_le(strlen(text), 6);
        ck_assert_str_eq(rk_client_figure_size(sizes[i].bytes, text), sizes[i].size);
        (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)sizes[i].bytes);
        ck_assert_str_eq(rk_client_figure_bytes(sizes[i].bytes, true, text), digits);
    }
}
END_TEST

static const struct {
    double seconds;
    const char *text;
} durations[] = {
    { -1, "0.0 s" },     { 0, "0.0 s" },         { 0.44, "0.4 s" },    { 9.9, "9.9 s" },
    { 10, "10 s" },      { 59.9, "59 s" },       { 60, "1 m 0 s" },    { 3599, "59 m 59 s" },
    { 3600, "1 h 0 m" }, { 86399, "23 h 59 m" }, { 90000, "1 d 1 h" },
};

START_TEST(durations_have_two_units)
{
    char text[RK_CLIENT_FIGURE_BYTES];

    for (size_t i = 0; i < N_OF(durations); i++)
        ck_assert_str_eq(rk_client_figure_duration(durations[i].seconds, text), durations[i].text);
}
END_TEST

START_TEST(times_are_local)
{
    char text[RK_CLIENT_FIGURE_BYTES];

    ck_assert_int_eq(setenv("TZ", "UTC-2", 1), 0);
    tzset();
    ck_assert_str_eq(rk_client_figure_time(0, text), "1970-01-01 02:00:00");
    ck_assert_str_eq(rk_client_figure_time(1795392686221, text), "2026-11-23 02:11:26");
}
END_TEST

static char *print(const struct rk_client_table *table, bool bold)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    rk_client_table_print(table, out, bold);
    fclose(out);
    return text;
}

START_TEST(columns_are_as_wide_as_they_must_be)
{
    static const char *const heads[] = { ">N", "WORD", ">SIZE", "", NULL };
    struct rk_client_table *table = rk_client_table_create(heads);
    char *text;

    for (int i = 0; i < 40; i++) { /* past the first room for cells */
        rk_client_table_add(table, "%d", i * 1000);
        rk_client_table_add(table, "%s", i == 1 ? "longer" : "");
        rk_client_table_add(table, "%d", i);
        rk_client_table_add(table, "%s", i == 2 ? "end" : "");
    }
    text = print(table, false);
    ck_assert_int_eq(strncmp(text,
                             "    N  WORD    SIZE\n"
                             "    0             0\n"
                             " 1000  longer     1\n"
                             " 2000             2  end\n"
                             " 3000             3\n",
                             99),
                     0);
    ck_assert_ptr_nonnull(strstr(text, "39000            39\n"));
    free(text);
    text = print(table, true);
    ck_assert_int_eq(strncmp(text, "\033[1m    N  WORD    SIZE\033[0m\n", 28), 0);
    free(text);
    rk_client_table_destroy(&table);
    ck_assert_ptr_null(table);
}
END_TEST

START_TEST(a_table_may_have_no_heads_and_long_cells_are_cut)
{
    static const char *const heads[] = { "", ">", NULL };
    struct rk_client_table *table = rk_client_table_create(heads);
    char *text;

    rk_client_table_add(table, "a");
    rk_client_table_add(table, "%01000d", 7);
    rk_client_table_add(table, "row that is not whole");
    text = print(table, true);
    ck_assert_uint_lt(strlen(text), 400);
    ck_assert_ptr_null(strstr(text, "whole"));
    ck_assert_ptr_null(strchr(text, '\033'));
    free(text);
    rk_client_table_destroy(&table);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("client_figures");
    TCase *tcase = tcase_create("client_figures");

    tcase_add_test(tcase, sizes_have_three_digits);
    tcase_add_test(tcase, durations_have_two_units);
    tcase_add_test(tcase, times_are_local);
    tcase_add_test(tcase, columns_are_as_wide_as_they_must_be);
    tcase_add_test(tcase, a_table_may_have_no_heads_and_long_cells_are_cut);
    suite_add_tcase(suite, tcase);
    return suite;
}
